//! Every setting, and starts that must fail.

use serde_json::json;
use simulator::{Seed, TargetSeed};

use crate::function::{ACCOUNT, Function, failed_start, healthy, seed, text, violations};

#[tokio::test]
async fn a_start_with_wrong_settings_names_every_problem_at_once() {
    let (code, told, log) = failed_start(&[
        ("REPORT_TOPIC_ARN", "reports"),
        ("MACIE_REGIONS", "eu-west-1,Atlantis"),
        ("DISABLED_RULES", "macie-paused,filter-archive-findings"),
        ("MACIE_ROLE_ARNS", "arn:aws:iam::111122223333:role/audit"),
        ("MACIE_ROLE_EXTERNAL_IDS", "111122223333=x"),
        ("MAX_CONCURRENCY", "many"),
    ])
    .await;
    assert_eq!(code, Some(1));
    assert_eq!(told["errorType"], "InvalidSettings");
    let message = told["errorMessage"].as_str().expect("a message");
    for part in [
        "REPORT_TOPIC_ARN=\"reports\"",
        "MACIE_REGIONS=\"Atlantis\"",
        "DISABLED_RULES=\"filter-archive-findings\"",
        "did you mean filter-archives-findings?",
        "MACIE_ROLE_EXTERNAL_IDS=\"111122223333=x\" is not valid: an external id has at least 2 characters",
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

#[tokio::test]
async fn what_only_disabled_rules_need_is_not_asked_for_and_not_counted() {
    // Which accounts are not watched is told by the members too, and how discovery is set up by whether there are any.
    let of_members = "member-*,roster-account-not-watched,discovery-*";
    for (entry, operation, count) in [
        (of_members, "ListMembers", "members"),
        ("invitation-*", "ListInvitations", "invitations"),
        ("filter-*", "ListFindingsFilters", "filters"),
    ] {
        let target = TargetSeed {
            members: vec![json!({"relationshipStatus": "Paused"})],
            invitations: vec![json!({"relationshipStatus": "RegionDisabled"})],
            findings_filters: vec![json!({"action": "ARCHIVE"})],
            ..healthy()
        };
        let function = Function::with(seed(target), &[("DISABLED_RULES", entry)]).await;
        function.answer(json!({})).await;
        assert!(function.aws.requests().iter().all(|request| request.operation != operation), "{entry}");
        let report = function.published().remove(0);
        assert_eq!((&report["complete"], violations(&report).len()), (&json!(true), 2), "{entry}");
        let counts = ["members", "invitations", "filters"].map(|count| report["summary"].get(count).is_some());
        assert_eq!(counts.iter().filter(|there| **there).count(), 2, "{entry}");
        assert!(report["summary"].get(count).is_none(), "{entry}");
        assert_eq!(report["summary"].get("membersByStatus").is_some(), entry != of_members);
        let disabled = report["rulesDisabled"].as_array().expect("a list");
        assert!(!disabled.is_empty(), "{entry}");
        let is_named = |id: &str| entry.split(',').any(|entry| id.starts_with(entry.trim_end_matches('*')));
        assert!(disabled.iter().all(|id| id.as_str().is_some_and(is_named)), "{disabled:?}");
    }
}

#[tokio::test]
async fn rules_that_are_switched_off_are_named_in_the_first_lines_of_a_compliant_mail() {
    let target = TargetSeed { findings_filters: vec![json!({"action": "ARCHIVE"})], ..healthy() };
    let function = Function::with(seed(target), &[("DISABLED_RULES", "filter-archives-findings,macie-paused")]).await;
    assert_eq!(function.answer(json!({})).await["verdict"], "COMPLIANT");
    let mail = text(&function.aws.messages()[0].body, "email");
    let first: String = mail.lines().take(6).collect::<Vec<_>>().join(" ");
    assert!(first.contains("filter-archives-findings") && first.contains("macie-paused"), "{mail}");
}

#[tokio::test]
async fn a_tooling_account_without_macie_can_be_left_out() {
    let other = TargetSeed { account_id: Some("111122223333".to_owned()), ..healthy() };
    let role = ("MACIE_ROLE_ARNS", "arn:aws:iam::111122223333:role/audit");
    let seed = Seed { targets: vec![other], ..Seed::default() };
    let function = Function::with(seed.clone(), &[role]).await;
    assert_eq!(function.report().await["verdict"], "NON_COMPLIANT", "Macie is not enabled in the function's account");
    let function = Function::with(seed, &[role, ("AUDIT_OWN_ACCOUNT", "false")]).await;
    let report = function.report().await;
    assert_eq!((&report["verdict"], &report["summary"]["targets"]), (&json!("COMPLIANT"), &json!(1)));
    let own =
        function.aws.requests().into_iter().filter(|request| request.account == ACCOUNT && request.service != "sts");
    assert_eq!(own.count(), 0);
    let (_, told, _) = failed_start(&[("AUDIT_OWN_ACCOUNT", "false")]).await;
    assert!(told["errorMessage"].as_str().is_some_and(|message| message.contains("AUDIT_OWN_ACCOUNT")), "{told}");
}

#[tokio::test]
async fn a_start_without_any_rule_fails() {
    let (code, told, _) = failed_start(&[("DISABLED_RULES", "*")]).await;
    assert_eq!(code, Some(1));
    assert!(told["errorMessage"].as_str().is_some_and(|message| message.contains("DISABLED_RULES=\"*\"")), "{told}");
}
