//! What a run keeps and what it knows of those before it, over the wire: evidence, states, exemptions, and when there
//! is nothing to say.

use std::collections::HashSet;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use simulator::lambda::{Invocation, Outcome};
use simulator::{Fault, FaultKind, Seed, TargetSeed};
use time::OffsetDateTime;

use crate::function::{Function, error, healthy, read, seed, text, with_seconds};

const BUCKET: (&str, &str) = ("EVIDENCE_BUCKET", "evidence");
const EXEMPTIONS: (&str, &str) = ("EXEMPTIONS_URI", "s3://accepted/exemptions.json");
const STATE: &str = "evidence/state/999999999999/us-east-1.json";

/// An administrator account with these filters, of which one is known to archive.
fn with_filters(filters: Vec<Value>) -> TargetSeed {
    TargetSeed { findings_filters: filters, administrator: None, ..healthy() }
}

fn quiet() -> Value {
    json!({"id": "quiet", "action": "ARCHIVE", "criteria": {"severity.description": {"eq": ["Low"]}}})
}

fn loud() -> Value {
    json!({"id": "loud", "action": "ARCHIVE"})
}

/// The event of a schedule with this id.
fn event(id: &str) -> Value {
    json!({"id": id, "source": "aws.scheduler", "detail-type": "Scheduled Event", "time": "2026-11-22T06:00:00Z", "detail": "{}"})
}

async fn kept(target: TargetSeed) -> Function {
    Function::with(seed(target), &[BUCKET]).await
}

/// Runs once, and gives the last report that was published, if this run published one.
async fn run(function: &Function, id: &str) -> Option<Value> {
    let before = function.aws.messages().len();
    function.answer(event(id)).await;
    (function.aws.messages().len() > before).then(|| function.published().pop()).flatten()
}

async fn told(function: &Function, id: &str) -> Value {
    run(function, id).await.expect("it is published")
}

/// New, resolved and unknown, and the change of each violation.
fn changes(report: &Value) -> (u64, usize, usize, Vec<&str>) {
    let list = |name: &str| report["changes"][name].as_array().map_or(0, Vec::len);
    let violations = report["violations"].as_array().expect("a list");
    let marks = violations.iter().map(|violation| violation["change"].as_str().unwrap_or("null"));
    (report["changes"]["new"].as_u64().unwrap_or(99), list("resolved"), list("unknown"), marks.collect())
}

fn keys(function: &Function, part: &str) -> Vec<String> {
    function.aws.objects().into_keys().filter(|key| key.contains(part)).collect()
}

fn digest_of(report: &Value) -> String {
    report["violations"][0]["filter"]["digest"].as_str().expect("a digest").to_owned()
}

fn exempting(digest: &str, expires: &str) -> Value {
    json!({"schemaVersion": "1.0", "exemptions": [{
        "id": "accepted", "rule": "filter-archives-findings", "accountId": "999999999999", "region": "*",
        "resourceId": "quiet", "digest": digest, "reason": "Agreed.", "owner": "team-data@example.com", "expires": expires
    }]})
}

/// A day that is so many days from now.
#[expect(clippy::disallowed_methods, reason = "the function reads the same clock")]
fn day(days: i64) -> String {
    (OffsetDateTime::from(SystemTime::now()) + time::Duration::days(days)).date().to_string()
}

