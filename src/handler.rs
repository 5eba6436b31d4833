//! One invocation: what it is asked for, how long it has, and what it answers.

use std::time::{Instant, SystemTime};

use futures_util::FutureExt;
use lambda_runtime::{Context, LambdaEvent};
use macie_compliance_core::failure::Failure;
use macie_compliance_core::inlet::deadline::Budget;
use macie_compliance_core::inlet::event;
use macie_compliance_core::inlet::settings::Settings;
use macie_compliance_core::names::{Arn, Target, is_account_id};
use macie_compliance_core::order::{Event, Order, Step, Task};
use macie_compliance_core::report::v1::{Report, Summary, Verdict};
use serde::Serialize;
use serde_json::Value;

use crate::client::Aws;
use crate::divided::{Audited, Divided};
use crate::error::Error;
use crate::run::{Concluded, Runner};
use crate::store::ObjectStore;

/// Answers invocations.
#[derive(Debug)]
pub struct Handler {
    runner: Runner,
}

/// What an invocation answers.
#[derive(Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum Answer {
    /// A run, or the last step of one.
    Run {
        /// The report's id.
        report_id: String,
        /// The verdict over all targets.
        verdict: Verdict,
        /// Whether everything was read.
        complete: bool,
        /// The counts of the report.
        summary: Box<Summary>,
        /// The ids that SNS gave, one for each part; none where nothing was to be published.
        message_ids: Vec<String>,
        /// The whole report, of a dry run only.
        #[serde(skip_serializing_if = "Option::is_none")]
        report: Option<Box<Report>>,
    },
    /// The step that finds the targets.
    Targets {
        /// The execution that it is a step of.
        execution: String,
        /// How many there are to audit.
        targets: usize,
    },
    /// The step that audits a target.
    Target {
        /// The account and the Region.
        #[serde(flatten)]
        target: Target,
        /// The verdict over it.
        verdict: Verdict,
        /// Whether everything of it was read.
        complete: bool,
    },
}

impl Answer {
    fn of(concluded: Concluded, with_report: bool) -> Answer {
        let Concluded { report, receipt } = concluded;
        Answer::Run {
            report_id: report.report_id.clone(),
            verdict: report.verdict,
            complete: report.complete,
            summary: Box::new(report.summary.clone()),
            message_ids: receipt.message_ids,
            report: with_report.then(|| Box::new(report)),
        }
    }
}

impl Handler {
    /// A handler with these settings and clients. The clock is an argument so that there is one
    /// place that reads it.
    pub fn new(settings: Settings, aws: Aws, now: fn() -> SystemTime) -> Handler {
        Handler { runner: Runner::new(settings, aws, now) }
    }

    /// Runs over the targets that the event asks for, or does one step of such a run.
    ///
    /// # Errors
    /// The event is none that is known, the report could not be published, or a step could not be
    /// done.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Error> {
        let LambdaEvent { payload, context } = event;
        let event = event::parse(&payload).map_err(Error::InvalidEvent)?;
        let margin = self.runner.settings.deadline_margin;
        let budget = Budget::new(context.deadline, self.runner.now(), Instant::now(), margin);
        // While the function is frozen connections die without a word.
        self.runner.aws.drop_connections().await;
        // Boxed without their types, so that the stack has room for the one that runs alone.
        match event {
            Event::Run(order) => self.run(order, &context, &budget).boxed_local().await,
            Event::Step(step) => self.step(step, &context, &budget).boxed_local().await,
        }
    }

    async fn run(&self, order: Order, context: &Context, budget: &Budget) -> Result<Answer, Error> {
        let report_id = order.trigger.id.clone().unwrap_or_else(|| context.request_id.clone());
        let dry_run = order.dry_run;
        let concluded = self.runner.run(order, report_id, self.account(context), budget).await;
        Ok(Answer::of(concluded.map_err(Error::publish_failed)?, dry_run))
    }

    async fn step(&self, step: Step, context: &Context, budget: &Budget) -> Result<Answer, Error> {
        let Runner { settings, aws, .. } = &self.runner;
        let no_bucket = || Error::StepFailed {
            what: "EVIDENCE_BUCKET is not set".to_owned(),
            failure: Failure::own("InvalidSettings", "steps are for the state machine of the template"),
        };
        let bucket = settings.evidence_bucket.as_deref().ok_or_else(no_bucket)?;
        let divided = Divided {
            runner: &self.runner,
            store: ObjectStore::new(aws, bucket, settings.evidence_key.as_deref()),
            execution: &step.execution,
            own_account: self.account(context),
            budget,
        };
        match step.task {
            Task::ListTargets(order, roles) => {
                let targets = divided.list_targets(order, roles).await?;
                Ok(Answer::Targets { execution: step.execution, targets })
            }
            Task::AuditTarget(assignment) => {
                let Audited { target, verdict, complete } = divided.audit_target(assignment).await?;
                Ok(Answer::Target { target, verdict, complete })
            }
            // A report can be larger than what a state may answer, so it is never part of the answer.
            Task::PublishReport => divided.publish_report().await.map(|concluded| Answer::of(concluded, false)),
        }
    }

    /// The account that the function runs in. Outside Lambda the function's ARN may name none;
    /// then the topic's owner stands in.
    fn account<'a>(&'a self, context: &'a Context) -> &'a str {
        Arn::parse(&context.invoked_function_arn)
            .map(|arn| arn.account_id)
            .filter(|account| is_account_id(account))
            .unwrap_or(&self.runner.settings.topic.account_id)
    }
}
