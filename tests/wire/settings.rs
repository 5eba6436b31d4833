//! Every setting, and starts that must fail.

use serde_json::json;
use simulator::TargetSeed;

use crate::function::{Function, failed_start, healthy, seed, violations};

#[tokio::test]
async fn a_start_with_wrong_settings_names_every_problem_at_once() {
    let (code, told, log) = failed_start(&[
        ("REPORT_TOPIC_ARN", "reports"),
        ("MACIE_REGIONS", "eu-west-1,Atlantis"),
        ("DISABLED_RULES", "macie-paused,no-such-rule"),
        ("MAX_CONCURRENCY", "many"),
    ])
    .await;
    assert_eq!(code, Some(1));
    assert_eq!(told["errorType"], "InvalidSettings");
    let message = told["errorMessage"].as_str().expect("a message");
    for part in [
        "REPORT_TOPIC_ARN=\"reports\"",
        "MACIE_REGIONS=\"Atlantis\"",
        "DISABLED_RULES=\"no-such-rule\"",
        "MAX_CONCURRENCY=\"many\"",
    ] {
        assert!(message.contains(part), "{part} in {message}");
    }
    assert_eq!(log.lines().count(), 1, "one message: {log}");
    assert!(!message.contains("macie-paused"), "what is right is not named");
}

#[tokio::test]
async fn a_start_without_a_topic_fails() {
    let (code, told, _) = failed_start(&[("REPORT_TOPIC_ARN", "")]).await;
    assert_eq!(code, Some(1));
    assert!(told["errorMessage"].as_str().is_some_and(|message| message.contains("REPORT_TOPIC_ARN is not set")));
}

#[tokio::test]
async fn notify_on_problems_is_silent_only_about_compliant_runs() {
    let function = Function::with(seed(healthy()), &[("NOTIFY_ON", "problems")]).await;
    let answer = function.answer(json!({})).await;
    assert_eq!((&answer["verdict"], &answer["messageIds"]), (&json!("COMPLIANT"), &json!([])));
    assert!(function.aws.messages().is_empty());

    let target = TargetSeed { findings_filters: vec![json!({"action": "ARCHIVE"})], ..healthy() };
    let function = Function::with(seed(target), &[("NOTIFY_ON", "problems")]).await;
    assert_eq!(function.answer(json!({})).await["messageIds"].as_array().map(Vec::len), Some(1));

    let incomplete = crate::function::faulty("ListMembers", crate::function::error(403, "AccessDeniedException", "no"));
    let function = Function::with(incomplete, &[("NOTIFY_ON", "problems")]).await;
    assert_eq!(function.answer(json!({})).await["verdict"], "INSUFFICIENT_DATA");
    assert_eq!(function.aws.messages().len(), 1);
}

#[tokio::test]
async fn a_disabled_rule_is_not_judged_and_not_read_again_for() {
    let target = TargetSeed {
        members: vec![json!({"count": 3, "relationshipStatus": "AccountSuspended"})],
        findings_filters: vec![json!({"id": "f-1", "action": "ARCHIVE"})],
        ..healthy()
    };
    let function = Function::with(seed(target), &[("DISABLED_RULES", "member-account-suspended")]).await;
    let report = function.report().await;
    assert_eq!(violations(&report), [("filter-archives-findings".to_owned(), "f-1".to_owned())]);
    assert_eq!(report["summary"]["membersByStatus"], json!({"AccountSuspended": 3}), "still counted");
    assert!(report["summary"]["byRule"].get("member-account-suspended").is_none());
    assert!(function.aws.requests().iter().all(|request| request.operation != "GetMember"));
}

#[tokio::test]
async fn never_more_requests_are_in_flight_than_allowed() {
    let target = TargetSeed { members: vec![json!({"count": 40, "relationshipStatus": "Paused"})], ..healthy() };
    let slow = simulator::Seed { latency_ms: 5, ..seed(target) };
    let function =
        Function::with(slow, &[("MAX_CONCURRENCY", "3"), ("MACIE_REGIONS", "eu-west-1,eu-west-2,us-east-1")]).await;
    let report = function.report().await;
    assert_eq!(report["summary"]["violations"], 120);
    assert_eq!(function.aws.most_in_flight(), 3);
}
