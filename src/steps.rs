//! The steps of a run that the state machine divides among many invocations.
//!
//! `ListTargets` finds the targets, `AuditTarget` reads and judges one, `PublishReport` puts together
//! what they found. They hand it on as documents in a bucket, since what one target holds can be
//! larger than Step Functions lets a state answer. A target whose document is not there is told as
//! one that was not read.

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use lambda_runtime::Context;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use crate::error::Error;
use crate::event::{Request, Step, Task, Trigger};
use crate::facts::{Api, Facts, Failure, Read, Target};
use crate::handler::{Answer, Handler, Moments};
use crate::report;
use crate::report::v1::{self, Report};
use crate::s3::Store;
use crate::settings::{Regions, Role};
use crate::text::json;
use crate::{log, macie, targets};

/// Documents that are fetched at the same time, so that few of them are held before they are put
/// together.
const FETCHING: usize = 64;

/// What `ListTargets` leaves for `PublishReport`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Plan {
    report_id: String,
    trigger: v1::Trigger,
    dry_run: bool,
    /// What could not be read when the targets were found.
    found: Report,
}

/// A target as the items of the map name it, and as `AuditTarget` is given it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    account_id: String,
    region: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
}

impl Item {
    fn target(&self) -> Target {
        Target { account_id: self.account_id.clone(), region: self.region.clone() }
    }
}

/// The documents of one execution.
struct Documents<'a> {
    store: Store,
    execution: &'a str,
    end: Instant,
}

impl Documents<'_> {
    async fn put<T: Serialize>(&self, name: &str, document: &T) -> Result<(), Error> {
        let put = self.store.put(self.key(name), json(document).into_bytes());
        let put = timeout_at(self.end, put).await.unwrap_or_else(|_| Err(Failure::deadline_exceeded()));
        put.map_err(|failure| Error::StepFailed { what: format!("{name} could not be stored"), failure })
    }

    async fn get<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<T, Failure> {
        let document = timeout_at(self.end, self.store.get(self.key(name))).await;
        let document = document.unwrap_or_else(|_| Err(Failure::deadline_exceeded()))?;
        serde_json::from_slice(&document)
            .map_err(|error| Failure::own(Failure::INVALID_RESPONSE, format!("{name} is no such document: {error}")))
    }

    fn key(&self, name: &str) -> String {
        format!("runs/{}/{name}", self.execution)
    }
}

/// The name of the document that tells of a target.
fn report_of(target: &Target) -> String {
    format!("reports/{}-{}.json", target.account_id, target.region)
}

impl Handler {
    /// Does one step.
    ///
    /// # Errors
    /// The step has no bucket, was given a target that it cannot open, could not hand on what it
    /// found, or could not publish.
    pub(crate) async fn step(&self, step: Step, context: &Context, moments: &Moments) -> Result<Answer, Error> {
        let no_bucket = || Error::StepFailed {
            what: "RESULT_BUCKET is not set".to_owned(),
            failure: Failure::own("InvalidSettings", "steps are for the state machine of the template"),
        };
        let bucket = self.settings.result_bucket.as_deref().ok_or_else(no_bucket)?;
        let documents =
            Documents { store: Store::new(&self.aws, bucket), execution: &step.execution, end: moments.end };
        match step.task {
            Task::ListTargets(request, roles) => self.list_targets(request, roles, &documents, context, moments).await,
            Task::AuditTarget(target, role) => self.audit_target(target, role, &documents, context, moments).await,
            Task::PublishReport => self.publish_report(documents, moments).await,
        }
    }