#[tokio::test]
async fn the_whole_report_and_its_page_are_stored_before_it_is_published() {
    let lock = ("EVIDENCE_OBJECT_LOCK", "GOVERNANCE:30");
    let function = Function::with(seed(with_filters(vec![quiet()])), &[BUCKET, lock]).await;
    let report = told(&function, "17793124-05d4-b198-2fde-7ededc63b103").await;
    let evidence = &report["evidence"];
    let time: String =
        report["generatedAt"].as_str().expect("a time").chars().filter(char::is_ascii_alphanumeric).collect();
    let date = report["generatedAt"].as_str().expect("a time")[..10].replace('-', "/");
    let key = format!("reports/{date}/17793124-05d4-b198-2fde-7ededc63b103.{time}.json");
    assert_eq!((&evidence["bucket"], &evidence["error"]), (&json!("evidence"), &Value::Null));
    assert_eq!((&evidence["key"], &evidence["htmlKey"]), (&json!(key), &json!(key.replace(".json", ".html"))));

    let objects = function.aws.objects();
    let stored = &objects[&format!("evidence/{key}")];
    let whole: Value = serde_json::from_slice(&stored.body).expect("JSON");
    assert_eq!(whole["targets"][0]["outcomes"]["filter-archives-findings"], "FAILED");
    assert_eq!(report["targets"][0]["outcomes"], Value::Null, "messages leave the outcomes out");
    let page = &objects[&format!("evidence/{}", key.replace(".json", ".html"))];
    assert!(page.body.starts_with(b"<!DOCTYPE html>"));

    let requests = function.aws.requests();
    let position = |operation: &str, path: &str| {
        requests.iter().position(|request| request.operation == operation && request.path.contains(path))
    };
    let publish = requests.iter().position(|request| request.operation == "Publish").expect("published");
    assert!(position("PutObject", ".json").expect("stored") < publish);
    assert!(position("PutObject", ".html").expect("stored") < publish);
    assert!(position("PutObject", "state/").expect("stored") > publish, "a state is of what was published");
    for request in requests.iter().filter(|request| request.operation == "PutObject") {
        assert_eq!(request.headers["x-amz-server-side-encryption"], "AES256");
        assert!(request.headers.contains_key("x-amz-checksum-sha256"));
        let is_report = request.path.contains("reports/");
        assert_eq!(request.headers.contains_key("x-amz-object-lock-mode"), is_report, "{}", request.path);
        assert_eq!(request.headers["if-none-match"], "*", "{}", request.path);
    }
}

#[tokio::test]
async fn a_run_tells_what_is_new_and_what_was_resolved() {
    let function = kept(with_filters(vec![quiet()])).await;
    assert_eq!(changes(&told(&function, "one").await), (1, 0, 0, vec!["NEW"]));
    let second = told(&function, "two").await;
    assert_eq!(changes(&second), (0, 0, 0, vec!["KNOWN"]));
    assert_eq!(second["changes"]["comparedWith"]["reportId"], "one");
    function.aws.set_targets(vec![with_filters(vec![loud()])]);
    let third = told(&function, "three").await;
    assert_eq!(changes(&third), (1, 1, 0, vec!["NEW"]));
    assert_eq!(third["changes"]["resolved"][0]["resource"]["id"], "quiet");
    let again = told(&function, "three").await;
    assert_eq!(changes(&again), (1, 1, 0, vec!["NEW"]), "a retried delivery tells the same");
    assert_eq!(changes(&told(&function, "four").await), (0, 0, 0, vec!["KNOWN"]));
}

#[tokio::test]
async fn what_was_not_read_resolves_nothing() {
    let function = kept(with_filters(vec![quiet()])).await;
    told(&function, "one").await;
    let denied = error(403, "AccessDeniedException", "User is not authorized to perform: macie2:ListFindingsFilters");
    function.aws.set_faults(vec![Fault::of("macie2", "ListFindingsFilters", denied)]);
    let report = told(&function, "two").await;
    assert_eq!(changes(&report), (0, 0, 1, vec![]));
    assert_eq!((&report["verdict"], &report["complete"]), (&json!("INSUFFICIENT_DATA"), &json!(false)));
    function.aws.set_faults(Vec::new());
    let report = told(&function, "three").await;
    assert_eq!(changes(&report), (0, 0, 0, vec!["KNOWN"]), "it was known all the time");
}

#[tokio::test]
async fn a_run_that_is_cut_by_the_deadline_resolves_nothing() {
    let function = kept(with_filters(vec![quiet()])).await;
    told(&function, "one").await;
    function.aws.set_faults(vec![Fault::of("macie2", "ListFindingsFilters", FaultKind::Hang)]);
    let invocation = Invocation { event: event("two").to_string().into_bytes(), ..with_seconds(12) };
    let Outcome::Answer(_) = function.invoke(invocation).await else { panic!("it fails") };
    let report = function.published().pop().expect("it is published");
    assert_eq!(read(&report, "ListFindingsFilters")["error"]["code"], "DeadlineExceeded");
    assert_eq!(changes(&report), (0, 0, 1, vec![]));
    function.aws.set_faults(Vec::new());
    assert_eq!(changes(&told(&function, "three").await), (0, 0, 0, vec!["KNOWN"]), "it was known all the time");
}

