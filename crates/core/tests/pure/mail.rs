//! The program `mail` reads a report from its JSON and prints the mail that the function would send.

use macie_compliance_core::api::Api;
use macie_compliance_core::checks::{self, Checks};
use macie_compliance_core::evidence::Evidence;
use macie_compliance_core::render::Messages;
use macie_compliance_core::report::v1::Report;
use macie_compliance_core::testing::{
    clean, filter, invitation, member, members, report, report_by, target, with_failed_read,
};
use serde_json::Value;

use crate::program;

/// The output of the program for this JSON, or what it complains of.
fn mail(json: &str) -> Result<String, String> {
    let (printed, complaint, is_content) = program::run(env!("CARGO_BIN_EXE_mail"), &[], json);
    if is_content { Ok(printed) } else { Err(complaint) }
}

/// The mail as the function publishes it.
fn published(report: &Report) -> String {
    let message = Messages::of(report, usize::MAX).get(0).expect("a message");
    let body: Value = serde_json::from_str(&message.body).expect("JSON");
    format!("Subject: {}\n\n{}", message.subject, body["email"].as_str().expect("a mail"))
}

fn json(report: &Report) -> String {
    serde_json::to_string(report).expect("JSON")
}

fn flagged() -> Evidence {
    let statuses = ["AccountSuspended", "RegionDisabled", "Paused", "Brand \"New\" \u{1F512}"];
    let flagged = (0..).zip(statuses).map(|(number, status)| member(100_000_000_000_u64 + number, status)).collect();
    let mut evidence = clean(target(999_999_999_999, "us-east-1"));
    evidence.members = members(flagged);
    evidence.invitations = vec![invitation("111122223333", "AccountSuspended")];
    evidence.filters = vec![filter("f-1", Some("mute \\ \"all\""), "ARCHIVE"), filter("f-2", None, "NEW")];
    evidence
}

#[test]
fn the_mail_of_a_report_that_was_read_is_the_one_that_is_published() {
    let other = clean(target(111_122_223_333, "eu-west-1"));
    let refused = with_failed_read(other.clone(), Api::ListMembers, "AccessDeniedException", "not \"authorized\"");
    let off: Vec<&'static str> = checks::all().map(|check| check.id).take(2).collect();
    let many = (0..2_000).map(|number| member(100_000_000_000_u64 + number, "AccountSuspended")).collect();
    let large = Evidence { members: members(many), ..clean(target(999_999_999_999, "us-east-1")) };
    for report in [
        report(&[flagged(), refused]),
        report(std::slice::from_ref(&other)),
        report_by(&Checks::without(&off), &[other, flagged()]),
        report(&[large]),
    ] {
        assert_eq!(mail(&json(&report)), Ok(published(&report)));
    }
}

/// The types are those of the format: nothing of a report is lost when it is read.
#[test]
fn a_report_that_was_read_is_written_as_it_was() {
    let written = json(&report(&[flagged()]));
    let read: Report = serde_json::from_str(written.clone().leak()).expect("a report");
    assert_eq!(json(&read), written);
}

#[test]
fn what_is_no_report_is_refused() {
    let refused = mail("{\"reportId\": \"1\"}").expect_err("it is not whole");
    assert!(refused.contains("missing field"), "{refused}");
}
