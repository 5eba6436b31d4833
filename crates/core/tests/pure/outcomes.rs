//! What a rule comes to in a target, and what that makes of the verdict.

use macie_compliance_core::api::Api;
use macie_compliance_core::evidence::Evidence;
use macie_compliance_core::judge::Outcome;
use macie_compliance_core::report::Terms;
use macie_compliance_core::report::v1::{OutcomeCounts, Verdict};
use macie_compliance_core::severity::Severity;
use macie_compliance_core::testing::{checks, clean, invitation, target};

use crate::changes::{Bucket, exempting, here, paused, run, run_with, unread};

#[test]
fn a_lesser_violation_than_the_settings_fail_on_is_counted_and_leaves_the_verdict() {
    let evidence = || [Evidence { invitations: vec![invitation("7", "RegionDisabled")], ..paused(here(), &["1"]) }];
    for (fail_on, verdict) in [
        (Severity::Low, Verdict::NonCompliant),
        (Severity::Medium, Verdict::NonCompliant),
        (Severity::High, Verdict::NonCompliant),
        (Severity::Critical, Verdict::Compliant),
    ] {
        let report = run_with(&mut Bucket::default(), 1, &checks(), Terms { fail_on, ..Terms::default() }, &evidence());
        assert_eq!((report.verdict, report.targets[0].verdict, report.fail_on), (verdict, verdict, fail_on));
        assert_eq!((report.summary.violations, report.violations.len()), (2, 2));
        assert_eq!(report.summary.outcomes["member-macie-paused"].failed, 1, "it is FAILED all the same");
        assert_eq!(report.summary.by_severity[&Severity::High], 1);
    }
    let terms = Terms { fail_on: Severity::High, ..Terms::default() };
    let [mut lesser] = evidence();
    lesser.members.flagged.clear();
    let report = run_with(&mut Bucket::default(), 1, &checks(), terms, &[unread(lesser, Api::ListMembers)]);
    assert_eq!((report.verdict, report.summary.violations), (Verdict::InsufficientData, 1));
}

#[test]
fn a_rule_is_failed_before_it_is_not_evaluated_and_not_evaluated_before_it_is_exempt() {
    let two = || paused(here(), &["1", "2"]);
    let counts = |of: fn(&mut OutcomeCounts) -> &mut u64| {
        let mut counts = OutcomeCounts::default();
        *of(&mut counts) = 1;
        counts
    };
    for (evidence, exempted, expected, outcome) in [
        (two(), &["1"][..], counts(|counts| &mut counts.failed), Outcome::Failed),
        (unread(two(), Api::ListMembers), &["1"], counts(|counts| &mut counts.failed), Outcome::Failed),
        (two(), &["1", "2"], counts(|counts| &mut counts.exempt), Outcome::Exempt),
        (unread(two(), Api::GetMember), &["1", "2"], counts(|counts| &mut counts.not_evaluated), Outcome::NotEvaluated),
        (unread(two(), Api::ListInvitations), &["1", "2"], counts(|counts| &mut counts.exempt), Outcome::Exempt),
    ] {
        let report = run_with(&mut Bucket::default(), 1, &checks(), exempting(exempted), &[evidence]);
        assert_eq!(report.summary.outcomes["member-macie-paused"], expected, "{outcome:?}");
        let told = report.targets[0].outcomes.as_ref().expect("there is one target");
        assert_eq!(told["member-macie-paused"], outcome);
        let verdict = match (outcome, report.complete) {
            (Outcome::Failed, _) => Verdict::NonCompliant,
            (_, true) => Verdict::Compliant,
            (_, false) => Verdict::InsufficientData,
        };
        assert_eq!((report.verdict, report.targets[0].verdict), (verdict, verdict), "{outcome:?}");
    }
}

#[test]
fn of_more_than_a_thousand_targets_those_that_are_compliant_have_no_outcomes() {
    for (targets, told) in [(1_000, 1_000), (1_001, 2)] {
        let mut evidence: Vec<_> = (1..=targets).map(|account| clean(target(account, "eu-west-1"))).collect();
        evidence[3] = paused(target(4, "eu-west-1"), &["1"]);
        evidence[5] = unread(clean(target(6, "eu-west-1")), Api::ListInvitations);
        let report = run(&mut Bucket::default(), 1, &evidence);
        let with_outcomes: Vec<_> = report.targets.iter().filter(|target| target.outcomes.is_some()).collect();
        assert_eq!(with_outcomes.len(), told);
        assert!(report.targets[3].outcomes.is_some() && report.targets[5].outcomes.is_some());
        let counts = report.summary.outcomes["member-macie-paused"];
        assert_eq!((counts.failed, counts.passed), (1, targets - 1), "the summary counts them all");
    }
}
