//! One invocation: collect, judge and render, publish.

use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use futures_util::future::join_all;
use lambda_runtime::{Context, LambdaEvent};
use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::aws::Aws;
use crate::deadline::Budget;
use crate::error::Error;
use crate::event::{self, Event, Request, Trigger};
use crate::facts::{Facts, Failure};
use crate::names::{Arn, is_account_id};
use crate::report::v1::{Report, Summary, Verdict};
use crate::report::{self, Head};
use crate::rules::Rules;
use crate::settings::{NotifyOn, Regions, Settings};
use crate::sns::Publisher;
use crate::{log, macie, targets};

/// Everything that outlives an invocation.
#[derive(Debug)]
pub struct Handler {
    pub(crate) settings: Settings,
    pub(crate) rules: Rules,
    pub(crate) aws: Aws,
    publisher: Publisher,
    pub(crate) now: fn() -> SystemTime,
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
        summary: Summary,
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
        /// Its account.
        account_id: String,
        /// Its Region.
        region: String,
        /// The verdict over it.
        verdict: Verdict,
        /// Whether everything of it was read.
        complete: bool,
    },
}

impl Answer {
    pub(crate) fn without_report(mut self) -> Answer {
        if let Answer::Run { report, .. } = &mut self {
            *report = None;
        }
        self
    }
}

/// The moments of an invocation at which something has to be over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moments {
    /// Reading.
    pub(crate) cut: Instant,
    /// Publishing.
    pub(crate) end: Instant,
    /// One attempt at a request, this long after it was begun.
    pub(crate) attempt: Duration,
}

impl Handler {
    /// A handler with these settings and clients. The clock is an argument so that there is one
    /// place that reads it.
    pub fn new(settings: Settings, aws: Aws, now: fn() -> SystemTime) -> Handler {
        let rules = Rules::without(&settings.disabled_rules);
        let publisher = Publisher::new(&aws, &settings.topic);
        Handler { settings, rules, aws, publisher, now }
    }

    /// Runs over the targets that the event asks for, or does one step of such a run.
    ///
    /// # Errors
    /// The event is none that is known, the report could not be published, or a step could not be
    /// done.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Error> {
        let LambdaEvent { payload, context } = event;
        let event = event::parse(&payload).map_err(Error::InvalidEvent)?;
        let start = Instant::now();
        let budget = Budget::new(context.deadline, (self.now)(), self.settings.deadline_margin);
        let moments = Moments { cut: start + budget.read, end: start + budget.publish, attempt: budget.attempt };
        match event {
            Event::Run(request) => self.run(request, &context, &moments).await,
            Event::Step(step) => self.step(step, &context, &moments).await,
        }
    }

    async fn run(&self, request: Request, context: &Context, moments: &Moments) -> Result<Answer, Error> {
        let facts = self.collect(&request, context, moments).await;
        let report_id = request.trigger.id.clone().unwrap_or_else(|| context.request_id.clone());
        let report = report::build(self.head(report_id, request.trigger), &facts, &self.rules);
        drop(facts);
        log::report(&report);
        self.conclude(report, request.dry_run, moments.end).await
    }

    /// Publishes the report, if it is to be, and gives the answer.
    pub(crate) async fn conclude(&self, report: Report, dry_run: bool, end: Instant) -> Result<Answer, Error> {
        let silent = self.settings.notify_on == NotifyOn::Problems && report.verdict == Verdict::Compliant;
        let message_ids = if dry_run || silent { Vec::new() } else { self.publish(&report, end).await? };
        Ok(Answer::Run {
            report_id: report.report_id.clone(),
            verdict: report.verdict,
            complete: report.complete,
            summary: report.summary.clone(),
            message_ids,
            report: dry_run.then(|| Box::new(report)),
        })
    }

    /// Reads every target until the cut.
    async fn collect(&self, request: &Request, context: &Context, moments: &Moments) -> Vec<Facts> {
        let (aws, now, cut) = (self.aws.within(moments.attempt), (self.now)(), moments.cut);
        let asked = request.regions.clone().map(Regions::These);
        let regions = asked.as_ref().unwrap_or(&self.settings.regions);
        // Each account is read as soon as it is open, so that one that does not open delays no other.
        let accounts = targets::accounts(&self.settings.roles, self.account(context)).map(|account| {
            let aws = &aws;
            async move {
                let plan = targets::open(aws, account, regions, now, cut).await;
                // Boxed, since a future of so many requests is large and would be moved about.
                let open = plan.open.into_iter().map(|(config, facts)| {
                    Box::pin(async move {
                        macie::read(&config, facts, &self.rules, self.settings.include_emails, cut).await
                    })
                });
                let mut facts = join_all(open).await;
                facts.extend(plan.closed);
                facts
            }
        });
        let mut facts = join_all(accounts).await.concat();
        facts.sort_by(|a, b| a.target.cmp(&b.target));
        facts
    }

    /// The account that the function runs in. Outside Lambda the function's ARN may name none;
    /// then the topic's owner stands in.
    pub(crate) fn account<'a>(&'a self, context: &'a Context) -> &'a str {
        Arn::parse(&context.invoked_function_arn)
            .map(|arn| arn.account_id)
            .filter(|account| is_account_id(account))
            .unwrap_or(&self.settings.topic.account_id)
    }

    /// The head of a report that is made now.
    pub(crate) fn head(&self, report_id: String, trigger: Trigger) -> Head {
        Head { report_id, generated_at: self.timestamp(), trigger }
    }

    fn timestamp(&self) -> String {
        let seconds = DateTime::from_secs(DateTime::from((self.now)()).secs());
        seconds.fmt(Format::DateTime).unwrap_or_default()
    }

    /// Publishes every part, in order, and gives their ids.
    async fn publish(&self, report: &Report, end: Instant) -> Result<Vec<String>, Error> {
        let messages = report::messages(report);
        let mut published = Vec::with_capacity(messages.len());
        for message in &messages {
            let sent = timeout_at(end, self.publisher.publish(message)).await;
            match sent.unwrap_or_else(|_| Err(Failure::deadline_exceeded())) {
                Ok(id) => published.push(id),
                Err(failure) => {
                    log::unpublished(report, &messages, published.len());
                    return Err(Error::PublishFailed {
                        report_id: report.report_id.clone(),
                        published: published.len(),
                        messages: messages.len(),
                        failure,
                    });
                }
            }
        }
        log::published(report, &published);
        Ok(published)
    }
}
