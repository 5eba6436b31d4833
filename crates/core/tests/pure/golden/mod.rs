//! What people read, kept as golden files: the subject, the mail and the short message of runs that differ in what they
//! found and in what they could not read. `cargo insta review` shows a change.

mod memory;

use macie_compliance_core::api::Api;
use macie_compliance_core::checks::{Check, Checks};
use macie_compliance_core::evidence::{
    Administrator, BucketMatches, Evidence, Filter, FilterDetail, FindingCounts, Matches, Member, Members, Read,
    Session, SessionStatus,
};
use macie_compliance_core::failure::Failure;
use macie_compliance_core::render::{LIMIT, Message, Messages};
use macie_compliance_core::testing::{
    by_status, checks, clean, filter, invitation, member, refusal, report_by, target, text, with_failed_read,
};
use serde_json::{Value, json};

/// The first message of a report by all checks, as people get it.
fn first(evidence: &[Evidence]) -> String {
    first_by(&checks(), evidence)
}

fn first_by(checks: &Checks, evidence: &[Evidence]) -> String {
    shown(&Messages::of(&report_by(checks, evidence), usize::MAX).get(0).expect("a first message"))
}

/// Subject, mail and short message, as people get them.
fn shown(message: &Message) -> String {
    let (mail, sms) = (text(message, "email"), text(message, "sms"));
    for line in mail.lines() {
        let is_address = line.starts_with("https://") || line.starts_with("s3://");
        assert!(is_address || line.chars().count() <= 72, "{line}");
        assert_eq!(line.trim_end(), line);
    }
    format!("Subject: {}\n\n{mail}\nSMS: {sms}\n", message.subject)
}

/// A Region of an administrator account, in which everything was read and all members are enabled.
fn healthy(region: &str, members: u64) -> Evidence {
    let mut evidence = clean(target(999_999_999_999, region));
    for Read { api, pages, items, .. } in &mut evidence.reads {
        (*pages, *items) = match api {
            Api::GetMacieSession => (1, 1),
            Api::ListMembers => (members.div_ceil(25).max(1), members),
            Api::ListFindingsFilters => (3, 60),
            _ => (1, 0),
        };
    }
    evidence.members.by_status = by_status(&[("Enabled", members)]);
    evidence
}

fn flagged(id: u64, status: &str) -> Member {
    let since = Some("2026-11-01T09:30:00Z".to_owned());
    Member { since, confirmed: !id.is_multiple_of(3), ..member(format!("{id:012}"), status) }
}

fn archiving(id: &str, name: &str) -> Filter {
    filter(id, Some(name), "ARCHIVE")
}

#[test]
fn a_clean_run() {
    insta::assert_snapshot!(first(&[healthy("us-east-1", 1060)]));
}

#[test]
fn a_clean_run_with_rules_that_are_switched_off() {
    let of_members = |check: &&Check| {
        check.needs.contains(&Api::ListMembers) || check.needs.contains(&Api::GetAutomatedDiscoveryConfiguration)
    };
    let off: Vec<&str> = checks().iter().filter(of_members).map(|check| check.id).collect();
    let mut evidence = healthy("us-east-1", 0);
    evidence.reads.retain(|read| read.api != Api::ListMembers);
    evidence.members = Members::default();
    insta::assert_snapshot!(first_by(&Checks::without(&off), &[evidence]));
}

