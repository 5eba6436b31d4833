//! What an exemption covers, from one run to the next.

use macie_compliance_core::api::Api;
use macie_compliance_core::report::Terms;
use macie_compliance_core::report::v1::{Change, Verdict};
use macie_compliance_core::testing::{checks, clean};

use super::{
    Bucket, changes, exempting, here, marks, of_exempted, off, paused, run_with, unread, unreadable_exemptions,
};

#[test]
fn what_is_exempted_is_known_and_when_the_exemption_ends_the_report_says_so() {
    let mut bucket = Bucket::default();
    let evidence = [paused(here(), &["1", "2"])];
    let all = checks();
    let first = run_with(&mut bucket, 1, &all, exempting(&["1"]), &evidence);
    assert_eq!(marks(of_exempted(&first)), [("1", Some(Change::New), Some("2026-11-01T06:00:00Z"))]);
    assert_eq!((changes(&first).0, first.summary.exempted, first.summary.violations), (1, 1, 1));

    let second = run_with(&mut bucket, 2, &all, exempting(&["1", "2"]), &evidence);
    let known = |id| (id, Some(Change::Known), Some("2026-11-01T06:00:00Z"));
    assert_eq!(marks(of_exempted(&second)), [known("1"), known("2")]);
    assert_eq!((changes(&second), second.verdict), ((0, vec![], vec![]), Verdict::Compliant));

    let third = run_with(&mut bucket, 3, &all, exempting(&["2"]), &evidence);
    let ended = ("1", Some(Change::ExemptionEnded), Some("2026-11-01T06:00:00Z"));
    assert_eq!((marks(&third.violations), marks(of_exempted(&third))), (vec![ended], vec![known("2")]));
    assert_eq!((changes(&third), third.verdict), ((0, vec![], vec![]), Verdict::NonCompliant));

    let fourth = run_with(&mut bucket, 4, &all, exempting(&["2"]), &evidence);
    assert_eq!(marks(&fourth.violations), [known("1")], "it ends once");

    let gone = run_with(&mut bucket, 5, &all, exempting(&["2"]), &[clean(here())]);
    assert_eq!(changes(&gone), (0, vec!["1", "2"], vec![]), "what was exempted is resolved too");
}

#[test]
fn an_entry_is_unused_only_where_its_rule_was_judged() {
    let unused = |evidence| {
        let report = run_with(&mut Bucket::default(), 1, &checks(), exempting(&["7"]), &[evidence]);
        report.exemptions.expect("there is a document").unused
    };
    assert_eq!(unused(clean(here())), ["accepted"]);
    for evidence in [off(here()), unread(clean(here()), Api::ListMembers)] {
        assert_eq!(unused(evidence), [""; 0]);
    }
}

#[test]
fn while_the_exemptions_cannot_be_read_what_was_exempted_is_known_and_stays_exempted() {
    let mut bucket = Bucket::default();
    let (all, evidence) = (checks(), [paused(here(), &["1", "2"])]);
    run_with(&mut bucket, 1, &all, exempting(&["1"]), &evidence);
    for day in [2, 3] {
        let report = run_with(&mut bucket, day, &all, unreadable_exemptions(), &evidence);
        let known = |id| (id, Some(Change::Known), Some("2026-11-01T06:00:00Z"));
        assert_eq!((marks(&report.violations), report.exempted.len()), (vec![known("1"), known("2")], 0));
        assert_eq!((report.complete, report.verdict), (true, Verdict::NonCompliant));
        assert!(report.exemptions.is_some_and(|exemptions| exemptions.error.is_some()));
    }
    let back = run_with(&mut bucket, 4, &all, exempting(&["1"]), &evidence);
    assert_eq!(marks(of_exempted(&back)), [("1", Some(Change::Known), Some("2026-11-01T06:00:00Z"))]);
    run_with(&mut bucket, 5, &all, unreadable_exemptions(), &evidence);
    let ended = run_with(&mut bucket, 6, &all, Terms::default(), &evidence);
    assert_eq!(marks(&ended.violations)[0].1, Some(Change::ExemptionEnded), "it was not forgotten meanwhile");
}