#[tokio::test]
async fn a_report_that_was_not_published_is_new_again() {
    let refused = error(403, "AuthorizationError", "no");
    let function = Function::with(
        Seed { faults: vec![Fault::of("sns", "Publish", refused)], ..seed(with_filters(vec![quiet()])) },
        &[BUCKET],
    )
    .await;
    let Outcome::Error { error_type, .. } = function.invoke(Invocation::new(event("one"))).await else {
        panic!("SNS refused")
    };
    assert_eq!((error_type.as_str(), keys(&function, "state/").len()), ("PublishFailed", 0));
    assert_eq!(keys(&function, "reports/").len(), 2);
    function.aws.set_faults(Vec::new());
    assert_eq!(changes(&told(&function, "two").await), (1, 0, 0, vec!["NEW"]));
}

#[tokio::test]
async fn of_a_report_that_points_to_its_document_the_log_holds_the_whole_if_it_is_not_published() {
    let flagged = vec![json!({"count": 2_000, "relationshipStatus": "AccountSuspended"})];
    let target = TargetSeed { members: flagged, administrator: None, ..healthy() };
    let refused = Fault::of("sns", "Publish", error(403, "AuthorizationError", "no"));
    let function = Function::with(Seed { faults: vec![refused], ..seed(target) }, &[BUCKET, ("MAX_PARTS", "1")]).await;
    let (kind, message) = function.error(event("one")).await;
    assert!(kind == "PublishFailed" && message.contains("0 of 1 messages"), "{kind}: {message}");
    let log = function.log().await;
    let lines: Vec<&Value> = log.iter().filter(|line| line["message"] == "report not published").collect();
    assert!(lines.len() > 1 && lines.iter().all(|line| line["published"] == false));
    let parts = lines.iter().map(|line| line["report"].as_str().expect("JSON"));
    let parts: Vec<Value> = parts.map(|part| serde_json::from_str(part).expect("JSON")).collect();
    let violations = parts.iter().flat_map(|part| part["violations"].as_array().expect("a list"));
    let ids: HashSet<&str> = violations.map(|violation| violation["id"].as_str().expect("an id")).collect();
    assert_eq!(ids.len(), 2_000);
    assert!(parts.iter().all(|part| part["truncated"].is_null()));
}

#[tokio::test]
async fn a_bucket_that_refuses_stops_no_report() {
    let denied = error(403, "AccessDenied", "no");
    let faults = ["GetObject", "PutObject"].map(|api| Fault::of("s3", api, denied.clone()));
    let function = Function::with(Seed { faults: faults.into(), ..seed(with_filters(vec![quiet()])) }, &[BUCKET]).await;
    let report = told(&function, "one").await;
    assert!(report["evidence"]["error"].as_str().is_some_and(|error| error.starts_with("AccessDenied")));
    assert_eq!(report["violations"][0]["change"], Value::Null);
    assert_eq!((&report["complete"], &report["changes"]["new"]), (&json!(true), &json!(0)));
    let log = function.log().await;
    assert!(log.iter().any(|line| line["message"] == "evidence not stored" && line["level"] == "ERROR"));
    assert!(log.iter().any(|line| line["message"] == "state not read" && line["level"] == "ERROR"));
}

#[tokio::test]
async fn a_page_that_is_refused_leaves_the_document_as_evidence() {
    let flagged = vec![json!({"count": 2_000, "relationshipStatus": "AccountSuspended"})];
    let target = TargetSeed { members: flagged, administrator: None, ..healthy() };
    let denied = error(403, "AccessDenied", "no");
    let fault = Fault { path: Some(".html".to_owned()), ..Fault::of("s3", "PutObject", denied) };
    let function = Function::with(Seed { faults: vec![fault], ..seed(target) }, &[BUCKET, ("MAX_PARTS", "1")]).await;
    let report = told(&function, "one").await;
    assert!(report["evidence"]["error"].as_str().is_some_and(|error| error.starts_with("AccessDenied")));
    assert!(report["truncated"].is_object(), "the document is there to point to");
    let mail = text(&function.aws.messages()[0].body, "email");
    assert!(mail.contains("The page of this report could not be stored") && mail.contains("s3://evidence/"), "{mail}");
    assert!(!mail.contains("no evidence is kept") && !mail.contains("console.aws.amazon.com/s3"), "{mail}");
    let log = function.log().await;
    let line = log.iter().find(|line| line["message"] == "evidence not stored").expect("it is logged");
    assert!(line["key"].as_str().is_some_and(|key| key.ends_with(".html")), "{line}");
}

