//! GetFindingStatistics over the findings of a target.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::criteria::{Criteria, Fields, flatten, text};
use crate::items::{Place, filled, object};
use crate::wire::{Call, ServiceError};

/// The fields by which findings can be grouped.
const GROUPS: [&str; 4] =
    ["classificationDetails.jobId", "resourcesAffected.s3Bucket.name", "severity.description", "type"];

/// Names that a seed may use for long paths.
const SHORT: [(&str, &str); 4] = [
    ("bucket", "resourcesAffected.s3Bucket.name"),
    ("jobId", "classificationDetails.jobId"),
    ("occurrences", "count"),
    ("severity", "severity.description"),
];

/// How many groups there are at most in an answer to a request that does not say. Nobody has published it.
const DEFAULT_SIZE: usize = 50;

/// Findings of which a target has a number each.
#[derive(Debug)]
pub(crate) struct Findings(Vec<(Fields, u64)>);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    group_by: String,
    finding_criteria: Option<FindingCriteria>,
    size: Option<usize>,
    sort_criteria: Option<Sort>,
}

/// What a filter's criteria hold beside the criterion is taken as they are taken: as it comes.
#[derive(Debug, Default, Deserialize)]
struct FindingCriteria {
    criterion: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Sort {
    attribute_name: Attribute,
    order_by: Order,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Attribute {
    #[default]
    GroupKey,
    Count,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Order {
    #[default]
    Asc,
    Desc,
}

impl Findings {
    pub(crate) fn render(seeds: &[Map<String, Value>], place: &Place) -> Findings {
        Findings(seeds.iter().map(|seed| finding(seed.clone(), place)).collect())
    }

    /// The answer to GetFindingStatistics. Findings without the field to group by are in no group.
    pub(crate) fn answer(&self, call: &Call) -> Result<String, ServiceError> {
        let asked: Asked = call.json()?;
        if !GROUPS.contains(&asked.group_by.as_str()) {
            return Err(ServiceError::validation(format!("groupBy is not one of {GROUPS:?}")));
        }
        if asked.size == Some(0) {
            return Err(ServiceError::validation("size is not positive"));
        }
        let criteria = Criteria::read(asked.finding_criteria.unwrap_or_default().criterion.as_ref())?;
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for (fields, count) in self.0.iter().filter(|(fields, _)| criteria.match_fields(fields)) {
            if let Some(key) = fields.get(&asked.group_by).and_then(|values| values.first()) {
                *counts.entry(text(key)).or_default() += count;
            }
        }
        let mut groups: Vec<_> = counts.into_iter().collect();
        let Sort { attribute_name, order_by } = asked.sort_criteria.unwrap_or_default();
        if attribute_name == Attribute::Count {
            groups.sort_by_key(|(_, count)| *count);
        }
        if order_by == Order::Desc {
            groups.reverse();
        }
        groups.truncate(asked.size.unwrap_or(DEFAULT_SIZE));
        let groups: Vec<_> = groups.into_iter().map(|(key, count)| json!({"groupKey": key, "count": count})).collect();
        Ok(json!({ "countsByGroup": groups }).to_string())
    }
}

/// The fields of what the seed describes, and how many such findings there are.
fn finding(mut seed: Map<String, Value>, place: &Place) -> (Fields, u64) {
    let count = seed.remove("count").and_then(|count| count.as_u64()).unwrap_or(1);
    for (short, path) in SHORT {
        // A field that has members is written as the service has it.
        if let Some(value) = seed.remove(short) {
            seed.insert(if value.is_object() { short } else { path }.to_owned(), value);
        }
    }
    let raw = seed.remove("raw") == Some(Value::Bool(true));
    let given = flatten(&seed);
    if raw {
        return (given, count);
    }
    // An explicit null keeps a field absent, whatever the default.
    let absent = seed.iter().filter(|(_, value)| value.is_null());
    let mut fields = flatten(&filled(Map::new(), || defaults(&given, place)));
    absent.for_each(|(path, _)| drop(fields.remove(path)));
    fields.extend(given);
    (fields, count)
}

/// What an ordinary finding has in fields that the seed does not name.
fn defaults(given: &Fields, place: &Place) -> Map<String, Value> {
    let given = |path: &str| given.get(path).and_then(|values| values.first()).map(text);
    let kind = given("type").unwrap_or_else(|| "SensitiveData:S3Object/Personal".to_owned());
    let severity = given("severity.description").unwrap_or_else(|| "Low".to_owned());
    let score = match severity.as_str() {
        "High" => 3,
        "Medium" => 2,
        _ => 1,
    };
    let bucket = given("resourcesAffected.s3Bucket.name").unwrap_or_else(|| "bucket".to_owned());
    let classification = !kind.starts_with("Policy:");
    let origin = match given("classificationDetails.jobId") {
        Some(_) => "SENSITIVE_DATA_DISCOVERY_JOB",
        None => "AUTOMATED_SENSITIVE_DATA_DISCOVERY",
    };
    object(json!({
        "accountId": place.account,
        "archived": false,
        "category": if classification { "CLASSIFICATION" } else { "POLICY" },
        "classificationDetails.originType": classification.then_some(origin),
        "count": 1,
        // 1 November 2026.
        "createdAt": 1_793_491_200_000_u64,
        "region": place.region,
        "resourcesAffected.s3Bucket.arn": format!("arn:aws:s3:::{bucket}"),
        "resourcesAffected.s3Bucket.name": bucket,
        "sample": false,
        "severity.description": severity,
        "severity.score": score,
        "type": kind,
        "updatedAt": 1_793_491_200_000_u64,
    }))
}