#[test]
fn a_bad_run() {
    let mut bad = healthy("us-east-1", 1060);
    bad.members.by_status =
        by_status(&[("Enabled", 1054), ("AccountSuspended", 3), ("RegionDisabled", 2), ("Paused", 1)]);
    bad.members.flagged = vec![
        flagged(100_000_000_099, "AccountSuspended"),
        flagged(100_000_000_100, "AccountSuspended"),
        flagged(100_000_000_101, "AccountSuspended"),
        flagged(100_000_000_200, "RegionDisabled"),
        flagged(100_000_000_201, "RegionDisabled"),
        flagged(100_000_000_300, "Paused"),
    ];
    let muted = |criteria: Value, high: u64, low: u64| FilterDetail {
        criteria: Some(criteria),
        matches: Some(Matches {
            archived: FindingCounts { total: high + low, high, low, ..FindingCounts::default() },
            top_buckets: vec![BucketMatches { name: "payroll".to_owned(), archived: high + low }],
            ..Matches::default()
        }),
        ..FilterDetail::default()
    };
    let payroll = json!({"criterion": {"resourcesAffected.s3Bucket.name": {"eq": ["payroll", "hr"]}}});
    let everything = json!({"criterion": {}});
    bad.filters = vec![
        Filter { detail: Some(Box::new(muted(everything, 3, 1_100))), ..archiving("4f3c8e52-0000", "vendor") },
        Filter { detail: Some(Box::new(muted(payroll, 2, 0))), ..archiving("4f3c8e52-1111", "quiet") },
        archiving("4f3c8e52-2222", "A name as long as Macie allows and with \n\u{202e} odd characters!!"),
    ];
    let status = Some("AccountSuspended".to_owned());
    bad.administrator = Some(Administrator { id: "333333333333".to_owned(), status, since: None });
    bad.invitations = vec![invitation("444444444444", "Postponed")];
    let mut off = clean(target(999_999_999_999, "eu-west-1"));
    off.reads.retain(|read| read.api == Api::GetMacieSession);
    off.session = Some(Session { status: SessionStatus::NotEnabled, since: None });
    insta::assert_snapshot!(first(&[off, bad]));
}

#[test]
fn an_incomplete_run() {
    let regions = ["eu-west-1", "eu-west-2", "us-east-1"];
    let mut evidence = regions.map(|region| {
        let message = refusal(
            Api::ListInvitations,
            region,
            "because no identity-based policy allows the macie2:ListInvitations action",
        );
        with_failed_read(healthy(region, 100), Api::ListInvitations, "AccessDeniedException", &message)
    });
    let late = evidence[2].reads.iter_mut().find(|read| read.api == Api::ListMembers).expect("a read");
    late.failure = Some(Failure::deadline_exceeded());
    insta::assert_snapshot!(first(&evidence));
}

#[test]
fn a_run_over_regions_that_a_service_control_policy_denies() {
    let reads = [
        Api::GetMacieSession,
        Api::GetAdministratorAccount,
        Api::ListMembers,
        Api::ListInvitations,
        Api::ListFindingsFilters,
    ];
    let regions = ["ap-east-1", "eu-north-1", "eu-south-1", "il-central-1", "me-south-1", "sa-east-1"];
    let mut evidence = regions.map(|region| {
        reads.into_iter().fold(clean(target(999_999_999_999, region)), |evidence, api| {
            let reason = "with an explicit deny in a service control policy: arn:aws:organizations::111122223333:policy/o-exampleorgid/service_control_policy/p-examplepolicyid";
            with_failed_read(evidence, api, "AccessDeniedException", &refusal(api, region, reason))
        })
    }).to_vec();
    evidence.push(healthy("us-east-1", 1060));
    insta::assert_snapshot!(first(&evidence));
}

#[test]
fn a_huge_run() {
    let mut huge = healthy("us-east-1", 10_000);
    huge.members.by_status = by_status(&[("RegionDisabled", 6_000), ("Enabled", 4_000)]);
    huge.members.flagged = (0..6_000).map(|id| flagged(100_000_000_000 + id, "RegionDisabled")).collect();
    let report = report_by(&checks(), &[huge]);
    let messages = Messages::of(&report, usize::MAX);
    assert!(messages.iter().all(|message| message.size() <= LIMIT));
    let [first, second] = [0, 1].map(|index| shown(&messages.get(index).expect("a message")));
    insta::assert_snapshot!(format!("{first}\n\n==== part 2 ====\n\n{second}"));
}
