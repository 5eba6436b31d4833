//! Every row of the rules table, and what is counted but not flagged.

use serde_json::{Value, json};
use simulator::{Fault, FaultKind, Seed, TargetSeed};

use crate::function::{ACCOUNT, Function, healthy, read, seed, violations};

const STATUSES: [&str; 10] = [
    "Enabled",
    "Paused",
    "Invited",
    "Created",
    "Removed",
    "Resigned",
    "EmailVerificationInProgress",
    "EmailVerificationFailed",
    "RegionDisabled",
    "AccountSuspended",
];

async fn report(target: TargetSeed) -> Value {
    Function::start(seed(target)).await.report().await
}

fn account(index: usize) -> String {
    format!("{:012}", 100 + index)
}

fn one_of_each(statuses: &[&str]) -> Vec<Value> {
    let item = |(index, status): (usize, &&str)| json!({"accountId": account(index), "relationshipStatus": status});
    statuses.iter().enumerate().map(item).collect()
}

#[tokio::test]
async fn a_healthy_target_is_compliant() {
    let report = report(healthy()).await;
    assert_eq!((&report["verdict"], &report["complete"]), (&json!("COMPLIANT"), &json!(true)));
    assert_eq!(report["violations"], json!([]));
    assert_eq!(report["summary"]["membersByStatus"], json!({"Enabled": 30}));
    assert_eq!(
        read(&report, "ListMembers"),
        &json!({"api": "ListMembers", "complete": true, "pages": 2, "items": 30, "error": null})
    );
    assert_eq!(read(&report, "GetAdministratorAccount")["items"], 1);
}

#[tokio::test]
async fn every_status_of_a_member() {
    let mut members = one_of_each(&STATUSES);
    members.push(json!({"accountId": "200000000001", "relationshipStatus": "Hibernating"}));
    members.push(json!({"raw": true, "accountId": "200000000002"}));
    members.push(json!({"raw": true, "accountId": "200000000003", "relationshipStatus": null}));
    let report = report(TargetSeed { members, ..healthy() }).await;
    assert_eq!(report["complete"], true);
    let expected = [
        ("member-account-suspended", account(9)),
        ("member-macie-paused", account(1)),
        ("member-region-disabled", account(8)),
        ("member-status-unrecognized", "200000000001".to_owned()),
        ("member-status-unrecognized", "200000000002".to_owned()),
        ("member-status-unrecognized", "200000000003".to_owned()),
    ];
    assert_eq!(violations(&report), expected.map(|(rule, id)| (rule.to_owned(), id)));
    assert_eq!(report["summary"]["bySeverity"], json!({"CRITICAL": 0, "HIGH": 3, "MEDIUM": 3, "LOW": 0}));
    assert_eq!(report["summary"]["membersByStatus"]["(absent)"], 2);
    assert_eq!(report["summary"]["membersByStatus"]["EmailVerificationFailed"], 1);
    let suspended = &report["violations"][0];
    assert_eq!((&suspended["severity"], &suspended["status"]), (&json!("HIGH"), &json!("AccountSuspended")));
    assert_eq!((&suspended["accountId"], &suspended["region"]), (&json!(ACCOUNT), &json!("us-east-1")));
    assert_eq!(suspended["confirmed"], true);
    assert!(suspended["since"].is_string() && suspended["resource"]["arn"].is_string());
}

#[tokio::test]
async fn every_status_of_an_invitation() {
    let mut invitations = one_of_each(&STATUSES);
    invitations.push(json!({"accountId": "200000000001", "relationshipStatus": "Pending"}));
    invitations.push(json!({"raw": true, "accountId": "200000000002"}));
    let report = report(TargetSeed { invitations, ..healthy() }).await;
    let expected = [
        ("invitation-account-suspended", account(9)),
        ("invitation-region-disabled", account(8)),
        ("invitation-status-unrecognized", "200000000001".to_owned()),
        ("invitation-status-unrecognized", "200000000002".to_owned()),
    ];
    assert_eq!(violations(&report), expected.map(|(rule, id)| (rule.to_owned(), id)));
    assert_eq!(report["summary"]["bySeverity"], json!({"CRITICAL": 0, "HIGH": 0, "MEDIUM": 2, "LOW": 2}));
    assert!(report["violations"][0].get("confirmed").is_none(), "only members are confirmed");
}

