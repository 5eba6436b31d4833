//! What was found before, where this run does not look or cannot read.

use macie_compliance_core::api::Api;
use macie_compliance_core::evidence::{Administrator, Evidence};
use macie_compliance_core::failure::Failure;
use macie_compliance_core::report::Terms;
use macie_compliance_core::report::v1::{Change, Gone};
use macie_compliance_core::testing::{checks, clean, invitation};
use serde_json::json;

use super::{Bucket, at, build, changes, here, marks, off, on, paused, run, run_with, there, unread, without_rule};

#[test]
fn nothing_is_resolved_by_a_read_that_failed_and_it_is_known_again_when_it_is_read() {
    for api in [Api::ListMembers, Api::GetMember] {
        let mut bucket = Bucket::default();
        run(&mut bucket, 1, &[paused(here(), &["1"])]);
        for day in [2, 3] {
            let report = run(&mut bucket, day, &[unread(clean(here()), api)]);
            assert_eq!(changes(&report), (0, vec![], vec!["1"]), "{api:?} on day {day}");
            let gone = &report.changes.as_ref().expect("changes").unknown[0];
            assert_eq!((gone.rule, &gone.first_seen), ("member-macie-paused", &at(1)));
        }
        let report = run(&mut bucket, 4, &[paused(here(), &["1"])]);
        assert_eq!(marks(&report.violations), [("1", Some(Change::Known), Some("2026-11-01T06:00:00Z"))]);
        let report = run(&mut bucket, 5, &[clean(here())]);
        assert_eq!(changes(&report), (0, vec!["1"], vec![]), "{api:?}");
    }
}

#[test]
fn a_read_of_one_list_leaves_what_hangs_on_another_resolved() {
    let mut bucket = Bucket::default();
    let invited = |evidence| Evidence { invitations: vec![invitation("7", "RegionDisabled")], ..evidence };
    run(&mut bucket, 1, &[invited(paused(here(), &["1"]))]);
    let report = run(&mut bucket, 2, &[unread(clean(here()), Api::ListMembers)]);
    assert_eq!(changes(&report), (0, vec!["7"], vec!["1"]));
}

#[test]
fn a_rule_that_failed_and_needs_what_was_not_read_resolves_nothing() {
    let mut bucket = Bucket::default();
    run(&mut bucket, 1, &[paused(here(), &["1", "2"])]);
    let cut = unread(paused(here(), &["2"]), Api::ListMembers);
    let report = run(&mut bucket, 2, &[cut]);
    assert_eq!(report.summary.outcomes["member-macie-paused"].failed, 1);
    assert_eq!(changes(&report), (0, vec![], vec!["1"]));
    assert_eq!(marks(&report.violations), [("2", Some(Change::Known), Some("2026-11-01T06:00:00Z"))]);
}

#[test]
fn where_macie_was_switched_off_or_a_rule_does_not_apply_nobody_knows() {
    let mut bucket = Bucket::default();
    run(&mut bucket, 1, &[paused(here(), &["1"])]);
    let report = run(&mut bucket, 2, &[off(here())]);
    assert_eq!(changes(&report), (1, vec![], vec!["1"]));
    assert!(report.complete);
    let report = run(&mut bucket, 3, &[paused(here(), &[])]);
    assert_eq!(changes(&report), (0, vec!["000000000001", "1"], vec![]), "it is on again, and all was read");

    let administrator = Some(Administrator { id: "9".to_owned(), status: Some("Enabled".to_owned()), since: None });
    run(&mut bucket, 4, &[paused(here(), &["1"])]);
    let report = run(&mut bucket, 5, &[Evidence { administrator, ..clean(here()) }]);
    assert_eq!(report.summary.outcomes["member-macie-paused"].not_applicable, 1);
    assert_eq!(changes(&report), (0, vec![], vec!["1"]), "the account is a member by now");
}

#[test]
fn what_is_unknown_for_days_is_told_as_such_once() {
    let mut bucket = Bucket::default();
    run(&mut bucket, 1, &[paused(here(), &["1", "2"])]);
    let unknown = |bucket: &Bucket, day: u32| {
        let built = build(bucket, on(day), &checks(), Terms::default(), &[off(here())]);
        (built.report.changes.expect("changes").unknown_total, built.unknown_before)
    };
    assert_eq!(unknown(&bucket, 2), (2, 0));
    run(&mut bucket, 2, &[off(here())]);
    assert_eq!(unknown(&bucket, 2), (2, 0), "a retry tells it too");
    assert_eq!(unknown(&bucket, 3), (2, 2));
    run(&mut bucket, 3, &[paused(here(), &["1"])]);
    assert_eq!(unknown(&bucket, 4), (1, 0), "it was there again");
}

#[test]
fn what_a_target_had_is_unknown_while_it_cannot_be_opened_and_untouched_while_nobody_looks() {
    let mut bucket = Bucket::default();
    run(&mut bucket, 1, &[paused(here(), &["1"]), paused(there(), &["2"])]);
    let closed = Evidence::unread(here(), Api::AssumeRole, Failure::deadline_exceeded());
    let report = run(&mut bucket, 2, &[closed, clean(there())]);
    assert_eq!(changes(&report), (0, vec!["2"], vec!["1"]));
    let before = bucket.state(&here());
    let report = run(&mut bucket, 3, &[clean(there())]);
    assert_eq!(changes(&report), (0, vec![], vec![]), "a run over another Region says nothing of this one");
    assert_eq!(bucket.state(&here()), before);
}

#[test]
fn a_rule_that_is_switched_off_stays_in_the_state_and_is_in_no_list() {
    let mut bucket = Bucket::default();
    run(&mut bucket, 1, &[paused(here(), &["1", "2"])]);
    let off = without_rule("member-macie-paused");
    for (day, evidence) in [(2, paused(here(), &["1"])), (3, unread(clean(here()), Api::ListMembers))] {
        let report = run_with(&mut bucket, day, &off, Terms::default(), &[evidence]);
        assert_eq!((changes(&report), report.violations.len()), ((0, vec![], vec![]), 0));
        let kept = bucket.state(&here())["violations"].as_array().expect("a list").len();
        assert_eq!(kept, 2);
    }
    let report = run(&mut bucket, 4, &[paused(here(), &["1"])]);
    assert_eq!(marks(&report.violations), [("1", Some(Change::Known), Some("2026-11-01T06:00:00Z"))]);
    assert_eq!(changes(&report), (0, vec!["2"], vec![]));
}

#[test]
fn what_another_build_found_is_kept_word_for_word() {
    let mut bucket = Bucket::default();
    run(&mut bucket, 1, &[paused(here(), &["1"])]);
    let of_tomorrow = json!({
        "rule": "rule-of-tomorrow", "id": {"nested": [1, 2.5]}, "severity": "APOCALYPTIC", "newField": null,
    });
    let mut state = bucket.state(&here());
    state["violations"].as_array_mut().expect("a list").push(of_tomorrow.clone());
    bucket.put(&here(), &state);
    for (day, evidence) in [
        (2, paused(here(), &["1"])),
        (3, unread(clean(here()), Api::ListMembers)),
        (4, off(here())),
        (5, clean(here())),
    ] {
        let report = run(&mut bucket, day, &[evidence]);
        let named = |gone: &Gone| gone.rule == "rule-of-tomorrow";
        let changes = report.changes.expect("changes");
        assert!(!changes.resolved.iter().chain(&changes.unknown).any(named));
        let kept = bucket.state(&here());
        let kept = kept["violations"].as_array().expect("a list");
        assert_eq!(kept.iter().filter(|stored| **stored == of_tomorrow).count(), 1, "day {day}");
    }
}
