//! SNS takes what SNS takes, and says why it does not take the rest.

use crate::client::{Heard, ask, exchange, form};
use simulator::{Seed, Simulator};

const TOPIC: &str = "arn:aws:sns:us-east-1:999999999999:reports";
const FIFO: &str = "arn:aws:sns:us-east-1:999999999999:reports.fifo";

async fn start() -> Simulator {
    Simulator::start(Seed::default()).await.expect("it starts")
}

/// Publishes `x` to the standard topic, but for the fields given.
async fn publish(simulator: &Simulator, fields: &[(&str, &str)]) -> Heard {
    let mut all = vec![("Action", "Publish")];
    for default in [("TopicArn", TOPIC), ("Message", "x")] {
        if !fields.iter().any(|(name, _)| *name == default.0) {
            all.push(default);
        }
    }
    all.extend(fields);
    ask(simulator, "sns", "POST /", &form(&all)).await
}

fn attribute<'a>(name: &'a str, kind: &'a str, value: &'a str) -> [(&'a str, &'a str); 3] {
    [
        ("MessageAttributes.entry.1.Name", name),
        ("MessageAttributes.entry.1.Value.DataType", kind),
        ("MessageAttributes.entry.1.Value.StringValue", value),
    ]
}

#[tokio::test]
async fn a_message_is_kept_as_it_was_sent() {
    let simulator = start().await;
    let body = r#"{"default": "a & b", "email": "ü"}"#;
    let mut fields = vec![("Message", body), ("MessageStructure", "json"), ("Subject", "NON_COMPLIANT: 1 violation")];
    fields.extend(attribute("violations", "Number", "1"));
    let heard = publish(&simulator, &fields).await;
    assert_eq!(heard.status(), 200);
    let message = simulator.messages().remove(0);
    let id = format!("<PublishResult><MessageId>{}</MessageId>", message.message_id);
    assert!(heard.body.contains(&id), "{}", heard.body);
    assert_eq!((message.topic.as_str(), message.body.as_str()), (TOPIC, body));
    assert_eq!(message.subject.as_deref(), Some("NON_COMPLIANT: 1 violation"));
    assert_eq!(message.structure.as_deref(), Some("json"));
    let kept = &message.attributes["violations"];
    assert_eq!(kept, &("Number".to_owned(), "1".to_owned()));
    assert!(!simulator.requests()[0].query.contains_key("Message"));
}

#[tokio::test]
async fn the_limit_is_in_bytes_and_counts_attributes() {
    let simulator = start().await;
    let exactly = "ü".repeat(131_072);
    assert_eq!(publish(&simulator, &[("Message", &exactly)]).await.status(), 200);
    let over = format!("{exactly}x");
    assert_eq!(publish(&simulator, &[("Message", &over)]).await.status(), 400);
    let mut fields = vec![("Message", &exactly[14..])];
    fields.extend(attribute("name", "String", "four"));
    assert_eq!(publish(&simulator, &fields).await.status(), 200);
    fields.extend([("MessageAttributes.entry.2.Name", "a")]);
    fields.extend([("MessageAttributes.entry.2.Value.DataType", "String")]);
    fields.extend([("MessageAttributes.entry.2.Value.StringValue", "b")]);
    let heard = publish(&simulator, &fields).await;
    assert!(heard.body.contains("Message too long"), "{}", heard.body);
    assert_eq!(simulator.messages().len(), 2);
}

#[tokio::test]
async fn what_sns_refuses_is_refused() {
    let simulator = start().await;
    let long = "s".repeat(100);
    for field in [
        ("TopicArn", "arn:aws:sns:us-east-1:1:reports"),
        ("TopicArn", "arn:aws:sns:eu-west-1:999999999999:reports"),
        ("TopicArn", "reports"),
        ("Message", ""),
        ("Subject", ""),
        ("Subject", "two\nlines"),
        ("Subject", "ü"),
        ("Subject", long.as_str()),
        ("MessageStructure", "xml"),
        ("MessageDeduplicationId", "d"),
    ] {
        let heard = publish(&simulator, &[field]).await;
        assert_eq!(heard.status(), 400, "{field:?}");
        assert!(heard.body.contains("<Code>InvalidParameter</Code>"));
    }
    for body in ["x", "[]", r#"{"email": "x"}"#, r#"{"default": "x", "sms": 1}"#] {
        let heard = publish(&simulator, &[("Message", body), ("MessageStructure", "json")]).await;
        assert_eq!(heard.status(), 400, "{body}");
    }
    for attribute in [
        attribute("", "String", "x"),
        attribute("a", "Text", "x"),
        attribute("a", "String", ""),
        attribute("a", "Number", "x"),
    ] {
        let heard = publish(&simulator, &attribute).await;
        assert_eq!(heard.status(), 400, "{attribute:?}");
    }
    assert_eq!(publish(&simulator, &[("Subject", &long[1..])]).await.status(), 200);
    assert_eq!(simulator.messages().len(), 1);
}

#[tokio::test]
async fn a_fifo_topic_needs_its_ids_and_takes_each_message_once() {
    let simulator = start().await;
    let send = async |group: &str, id: &str| {
        let mut fields = vec![("TopicArn", FIFO)];
        let ids = [("MessageGroupId", group), ("MessageDeduplicationId", id)];
        fields.extend(ids.iter().filter(|(_, id)| !id.is_empty()));
        publish(&simulator, &fields).await
    };
    let long = "x".repeat(129);
    for (group, id) in [("", "a"), ("g", ""), ("g", "a b"), ("g", long.as_str())] {
        assert_eq!(send(group, id).await.status(), 400);
    }
    let first = send("g", "a").await;
    let again = send("g", "a").await;
    let id = |heard: &Heard| {
        let (_, rest) = heard.body.split_once("<MessageId>").expect("an id");
        rest.split('<').next().map(str::to_owned)
    };
    assert_eq!(id(&first), id(&again));
    assert_ne!(id(&first), id(&send("g", "b").await));
    assert_eq!(simulator.messages().len(), 2);
    assert_eq!(simulator.requests().len(), 7);
}

#[tokio::test]
async fn an_unknown_topic_is_not_found() {
    let seed = Seed { topics: Some(vec![FIFO.to_owned()]), ..Seed::default() };
    let simulator = Simulator::start(seed).await.expect("it starts");
    let heard = publish(&simulator, &[]).await;
    assert_eq!(heard.status(), 404);
    assert!(heard.body.contains("<Code>NotFound</Code>"));
}

#[tokio::test]
async fn scripts_read_what_happened_without_a_signature() {
    let simulator = start().await;
    publish(&simulator, &[]).await;
    let address = &simulator.url()[7..];
    let messages = exchange(address, "GET /_simulator/messages", "", "").await;
    assert_eq!(messages.json()[0]["body"], "x");
    let requests = exchange(address, "GET /_simulator/requests", "", "").await;
    assert_eq!(requests.json()[0]["operation"], "Publish");
    assert_eq!(simulator.requests().len(), 1);
}
