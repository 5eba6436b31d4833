//! The SNS topic. The only module that names `aws_sdk_sns`.

use std::time::Duration;

use aws_config::Region;
use aws_sdk_sns::Client;
use aws_sdk_sns::config::retry::RetryConfig;
use aws_sdk_sns::types::MessageAttributeValue;

use macie_compliance_core::failure::Failure;
use macie_compliance_core::names::Topic;
use macie_compliance_core::render::{Message, Messages};
use macie_compliance_core::report::v1::Report;
use tokio::time::{Instant, timeout_at};

use super::{Receipt, Undelivered};
use crate::client::{Aws, OrFailure, retrying};
use crate::log;

/// The one message group of a FIFO topic: the order of reports is the order of runs.
const GROUP: &str = "macie-compliance";

/// The longest that one attempt at publishing may take, so that with the usual margin a hung one is
/// tried again within the time that is kept for publishing.
const ATTEMPT: Duration = Duration::from_secs(3);

/// The SNS topic of the reports.
#[derive(Clone, Debug)]
pub(super) struct Sns {
    client: Client,
    topic: Topic,
    max_parts: usize,
}

impl Sns {
    /// The topic, reached in the Region that it is in, and the most messages of a report whose evidence is stored.
    pub(super) fn new(aws: &Aws, topic: &Topic, max_parts: usize) -> Sns {
        let retry = RetryConfig::standard()
            .with_max_attempts(6)
            .with_initial_backoff(Duration::from_millis(200))
            .with_max_backoff(Duration::from_secs(2));
        let builder = aws_sdk_sns::config::Builder::from(aws.within(ATTEMPT).own())
            .region(Region::new(topic.region.clone()))
            .retry_config(retry);
        Sns { client: Client::from_conf(retrying!(builder).build()), topic: topic.clone(), max_parts }
    }

    /// Publishes every part, in order. If one fails, the whole report goes to the log.
    ///
    /// # Errors
    /// SNS's refusal, or why it could not be reached in time, after the retries.
    pub(super) async fn deliver(&self, report: &Report, until: Instant) -> Result<Receipt, Undelivered> {
        let messages = Messages::of(report, self.max_parts);
        let mut message_ids = Vec::with_capacity(messages.count());
        for message in messages.iter() {
            let sent = timeout_at(until, self.publish(message)).await;
            match sent.unwrap_or_else(|_| Err(Failure::deadline_exceeded())) {
                Ok(id) => message_ids.push(id),
                Err(failure) => {
                    // One message that points to the stored report is not the whole of it.
                    log::unpublished(report, &Messages::of(report, usize::MAX), message_ids.len());
                    return Err(Undelivered { delivered: message_ids.len(), of: messages.count(), failure });
                }
            }
        }
        log::published(report, &message_ids);
        Ok(Receipt { message_ids })
    }

    /// Publishes one message and gives its id.
    async fn publish(&self, message: Message) -> Result<String, Failure> {
        let mut call = self
            .client
            .publish()
            .topic_arn(&self.topic.arn)
            .subject(message.subject)
            .message(message.body)
            .message_structure("json");
        for attribute in message.attributes {
            let value = MessageAttributeValue::builder().data_type(attribute.data_type).string_value(attribute.value);
            let value = value.build().map_err(|error| Failure::own("ConstructionFailure", error.to_string()))?;
            call = call.message_attributes(attribute.name, value);
        }
        if self.topic.fifo {
            call = call.message_group_id(GROUP).message_deduplication_id(message.deduplication_id);
        }
        let answer = call.send().await.or_failure()?;
        answer.message_id.ok_or_else(|| Failure::invalid_response("SNS gave no message id"))
    }
}
