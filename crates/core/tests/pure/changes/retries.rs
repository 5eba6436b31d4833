//! Runs that are retried, and states that cannot be used.

use macie_compliance_core::api::Api;
use macie_compliance_core::evidence::Evidence;
use macie_compliance_core::report::v1::Change;
use macie_compliance_core::report::{Built, State, Terms, Unusable};
use macie_compliance_core::testing::{checks, clean};
use macie_compliance_core::text::json;
use serde_json::{Value, json};

use super::{Bucket, build, changes, compared_with, exempting, here, marks, on, paused, run, run_with, there, unread};

#[test]
fn a_retry_tells_the_same_whether_all_some_or_no_states_were_written() {
    let before = [paused(here(), &["1", "2"]), paused(there(), &["3"])];
    let now = [paused(here(), &["2", "4"]), unread(paused(there(), &["5"]), Api::ListMembers)];
    let mut bucket = Bucket::default();
    run(&mut bucket, 1, &before);
    let first = build(&bucket, on(2), &checks(), Terms::default(), &now);
    assert_eq!(changes(&first.report), (2, vec!["1"], vec!["3"]));
    let told = json(&first.report);
    for written in [0, 1, 2] {
        let mut bucket = bucket.clone();
        bucket.keep(first.states.iter().take(written).cloned().collect());
        for attempt in 2..4 {
            let again = build(&bucket, on(2), &checks(), Terms::default(), &now);
            assert_eq!(json(&again.report), told, "attempt {attempt}, {written} states written");
            assert_eq!(again.last_verdict, first.last_verdict);
            bucket.keep(again.states);
        }
        let next = run(&mut bucket, 3, &now);
        assert_eq!((changes(&next), compared_with(&next)), ((0, vec![], vec!["3"]), Some("run-2")));
    }
}

/// Compared with the run before there is nothing to tell of it, and people were told that it was there.
#[test]
fn a_retry_takes_back_what_an_earlier_delivery_told_and_is_no_more() {
    let takes_back = |bucket: &Bucket, day: u32, terms: Terms, evidence: &[Evidence]| {
        build(bucket, on(day), &checks(), terms, evidence).takes_back
    };
    let mut bucket = Bucket::default();
    run(&mut bucket, 1, &[clean(here())]);
    run(&mut bucket, 2, &[paused(here(), &["1"])]);
    let none = Terms::default;
    assert!(takes_back(&bucket, 2, none(), &[clean(here())]));
    assert!(!takes_back(&bucket, 2, none(), &[paused(here(), &["1"])]));
    assert!(!takes_back(&bucket, 2, none(), &[paused(here(), &["1", "2"])]));
    assert!(!takes_back(&bucket, 2, none(), &[unread(clean(here()), Api::ListMembers)]), "nobody knows");
    assert!(!takes_back(&bucket, 3, none(), &[clean(here())]), "it is resolved");
    assert!(takes_back(&bucket, 2, exempting(&["1"]), &[paused(here(), &["1"])]), "it was accepted in the meantime");
    // What was exempted was not told as a violation.
    let mut exempted = Bucket::default();
    run(&mut exempted, 1, &[clean(here())]);
    run_with(&mut exempted, 2, &checks(), exempting(&["1"]), &[paused(here(), &["1"])]);
    assert!(!takes_back(&exempted, 2, exempting(&["1"]), &[clean(here())]));
    // Where the run before could not be read, an earlier delivery told all the same.
    let mut unreadable = Bucket::default();
    unreadable.0.insert(here(), "{}".to_owned());
    run(&mut unreadable, 2, &[paused(here(), &["1"])]);
    assert!(takes_back(&unreadable, 2, none(), &[clean(here())]));
}

#[test]
fn a_retry_of_the_first_run_ever_tells_everything_as_new() {
    let mut bucket = Bucket::default();
    let first = run(&mut bucket, 1, &[paused(here(), &["1"])]);
    assert_eq!(json(&run(&mut bucket, 1, &[paused(here(), &["1"])])), json(&first));
    assert_eq!((changes(&first).0, compared_with(&first)), (1, None));
}

