//! What SNS gets, and what happens when it does not take it.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};
use simulator::lambda::{Invocation, Outcome};
use simulator::{Fault, FaultKind, Message, Seed, TargetSeed};

use crate::function::{Function, TOPIC, error, healthy, part, seed, text, violations};

fn flagged() -> Seed {
    seed(TargetSeed {
        members: vec![json!({"count": 2, "relationshipStatus": "AccountSuspended"})],
        findings_filters: vec![json!({"id": "f-1", "action": "ARCHIVE"})],
        ..healthy()
    })
}

#[tokio::test]
async fn one_message_holds_the_report_for_programs_and_texts_for_people() {
    let function = Function::start(flagged()).await;
    let answer = function.answer(json!({})).await;
    let [message] = &function.aws.messages()[..] else { panic!("not one message") };
    assert_eq!(message.topic, TOPIC);
    assert_eq!(message.structure.as_deref(), Some("json"));
    assert_eq!(message.subject.as_deref(), Some("Macie NON_COMPLIANT: 3 violations, 999999999999 us-east-1"));
    assert_eq!((&message.group_id, &message.deduplication_id), (&None, &None));
    assert_eq!(answer["messageIds"], json!([message.message_id]));

    let report = part(&message.body, "default");
    assert_eq!(report["reportId"], answer["reportId"]);
    assert_eq!(report["summary"], answer["summary"]);
    assert_eq!(report["part"], json!({"number": 1, "of": 1}));
    assert_eq!(violations(&report).len(), 3);
    assert!(answer.get("report").is_none(), "the whole report is in the answer of a dry run only");

    let attribute = |name: &str| message.attributes[name].clone();
    let string = |value: &str| ("String".to_owned(), value.to_owned());
    let number = |value: &str| ("Number".to_owned(), value.to_owned());
    assert_eq!(attribute("verdict"), string("NON_COMPLIANT"));
    assert_eq!(attribute("complete"), string("true"));
    assert_eq!(attribute("maxSeverity"), string("CRITICAL"));
    assert_eq!(attribute("violations"), number("3"));
    assert_eq!(attribute("reportId"), string(answer["reportId"].as_str().expect("an id")));
    assert_eq!((attribute("part"), attribute("parts")), (number("1"), number("1")));

    let mail = text(&message.body, "email");
    assert!(mail.starts_with("NON_COMPLIANT: "), "{mail}");
    assert!(mail.lines().all(|line| line.chars().count() <= 72), "{mail}");
    assert_eq!(text(&message.body, "sms").lines().count(), 1);
}

#[tokio::test]
async fn a_fifo_topic_gets_a_group_and_a_deduplication_id_that_is_the_same_after_a_lost_acknowledgement() {
    let fifo = "arn:aws:sns:us-east-1:999999999999:reports.fifo";
    let lost = Fault { times: Some(1), ..Fault::of("sns", "Publish", FaultKind::AfterAccept) };
    let seed = Seed { faults: vec![lost], ..flagged() };
    let function = Function::with(seed, &[("REPORT_TOPIC_ARN", fifo)]).await;
    function.answer(json!({})).await;
    let published = function.aws.requests().iter().filter(|request| request.operation == "Publish").count();
    assert_eq!(published, 2);
    let [message] = &function.aws.messages()[..] else {
        panic!("the second is the same, byte by byte, and is not delivered again")
    };
    assert!(message.group_id.is_some() && message.deduplication_id.is_some());
}

#[tokio::test]
async fn a_large_report_is_split_and_holds_every_violation_once() {
    let function = Function::start(seed(TargetSeed {
        members: vec![json!({"count": 5_000, "relationshipStatus": "RegionDisabled"})],
        findings_filters: vec![
            json!({"count": 1_000, "name": "a \"quoted\" \\ name of a filter, \u{202e}漢字", "action": "ARCHIVE"}),
        ],
        ..healthy()
    }))
    .await;
    let answer = function.answer(json!({})).await;
    assert_eq!(answer["summary"]["violations"], 6_000);
    let (messages, reports) = (function.aws.messages(), function.published());
    assert_eq!(answer["messageIds"].as_array().map(Vec::len), Some(messages.len()));
    let mut seen = HashSet::new();
    for (index, (message, report)) in messages.iter().zip(&reports).enumerate() {
        assert_eq!(report["part"], json!({"number": index + 1, "of": messages.len()}));
        assert_eq!((&report["verdict"], &report["summary"]), (&answer["verdict"], &answer["summary"]));
        assert_eq!(report["targets"].as_array().map(Vec::len), Some(1));
        for violation in report["violations"].as_array().expect("a list") {
            assert!(seen.insert(violation["id"].clone()), "twice: {violation}");
        }
        let attributes: usize =
            message.attributes.iter().map(|(name, (kind, value))| name.len() + kind.len() + value.len()).sum();
        let size = message.body.len() + attributes;
        assert!(size <= 262_144, "part {index} has {size} bytes");
        let envelope = envelope(message).len();
        assert!(envelope <= 262_144, "the envelope of part {index} has {envelope} bytes");
        let full = size.max(envelope) > 262_144 * 9 / 10;
        assert!(index + 1 == messages.len() || full, "part {index} has only {size} bytes");
        assert!(message.subject.as_ref().is_some_and(|subject| subject.ends_with(&format!(
            "(part {} of {})",
            index + 1,
            messages.len()
        ))));
    }
    assert_eq!(seen.len(), 6_000);
    assert!(text(&messages[0].body, "email").contains("And 5950 more"));
    assert!(text(&messages[1].body, "email").contains("part 2 of"));
}

