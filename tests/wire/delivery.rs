//! SNS with everything that can go wrong with it, on a standard and on a FIFO topic, and what a
//! consumer makes of a report that came in pieces or twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;
use serde_json::{Value, json};
use simulator::lambda::{Invocation, Outcome};
use simulator::{Fault, FaultKind, Seed, TargetSeed};

use crate::function::{Function, TOPIC, error, healthy, part, seed, violations, with_seconds};

const FIFO: &str = "arn:aws:sns:us-east-1:999999999999:reports.fifo";

/// Enough for several stalled attempts, each of which is cut after three seconds, and too little for all six.
const SECONDS: u64 = 16;

const AT_ONCE: usize = 16;

/// What a failure is: one to try again, or one that no retry fixes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Retried,
    Final,
    Stalls,
}

fn faults() -> Vec<(&'static str, Kind, FaultKind)> {
    let mut faults = Vec::new();
    let mut codes = |kind, codes: &[(u16, &'static str)]| {
        faults.extend(codes.iter().map(|(status, code)| (*code, kind, error(*status, code, "no"))));
    };
    codes(
        Kind::Retried,
        &[
            (400, "Throttled"),
            (400, "ThrottledException"),
            (429, "TooManyRequestsException"),
            (400, "KMSThrottling"),
            (500, "InternalError"),
            (503, "ServiceUnavailable"),
        ],
    );
    codes(
        Kind::Final,
        &[
            (404, "NotFound"),
            (403, "AuthorizationError"),
            (400, "EndpointDisabled"),
            (400, "KMSAccessDenied"),
            (400, "KMSDisabled"),
            (400, "InvalidParameter"),
            (400, "InvalidParameterValue"),
            (403, "ExpiredToken"),
            (403, "InvalidClientTokenId"),
        ],
    );
    let html = |status| FaultKind::Respond {
        status,
        content_type: "text/html".to_owned(),
        body: "<html>busy</html>".to_owned(),
    };
    let empty =
        FaultKind::Respond { status: 200, content_type: "text/xml".to_owned(), body: "<PublishResponse/>".to_owned() };
    faults.extend([
        ("503 with HTML", Kind::Retried, html(503)),
        ("HTML with 200", Kind::Final, html(200)),
        ("answer without an id", Kind::Final, empty),
        ("body of 50 MB", Kind::Final, FaultKind::BigBody { bytes: 50_000_000 }),
        ("reset before the body", Kind::Retried, FaultKind::Reset),
        ("reset in the body", Kind::Retried, FaultKind::ResetMidBody),
        ("acknowledgement lost", Kind::Retried, FaultKind::AfterAccept),
        ("hang before the body", Kind::Stalls, FaultKind::Hang),
        ("hang in the body", Kind::Stalls, FaultKind::HangMidBody),
        ("slower than the time-out", Kind::Stalls, FaultKind::Slow { ms: 4_000 }),
    ]);
    faults
}

fn flagged() -> Seed {
    seed(TargetSeed { members: vec![json!({"count": 2, "relationshipStatus": "AccountSuspended"})], ..healthy() })
}

/// A report of three parts.
fn large() -> Seed {
    seed(TargetSeed { members: vec![json!({"count": 1_000, "relationshipStatus": "Paused"})], ..healthy() })
}

/// One run whose Publish goes wrong, checked, as a line of the table.
async fn run(topic: &'static str, name: &str, kind: Kind, fault: FaultKind, times: Option<u64>) -> String {
    let faults = vec![Fault { times, ..Fault::of("sns", "Publish", fault) }];
    let variables = [("REPORT_TOPIC_ARN", topic), ("DEADLINE_MARGIN_SECONDS", "8")];
    let function = Function::with(Seed { faults, ..flagged() }, &variables).await;
    function.runtime.ready().await;
    let start = Instant::now();
    let outcome = function.invoke(with_seconds(SECONDS)).await;
    let what = format!("{topic}, {name}, {times:?}: {outcome:?}");
    assert!(start.elapsed() < Duration::from_secs(SECONDS), "it ends before its deadline: {what}");

    let requests = function.aws.requests();
    let attempts = requests.iter().filter(|request| request.operation == "Publish").map(|request| request.attempt);
    let (attempts, delivered) = (attempts.max().unwrap_or(0), function.aws.messages());
    let bodies: BTreeSet<&str> = delivered.iter().map(|message| message.body.as_str()).collect();
    assert!(bodies.len() <= 1, "whatever is delivered is the same message again: {what}");
    assert!(topic == TOPIC || delivered.len() <= 1, "a FIFO topic delivers it once: {what}");
    let momentary = times.is_some();
    assert_eq!(matches!(outcome, Outcome::Answer(_)), momentary && kind != Kind::Final, "{what}");
    let tried = match (kind, times) {
        (Kind::Final, _) => 1,
        (_, Some(times)) => times + 1,
        (_, None) => 6,
    };
    assert!(kind == Kind::Stalls || u64::from(attempts) == tried, "{attempts} attempts: {what}");
    let said = match outcome {
        Outcome::Answer(answer) => {
            assert!(!delivered.is_empty(), "{what}");
            let ids: BTreeSet<&str> = delivered.iter().map(|message| message.message_id.as_str()).collect();
            assert!(ids.contains(answer["messageIds"][0].as_str().unwrap_or_default()), "{what}");
            "published".to_owned()
        }
        Outcome::Error { error_type, message } => {
            assert_eq!(error_type, "PublishFailed", "{message}");
            let log = function.log().await;
            let line = log.iter().find(|line| line["message"] == "report not published");
            let line = line.unwrap_or_else(|| panic!("the log holds the report: {what}"));
            let report: Value = serde_json::from_str(line["report"].as_str().unwrap_or_default()).expect("JSON");
            assert_eq!(violations(&report).len(), 2, "{what}");
            let (_, failure) = message.split_once(" messages published, then ").expect("how far it got, and why");
            format!("PublishFailed: {}", failure.split(':').next().unwrap_or_default())
        }
    };
    let attempts = if kind == Kind::Stalls && !momentary { "-".to_owned() } else { attempts.to_string() };
    let delivered = if kind == Kind::Stalls && !momentary && topic == TOPIC && !delivered.is_empty() {
        "1 or more".to_owned()
    } else {
        delivered.len().to_string()
    };
    let lasts = times.map_or("for ever".to_owned(), |times| if times == 1 { "once" } else { "twice" }.to_owned());
    format!("  {name:<26}{lasts:<10}{attempts:<10}{delivered:<11}{said}")
}

#[tokio::test]
async fn every_failure_of_sns_on_both_kinds_of_topic() {
    let mut table = String::new();
    for topic in [TOPIC, FIFO] {
        let cells = faults().into_iter().flat_map(|(name, kind, fault)| {
            let momentary = if kind == Kind::Stalls { 1 } else { 2 };
            [Some(momentary), None].map(|times| (name, kind, fault.clone(), times))
        });
        let cells: Vec<_> = cells.filter(|(_, kind, _, times)| *kind != Kind::Final || times.is_none()).collect();
        let lines: Vec<String> = stream::iter(cells)
            .map(|(name, kind, fault, times)| run(topic, name, kind, fault, times))
            .buffered(AT_ONCE)
            .collect()
            .await;
        let gap = if table.is_empty() { "" } else { "\n" };
        let topic = if topic == FIFO { "FIFO topic" } else { "Standard topic" };
        let columns =
            format!("{:<26}{:<10}{:<10}{:<11}the invocation", "fault of Publish", "lasts", "attempts", "delivered");
        writeln!(table, "{gap}{topic}\n  {columns}\n{}", lines.join("\n")).expect("a string takes all");
    }
    eprintln!("{table}");
    insta::assert_snapshot!(table);
}

/// What a consumer has who keeps one message for each report and part, the last that came.
fn consumed(function: &Function) -> BTreeMap<(String, u64), Value> {
    let reports = function.aws.messages().iter().map(|message| part(&message.body, "default")).collect::<Vec<_>>();
    let id = |report: &Value| report["reportId"].as_str().expect("an id").to_owned();
    reports.into_iter().map(|report| ((id(&report), report["part"]["number"].as_u64().unwrap_or(0)), report)).collect()
}

/// Whether someone who has these parts has one report, whole, and each violation once.
fn assert_whole(parts: &BTreeMap<(String, u64), Value>, report_id: &str, expected: usize) {
    let numbers: Vec<u64> = parts.keys().map(|(_, number)| *number).collect();
    let of = parts.values().next().expect("a part")["part"]["of"].as_u64().expect("a number");
    assert_eq!(numbers, (1..=of).collect::<Vec<_>>());
    assert!(parts.keys().all(|(id, _)| id == report_id), "{:?}", parts.keys());
    let ids: Vec<_> = parts.values().flat_map(violations).collect();
    assert_eq!((ids.len(), ids.into_iter().collect::<BTreeSet<_>>().len()), (expected, expected));
}

#[tokio::test]
async fn a_retry_after_half_a_report_gives_every_part_and_a_consumer_tells_by_report_and_part() {
    for topic in [TOPIC, FIFO] {
        let final_failure = Fault { from: 2, ..Fault::of("sns", "Publish", error(403, "AuthorizationError", "no")) };
        let seed = Seed { faults: vec![final_failure], ..large() };
        let function = Function::with(seed, &[("REPORT_TOPIC_ARN", topic)]).await;
        let envelope =
            json!({"id": "e-7", "source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": "{}"});
        let invocation = Invocation::new(envelope);
        let Outcome::Error { message, .. } = function.invoke(invocation.clone()).await else { panic!("published") };
        assert!(message.starts_with("report e-7: 1 of 3 messages published"), "{message}");
        let sent = function.aws.messages();
        assert_eq!((sent.len(), consumed(&function).len()), (1, 1), "the first part is out and stays out");

        function.aws.set_faults(Vec::new());
        // The times in a report are of whole seconds.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let Outcome::Answer(answer) = function.invoke(invocation).await else { panic!("it fails again") };
        assert_eq!((&answer["reportId"], answer["messageIds"].as_array().map(Vec::len)), (&json!("e-7"), Some(3)));
        assert_whole(&consumed(&function), "e-7", 1_000);
        let messages = function.aws.messages();
        let deduplication: BTreeSet<_> = messages.iter().map(|message| &message.deduplication_id).collect();
        if topic == FIFO {
            assert_eq!((messages.len(), deduplication.len()), (4, 4), "what was read anew is another report");
            assert!(messages.iter().all(|message| message.group_id == sent[0].group_id), "one group keeps the order");
        } else {
            assert_eq!(messages.len(), 4, "the first part comes twice");
            assert_eq!(
                violations(&part(&messages[0].body, "default")),
                violations(&part(&messages[1].body, "default"))
            );
        }
    }
}

#[tokio::test]
async fn a_momentary_failure_or_a_lost_acknowledgement_in_the_middle_loses_no_part() {
    for topic in [TOPIC, FIFO] {
        for (kind, twice) in [(FaultKind::AfterAccept, true), (error(400, "Throttled", "later"), false)] {
            let fault = Fault { from: 2, times: Some(1), ..Fault::of("sns", "Publish", kind) };
            let seed = Seed { faults: vec![fault], ..large() };
            let function = Function::with(seed, &[("REPORT_TOPIC_ARN", topic)]).await;
            let answer = function.answer(json!({})).await;
            assert_whole(&consumed(&function), answer["reportId"].as_str().expect("an id"), 1_000);
            let parts: Vec<Value> =
                function.published().iter().map(|report| report["part"]["number"].clone()).collect();
            let expected = if twice && topic == TOPIC { json!([1, 2, 2, 3]) } else { json!([1, 2, 3]) };
            assert_eq!(Value::from(parts), expected, "in order, and the unacknowledged one again where it may be lost");
        }
    }
}

#[tokio::test]
async fn a_retry_that_reads_more_loses_no_part_to_the_deduplication_of_a_topic() {
    let cut = Fault { from: 26, ..Fault::of("macie2", "ListMembers", error(400, "ValidationException", "no")) };
    let refused = Fault { from: 2, ..Fault::of("sns", "Publish", error(403, "AuthorizationError", "no")) };
    let seed = Seed { faults: vec![cut, refused], ..large() };
    let function = Function::with(seed, &[("REPORT_TOPIC_ARN", FIFO)]).await;
    let invocation = Invocation::new(json!({}));
    assert!(matches!(function.invoke(invocation.clone()).await, Outcome::Error { .. }));
    assert_eq!(function.published().len(), 1, "the first part of what was read until the cut");
    function.aws.set_faults(Vec::new());
    assert!(matches!(function.invoke(invocation.clone()).await, Outcome::Answer(_)));
    assert_whole(&consumed(&function), &invocation.request_id, 1_000);
}