#[tokio::test]
async fn a_bucket_that_hangs_delays_a_report_by_seconds_at_most() {
    let hang = |api| Fault::of("s3", api, FaultKind::Hang);
    let function = Function::with(
        Seed { faults: vec![hang("GetObject"), hang("PutObject")], ..seed(with_filters(vec![quiet()])) },
        &[BUCKET],
    )
    .await;
    let begin = Instant::now();
    let Outcome::Answer(answer) = function.invoke(with_seconds(20)).await else { panic!("it is published") };
    assert_eq!(answer["messageIds"].as_array().map(Vec::len), Some(1));
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    let report = function.published().remove(0);
    assert!(report["evidence"]["error"].as_str().is_some_and(|error| !error.is_empty()));
}

#[tokio::test]
async fn states_that_hang_take_neither_time_nor_places_from_what_macie_is_asked() {
    let hang = Fault { path: Some("/evidence/".to_owned()), ..Fault::of("s3", "GetObject", FaultKind::Hang) };
    let regions = simulator::seed::MACIE_REGIONS[..12].join(",");
    let function = Function::with(
        Seed { faults: vec![hang], ..seed(with_filters(vec![quiet()])) },
        &[BUCKET, ("MAX_CONCURRENCY", "4"), ("MACIE_REGIONS", &regions)],
    )
    .await;
    function.runtime.ready().await;
    let Outcome::Answer(answer) = function.invoke(with_seconds(30)).await else { panic!("it is published") };
    assert_eq!((&answer["complete"], &answer["summary"]["targets"]), (&json!(true), &json!(12)));
    let report = function.published().remove(0);
    assert_eq!(changes(&report), (0, 0, 0, vec!["null"; 12]));
    assert_eq!(keys(&function, "reports/").len(), 2);
}