/// What SNS hands to a queue without raw delivery, with what is not ASCII as escapes.
fn envelope(message: &Message) -> String {
    let attributes: BTreeMap<_, _> =
        message.attributes.iter().map(|(name, (kind, value))| (name, json!({"Type": kind, "Value": value}))).collect();
    let envelope = json!({
        "Type": "Notification", "MessageId": message.message_id, "SequenceNumber": "1".repeat(20), "TopicArn": message.topic,
        "Subject": message.subject, "Message": text(&message.body, "default"), "Timestamp": "2026-11-22T06:00:04.123Z",
        "SignatureVersion": "1", "Signature": "s".repeat(344),
        "SigningCertURL": format!("https://sns.us-east-1.amazonaws.com/SimpleNotificationService-{}.pem", "0".repeat(32)),
        "UnsubscribeURL": format!("https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={}:{}", message.topic, "0".repeat(36)),
        "MessageAttributes": attributes,
    });
    let escape = |c: char| match c {
        c if c.is_ascii() => c.to_string(),
        c => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    };
    envelope.to_string().chars().map(escape).collect()
}

#[tokio::test]
async fn names_from_other_accounts_reach_no_subject_no_mail_and_no_log_line_unmasked() {
    let name = "mute\r\nBcc: x\u{1b}[2J\u{202e}live\u{2028}\u{7}\u{85}\u{200b}";
    let target = TargetSeed {
        findings_filters: vec![
            json!({"id": "f\n1", "name": name, "action": "ARCHIVE"}),
            json!({"id": "f-2", "action": "AR\u{202e}\nX"}),
        ],
        members: vec![json!({"accountId": "100000000001", "relationshipStatus": "Odd\u{1b}[31m"})],
        ..healthy()
    };
    let fault = Fault::of("macie2", "ListInvitations", error(403, "AccessDeniedException", "no\u{202e}\n\u{1b}[0m"));
    let function = Function::start(Seed { faults: vec![fault], ..seed(target) }).await;
    let envelope = json!({"id": "id\u{202e}\n7", "source": "s\u{1b}[0m", "detail-type": "d\n"});
    function.answer(envelope).await;

    let hidden = |c: char| {
        c.is_control() && c != '\n'
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{200b}'..='\u{200f}' | '\u{2028}' | '\u{2029}')
    };
    let [message] = &function.aws.messages()[..] else { panic!("not one message") };
    let subject = message.subject.clone().unwrap_or_default();
    assert!(subject.len() <= 99 && subject.chars().all(|c| (' '..='~').contains(&c)), "{subject:?}");
    let mail = text(&message.body, "email");
    assert!(!mail.contains(hidden) && !mail.contains("\nBcc") && mail.contains("live"), "{mail:?}");
    assert!(!text(&message.body, "sms").contains(|c: char| hidden(c) || c == '\n'));
    for line in function.log().await {
        assert!(!line.to_string().contains(hidden), "{line}");
        let fields = line.as_object().expect("an object").values().filter_map(Value::as_str);
        fields.for_each(|field| assert!(!field.contains(|c: char| hidden(c) || c == '\n'), "{field:?}"));
    }
    let report = part(&message.body, "default");
    let kept =
        report["violations"].as_array().expect("a list").iter().find(|violation| violation["resource"]["name"] == name);
    assert!(kept.is_some(), "the JSON keeps the name to the letter");
}

#[tokio::test]
async fn a_failure_in_the_middle_of_a_split_report_says_how_far_it_got() {
    let fault = Fault { from: 2, ..Fault::of("sns", "Publish", error(403, "AuthorizationError", "no")) };
    let large =
        seed(TargetSeed { members: vec![json!({"count": 1_500, "relationshipStatus": "Paused"})], ..healthy() });
    let function = Function::start(Seed { faults: vec![fault], ..large }).await;
    let invocation = Invocation::new(json!({}));
    let Outcome::Error { message, .. } = function.invoke(invocation.clone()).await else { panic!("it succeeds") };
    assert!(message.contains("1 of "), "{message}");
    let mut logged = HashSet::new();
    for line in function.log().await.iter().filter(|line| line["message"] == "report not published") {
        let report: Value = serde_json::from_str(line["report"].as_str().expect("the report")).expect("JSON");
        logged.extend(violations(&report));
    }
    assert_eq!(logged.len(), 1_500, "the log holds every part");

    function.aws.set_faults(Vec::new());
    let Outcome::Answer(answer) = function.invoke(invocation.clone()).await else { panic!("it fails again") };
    assert_eq!(answer["reportId"], invocation.request_id, "the retry publishes the same report, all parts of it");
    let retried = function.published().split_off(1);
    assert_eq!(retried.iter().map(|report| violations(report).len()).sum::<usize>(), 1_500);
}
