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
use crate::event::{self, Request};
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
    settings: Settings,
    rules: Rules,
    aws: Aws,
    publisher: Publisher,
    now: fn() -> SystemTime,
}

/// What an invocation answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The report's id.
    pub report_id: String,
    /// The verdict over all targets.
    pub verdict: Verdict,
    /// Whether everything was read.
    pub complete: bool,
    /// The counts of the report.
    pub summary: Summary,
    /// The ids that SNS gave, one for each part; none where nothing was to be published.
    pub message_ids: Vec<String>,
    /// The whole report, of a dry run only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
}

impl Handler {
    /// A handler with these settings and clients. The clock is an argument so that there is one
    /// place that reads it.
    pub fn new(settings: Settings, aws: Aws, now: fn() -> SystemTime) -> Handler {
        let rules = Rules::without(&settings.disabled_rules);
        let publisher = Publisher::new(&aws, &settings.topic);
        Handler { settings, rules, aws, publisher, now }
    }

    /// Runs over the targets that the event asks for.
    ///
    /// # Errors
    /// The event is none that is known, or the report could not be published.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Error> {
        let LambdaEvent { payload, context } = event;
        let request = event::parse(&payload).map_err(Error::InvalidEvent)?;
        let start = Instant::now();
        let budget = Budget::new(context.deadline, (self.now)(), self.settings.deadline_margin);

        let facts = self.collect(&request, &context, start + budget.read, budget.attempt).await;
        let head = Head {
            report_id: request.trigger.id.clone().unwrap_or(context.request_id),
            generated_at: self.timestamp(),
            trigger: request.trigger,
        };
        let report = report::build(head, &facts, &self.rules);
        drop(facts);
        log::report(&report);

        let silent = self.settings.notify_on == NotifyOn::Problems && report.verdict == Verdict::Compliant;
        let message_ids =
            if request.dry_run || silent { Vec::new() } else { self.publish(&report, start + budget.publish).await? };
        Ok(Answer {
            report_id: report.report_id.clone(),
            verdict: report.verdict,
            complete: report.complete,
            summary: report.summary.clone(),
            message_ids,
            report: request.dry_run.then_some(report),
        })
    }

    /// Reads every target until the cut.
    async fn collect(&self, request: &Request, context: &Context, cut: Instant, attempt: Duration) -> Vec<Facts> {
        let (aws, now) = (self.aws.within(attempt), (self.now)());
        let asked = request.regions.clone().map(Regions::These);
        let regions = asked.as_ref().unwrap_or(&self.settings.regions);
        // Each account is read as soon as it is open, so that one that does not open delays no other.
        let accounts = targets::accounts(&self.settings, self.account(context)).map(|account| {
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
    fn account<'a>(&'a self, context: &'a Context) -> &'a str {
        Arn::parse(&context.invoked_function_arn)
            .map(|arn| arn.account_id)
            .filter(|account| is_account_id(account))
            .unwrap_or(&self.settings.topic.account_id)
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