#[tokio::test]
async fn every_status_of_the_administrator() {
    for status in STATUSES {
        let administrator = Some(json!({"accountId": "333333333333", "relationshipStatus": status}));
        let report = report(TargetSeed { administrator, ..healthy() }).await;
        let (verdict, rule) = match status {
            "AccountSuspended" => ("NON_COMPLIANT", Some("administrator-account-suspended")),
            "RegionDisabled" => ("NON_COMPLIANT", Some("administrator-region-disabled")),
            _ => ("COMPLIANT", None),
        };
        assert_eq!(report["verdict"], verdict, "{status}");
        let expected: Vec<_> = rule.iter().map(|rule| ((*rule).to_owned(), "333333333333".to_owned())).collect();
        assert_eq!(violations(&report), expected, "{status}");
        assert!(rule.is_none() || report["violations"][0]["severity"] == "CRITICAL");
    }
}

#[tokio::test]
async fn an_administrator_status_that_no_rule_knows_is_never_compliant() {
    for administrator in
        [json!({"accountId": "333333333333", "relationshipStatus": "Odd"}), json!({"raw": true, "accountId": "3"})]
    {
        let report = report(TargetSeed { administrator: Some(administrator), ..healthy() }).await;
        assert_eq!(report["verdict"], "INSUFFICIENT_DATA");
        assert_eq!(read(&report, "GetAdministratorAccount")["error"]["code"], "InvalidResponse");
    }
}

#[tokio::test]
async fn no_administrator_is_an_answer() {
    let report = report(TargetSeed { administrator: None, ..healthy() }).await;
    assert_eq!(report["verdict"], "COMPLIANT");
    assert_eq!(read(&report, "GetAdministratorAccount")["items"], 0);
}

#[tokio::test]
async fn every_action_of_a_filter() {
    let findings_filters = vec![
        json!({"id": "f-1", "name": "mute", "action": "ARCHIVE"}),
        json!({"id": "f-2", "name": "watch", "action": "NOOP"}),
        json!({"id": "f-3", "name": "odd", "action": "FORWARD"}),
        json!({"raw": true, "id": "f-4", "name": "none"}),
    ];
    let report = report(TargetSeed { findings_filters, ..healthy() }).await;
    let expected = [
        ("filter-archives-findings", "f-1"),
        ("filter-action-unrecognized", "f-3"),
        ("filter-action-unrecognized", "f-4"),
    ];
    assert_eq!(violations(&report), expected.map(|(rule, id)| (rule.to_owned(), id.to_owned())));
    assert_eq!(report["summary"]["bySeverity"], json!({"CRITICAL": 1, "HIGH": 0, "MEDIUM": 0, "LOW": 2}));
    assert_eq!(report["violations"][0]["resource"]["name"], "mute");
    assert_eq!(report["violations"][0]["resource"]["type"], "findings-filter");
    assert_eq!(report["summary"]["filters"], 4);
}

