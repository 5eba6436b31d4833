//! A process that is killed, a handler that panics, and a process that lives long.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::lambda::{Invocation, Outcome};
use simulator::seed::MACIE_REGIONS;
use simulator::{Fault, FaultKind, Seed, TargetSeed};
use tokio::time::{sleep, timeout};

use crate::function::{ACCOUNT, Function, error, healthy, part, seed, violations, with_seconds};

const MEMBERS: usize = 20;
const FILTERS: usize = 300;

/// A report of two parts or more, read slowly enough to be killed within.
fn slow_and_large() -> Seed {
    let target = TargetSeed {
        members: vec![json!({"count": MEMBERS, "relationshipStatus": "AccountSuspended"})],
        findings_filters: vec![json!({"count": FILTERS, "action": "ARCHIVE", "name": "a long name ".repeat(80)})],
        ..healthy()
    };
    Seed { latency_ms: 5, ..seed(target) }
}

fn envelope() -> Invocation {
    Invocation::new(json!({"id": "e-1", "source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": "{}"}))
}

/// Every report and violation that was published, by whichever process.
fn told(function: &Function) -> (BTreeSet<String>, BTreeSet<(String, String)>) {
    let reports: Vec<Value> = function.aws.messages().iter().map(|message| part(&message.body, "default")).collect();
    let ids = reports.iter().map(|report| report["reportId"].as_str().expect("an id").to_owned()).collect();
    (ids, reports.iter().flat_map(violations).collect())
}

/// Gives an invocation to a process that is killed in the middle of it, and then to the next.
async fn killed_and_tried_again(function: &mut Function, moment: &str, reached: impl AsyncFn(&Function)) {
    let invocation = envelope();
    tokio::select! {
        outcome = function.invoke(invocation.clone()) => panic!("{moment}: ended before it was killed: {outcome:?}"),
        () = reached(function) => {}
    }
    function.kill_and_start_anew().await;
    function.aws.set_faults(Vec::new());
    let Outcome::Answer(answer) = function.invoke(invocation).await else { panic!("{moment}: the retry fails") };
    assert_eq!((&answer["reportId"], &answer["complete"]), (&json!("e-1"), &json!(true)), "{moment}");
    let (ids, violations) = told(function);
    assert_eq!(ids, ["e-1".to_owned()].into(), "{moment}: it is one report for whoever gets both");
    assert_eq!(violations.len(), MEMBERS + FILTERS, "{moment}: every violation is told");
}

