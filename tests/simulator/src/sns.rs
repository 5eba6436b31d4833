//! SNS Publish, with the limits that SNS holds messages to.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use crate::record::{Message, Record, held};
use crate::wire::{Answer, Call, ServiceError, uuid};

/// The most bytes of a message: its body, and the names, types and values of its attributes.
const LARGEST: usize = 262_144;

type Attributes = BTreeMap<String, (String, String)>;

/// The topics, and what FIFO topics have taken so far.
#[derive(Debug)]
pub(crate) struct Sns {
    topics: Option<Vec<String>>,
    /// Message id and sequence number by topic and deduplication id; kept for ever, not five minutes.
    taken: Mutex<HashMap<(String, String), (String, u64)>>,
    last: AtomicU64,
}

impl Sns {
    pub(crate) fn new(topics: Option<Vec<String>>) -> Sns {
        Sns { topics, taken: Mutex::default(), last: AtomicU64::new(0) }
    }

    pub(crate) fn answer(&self, call: &Call, record: &Record, request_id: &str) -> Result<Answer, ServiceError> {
        if call.operation != "Publish" {
            return Err(ServiceError::new(400, "InvalidAction", "No such action"));
        }
        let mut message = read(call)?;
        if let Some(topics) = &self.topics
            && !topics.contains(&message.topic)
        {
            return Err(ServiceError::new(404, "NotFound", "Topic does not exist"));
        }
        let number = self.last.fetch_add(1, Ordering::SeqCst) + 1;
        message.message_id = uuid(1, number);
        let mut result = String::new();
        if let (true, Some(id)) = (is_fifo(&message.topic), &message.deduplication_id) {
            let mut taken = held(&self.taken);
            let key = (message.topic.clone(), id.clone());
            let known = taken.get(&key).cloned();
            let fresh = (message.message_id.clone(), number);
            let (message_id, sequence) = known.clone().unwrap_or_else(|| fresh.clone());
            result = format!("<MessageId>{message_id}</MessageId><SequenceNumber>{sequence:020}</SequenceNumber>");
            if known.is_none() {
                taken.insert(key, fresh);
                record.published(message);
            }
        } else {
            result.push_str(&format!("<MessageId>{}</MessageId>", message.message_id));
            record.published(message);
        }
        Ok(Answer::xml("sns", "Publish", &result, request_id))
    }
}

fn invalid(what: &str) -> ServiceError {
    ServiceError::new(400, "InvalidParameter", format!("Invalid parameter: {what}"))
}

fn is_fifo(topic: &str) -> bool {
    topic.ends_with(".fifo")
}

/// Reads a message and holds it to everything that does not depend on which topics exist.
fn read(call: &Call) -> Result<Message, ServiceError> {
    let text = |name: &str| call.parameter(name).map(str::to_owned);
    let message = Message {
        topic: text("TopicArn").unwrap_or_default(),
        account: call.caller.account.clone(),
        subject: text("Subject"),
        body: text("Message").unwrap_or_default(),
        structure: text("MessageStructure"),
        attributes: read_attributes(&call.query)?,
        group_id: text("MessageGroupId"),
        deduplication_id: text("MessageDeduplicationId"),
        message_id: String::new(),
    };
    if !is_topic(&message.topic, &call.caller.region) {
        return Err(invalid("TopicArn"));
    }
    if message.body.is_empty() {
        return Err(invalid("Empty message"));
    }
    let attributes = message.attributes.iter();
    let attributes = attributes.map(|(name, (kind, value))| name.len() + kind.len() + value.len());
    if message.body.len() + attributes.sum::<usize>() > LARGEST {
        return Err(invalid("Message too long"));
    }
    if let Some(subject) = &message.subject {
        check_subject(subject)?;
    }
    match message.structure.as_deref() {
        None => {}
        Some("json") => check_structure(&message.body)?,
        Some(_) => return Err(invalid("MessageStructure")),
    }
    check_ids(&message)?;
    Ok(message)
}

/// A topic must be in the Region that it is published in.
fn is_topic(arn: &str, region: &str) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    let ["arn", "aws", "sns", of_region, account, name] = parts[..] else {
        return false;
    };
    let name = name.strip_suffix(".fifo").unwrap_or(name);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    of_region == region
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && (1..=256).contains(&name.len())
        && name.bytes().all(plain)
}

fn check_subject(subject: &str) -> Result<(), ServiceError> {
    let printable = subject.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if subject.is_empty() || subject.len() >= 100 || !printable || subject.starts_with(' ') {
        return Err(invalid("Subject"));
    }
    Ok(())
}

fn check_structure(body: &str) -> Result<(), ServiceError> {
    let Ok(Value::Object(parts)) = serde_json::from_str(body) else {
        let message = "Message Structure - JSON message body failed to parse";
        return Err(invalid(message));
    };
    if !parts.contains_key("default") {
        let message = "Message Structure - No default entry in JSON message body";
        return Err(invalid(message));
    }
    if !parts.values().all(Value::is_string) {
        let message = "Message Structure - an entry of the JSON message body is no string";
        return Err(invalid(message));
    }
    Ok(())
}

fn check_ids(message: &Message) -> Result<(), ServiceError> {
    let (group, deduplication) = (&message.group_id, &message.deduplication_id);
    let well_formed = |id: &String| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    if group.as_ref().is_some_and(|id| !well_formed(id)) {
        return Err(invalid("MessageGroupId"));
    }
    if deduplication.as_ref().is_some_and(|id| !well_formed(id)) {
        return Err(invalid("MessageDeduplicationId"));
    }
    if !is_fifo(&message.topic) {
        return match deduplication {
            None => Ok(()),
            Some(_) => Err(invalid(
                "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type",
            )),
        };
    }
    if group.is_none() {
        let message = "The MessageGroupId parameter is required for FIFO topics";
        return Err(invalid(message));
    }
    if deduplication.is_none() {
        let message = "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly";
        return Err(invalid(message));
    }
    Ok(())
}

fn read_attributes(form: &BTreeMap<String, String>) -> Result<Attributes, ServiceError> {
    let wrong = |code: &str, message: String| ServiceError::new(400, code, message);
    let mut attributes = Attributes::new();
    for number in 1.. {
        let entry = format!("MessageAttributes.entry.{number}.");
        let Some(name) = form.get(&format!("{entry}Name")) else {
            break;
        };
        let part = |part: &str| form.get(&format!("{entry}Value.{part}")).cloned();
        let kind = part("DataType").unwrap_or_default();
        let value = part("StringValue").unwrap_or_default();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if !(1..=256).contains(&name.len()) || !name.bytes().all(allowed) {
            let message = format!("Invalid parameter: MessageAttributes: the name {name:?}");
            return Err(wrong("InvalidParameter", message));
        }
        let known = ["String", "Number"]
            .iter()
            .any(|base| kind.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')));
        if !known {
            let message = format!("The message attribute '{name}' has an invalid data type");
            return Err(wrong("ParameterValueInvalid", message));
        }
        if value.is_empty() {
            let message = format!("The message attribute '{name}' must contain non-empty value");
            return Err(wrong("ParameterValueInvalid", message));
        }
        if kind.starts_with("Number") && value.parse::<f64>().is_err() {
            let message = format!("The message attribute '{name}' is not a number");
            return Err(wrong("ParameterValueInvalid", message));
        }
        if attributes.insert(name.clone(), (kind, value)).is_some() {
            let message = format!("Invalid parameter: MessageAttributes: {name} twice");
            return Err(wrong("InvalidParameter", message));
        }
    }
    Ok(attributes)
}
