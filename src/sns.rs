//! Publishes messages. The only module that names `aws_sdk_sns`.

use std::time::Duration;

use aws_config::Region;
use aws_sdk_sns::Client;
use aws_sdk_sns::config::retry::RetryConfig;
use aws_sdk_sns::types::MessageAttributeValue;

use crate::aws::{Aws, MoreThrottling, OrFailure, unbudgeted};
use crate::facts::Failure;
use crate::report::Message;
use crate::settings::Topic;

/// The one message group of a FIFO topic: the order of reports is the order of runs.
const GROUP: &str = "macie-compliance";

/// The longest that one attempt at publishing may take, so that with the usual margin a hung one is
/// tried again within the time that is kept for publishing.
const ATTEMPT: Duration = Duration::from_secs(3);

/// Publishes to the report topic.
#[derive(Clone, Debug)]
pub struct Publisher {
    client: Client,
    topic: Topic,
}

impl Publisher {
    /// A publisher to this topic, in the Region that the topic is in.
    pub fn new(aws: &Aws, topic: &Topic) -> Publisher {
        let retry = RetryConfig::standard()
            .with_max_attempts(6)
            .with_initial_backoff(Duration::from_millis(200))
            .with_max_backoff(Duration::from_secs(2));
        let config = aws_sdk_sns::config::Builder::from(aws.within(ATTEMPT).own())
            .region(Region::new(topic.region.clone()))
            .retry_config(retry)
            .retry_classifier(MoreThrottling)
            .retry_partition(unbudgeted())
            .build();
        Publisher { client: Client::from_conf(config), topic: topic.clone() }
    }

    /// Publishes one message and gives its id.
    ///
    /// # Errors
    /// SNS's refusal, or why it could not be reached, after the retries.
    pub async fn publish(&self, message: &Message) -> Result<String, Failure> {
        let mut call = self
            .client
            .publish()
            .topic_arn(&self.topic.arn)
            .subject(&message.subject)
            .message(&message.body)
            .message_structure("json");
        for attribute in &message.attributes {
            let value = MessageAttributeValue::builder().data_type(attribute.data_type).string_value(&attribute.value);
            let value = value.build().map_err(|error| Failure::own("ConstructionFailure", error.to_string()))?;
            call = call.message_attributes(attribute.name, value);
        }
        if self.topic.fifo {
            call = call.message_group_id(GROUP).message_deduplication_id(&message.deduplication_id);
        }
        let answer = call.send().await.or_failure()?;
        answer.message_id.ok_or_else(|| Failure::own(Failure::INVALID_RESPONSE, "SNS gave no message id"))
    }
}
