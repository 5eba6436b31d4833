//! Sensitive data discovery jobs.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::catalog::{Catalog, Kind};
use crate::items::{LONG_AGO, Place, RECENTLY, object};
use crate::lists::Lists;
use crate::wire::{ServiceError, uuid};

/// What only DescribeClassificationJob tells.
const DETAILS: [&str; 14] = [
    "allowListIds",
    "clientToken",
    "customDataIdentifierIds",
    "description",
    "initialRun",
    "jobArn",
    "lastRunTime",
    "managedDataIdentifierIds",
    "managedDataIdentifierSelector",
    "s3JobDefinition",
    "samplingPercentage",
    "scheduleFrequency",
    "statistics",
    "tags",
];

/// How many jobs there are on a page if the request does not say. Nobody has published it.
const DEFAULT_SIZE: usize = 25;

/// The jobs of a target.
#[derive(Debug)]
pub(crate) struct Jobs {
    pub(crate) catalog: Catalog,
    /// What the list tells of each, to be filtered.
    listed: Vec<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    filter_criteria: Filter,
    max_results: Option<usize>,
    next_token: Option<String>,
    sort_criteria: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Filter {
    includes: Vec<Term>,
    excludes: Vec<Term>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Term {
    comparator: Comparator,
    key: Key,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Comparator {
    Eq,
    Ne,
    Gt,
    Gte,
    Lt,
    Lte,
    Contains,
    StartsWith,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Key {
    JobType,
    JobStatus,
    CreatedAt,
    Name,
}

impl Jobs {
    pub(crate) fn render(seeds: &[Value], place: &Place) -> Jobs {
        let kind = Kind {
            id: "jobId",
            new_id: |number| uuid(4, number).replace('-', ""),
            defaults: |id: &str, number| job(place, id, number),
            only_read: &DETAILS,
            only_listed: &["bucketCriteria", "bucketDefinitions"],
            spell_out: paused_by_user,
        };
        let catalog = Catalog::render(seeds, kind);
        let listed = catalog.listed.iter().map(|job| serde_json::from_str(job).unwrap_or_default()).collect();
        Jobs { catalog, listed }
    }

    /// The answer to ListClassificationJobs, in the order of the seed whatever the order that was asked for.
    pub(crate) fn list(&self, lists: &Lists<'_>) -> Result<String, ServiceError> {
        let Asked { filter_criteria, max_results, next_token, sort_criteria } = lists.call.json_or_default()?;
        let size = max_results.unwrap_or(DEFAULT_SIZE);
        if size == 0 {
            return Err(ServiceError::validation("maxResults is not positive"));
        }
        let wanted = |job: &Value| {
            filter_criteria.includes.iter().all(|term| term.holds(job))
                && !filter_criteria.excludes.iter().any(|term| term.holds(job))
        };
        let jobs = self.catalog.listed.iter().zip(&self.listed);
        let jobs: Vec<_> = jobs.filter(|(_, job)| wanted(job)).map(|(text, _)| text).collect();
        let parameters = format!("{filter_criteria:?} {max_results:?} {sort_criteria:?}");
        lists.page("items", &jobs, size, next_token.as_deref(), parameters)
    }
}

impl Term {
    fn holds(&self, job: &Value) -> bool {
        let name = match self.key {
            Key::JobType => "jobType",
            Key::JobStatus => "jobStatus",
            Key::CreatedAt => "createdAt",
            Key::Name => "name",
        };
        let have = job[name].as_str().unwrap_or_default();
        let any = |holds: fn(&str, &str) -> bool| self.values.iter().any(|value| holds(have, value));
        match self.comparator {
            Comparator::Eq => any(|have, value| have == value),
            Comparator::Ne => !any(|have, value| have == value),
            Comparator::Gt => any(|have, value| have > value),
            Comparator::Gte => any(|have, value| have >= value),
            Comparator::Lt => any(|have, value| have < value),
            Comparator::Lte => any(|have, value| have <= value),
            Comparator::Contains => any(|have, value| have.contains(value)),
            Comparator::StartsWith => any(|have, value| have.starts_with(value)),
        }
    }
}

fn job(place: &Place, id: &str, number: u64) -> Map<String, Value> {
    let buckets = json!([{"accountId": place.account, "buckets": ["bucket"]}]);
    object(json!({
        "allowListIds": [],
        "bucketDefinitions": buckets,
        "createdAt": LONG_AGO,
        "customDataIdentifierIds": [],
        "initialRun": true,
        "jobArn": place.arn(&format!("classification-job/{id}")),
        "jobId": id,
        "jobStatus": "IDLE",
        "jobType": "SCHEDULED",
        "lastRunErrorStatus": {"code": "NONE"},
        "lastRunTime": RECENTLY,
        "managedDataIdentifierIds": [],
        "managedDataIdentifierSelector": "RECOMMENDED",
        "name": format!("job-{number}"),
        "s3JobDefinition": {"bucketDefinitions": buckets},
        "samplingPercentage": 100,
        "scheduleFrequency": {"dailySchedule": {}},
        "statistics": {"approximateNumberOfObjectsToProcess": 0.0, "numberOfRuns": 1.0},
        "tags": {},
    }))
}

/// A job that its user paused says since when, and when it expires.
fn paused_by_user(job: &mut Map<String, Value>) {
    if job.get("jobStatus") == Some(&json!("USER_PAUSED")) {
        let details = || json!({"jobPausedAt": RECENTLY, "jobExpiresAt": "2026-12-01T00:00:00Z"});
        job.entry("userPausedDetails").or_insert_with(details);
    }
}
