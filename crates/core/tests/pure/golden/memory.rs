//! Runs with an evidence bucket and exemptions: what is new comes first.

use macie_compliance_core::api::Api;
use macie_compliance_core::checks::ArchivingFilter;
use macie_compliance_core::criteria::Breadth;
use macie_compliance_core::evidence::{BucketMatches, Evidence, Filter, FindingCounts, Matches};
use macie_compliance_core::render::{LIMIT, Messages};
use macie_compliance_core::report::v1::{Change, Exempted, Exemptions, MalformedEntry, Report};
use macie_compliance_core::severity::Severity;
use macie_compliance_core::testing::{by_status, exemption, gone, remembered, report, settled, with_failed_read};

use super::{archiving, flagged, healthy, refusal, shown};

/// The most parts of a report in these runs, as in a function by default.
const MAX_PARTS: usize = 10;

fn first(report: &Report) -> String {
    shown(&Messages::of(report, MAX_PARTS).get(0).expect("a first message"))
}

/// A report over these filters, each of which mutes so much, and over what else is in a Region, known from the day
/// before.
fn known(evidence: Evidence, filters: &[(Filter, ArchivingFilter)]) -> Report {
    let filters_only = filters.iter().map(|(filter, _)| filter.clone()).collect();
    let mut report = remembered(report(&[Evidence { filters: filters_only, ..evidence }]));
    for violation in &mut report.violations {
        let of_it = filters.iter().find(|(filter, _)| filter.id == violation.resource.id);
        let Some((_, muted)) = of_it else { continue };
        violation.severity = severity(muted);
        violation.filter = Some(Box::new(muted.clone()));
    }
    settled(report)
}

/// The severity that the contract gives.
fn severity(muted: &ArchivingFilter) -> Severity {
    let graded = match muted.breadth.expect("a breadth") {
        Breadth::Everything => Severity::Critical,
        Breadth::Class | Breadth::Account => Severity::High,
        Breadth::Bucket => Severity::Medium,
        Breadth::Object => Severity::Low,
    };
    let has_high = muted.matches.as_ref().is_some_and(|matches| matches.archived.high > 0);
    if has_high { graded.min(Severity::High) } else { graded }
}

fn muted(breadth: Breadth, conditions: &[&str], [high, medium, low]: [u64; 3]) -> ArchivingFilter {
    let archived = FindingCounts { total: high + medium + low, high, medium, low };
    let payroll = BucketMatches { name: "payroll".to_owned(), archived: archived.total };
    ArchivingFilter {
        breadth: Some(breadth),
        conditions: conditions.iter().map(|condition| (*condition).to_owned()).collect(),
        criteria: Some(serde_json::json!({"criterion": {}})),
        description: None,
        position: Some(1),
        digest: Some("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a".to_owned()),
        matches: Some(Matches {
            archived,
            current: FindingCounts::default(),
            top_buckets: if archived.total > 0 { vec![payroll] } else { Vec::new() },
        }),
    }
}

fn everything() -> ArchivingFilter {
    muted(Breadth::Everything, &["every finding: there are no conditions"], [3, 30, 8])
}

/// A filter over one bucket, which matches nothing.
fn narrow(number: usize) -> (Filter, ArchivingFilter) {
    let condition = format!("bucket is one of logs-{number:02}, scratch-{number:02}; severity is Low");
    (archiving(&format!("f-{number:02}"), &format!("quiet {number:02}")), muted(Breadth::Bucket, &[&condition], [0; 3]))
}

/// A Region in which five members are suspended.
fn suspended() -> Evidence {
    let mut evidence = healthy("us-east-1", 1060);
    evidence.members.by_status = by_status(&[("Enabled", 1055), ("AccountSuspended", 5)]);
    evidence.members.flagged = (0..5).map(|id| flagged(100_000_000_000 + id, "AccountSuspended")).collect();
    evidence
}

/// Exempts the violations at the end of the list.
fn exempt(report: &mut Report, number: usize, id: &str, expires: &str) {
    let exempted = report.violations.split_off(report.violations.len() - number).into_iter();
    let exempted = exempted.map(|violation| Exempted { violation, exemption: exemption(id, expires) });
    report.exempted.extend(exempted);
    let applied = report.exempted.len() as u64;
    let exemptions = report.exemptions.get_or_insert_with(exemptions);
    exemptions.applied = applied;
}

fn exemptions() -> Exemptions {
    Exemptions {
        source: "s3://macie-compliance-evidence-999999999999/exemptions.json".to_owned(),
        digest: Some("2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae".to_owned()),
        ..Exemptions::default()
    }
}

#[test]
fn the_first_run() {
    let mut report = known(suspended(), &[narrow(1), (archiving("f-99", "vendor"), everything())]);
    for violation in &mut report.violations {
        violation.first_seen = Some(report.generated_at.clone());
        violation.change = Some(Change::New);
    }
    report.changes.as_mut().expect("changes").compared_with = None;
    insta::assert_snapshot!(first(&settled(report)));
}