#[tokio::test]
async fn a_violation_tells_since_when_where_macie_does() {
    let session = json!({"status": "PAUSED", "updatedAt": "2026-11-03T00:00:00Z"});
    let target = TargetSeed {
        session: session.as_object().cloned().unwrap_or_default(),
        members: vec![json!({"relationshipStatus": "Paused", "updatedAt": "2026-11-01T09:30:00.250Z"})],
        invitations: vec![json!({"relationshipStatus": "RegionDisabled", "invitedAt": "2026-11-02T10:00:00+02:00"})],
        findings_filters: vec![json!({"action": "ARCHIVE"})],
        ..healthy()
    };
    let report = report(target).await;
    let told: Vec<_> =
        report["violations"].as_array().expect("a list").iter().map(|v| (&v["rule"], &v["since"])).collect();
    let expected = [
        ("filter-archives-findings", Value::Null),
        ("macie-paused", json!("2026-11-03T00:00:00Z")),
        ("member-macie-paused", json!("2026-11-01T09:30:00.25Z")),
        ("invitation-region-disabled", json!("2026-11-02T08:00:00Z")),
    ];
    assert_eq!(told.len(), expected.len());
    for ((rule, since), (expected_rule, expected_since)) in told.into_iter().zip(&expected) {
        assert_eq!((rule, since), (&json!(expected_rule), expected_since));
    }
}

#[tokio::test]
async fn macie_paused_is_a_violation_of_the_session() {
    let session = json!({"status": "PAUSED"}).as_object().cloned().unwrap_or_default();
    let report = report(TargetSeed { session, ..healthy() }).await;
    assert_eq!(violations(&report), [("macie-paused".to_owned(), ACCOUNT.to_owned())]);
    assert_eq!(report["violations"][0]["resource"]["type"], "session");
    assert_eq!((&report["violations"][0]["severity"], &report["complete"]), (&json!("CRITICAL"), &json!(true)));
}

#[tokio::test]
async fn a_session_status_that_no_rule_knows_is_never_compliant() {
    let session = json!({"status": "DROWSY"}).as_object().cloned().unwrap_or_default();
    let report = report(TargetSeed { session, ..healthy() }).await;
    assert_eq!(report["verdict"], "INSUFFICIENT_DATA");
    assert_eq!(read(&report, "GetMacieSession")["error"]["code"], "InvalidResponse");
}

#[tokio::test]
async fn macie_not_enabled_is_one_violation_of_a_complete_target() {
    for not_enabled_status in [401, 403] {
        let report = report(TargetSeed { enabled: false, not_enabled_status, ..healthy() }).await;
        assert_eq!(violations(&report), [("macie-not-enabled".to_owned(), ACCOUNT.to_owned())]);
        assert_eq!((&report["verdict"], &report["complete"]), (&json!("NON_COMPLIANT"), &json!(true)));
        assert_eq!(report["summary"]["bySeverity"]["CRITICAL"], 1);
    }
}

#[tokio::test]
async fn a_violation_keeps_its_id_over_runs() {
    let target = || TargetSeed {
        members: one_of_each(&STATUSES),
        findings_filters: vec![json!({"id": "f", "action": "ARCHIVE"})],
        ..healthy()
    };
    let ids = |report: &Value| -> Vec<Value> {
        report["violations"].as_array().expect("a list").iter().map(|violation| violation["id"].clone()).collect()
    };
    let first = ids(&report(target()).await);
    assert_eq!(first, ids(&report(target()).await));
    assert_eq!(first.len(), 4);
    assert!((1..first.len()).all(|index| !first[..index].contains(&first[index])), "and no two share one");
}

#[tokio::test]
async fn a_status_that_changed_during_the_walk_is_reported_as_it_is_now() {
    let target = TargetSeed {
        members: vec![
            json!({"accountId": "100000000001", "relationshipStatus": "AccountSuspended"}),
            json!({"accountId": "100000000002", "relationshipStatus": "AccountSuspended"}),
            json!({"accountId": "100000000003", "relationshipStatus": "Paused"}),
        ],
        member_now: [
            ("100000000001".to_owned(), json!({"relationshipStatus": "Enabled"})),
            ("100000000002".to_owned(), json!({"relationshipStatus": "RegionDisabled"})),
        ]
        .into(),
        ..healthy()
    };
    let report = report(target).await;
    assert_eq!(
        violations(&report),
        [("member-macie-paused", "100000000003"), ("member-region-disabled", "100000000002")]
            .map(|(rule, id)| (rule.to_owned(), id.to_owned()))
    );
    assert_eq!(report["summary"]["membersByStatus"], json!({"Enabled": 1, "Paused": 1, "RegionDisabled": 1}));
    assert_eq!(
        read(&report, "GetMember"),
        &json!({"api": "GetMember", "complete": true, "pages": 3, "items": 3, "error": null})
    );
}

