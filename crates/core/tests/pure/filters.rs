//! What a filter that archives findings comes to, by what was read of it and of its account.

use macie_compliance_core::api::Api;
use macie_compliance_core::criteria::Breadth;
use macie_compliance_core::evidence::{Administrator, Evidence, Filter, FilterDetail, FindingCounts, Matches};
use macie_compliance_core::judge::{Violation, judge};
use macie_compliance_core::severity::Severity;
use macie_compliance_core::testing::{ACCOUNT, checks, clean, filter, policy, target, with_failed_read};
use serde_json::{Value, json};

fn archiving(criterion: Value, archived: FindingCounts) -> Filter {
    let criteria = Some(json!({"criterion": criterion}));
    let matches = Some(Matches { archived, ..Matches::default() });
    let detail = FilterDetail { criteria, matches, ..FilterDetail::default() };
    Filter { detail: Some(Box::new(detail)), ..filter("f", None, "ARCHIVE") }
}

fn found(evidence: &Evidence) -> Violation {
    let mut violations = judge(evidence, &checks(), &policy()).violations;
    violations.retain(|violation| violation.rule == "filter-archives-findings");
    assert_eq!(violations.len(), 1, "{violations:?}");
    violations.remove(0)
}

#[test]
fn the_own_account_is_everything_to_an_account_without_members() {
    let own = json!({"accountId": {"eq": [ACCOUNT]}});
    let filters = vec![archiving(own, FindingCounts::default())];
    let alone = Evidence { filters, ..clean(target(999_999_999_999, "us-east-1")) };
    let with_members = |statuses: &[&str]| {
        let mut evidence = alone.clone();
        let listed = evidence.reads.iter_mut().find(|read| read.api == Api::ListMembers).expect("it is asked");
        listed.items = statuses.len() as u64;
        statuses.iter().for_each(|status| evidence.members.by_status.add(Some(status)));
        evidence
    };
    let administrator = Some(Administrator { id: "1".to_owned(), status: None, since: None });
    let member = Evidence { administrator, ..with_members(&["Enabled"]) };
    let unread = with_failed_read(with_members(&["Enabled"]), Api::GetAdministratorAccount, "x", "");
    for (evidence, breadth) in [
        (with_members(&[]), Breadth::Everything),
        (with_members(&["Enabled"]), Breadth::Account),
        (with_members(&["Removed", "Paused"]), Breadth::Account),
        (with_members(&["RegionDisabled"]), Breadth::Account),
        // Their findings are not seen here, and of a status that is not known nobody can tell.
        (with_members(&["Invited", "Created", "Removed", "Resigned", "(absent)"]), Breadth::Everything),
        (with_members(&["EmailVerificationInProgress", "Hibernating"]), Breadth::Everything),
        (member, Breadth::Everything),
        (unread, Breadth::Everything),
    ] {
        let found = found(&evidence);
        let muted = found.problem.filter.expect("what it mutes");
        assert_eq!((muted.breadth, found.severity), (Some(breadth), breadth.severity()), "{:?}", evidence.role());
    }
}

#[test]
fn a_filter_that_hides_findings_of_high_severity_is_high_at_least() {
    let everything = json!({});
    let object = json!({"resourcesAffected.s3Object.key": {"eq": ["a.txt"]}});
    let none_high = FindingCounts { total: 3, medium: 2, low: 1, high: 0 };
    let one_high = FindingCounts { total: 1, high: 1, ..FindingCounts::default() };
    for (criterion, archived, severity) in [
        (&object, none_high, Breadth::Object.severity()),
        (&object, one_high, Severity::High),
        (&everything, none_high, Severity::Critical),
        (&everything, one_high, Severity::Critical),
    ] {
        let filters = vec![archiving(criterion.clone(), archived)];
        let evidence = Evidence { filters, ..clean(target(999_999_999_999, "us-east-1")) };
        assert_eq!(found(&evidence).severity, severity, "{criterion} {archived:?}");
    }
    assert_ne!(Breadth::Object.severity(), Severity::High);
}