#[tokio::test]
async fn what_is_kept_for_the_next_run_delays_an_answer_by_seconds_at_most() {
    let hang = |path: &str| Fault { path: Some(path.to_owned()), ..Fault::of("s3", "PutObject", FaultKind::Hang) };
    let faults = vec![hang("state/"), hang("history.json")];
    let function = Function::with(Seed { faults, ..seed(with_filters(vec![quiet()])) }, &[BUCKET]).await;
    let begin = Instant::now();
    let Outcome::Answer(answer) = function.invoke(with_seconds(300)).await else { panic!("it is published") };
    assert_eq!(answer["messageIds"].as_array().map(Vec::len), Some(1));
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_dry_run_stores_nothing_and_compares_all_the_same() {
    let function = kept(with_filters(vec![quiet()])).await;
    assert_eq!(changes(&function.report().await), (1, 0, 0, vec!["NEW"]));
    assert!(function.aws.objects().is_empty());
    told(&function, "one").await;
    let objects = function.aws.objects().len();
    assert_eq!(changes(&function.report().await), (0, 0, 0, vec!["KNOWN"]));
    assert_eq!(function.aws.objects().len(), objects);
}

#[tokio::test]
async fn a_partial_run_touches_what_it_read_and_no_history() {
    let function =
        Function::with(seed(with_filters(vec![quiet()])), &[BUCKET, ("MACIE_REGIONS", "us-east-1,eu-west-1")]).await;
    told(&function, "one").await;
    let before = function.aws.objects();
    let answer = function.answer(json!({"regions": ["eu-west-1"]})).await;
    assert_eq!(answer["summary"]["targets"], 1);
    let after = function.aws.objects();
    assert_eq!(before[STATE].etag, after[STATE].etag);
    let other = "evidence/state/999999999999/eu-west-1.json";
    assert_ne!(before[other].etag, after[other].etag);
    assert_eq!(before["evidence/history.json"].etag, after["evidence/history.json"].etag);
}

#[tokio::test]
async fn a_state_that_somebody_else_wrote_in_the_meantime_stays() {
    let function = kept(with_filters(vec![quiet()])).await;
    told(&function, "one").await;
    let theirs = String::from_utf8(function.aws.objects()[STATE].body.to_vec()).expect("text").replace("one", "theirs");
    let overwritten = FaultKind::Overwritten { body: theirs.clone() };
    let fault = Fault { path: Some("state/".to_owned()), ..Fault::of("s3", "PutObject", overwritten) };
    function.aws.set_faults(vec![fault]);
    told(&function, "two").await;
    assert_eq!(function.aws.objects()[STATE].body, theirs.as_bytes());
    assert!(function.log().await.iter().any(|line| line["code"] == "PreconditionFailed"));
}

#[tokio::test]
async fn a_lost_acknowledgement_and_a_conflict_are_no_failures() {
    let put = |kind| Fault { times: Some(1), ..Fault::of("s3", "PutObject", kind) };
    let conflict = error(409, "ConditionalRequestConflict", "try again");
    let faults = vec![put(FaultKind::AfterAccept), put(conflict)];
    let function = Function::with(Seed { faults, ..seed(with_filters(vec![quiet()])) }, &[BUCKET]).await;
    let report = told(&function, "one").await;
    assert_eq!(report["evidence"]["error"], Value::Null);
    assert_eq!((keys(&function, "reports/").len(), keys(&function, "state/").len()), (2, 1));
}

#[tokio::test]
async fn a_state_that_cannot_be_used_resolves_nothing() {
    let function = kept(with_filters(vec![quiet()])).await;
    told(&function, "one").await;
    let state = String::from_utf8(function.aws.objects()[STATE].body.to_vec()).expect("text");
    let newer = state.replace(r#""version":1"#, r#""version":2"#);
    for (body, is_replaced) in
        [("garbage".to_owned(), true), (state.replace("us-east-1", "eu-west-1"), true), (newer.clone(), false)]
    {
        function.aws.put_object(STATE, body.clone().into());
        function.aws.set_targets(vec![with_filters(vec![loud()])]);
        let report = told(&function, "two").await;
        assert_eq!(changes(&report), (0, 0, 0, vec!["null"]), "{body}");
        assert_eq!(function.aws.objects()[STATE].body != body.as_bytes(), is_replaced, "{body}");
    }
}

#[tokio::test]
async fn with_changes_alone_a_run_without_news_is_quiet_and_counts_as_concluded() {
    let function = Function::with(seed(with_filters(vec![quiet()])), &[BUCKET, ("NOTIFY_ON", "changes")]).await;
    assert!(run(&function, "one").await.is_some(), "everything is new");
    assert!(run(&function, "two").await.is_none());
    assert_eq!(keys(&function, "reports/").len(), 4, "what is not published is kept all the same");
    let concluded = |log: &[Value]| log.iter().filter(|line| line["message"] == "concluded").count();
    assert_eq!(concluded(&function.log().await), 2);
    function.aws.set_targets(vec![with_filters(Vec::new())]);
    assert_eq!(changes(&run(&function, "three").await.expect("something was resolved")).1, 1);
    assert!(run(&function, "four").await.is_none());
    let throttled = error(403, "AccessDeniedException", "User is not authorized to perform: macie2:ListInvitations");
    function.aws.set_faults(vec![Fault::of("macie2", "ListInvitations", throttled)]);
    assert!(run(&function, "five").await.is_some(), "not everything was read");
    function.aws.set_faults(Vec::new());
    assert!(run(&function, "six").await.is_some(), "the verdict differs");
    assert!(run(&function, "seven").await.is_none());
}

/// Lambda delivers an event again whose first delivery was published, and in between the filter was deleted.
#[tokio::test]
async fn a_retry_that_finds_less_than_was_told_is_not_quiet() {
    for notify_on in ["changes", "problems"] {
        let function = Function::with(seed(with_filters(Vec::new())), &[BUCKET, ("NOTIFY_ON", notify_on)]).await;
        run(&function, "one").await;
        function.aws.set_targets(vec![with_filters(vec![quiet()])]);
        assert_eq!(run(&function, "two").await.expect("it is new")["verdict"], "NON_COMPLIANT", "{notify_on}");
        function.aws.set_targets(vec![with_filters(Vec::new())]);
        let last = run(&function, "two").await.expect("it is no more");
        assert_eq!((&last["verdict"], changes(&last).0), (&json!("COMPLIANT"), 0), "{notify_on}");
        assert!(run(&function, "three").await.is_none(), "{notify_on}");
    }
}

/// The account has left its administrator: of a relationship that there is no more nobody can say that it is resolved.
#[tokio::test]
async fn what_stays_unknown_is_news_once() {
    let suspended = json!({"accountId": "111122223333", "relationshipStatus": "AccountSuspended"});
    let member = TargetSeed { administrator: Some(suspended), ..with_filters(Vec::new()) };
    let function = Function::with(seed(member), &[BUCKET, ("NOTIFY_ON", "changes")]).await;
    assert_eq!(changes(&run(&function, "one").await.expect("it is new")).0, 1);
    function.aws.set_targets(vec![with_filters(Vec::new())]);
    assert_eq!(changes(&run(&function, "two").await.expect("it is unknown now")).2, 1);
    assert!(run(&function, "three").await.is_none() && run(&function, "four").await.is_none());
}

/// What a run over one Region came to is no verdict over all of them.
#[tokio::test]
async fn a_partial_run_makes_no_news_of_the_verdict_of_the_next() {
    let both = |us| Seed {
        targets: vec![with_filters(us), TargetSeed { region: "eu-west-1".to_owned(), ..with_filters(Vec::new()) }],
        ..Seed::default()
    };
    let settings = [BUCKET, ("NOTIFY_ON", "changes"), ("MACIE_REGIONS", "us-east-1,eu-west-1")];
    let function = Function::with(both(vec![quiet()]), &settings).await;
    assert!(run(&function, "one").await.is_some() && run(&function, "two").await.is_none());
    assert_eq!(function.answer(json!({"regions": ["eu-west-1"]})).await["verdict"], "COMPLIANT");
    assert!(run(&function, "four").await.is_none(), "it is NON_COMPLIANT as before");
}

#[tokio::test]
async fn with_problems_alone_the_last_message_says_that_all_was_resolved() {
    let function = Function::with(seed(with_filters(vec![quiet()])), &[BUCKET, ("NOTIFY_ON", "problems")]).await;
    assert!(run(&function, "one").await.is_some() && run(&function, "two").await.is_some());
    function.aws.set_targets(vec![with_filters(Vec::new())]);
    let last = run(&function, "three").await.expect("something was resolved");
    assert_eq!((&last["verdict"], changes(&last).1), (&json!("COMPLIANT"), 1));
    assert!(run(&function, "four").await.is_none());
}

#[tokio::test]
async fn what_is_below_the_severity_that_fails_is_told_and_decides_nothing() {
    let function = Function::with(seed(with_filters(vec![quiet()])), &[("FAIL_ON", "CRITICAL")]).await;
    let report = told(&function, "one").await;
    assert_eq!((&report["verdict"], &report["failOn"]), (&json!("COMPLIANT"), &json!("CRITICAL")));
    assert_eq!((&report["summary"]["violations"], &report["changes"]), (&json!(1), &Value::Null));
    assert_eq!(report["summary"]["outcomes"]["filter-archives-findings"]["failed"], 1);
    let message = function.aws.messages().remove(0);
    assert!(message.subject.as_deref().is_some_and(|subject| subject.contains("below CRITICAL")), "{message:?}");
}

#[tokio::test]
async fn an_exemption_holds_until_its_day_or_until_the_filter_is_changed() {
    let function = Function::with(seed(with_filters(vec![quiet()])), &[BUCKET, EXEMPTIONS]).await;
    let report = told(&function, "one").await;
    assert!(report["exemptions"]["error"].as_str().is_some_and(|error| error.starts_with("NoSuchKey")));
    assert_eq!((&report["complete"], changes(&report)), (&json!(true), (1, 0, 0, vec!["NEW"])));
    let mail = text(&function.aws.messages()[0].body, "email");
    assert!(mail.lines().take(12).any(|line| line.contains("xemptions")), "{mail}");

    let put = |body: &Value| function.aws.put_object("accepted/exemptions.json", body.to_string().into());
    let digest = digest_of(&report);
    put(&exempting(&digest, &day(30)));
    let report = told(&function, "two").await;
    assert_eq!((&report["verdict"], &report["summary"]["exempted"]), (&json!("COMPLIANT"), &json!(1)));
    assert_eq!(report["exempted"][0]["exemption"]["owner"], "team-data@example.com");
    assert_eq!(report["exempted"][0]["change"], "KNOWN");
    assert_eq!(report["summary"]["outcomes"]["filter-archives-findings"]["exempt"], 1);
    assert_eq!((&report["exemptions"]["applied"], &report["exemptions"]["error"]), (&json!(1), &Value::Null));

    // The same filter with other criteria is another.
    let wider = json!({"id": "quiet", "action": "ARCHIVE"});
    function.aws.set_targets(vec![with_filters(vec![wider])]);
    let report = told(&function, "three").await;
    assert_eq!(changes(&report), (0, 0, 0, vec!["EXEMPTION_ENDED"]));
    assert_eq!(report["exemptions"]["changed"], json!(["accepted"]));

    function.aws.set_targets(vec![with_filters(vec![quiet()])]);
    told(&function, "four").await;
    put(&json!("no document"));
    let report = told(&function, "five").await;
    assert_eq!(changes(&report), (0, 0, 0, vec!["KNOWN"]), "what was exempted is known");
    put(&exempting(&digest, &day(-1)));
    let report = told(&function, "six").await;
    assert_eq!(changes(&report), (0, 0, 0, vec!["EXEMPTION_ENDED"]));
    assert_eq!(report["exemptions"]["expired"], json!(["accepted"]));
}

#[tokio::test]
async fn the_history_has_the_last_thirty_runs() {
    let function = kept(with_filters(vec![quiet()])).await;
    for id in 0..32 {
        told(&function, &format!("run-{id}")).await;
    }
    let history = function.aws.object("evidence/history.json").expect("it is kept");
    let history: Value = serde_json::from_slice(&history).expect("JSON");
    let runs = history["runs"].as_array().expect("a list");
    assert_eq!((runs.len(), &runs[0]["reportId"], &runs[29]["reportId"]), (30, &json!("run-2"), &json!("run-31")));
}

#[tokio::test]
async fn a_history_that_cannot_be_used_is_replaced_unless_a_later_build_wrote_it() {
    const HISTORY: &str = "evidence/history.json";
    let function = kept(with_filters(vec![quiet()])).await;
    for (body, is_replaced) in [("garbage", true), (r#"{"version":1}"#, true), (r#"{"version":2}"#, false)] {
        function.aws.put_object(HISTORY, body.into());
        function.report().await;
        assert_eq!(function.aws.objects()[HISTORY].body, body.as_bytes(), "a dry run writes nothing");
        told(&function, "one").await;
        assert_eq!(function.aws.objects()[HISTORY].body != body.as_bytes(), is_replaced, "{body}");
    }
    let log = function.log().await;
    let count = |message: &str| log.iter().filter(|line| line["message"] == message).count();
    assert_eq!((count("history not read"), count("evidence not stored")), (6, 0));
}

#[tokio::test]
async fn thousands_of_violations_are_one_message_that_points_to_the_document() {
    let flagged = vec![json!({"count": 2_000, "relationshipStatus": "AccountSuspended"})];
    let target = TargetSeed { members: flagged, administrator: None, ..healthy() };
    let function = Function::with(seed(target), &[BUCKET, ("MAX_PARTS", "2")]).await;
    let report = told(&function, "one").await;
    assert_eq!(function.aws.messages().len(), 1);
    let shown = report["violations"].as_array().expect("a list").len();
    assert_eq!((&report["truncated"]["violations"], &report["summary"]["violations"]), (&json!(shown), &json!(2_000)));
    let key = report["evidence"]["key"].as_str().expect("a key");
    let mail = text(&function.aws.messages()[0].body, "email");
    assert!(mail.contains(key), "{mail}");
    let whole = function.aws.object(&format!("evidence/{key}")).expect("it is stored");
    let whole: Value = serde_json::from_slice(&whole).expect("JSON");
    assert_eq!(whole["violations"].as_array().map(Vec::len), Some(2_000));
}