#[tokio::test]
async fn an_answer_about_another_member_confirms_nothing() {
    let target = TargetSeed {
        members: vec![json!({"accountId": "100000000001", "relationshipStatus": "AccountSuspended"})],
        member_now: [(
            "100000000001".to_owned(),
            json!({"accountId": "100000000002", "relationshipStatus": "Enabled"}),
        )]
        .into(),
        ..healthy()
    };
    let report = report(target).await;
    assert_eq!(violations(&report), [("member-account-suspended".to_owned(), "100000000001".to_owned())]);
    assert_eq!((&report["violations"][0]["confirmed"], &report["complete"]), (&json!(false), &json!(false)));
    assert_eq!(read(&report, "GetMember")["error"]["code"], "InvalidResponse");
}

#[tokio::test]
async fn a_member_that_cannot_be_read_again_stands_unconfirmed() {
    let target = TargetSeed {
        members: vec![json!({"accountId": "100000000001", "relationshipStatus": "AccountSuspended"})],
        member_now: [("100000000001".to_owned(), Value::Null)].into(),
        ..healthy()
    };
    let unreadable = FaultKind::Error { status: 418, code: "TeapotException".to_owned(), message: String::new() };
    let seed = Seed { faults: vec![Fault::of("macie2", "GetMember", unreadable)], ..seed(target.clone()) };
    let report = Function::start(seed).await.report().await;
    assert_eq!(violations(&report), [("member-account-suspended".to_owned(), "100000000001".to_owned())]);
    assert_eq!((&report["violations"][0]["confirmed"], &report["complete"]), (&json!(false), &json!(false)));
    assert_eq!(read(&report, "GetMember")["error"]["code"], "TeapotException");
}

#[tokio::test]
async fn a_member_that_macie_lists_and_does_not_know_is_reported_as_listed_and_the_read_is_complete() {
    let target = TargetSeed {
        members: vec![json!({"accountId": "100000000001", "relationshipStatus": "AccountSuspended"})],
        ..healthy()
    };
    for (status, code, message) in [
        (
            400,
            "ValidationException",
            "The request failed because the specified account is not associated with your account.",
        ),
        (404, "ResourceNotFoundException", ""),
        (409, "ConflictException", "The request failed because member accounts are associated with your account"),
        (
            403,
            "AccessDeniedException",
            "The request failed because the specified account is not an associated member of account 999999999999",
        ),
    ] {
        let kind = FaultKind::Error { status, code: code.to_owned(), message: message.to_owned() };
        let seed = Seed { faults: vec![Fault::of("macie2", "GetMember", kind)], ..seed(target.clone()) };
        let report = Function::start(seed).await.report().await;
        assert_eq!(violations(&report), [("member-account-suspended".to_owned(), "100000000001".to_owned())]);
        let told = (&report["violations"][0]["confirmed"], &report["complete"], &read(&report, "GetMember")["items"]);
        assert_eq!(told, (&json!(false), &json!(true), &json!(0)), "{code}");
    }
    let denied = FaultKind::Error {
        status: 403,
        code: "AccessDeniedException".to_owned(),
        message: "User: arn:aws:sts::999999999999:assumed-role/x/y is not authorized to perform: macie2:GetMember"
            .to_owned(),
    };
    let seed = Seed { faults: vec![Fault::of("macie2", "GetMember", denied)], ..seed(target) };
    assert_eq!(Function::start(seed).await.report().await["complete"], false, "a missing permission is no answer");
}
