//! What every rule came to, in numbers of targets.

use serde_json::{Value, json};
use simulator::{Fault, Seed, TargetSeed};

use crate::function::{Function, error, healthy, seed};

/// The outcomes of a rule: passed, failed, not applicable, not evaluated.
fn outcomes(report: &Value, rule: &str) -> [u64; 4] {
    let counts = &report["summary"]["outcomes"][rule];
    assert_eq!(counts["exempt"], 0, "{counts}");
    ["passed", "failed", "notApplicable", "notEvaluated"].map(|outcome| counts[outcome].as_u64().expect("a number"))
}

/// Whether the outcomes of every rule that is not off are of all targets.
fn assert_they_add_up(report: &Value) {
    let all = report["summary"]["outcomes"].as_object().expect("an object");
    assert_eq!(all.len(), report["summary"]["byRule"].as_object().expect("an object").len());
    for (rule, counts) in all {
        let sum: u64 = counts.as_object().expect("an object").values().filter_map(Value::as_u64).sum();
        assert_eq!(Some(sum), report["summary"]["targets"].as_u64(), "{rule}");
    }
}

#[tokio::test]
async fn every_target_counts_once_under_every_rule() {
    let target = |account: u64, target: TargetSeed| TargetSeed { account_id: Some(format!("{account:012}")), ..target };
    let bad = TargetSeed {
        members: vec![json!({"relationshipStatus": "Paused"}), json!({"relationshipStatus": "Enabled"})],
        administrator: None,
        ..healthy()
    };
    let member = TargetSeed { members: Vec::new(), ..healthy() };
    let standalone = TargetSeed { members: Vec::new(), administrator: None, ..healthy() };
    let off = TargetSeed { enabled: false, ..healthy() };
    let seed = Seed {
        account: format!("{:012}", 1),
        targets: vec![target(1, bad), target(2, member), target(3, standalone), target(4, off), target(5, healthy())],
        faults: vec![Fault {
            account_id: Some(format!("{:012}", 5)),
            ..Fault::of("macie2", "ListMembers", error(400, "ValidationException", "no"))
        }],
        ..Seed::default()
    };
    let roles: Vec<String> = (2..=5).map(|account| format!("arn:aws:iam::{account:012}:role/audit")).collect();
    let variables = [
        ("MACIE_ROLE_ARNS", roles.join(",")),
        ("REPORT_TOPIC_ARN", "arn:aws:sns:us-east-1:000000000001:reports".to_owned()),
    ];
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let report = Function::with(seed, &variables).await.report().await;
    assert_they_add_up(&report);
    assert_eq!(report["summary"]["targets"], 5);
    // The accounts: an administrator with a paused member, a member, one alone, one without Macie, one
    // whose members could not be read.
    assert_eq!(outcomes(&report, "member-macie-paused"), [1, 1, 2, 1]);
    assert_eq!(outcomes(&report, "member-account-suspended"), [2, 0, 2, 1]);
    assert_eq!(outcomes(&report, "administrator-account-suspended"), [2, 0, 3, 0]);
    assert_eq!(outcomes(&report, "macie-not-enabled"), [4, 1, 0, 0]);
    assert_eq!(outcomes(&report, "macie-paused"), [4, 0, 1, 0]);
    assert_eq!(outcomes(&report, "filter-archives-findings"), [4, 0, 1, 0]);
}

#[tokio::test]
async fn a_rule_whose_list_was_refused_is_not_evaluated_and_never_passed() {
    let fault = Fault::of("macie2", "ListFindingsFilters", error(403, "AccessDeniedException", "no"));
    let report = Function::start(Seed { faults: vec![fault], ..seed(healthy()) }).await.report().await;
    assert_they_add_up(&report);
    for rule in ["filter-archives-findings", "filter-action-unrecognized"] {
        assert_eq!(outcomes(&report, rule), [0, 0, 0, 1], "{rule}");
        assert_eq!(report["summary"]["byRule"][rule], 0);
    }
    assert_eq!(outcomes(&report, "member-macie-paused"), [1, 0, 0, 0]);
}

#[tokio::test]
async fn an_account_that_does_not_open_is_not_evaluated_by_any_rule() {
    let fault = Fault::of("sts", "AssumeRole", error(403, "AccessDenied", "no"));
    let variables = [("MACIE_ROLE_ARNS", "arn:aws:iam::111122223333:role/audit"), ("AUDIT_OWN_ACCOUNT", "false")];
    let function = Function::with(Seed { faults: vec![fault], ..seed(healthy()) }, &variables).await;
    let report = function.report().await;
    assert_they_add_up(&report);
    assert_eq!(report["verdict"], "INSUFFICIENT_DATA");
    for rule in report["summary"]["outcomes"].as_object().expect("an object").keys() {
        assert_eq!(outcomes(&report, rule), [0, 0, 0, 1], "{rule}");
    }
}
