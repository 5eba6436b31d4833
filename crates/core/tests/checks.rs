//! Checks of the two widest views, made for these tests: over all evidence of a target, and over the whole run.

use macie_compliance_core::api::Api;
use macie_compliance_core::checks::{Check, Checks, Judge, Problem};
use macie_compliance_core::judge::judge_run;
use macie_compliance_core::report::v1::{OutcomeCounts, Verdict};
use macie_compliance_core::resource::{Resource, ResourceType};
use macie_compliance_core::severity::Severity;
use macie_compliance_core::testing::{clean, filter, policy, report_by, target, with_failed_read};

/// Filters of one id in more than one target: the second and later ones break the rule.
static SHARED: Check = Check {
    id: "test-filter-shared",
    severity: Severity::Low,
    title: "A filter is in two targets",
    risk: "It is a test.",
    fix: "Nothing.",
    needs: &[Api::ListFindingsFilters],
    judge: Judge::Run(|run, _| {
        let mut known = std::collections::HashSet::new();
        let filters =
            run.iter().flat_map(|evidence| evidence.filters.iter().map(move |filter| (&evidence.target, filter)));
        filters
            .filter(|(_, filter)| !known.insert(filter.id.clone()))
            .map(|(target, filter)| (target.clone(), Problem::with_filter(filter)))
            .collect()
    }),
};

/// More than one filter in a target, which is worse than the check says.
static CROWDED: Check = Check {
    id: "test-filters-crowded",
    severity: Severity::Low,
    title: "A target has two filters",
    risk: "It is a test.",
    fix: "Nothing.",
    needs: &[Api::ListFindingsFilters],
    judge: Judge::Target(|evidence, scope| {
        let resource = Resource::new(ResourceType::Session, &scope.target.account_id);
        let problem = Problem { severity: Some(Severity::High), ..Problem::with(resource) };
        (evidence.filters.len() > 1).then_some(problem).into_iter().collect()
    }),
};

fn counts(passed: u64, failed: u64, not_evaluated: u64) -> OutcomeCounts {
    OutcomeCounts { passed, failed, not_evaluated, ..OutcomeCounts::default() }
}

#[test]
fn what_is_found_over_the_whole_run_belongs_to_its_target() {
    let checks = Checks::only([&CROWDED, &SHARED]);
    assert!(checks.look_at_the_run() && checks.need(Api::ListFindingsFilters) && !checks.need(Api::ListMembers));
    let mut run = [1, 2, 3].map(|account| clean(target(account, "eu-west-1")));
    run[0].filters = vec![filter("a", None, "NOOP")];
    run[2].filters = vec![filter("a", Some("again"), "NOOP")];
    assert_eq!(judge_run(&run, &checks, &policy()).len(), 1);
    let report = report_by(&checks, &run);
    let [violation] = report.violations.as_slice() else { panic!("{:?}", report.violations) };
    assert_eq!((violation.rule, &violation.target), ("test-filter-shared", &target(3, "eu-west-1")));
    assert_eq!((violation.resource.name.as_deref(), violation.severity), (Some("again"), Severity::Low));
    assert_eq!(violation.remediation, "It is a test. Nothing.");
    assert_eq!(report.summary.outcomes["test-filter-shared"], counts(2, 1, 0));
    assert_eq!(report.summary.outcomes["test-filters-crowded"], counts(3, 0, 0));
    assert_eq!((report.verdict, report.complete), (Verdict::NonCompliant, true));
    let verdicts: Vec<Verdict> = report.targets.iter().map(|target| target.verdict).collect();
    assert_eq!(verdicts, [Verdict::Compliant, Verdict::Compliant, Verdict::NonCompliant]);
}

#[test]
fn a_check_over_the_whole_run_passes_only_where_what_it_needs_was_read() {
    let checks = Checks::only([&SHARED]);
    let unread = with_failed_read(clean(target(2, "eu-west-1")), Api::ListFindingsFilters, "x", "");
    let report = report_by(&checks, &[clean(target(1, "eu-west-1")), unread]);
    assert_eq!(report.summary.outcomes["test-filter-shared"], counts(1, 0, 1));
    assert_eq!(report.verdict, Verdict::InsufficientData);
}

#[test]
fn a_check_of_a_whole_target_may_say_how_bad_it_is() {
    let checks = Checks::only([&CROWDED]);
    assert!(!checks.look_at_the_run());
    let mut run = [1, 2].map(|account| clean(target(account, "eu-west-1")));
    run[1].filters = vec![filter("a", None, "NOOP"), filter("b", None, "NOOP")];
    let report = report_by(&checks, &run);
    let [violation] = report.violations.as_slice() else { panic!("{:?}", report.violations) };
    assert_eq!((violation.severity, violation.resource.id.as_str()), (Severity::High, "000000000002"));
    assert_eq!((violation.confirmed, violation.status.as_deref()), (None, None));
    assert_eq!(report.summary.outcomes["test-filters-crowded"], counts(1, 1, 0));
    assert_eq!(report.summary.by_severity[&Severity::High], 1);
}

#[test]
fn a_read_that_a_rule_needs_and_nobody_made_leaves_the_target_incomplete() {
    let mut evidence = clean(target(1, "eu-west-1"));
    evidence.reads.retain(|read| read.api != Api::ListFindingsFilters);
    assert!(evidence.is_complete());
    let report = report_by(&Checks::without(&[]), &[evidence.clone()]);
    assert_eq!((report.verdict, report.complete), (Verdict::InsufficientData, false));
    assert_eq!((report.summary.targets_incomplete, report.targets[0].complete), (1, false));
    let filters_off = Checks::without(&["filter-archives-findings", "filter-action-unrecognized"]);
    assert_eq!(report_by(&filters_off, &[evidence]).verdict, Verdict::Compliant);
}
