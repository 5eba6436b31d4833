//! Checks of the two widest views, made for these tests: over all evidence of a target, and over the whole run.

use macie_compliance_core::api::Api;
use macie_compliance_core::checks::{Check, Checks, Judge, Problem, Scope};
use macie_compliance_core::evidence::{Administrator, Evidence, Invitation, Member, Read, Session, SessionStatus};
use macie_compliance_core::failure::Failure;
use macie_compliance_core::judge::judge_run;
use macie_compliance_core::report::v1::{OutcomeCounts, Verdict};
use macie_compliance_core::resource::{Resource, ResourceType};
use macie_compliance_core::severity::Severity;
use macie_compliance_core::testing::{
    checks, clean, filter, invitation, member, policy, report_by, target, with_failed_read,
};

/// Filters of one id in more than one target: the second and later ones break the rule.
static SHARED: Check = Check {
    id: "test-filter-shared",
    severity: Severity::Low,
    title: "A filter is in two targets",
    risk: "It is a test.",
    fix: "Nothing.",
    needs: &[Api::ListFindingsFilters],
    applies: |_, _| Some(true),
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
    applies: |_, _| Some(true),
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

#[test]
fn an_item_is_kept_while_a_page_is_read_if_an_enabled_check_has_something_to_say_about_it() {
    let (target, policy) = (target(1, "eu-west-1"), policy());
    let scope = Scope { target: &target, role: None, policy: &policy };
    let all = checks();
    let session = |status| Session { status, since: None };
    let none = Checks::without(&all.iter().map(|check| check.id).collect::<Vec<_>>());
    for (checks, flags) in [(&all, true), (&none, false)] {
        assert_eq!(checks.flag_member(&member(1, "Paused"), &scope), flags);
        assert_eq!(checks.flag_invitation(&invitation("1", "AccountSuspended"), &scope), flags);
        assert_eq!(checks.flag_filter(&filter("a", None, "ARCHIVE"), &scope), flags);
        assert_eq!(checks.flag_session(&session(SessionStatus::NotEnabled), &scope), flags);
        assert!(!checks.flag_session(&session(SessionStatus::Is("ENABLED".to_owned())), &scope));
        assert!(!checks.flag_member(&member(1, "Enabled"), &scope));
        assert!(!checks.flag_invitation(&invitation("1", "Invited"), &scope));
        assert!(!checks.flag_filter(&filter("a", None, "NOOP"), &scope));
    }
}

#[test]
fn a_violation_has_the_status_and_the_time_that_the_service_gave() {
    let since = || Some("2026-11-01T09:30:00Z".to_owned());
    let status = || Some("AccountSuspended".to_owned());
    let mut evidence = clean(target(1, "eu-west-1"));
    evidence.session = Some(Session { status: SessionStatus::Is("PAUSED".to_owned()), since: since() });
    evidence.administrator = Some(Administrator { id: "2".to_owned(), status: status(), since: since() });
    evidence.members.flagged = vec![Member { since: since(), ..member(3, "AccountSuspended") }];
    evidence.invitations = vec![Invitation { since: since(), ..invitation("4", "AccountSuspended") }];
    let report = report_by(&checks(), &[evidence]);
    let rules: Vec<_> = report.violations.iter().map(|v| (v.rule, v.status.as_deref(), v.since.clone())).collect();
    let suspended = Some("AccountSuspended");
    assert_eq!(
        rules,
        [
            ("administrator-account-suspended", suspended, since()),
            ("macie-paused", Some("PAUSED"), since()),
            ("member-account-suspended", suspended, since()),
            ("invitation-account-suspended", suspended, since()),
        ]
    );
}

#[test]
fn a_target_that_could_not_be_opened_says_why() {
    let failure = Failure::own("AccessDenied", "no");
    let evidence = Evidence::unread(target(1, "eu-west-1"), Api::AssumeRole, failure.clone());
    assert_eq!(evidence.reads, [Read::failed(Api::AssumeRole, failure)]);
    assert_eq!(report_by(&checks(), &[evidence]).verdict, Verdict::InsufficientData);
}