#[test]
fn nothing_new() {
    let high = muted(Breadth::Bucket, &["bucket is payroll"], [2, 0, 0]);
    let filters = [(archiving("f-90", "payroll"), high), narrow(1), narrow(2), narrow(3), narrow(4)];
    let mut report = known(suspended(), &filters);
    exempt(&mut report, 2, "vendor-logs", "2026-11-30");
    exempt(&mut report, 1, "scratch", "2027-03-31");
    let exemptions = report.exemptions.as_mut().expect("exemptions");
    exemptions.expiring_soon = vec!["vendor-logs".to_owned()];
    exemptions.unused = vec!["an-old-one".to_owned(), "another".to_owned()];
    insta::assert_snapshot!(first(&settled(report)));
}

#[test]
fn one_new_filter_for_everything_among_forty_that_are_known() {
    let mut filters: Vec<_> = (0..40).map(narrow).collect();
    filters.push((archiving("f-1", "vendor"), everything()));
    let mut report = known(healthy("us-east-1", 1060), &filters);
    report.violations[0].change = Some(Change::New);
    insta::assert_snapshot!(first(&settled(report)));
}

#[test]
fn all_resolved() {
    let before = known(suspended(), &[narrow(1)]);
    let mut report = remembered(report(&[healthy("us-east-1", 1060)]));
    report.changes.as_mut().expect("changes").resolved = before.violations.iter().map(gone).collect();
    insta::assert_snapshot!(first(&settled(report)));
}

#[test]
fn an_exemption_that_ended() {
    let wide = muted(Breadth::Class, &["severity is one of Low, Medium"], [0, 12, 40]);
    let mut report = known(suspended(), &[(archiving("f-1", "vendor"), wide), narrow(1), narrow(2)]);
    let ended = report.violations.iter_mut().find(|violation| violation.resource.id == "f-1").expect("a filter");
    ended.change = Some(Change::ExemptionEnded);
    exempt(&mut report, 2, "scratch", "2026-11-22");
    let exemptions = report.exemptions.as_mut().expect("exemptions");
    exemptions.changed = vec!["vendor-logs".to_owned()];
    exemptions.expired = vec!["closing-accounts".to_owned()];
    exemptions.expiring_soon = vec!["scratch".to_owned(), "covers-nothing".to_owned()];
    let problem = "there is no rule \"filter-archive-findings\"".to_owned();
    exemptions.malformed = vec![MalformedEntry { entry: "3".to_owned(), problem }];
    insta::assert_snapshot!(first(&settled(report)));
}

#[test]
fn an_incomplete_run_that_leaves_things_unknown() {
    let before = known(suspended(), &[narrow(1)]);
    let reason = "because no identity-based policy allows the macie2:ListMembers action";
    let message = refusal(Api::ListMembers, "us-east-1", reason);
    let mut evidence = healthy("us-east-1", 0);
    evidence = with_failed_read(evidence, Api::ListMembers, "AccessDeniedException", &message);
    let mut report = known(evidence, &[narrow(1)]);
    let unknown = before.violations.iter().filter(|violation| violation.rule.starts_with("member-"));
    report.changes.as_mut().expect("changes").unknown = unknown.map(gone).collect();
    insta::assert_snapshot!(first(&settled(report)));
}

#[test]
fn an_exemptions_document_that_could_not_be_read() {
    let mut report = known(healthy("us-east-1", 1060), &[narrow(1), narrow(2)]);
    let error = "line 7, column 3: expected a comma".to_owned();
    report.exemptions = Some(Exemptions { digest: None, error: Some(error), ..exemptions() });
    insta::assert_snapshot!(first(&settled(report)));
}

#[test]
fn a_compliant_run_with_violations_below_fail_on() {
    let mut report = known(healthy("us-east-1", 1060), &[narrow(1), narrow(2), narrow(3)]);
    report.fail_on = Severity::High;
    insta::assert_snapshot!(first(&settled(report)));
}

#[test]
fn a_report_that_is_too_large_to_be_sent() {
    let mut huge = healthy("us-east-1", 20_000);
    huge.members.by_status = by_status(&[("RegionDisabled", 12_000), ("Enabled", 8_000)]);
    huge.members.flagged = (0..12_000).map(|id| flagged(100_000_000_000 + id, "RegionDisabled")).collect();
    let mut report = known(huge, &[]);
    report.violations[11_999].change = Some(Change::New);
    let report = settled(report);
    let messages = Messages::of(&report, MAX_PARTS);
    assert_eq!(messages.count(), 1);
    assert!(messages.iter().all(|message| message.size() <= LIMIT));
    insta::assert_snapshot!(first(&report));
}

#[test]
fn evidence_that_could_not_be_stored() {
    let mut report = known(healthy("us-east-1", 1060), &[(archiving("f-1", "vendor"), everything())]);
    report.evidence.as_mut().expect("evidence").error = Some("AccessDenied: s3:PutObject is not allowed".to_owned());
    insta::assert_snapshot!(first(&settled(report)));
}

/// What the last run found could not be read in one of two Regions.
#[test]
fn a_run_that_cannot_tell_what_is_new() {
    let mut report = known(suspended(), &[(archiving("f-1", "vendor"), everything()), narrow(1)]);
    for violation in report.violations.iter_mut().filter(|violation| violation.filter.is_some()) {
        (violation.change, violation.first_seen) = (None, None);
    }
    insta::assert_snapshot!(first(&settled(report)));
}
