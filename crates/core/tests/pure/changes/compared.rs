//! What a run finds beside what the last one found, and the state that it leaves.

use macie_compliance_core::api::Api;
use macie_compliance_core::evidence::Evidence;
use macie_compliance_core::report::v1::{Change, Run, Verdict};
use macie_compliance_core::report::{Builder, Built, Earlier, Terms};
use macie_compliance_core::testing::{checks, clean, policy, target};
use serde_json::{Value, json};

use super::{Bucket, at, build, changes, compared_with, here, marks, on, paused, run, there, unread};

#[test]
fn what_a_first_run_finds_is_new_and_what_the_next_finds_again_is_known_since_then() {
    let mut bucket = Bucket::default();
    let first = run(&mut bucket, 1, &[paused(here(), &["1", "2"])]);
    let new = |id| (id, Some(Change::New), Some("2026-11-01T06:00:00Z"));
    assert_eq!(marks(&first.violations), [new("1"), new("2")]);
    assert_eq!((changes(&first), compared_with(&first)), ((2, vec![], vec![]), None));

    let second = run(&mut bucket, 2, &[paused(here(), &["2", "3"])]);
    let known = ("2", Some(Change::Known), Some("2026-11-01T06:00:00Z"));
    assert_eq!(marks(&second.violations), [known, ("3", Some(Change::New), Some("2026-11-02T06:00:00Z"))]);
    assert_eq!((changes(&second), compared_with(&second)), ((1, vec!["1"], vec![]), Some("run-1")));
    let gone = &second.changes.as_ref().expect("changes").resolved[0];
    let found = &first.violations[0];
    assert_eq!((&gone.id, gone.rule, gone.severity), (&found.id, found.rule, found.severity));
    assert_eq!((&gone.target, &gone.resource, &gone.first_seen), (&found.target, &found.resource, &at(1)));

    let third = run(&mut bucket, 3, &[paused(here(), &["2", "3"])]);
    assert_eq!(marks(&third.violations)[1], ("3", Some(Change::Known), Some("2026-11-02T06:00:00Z")));
    assert_eq!((changes(&third), compared_with(&third)), ((0, vec![], vec![]), Some("run-2")));

    let back = run(&mut bucket, 4, &[paused(here(), &["1"])]);
    assert_eq!(marks(&back.violations), [("1", Some(Change::New), Some("2026-11-04T06:00:00Z"))]);
    assert_eq!(changes(&back), (1, vec!["2", "3"], vec![]));
}

#[test]
fn without_a_bucket_nothing_is_said_of_changes_and_nothing_is_left() {
    let (checks, policy) = (checks(), policy());
    let mut builder = Builder::new(&checks, &policy);
    builder.add(paused(here(), &["1"]), Earlier::NotKept);
    let Built { report, states, last_verdict, .. } = builder.build(on(1), Terms::default());
    assert_eq!(marks(&report.violations), [("1", None, None)]);
    assert!(report.changes.is_none() && states.is_empty() && last_verdict.is_none());
}

#[test]
fn a_report_is_compared_with_the_newest_run_of_its_targets() {
    let mut bucket = Bucket::default();
    run(&mut bucket, 1, &[clean(here()), clean(there())]);
    run(&mut bucket, 2, &[paused(there(), &["1"])]);
    let report = run(&mut bucket, 3, &[clean(here()), paused(there(), &["1"]), clean(target(2, "eu-west-1"))]);
    assert_eq!((changes(&report), compared_with(&report)), ((0, vec![], vec![]), Some("run-2")));
    let with = report.changes.expect("changes").compared_with.expect("a run");
    assert_eq!(with, Run { report_id: "run-2".to_owned(), generated_at: at(2) });
    run(&mut bucket, 4, &[clean(here())]);
    let built = build(&bucket, on(5), &checks(), Terms::default(), &[clean(here()), clean(there())]);
    assert_eq!((compared_with(&built.report), built.last_verdict), (Some("run-4"), Some(Verdict::NonCompliant)));
}

#[test]
fn the_last_verdict_is_that_of_the_run_that_is_compared_with() {
    let mut bucket = Bucket::default();
    let last = |bucket: &Bucket| build(bucket, on(9), &checks(), Terms::default(), &[clean(here())]).last_verdict;
    assert_eq!(last(&bucket), None);
    for (day, evidence, verdict) in [
        (1, paused(here(), &["1"]), Verdict::NonCompliant),
        (2, unread(clean(here()), Api::ListMembers), Verdict::InsufficientData),
        (3, clean(here()), Verdict::Compliant),
    ] {
        assert_eq!(run(&mut bucket, day, &[evidence]).verdict, verdict);
        assert_eq!(last(&bucket), Some(verdict));
    }
}

/// What a partial run came to is no verdict over all targets.
#[test]
fn of_targets_that_different_runs_read_the_worst_verdict_is_the_last_one() {
    let last = |bucket: &Bucket, evidence: &[Evidence]| {
        build(bucket, on(9), &checks(), Terms::default(), evidence).last_verdict
    };
    let both = || [paused(here(), &["1"]), clean(there())];
    let mut bucket = Bucket::default();
    run(&mut bucket, 1, &both());
    run(&mut bucket, 2, &[clean(there())]);
    assert_eq!(last(&bucket, &both()), Some(Verdict::NonCompliant));
    assert_eq!(last(&bucket, &[clean(there())]), Some(Verdict::Compliant));
    run(&mut bucket, 3, &[unread(clean(there()), Api::ListMembers)]);
    assert_eq!(last(&bucket, &both()), Some(Verdict::NonCompliant));
    run(&mut bucket, 4, &[clean(here())]);
    assert_eq!(last(&bucket, &both()), Some(Verdict::InsufficientData));
}

#[test]
fn a_state_has_the_form_that_is_documented() {
    let mut bucket = Bucket::default();
    run(&mut bucket, 1, &[paused(here(), &["1"])]);
    let found = |day: u32, verdict: &str, violations: Value| {
        json!({
            "run": {"reportId": format!("run-{day}"), "generatedAt": at(day), "verdict": verdict},
            "violations": violations,
        })
    };
    let violations = json!([{
        "id": macie_compliance_core::names::fingerprint(&["000000000001", "eu-west-1", "member-macie-paused", "1"]),
        "rule": "member-macie-paused", "severity": "HIGH",
        "resource": {"type": "member", "id": "1", "arn": null, "name": null},
        "firstSeen": at(1), "exempted": false,
    }]);
    let mut expected = found(1, "NON_COMPLIANT", violations.clone());
    let place = json!({"version": 1, "accountId": "000000000001", "region": "eu-west-1", "before": null});
    expected.as_object_mut().expect("an object").extend(place.as_object().expect("an object").clone());
    assert_eq!(bucket.state(&here()), expected);
    run(&mut bucket, 2, &[clean(here())]);
    expected["run"] = found(2, "COMPLIANT", json!([]))["run"].clone();
    expected["violations"] = json!([]);
    expected["before"] = found(1, "NON_COMPLIANT", violations);
    assert_eq!(bucket.state(&here()), expected);
}