    async fn list_targets(
        &self,
        request: Request,
        more_roles: Vec<Role>,
        documents: &Documents<'_>,
        context: &Context,
        moments: &Moments,
    ) -> Result<Answer, Error> {
        let aws = self.aws.within(moments.attempt);
        let regions = request.regions.map(Regions::These);
        let regions = regions.as_ref().unwrap_or(&self.settings.regions);
        let mut roles = self.settings.roles.clone();
        roles.extend(more_roles.into_iter().filter(|role| !self.settings.has_role_in(&role.account_id)));
        let accounts = targets::accounts(&roles, self.account(context));
        let opened = accounts
            .map(async |account| (account.1, targets::open(&aws, account, regions, (self.now)(), moments.cut).await));
        let (mut items, mut unread) = (Vec::new(), Vec::new());
        for (role, plan) in join_all(opened).await {
            for (_, facts) in plan.open {
                items.push(Item {
                    account_id: facts.target.account_id.clone(),
                    region: facts.target.region.clone(),
                    role_arn: role.map(|role| role.arn.clone()),
                    external_id: role.and_then(|role| role.external_id.clone()),
                });
                unread.extend(Some(facts).filter(|facts| !facts.reads.is_empty()));
            }
            unread.extend(plan.closed);
        }
        let report_id = request.trigger.id.clone().unwrap_or_else(|| documents.execution.to_owned());
        let found = report::build(self.head(report_id.clone(), request.trigger.clone()), &unread, &self.rules);
        let plan = Plan { report_id, trigger: request.trigger.into(), dry_run: request.dry_run, found };
        documents.put("plan.json", &plan).await?;
        documents.put("targets.json", &items).await?;
        Ok(Answer::Targets { execution: documents.execution.to_owned(), targets: items.len() })
    }

    async fn audit_target(
        &self,
        target: Target,
        role: Option<Role>,
        documents: &Documents<'_>,
        context: &Context,
        moments: &Moments,
    ) -> Result<Answer, Error> {
        let own = self.account(context);
        if role.is_none() && target.account_id != own {
            let failure = Failure::own("InvalidEvent", "a target in another account needs a role");
            return Err(Error::StepFailed { what: format!("account {} is not opened", target.account_id), failure });
        }
        let aws = self.aws.within(moments.attempt);
        let regions = Regions::These(vec![target.region.clone()]);
        let account = (target.account_id.as_str(), role.as_ref());
        let plan = targets::open(&aws, account, &regions, (self.now)(), moments.cut).await;
        let mut facts = plan.closed;
        for (config, unread) in plan.open {
            facts.push(
                Box::pin(macie::read(&config, unread, &self.rules, self.settings.include_emails, moments.cut)).await,
            );
        }
        let head = self.head(documents.execution.to_owned(), Trigger::default());
        let report = report::build(head, &facts, &self.rules);
        log::report(&report);
        documents.put(&report_of(&target), &report).await?;
        let Target { account_id, region } = target;
        Ok(Answer::Target { account_id, region, verdict: report.verdict, complete: report.complete })
    }

    async fn publish_report(&self, documents: Documents<'_>, moments: &Moments) -> Result<Answer, Error> {
        let documents = Documents { end: moments.cut, ..documents };
        let lost = |failure| Error::StepFailed { what: "what ListTargets found is not there".to_owned(), failure };
        let plan: Plan = documents.get("plan.json").await.map_err(lost)?;
        let items: Vec<Item> = documents.get("targets.json").await.map_err(lost)?;
        let audited = items.iter().map(|item| self.audited(&documents, item.target()));
        let audited = stream::iter(audited).buffered(FETCHING).collect::<Vec<Report>>().await;
        let reports = std::iter::once(plan.found).chain(audited).collect();
        let report = report::combine(self.head(plan.report_id, plan.trigger.into()), reports, &self.rules);
        log::report(&report);
        // A report can be larger than what a state may answer, so it is never part of the answer.
        self.conclude(report, plan.dry_run, moments.end).await.map(Answer::without_report)
    }

    /// What the audit of a target found, or that it found nothing.
    async fn audited(&self, documents: &Documents<'_>, target: Target) -> Report {
        let found: Result<Report, Failure> = documents.get(&report_of(&target)).await;
        let about_it = |report: &Report| {
            matches!(report.targets.as_slice(), [only]
                if only.account_id == target.account_id && only.region == target.region)
        };
        let failure = match found {
            Ok(report) if about_it(&report) => return report,
            Ok(_) => Failure::own(Failure::INVALID_RESPONSE, "the document is about another target"),
            Err(failure) => failure,
        };
        let read = Read { failure: Some(failure), ..Read::new(Api::GetObject) };
        let facts = Facts { reads: vec![read], ..Facts::new(target) };
        report::build(self.head(documents.execution.to_owned(), Trigger::default()), &[facts], &self.rules)
    }
}