/// Waits until the process has asked for this so often.
async fn asked(function: &Function, operation: &str, times: usize) {
    let count = || function.aws.requests().iter().filter(|request| request.operation == operation).count();
    let waiting = async {
        while count() < times {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(60), waiting).await.expect("it comes so far");
}

#[tokio::test]
async fn a_process_killed_at_a_known_moment_loses_nothing_that_the_retry_does_not_tell() {
    let publish = |from, kind| vec![Fault { from, ..Fault::of("sns", "Publish", kind) }];
    for (moment, operation, times, faults) in [
        ("at the first request", "GetMacieSession", 1, Vec::new()),
        ("in the middle of a list", "ListFindingsFilters", 6, Vec::new()),
        ("while members are read again", "GetMember", MEMBERS / 2, Vec::new()),
        ("before the first part is taken", "Publish", 1, publish(1, FaultKind::Hang)),
        ("after the first part is taken and before that is known", "Publish", 1, publish(1, FaultKind::HangMidBody)),
        ("between two parts", "Publish", 2, publish(2, FaultKind::Hang)),
        ("after the last part is taken and before that is known", "Publish", 2, publish(2, FaultKind::HangMidBody)),
    ] {
        let mut function = Function::start(Seed { faults, ..slow_and_large() }).await;
        killed_and_tried_again(&mut function, moment, async |function| asked(function, operation, times).await).await;
    }
}

#[tokio::test]
async fn a_process_killed_at_any_moment_loses_nothing_that_the_retry_does_not_tell() {
    let mut function = Function::start(slow_and_large()).await;
    function.invoke(envelope()).await;
    let requests = function.aws.requests().len();
    let moments = 12;
    for moment in 0..moments {
        function.aws.clear();
        let after = requests * moment / moments;
        let name = format!("after {after} of {requests} requests");
        killed_and_tried_again(&mut function, &name, async |function| {
            while function.aws.requests().len() < after {
                sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_panic_is_an_error_of_its_invocation_and_the_next_one_works() {
    // No thread can be started with a stack of this size, and looking a name up takes a thread:
    // tokio panics within the handler. Only the account's list of Regions is asked for by name.
    let variables = [
        ("RUST_MIN_STACK", "1000000000000000"),
        ("AWS_ENDPOINT_URL_ACCOUNT", "http://localhost:9"),
        ("MACIE_REGIONS", "all"),
    ];
    let function = Function::with(seed(healthy()), &variables).await;
    let process = function.process_id();
    for _ in 0..3 {
        let (error_type, message) = function.error(json!({})).await;
        assert!(message.contains("panicked") && message.contains("thread"), "{error_type}: {message}");
        assert!(function.published().is_empty());
        let report = function.answer(json!({"regions": ["us-east-1"], "publish": false})).await["report"].take();
        assert_eq!(report["verdict"], "COMPLIANT", "the next invocation works");
    }
    assert_eq!(function.process_id(), process, "in the same process");
}

#[tokio::test]
async fn a_log_that_takes_nothing_stops_no_report() {
    let function = Function::without_log(slow_and_large()).await;
    for number in 1..=2 {
        assert_eq!(function.answer(json!({})).await["complete"], true);
        assert_eq!(told(&function).0.len(), number, "each run is published");
    }
}

/// Resident memory in kilobytes: what it is by `VmRSS`, and the most that it was by `VmHWM`.
fn memory(process: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("Linux tells");
    let line = status.lines().find(|line| line.starts_with(name)).expect("a line");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}

/// Resident memory in kilobytes, and the number of open files.
fn weight(process: u32) -> (u64, usize) {
    let files = fs::read_dir(format!("/proc/{process}/fd")).expect("Linux tells").count();
    (memory(process, "VmRSS"), files)
}

/// What goes wrong in six of every fifty invocations; none of it takes long.
fn mishap(number: usize) -> Vec<Fault> {
    let once = |service, api, kind| vec![Fault { times: Some(1), ..Fault::of(service, api, kind) }];
    match number % 50 {
        3 | 13 => once("macie2", "ListMembers", error(403, "AccessDeniedException", "no")),
        23 => once("macie2", "ListFindingsFilters", FaultKind::Truncate),
        33 => once("macie2", "ListInvitations", FaultKind::BigBody { bytes: 5_000_000 }),
        43 => once("sns", "Publish", error(403, "AuthorizationError", "no")),
        48 => once("macie2", "GetMacieSession", FaultKind::ResetMidBody),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn a_thousand_invocations_leave_memory_and_open_files_flat() {
    let target = TargetSeed {
        members: vec![json!({"count": 1, "relationshipStatus": "AccountSuspended"}), json!({"count": 30})],
        ..healthy()
    };
    let function = Function::start(seed(target)).await;
    let mut weights = Vec::new();
    let (mut answered, mut failed) = (0, 0);
    for number in 1..=1_000 {
        function.aws.set_faults(mishap(number));
        let event = if number % 50 == 7 { json!({"publsh": false}) } else { json!({}) };
        match function.invoke(Invocation::new(event)).await {
            Outcome::Answer(_) => answered += 1,
            Outcome::Error { .. } => failed += 1,
        }
        if number % 25 == 0 {
            weights.push(weight(function.process_id()));
            function.aws.clear();
        }
    }
    eprintln!("after each 25 invocations, kilobytes and open files: {weights:?}");
    assert_eq!((answered, failed), (960, 40), "of each fifty one event is refused and one report not taken");
    // By the fiftieth each kind of mishap was met.
    let (first, tenth, last) = (weights[0], weights[9], weights[39]);
    assert!(last.0 * 100 <= tenth.0 * 103, "memory grew by more than 3% in 750 invocations: {weights:?}");
    assert!(last.0 * 100 <= first.0 * 110, "memory grew by more than 10% from the first ones on: {weights:?}");
    assert_eq!(last.1, tenth.1, "open files: {weights:?}");
}

#[tokio::test]
async fn an_answer_that_comes_byte_by_byte_takes_no_more_memory_than_another() {
    let function = Function::start(seed(healthy())).await;
    assert_eq!(function.answer(json!({})).await["complete"], true);
    let before = memory(function.process_id(), "VmHWM");
    let drip = |api| Fault::of("macie2", api, FaultKind::Drip { bytes: 20_000 });
    function.aws.set_faults(["ListMembers", "ListInvitations", "ListFindingsFilters"].map(drip).into());
    assert_eq!(function.answer(json!({})).await["complete"], true, "it is read, however it comes");
    let after = memory(function.process_id(), "VmHWM");
    assert!(after - before < 4_000, "{before} kilobytes before, {after} after");
}

/// Macie's accounts in an organization of AWS's largest size, each in every Region.
const TARGETS: u64 = 44_000;

#[tokio::test]
async fn forty_four_thousand_clean_targets_are_put_together_in_a_hundred_megabytes() {
    let function = Function::with(seed(healthy()), &[("EVIDENCE_BUCKET", "results")]).await;
    let step = |name: &str, more: Value| {
        let mut event = json!({"step": name, "execution": "e-1"});
        event.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        with_seconds_for(event)
    };
    // It takes longer than any other invocation, and Lambda would let it.
    let invoke = async |event| match function.runtime.invoke(event).await {
        Outcome::Answer(answer) => answer,
        Outcome::Error { error_type, message } => panic!("{error_type}: {message}"),
    };
    invoke(step("ListTargets", json!({"event": {}}))).await;
    let one = json!({"target": {"accountId": ACCOUNT, "region": "us-east-1"}});
    assert_eq!(invoke(step("AuditTarget", one)).await["verdict"], "COMPLIANT");
    let document = function.aws.object("us-east-1.json").expect("the evidence of a target");
    let document = String::from_utf8(document.to_vec()).expect("JSON");
    let items: Vec<Value> = (0..TARGETS / 22)
        .flat_map(|account| {
            MACIE_REGIONS.map(|region| json!({"accountId": format!("{account:012}"), "region": region}))
        })
        .collect();
    for item in &items {
        let (account, region) =
            (item["accountId"].as_str().expect("an id"), item["region"].as_str().expect("a Region"));
        let path = format!("/results/runs/e-1/evidence/{account}-{region}.json");
        let evidence = document
            .replace(&format!("\"accountId\":\"{ACCOUNT}\""), &format!("\"accountId\":\"{account}\""))
            .replace("\"region\":\"us-east-1\"", &format!("\"region\":\"{region}\""));
        function.aws.put_object(&path, evidence.into());
    }
    function.aws.put_object("/results/runs/e-1/targets.json", json!(items).to_string().into());
    let answer = invoke(step("PublishReport", json!({}))).await;
    assert_eq!((&answer["verdict"], &answer["summary"]["targets"]), (&json!("COMPLIANT"), &json!(TARGETS)));
    let peak = memory(function.process_id(), "VmHWM");
    assert!(peak <= 100_000, "{peak} KB");
}

/// An invocation with Lambda's longest time left.
fn with_seconds_for(event: Value) -> Invocation {
    Invocation { event: event.to_string().into_bytes(), ..with_seconds(900) }
}