#[test]
fn a_state_that_cannot_be_used_says_nothing_of_its_target_and_resolves_nothing_there() {
    let mut bucket = Bucket::default();
    run(&mut bucket, 1, &[paused(here(), &["1", "2"]), paused(there(), &["3", "4"])]);
    let good = bucket.state(&here());
    let mut foreign = good.clone();
    foreign["region"] = json!("us-east-1");
    let mut newer = good.clone();
    newer["version"] = json!(2);
    let mut wrong = good.clone();
    wrong["violations"][0]["severity"] = json!("WORSE");
    let documents = ["", "null", "{}", "[]", "<html>", r#"{"version": 1}"#, r#"{"version": "1"}"#];
    let documents = documents.map(str::to_owned).into_iter().chain([&foreign, &newer, &wrong].map(Value::to_string));
    for document in documents {
        let mut bucket = bucket.clone();
        bucket.0.insert(here(), document.clone());
        let report = run(&mut bucket, 2, &[paused(here(), &["2"]), paused(there(), &["4"])]);
        let known = ("4", Some(Change::Known), Some("2026-11-01T06:00:00Z"));
        assert_eq!(marks(&report.violations), [("2", None, None), known], "{document}");
        assert_eq!((changes(&report), compared_with(&report)), ((0, vec!["3"], vec![]), Some("run-1")), "{document}");
        let next = run(&mut bucket, 3, &[paused(here(), &["2"]), clean(there())]);
        assert_eq!(marks(&next.violations), [("2", Some(Change::Known), Some("2026-11-02T06:00:00Z"))], "{document}");
    }
    let parsed = |state: &Value| State::parse(state.to_string().as_bytes(), &here());
    assert!(parsed(&good).is_ok());
    assert_eq!(parsed(&newer), Err(Unusable::TooNew(2)), "a later build needs it");
    assert_eq!(parsed(&json!({"version": 7, "anything": []})), Err(Unusable::TooNew(7)));
    for broken in [&foreign, &wrong, &json!({}), &json!(null)] {
        assert!(matches!(parsed(broken), Err(Unusable::Broken(problem)) if !problem.is_empty()), "{broken}");
    }
}

#[test]
fn a_retry_after_a_state_that_could_not_be_read_tells_nothing_as_new_either() {
    let mut bucket = Bucket::default();
    bucket.0.insert(here(), "{}".to_owned());
    for _ in 1..=3 {
        let report = run(&mut bucket, 2, &[paused(here(), &["1"])]);
        assert_eq!((changes(&report), compared_with(&report)), ((0, vec![], vec![]), None));
        assert_eq!(marks(&report.violations), [("1", None, None)]);
        assert_eq!(bucket.state(&here())["notCompared"], true);
    }
    for _ in 1..=2 {
        let report = run(&mut bucket, 3, &[paused(here(), &["1", "2"])]);
        let known = ("1", Some(Change::Known), Some("2026-11-02T06:00:00Z"));
        assert_eq!(marks(&report.violations), [known, ("2", Some(Change::New), Some("2026-11-03T06:00:00Z"))]);
        assert_eq!(bucket.state(&here()).get("notCompared"), None);
    }
}

#[test]
fn with_no_state_that_can_be_read_the_report_has_no_changes_to_tell_and_does_not_say_so_of_new() {
    let mut bucket = Bucket::default();
    bucket.0.insert(here(), "{}".to_owned());
    let Built { report, last_verdict, .. } =
        build(&bucket, on(2), &checks(), Terms::default(), &[paused(here(), &["1"])]);
    assert_eq!((changes(&report), compared_with(&report)), ((0, vec![], vec![]), None));
    assert_eq!((marks(&report.violations), last_verdict), (vec![("1", None, None)], None));
}
