//! What a report says of the runs before it, through the builder and the states that it leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::env;

use macie_compliance_core::api::Api;
use macie_compliance_core::checks::{self, Checks};
use macie_compliance_core::evidence::{Administrator, Evidence, Read, ReadState, Session, SessionStatus};
use macie_compliance_core::exemptions::Document;
use macie_compliance_core::failure::Failure;
use macie_compliance_core::judge::Outcome;
use macie_compliance_core::names::Target;
use macie_compliance_core::order::Trigger;
use macie_compliance_core::report::v1::{Change, Exempted, Gone, OutcomeCounts, Report, Run, Verdict, Violation};
use macie_compliance_core::report::{Builder, Built, Earlier, ExemptionsSource, Header, State, Terms, Unusable};
use macie_compliance_core::severity::Severity;
use macie_compliance_core::testing::{
    checks, clean, filter, invitation, member, members, policy, target, with_failed_read,
};
use macie_compliance_core::text::json;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The states of all targets, as documents, between runs.
#[derive(Clone, Debug, Default)]
struct Bucket(BTreeMap<Target, String>);

impl Bucket {
    fn earlier(&self, target: &Target) -> Earlier {
        let Some(document) = self.0.get(target) else { return Earlier::Nothing };
        State::parse(document.as_bytes(), target).map_or(Earlier::Unreadable, |state| Earlier::State(Box::new(state)))
    }

    fn keep(&mut self, states: Vec<(Target, State)>) {
        self.0.extend(states.into_iter().map(|(target, state)| (target, json(&state))));
    }

    /// What a state holds.
    fn state(&self, target: &Target) -> Value {
        serde_json::from_str(&self.0[target]).expect("a state is JSON")
    }

    fn put(&mut self, target: &Target, state: &Value) {
        self.0.insert(target.clone(), state.to_string());
    }
}

/// A run as it was: its id is its day.
fn on(day: u32) -> Header {
    let generated_at = format!("2026-11-{day:02}T06:00:00Z");
    Header { report_id: format!("run-{day}"), generated_at, trigger: Trigger::default() }
}

fn at(day: u32) -> String {
    on(day).generated_at
}

fn build(bucket: &Bucket, header: Header, checks: &Checks, terms: Terms, evidence: &[Evidence]) -> Built {
    let policy = policy();
    let mut builder = Builder::new(checks, &policy);
    evidence.iter().for_each(|evidence| builder.add(evidence.clone(), bucket.earlier(&evidence.target)));
    builder.build(header, terms)
}

/// A concluded run of every check.
fn run(bucket: &mut Bucket, day: u32, evidence: &[Evidence]) -> Report {
    run_with(bucket, day, &checks(), Terms::default(), evidence)
}

fn run_with(bucket: &mut Bucket, day: u32, checks: &Checks, terms: Terms, evidence: &[Evidence]) -> Report {
    let Built { report, states, .. } = build(bucket, on(day), checks, terms, evidence);
    bucket.keep(states);
    report
}

fn here() -> Target {
    target(1, "eu-west-1")
}

fn there() -> Target {
    target(1, "us-east-1")
}

/// A target in which these members are paused.
fn paused(target: Target, ids: &[&str]) -> Evidence {
    let flagged = ids.iter().map(|id| member(id, "Paused")).collect();
    with_items(Evidence { members: members(flagged), ..clean(target) }, Api::ListMembers, ids.len())
}

fn with_items(mut evidence: Evidence, api: Api, items: usize) -> Evidence {
    evidence.reads.iter_mut().filter(|read| read.api == api).for_each(|read| read.items = items as u64);
    evidence
}

fn unread(evidence: Evidence, api: Api) -> Evidence {
    with_failed_read(evidence, api, "AccessDeniedException", "no")
}

/// A target in which Macie is switched off.
fn off(target: Target) -> Evidence {
    let session = Some(Session { status: SessionStatus::NotEnabled, since: None });
    Evidence { session, reads: vec![Read { pages: 1, ..Read::new(Api::GetMacieSession) }], ..Evidence::new(target) }
}

fn without_rule(rule: &'static str) -> Checks {
    Checks::without(&[rule])
}

/// An exemption of the paused members with these ids, in all targets.
fn exempting(ids: &[&str]) -> Terms {
    let document = json!({"schemaVersion": "1.0", "exemptions": [{
        "id": "accepted", "rule": "member-macie-paused", "accountId": "*", "region": "*", "resourceId": ids,
        "reason": "They are meant to be.", "owner": "team@example.com", "expires": "2027-03-31",
    }]});
    let document = Document::parse(document.to_string().as_bytes(), policy().today).expect("a document");
    let exemptions = ExemptionsSource::Read { source: "s3://bucket/exemptions.json".to_owned(), document };
    Terms { exemptions, ..Terms::default() }
}

fn unreadable_exemptions() -> Terms {
    let source = "s3://bucket/exemptions.json".to_owned();
    Terms { exemptions: ExemptionsSource::Unreadable { source, error: "AccessDenied".to_owned() }, ..Terms::default() }
}

fn marks<'a>(violations: impl IntoIterator<Item = &'a Violation>) -> Vec<(&'a str, Option<Change>, Option<&'a str>)> {
    let mark =
        |violation: &'a Violation| (violation.resource.id.as_str(), violation.change, violation.first_seen.as_deref());
    violations.into_iter().map(mark).collect()
}

fn of_exempted(report: &Report) -> impl Iterator<Item = &Violation> {
    report.exempted.iter().map(|Exempted { violation, .. }| violation)
}

/// How many are new, and the resources of what was resolved and of what is unknown.
fn changes(report: &Report) -> (u64, Vec<&str>, Vec<&str>) {
    let changes = report.changes.as_ref().expect("states are kept");
    let (resolved, unknown) = (&changes.resolved, &changes.unknown);
    assert_eq!(changes.resolved_total, resolved.len() as u64);
    assert_eq!(changes.unknown_total, unknown.len() as u64);
    (changes.new, resources(resolved), resources(unknown))
}

fn resources(gone: &[Gone]) -> Vec<&str> {
    gone.iter().map(|gone| gone.resource.id.as_str()).collect()
}

fn compared_with(report: &Report) -> Option<&str> {
    let with: Option<&Run> = report.changes.as_ref().and_then(|changes| changes.compared_with.as_ref());
    with.map(|run| run.report_id.as_str())
}

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
    let Built { report, states, last_verdict } = builder.build(on(1), Terms::default());
    assert_eq!(marks(&report.violations), [("1", None, None)]);
    assert!(report.changes.is_none() && states.is_empty() && last_verdict.is_none());
}

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
    assert_eq!((compared_with(&built.report), built.last_verdict), (Some("run-4"), Some(Verdict::Compliant)));
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

#[test]
fn a_lesser_violation_than_the_settings_fail_on_is_counted_and_leaves_the_verdict() {
    let evidence = || [Evidence { invitations: vec![invitation("7", "RegionDisabled")], ..paused(here(), &["1"]) }];
    for (fail_on, verdict) in [
        (Severity::Low, Verdict::NonCompliant),
        (Severity::Medium, Verdict::NonCompliant),
        (Severity::High, Verdict::NonCompliant),
        (Severity::Critical, Verdict::Compliant),
    ] {
        let report = run_with(&mut Bucket::default(), 1, &checks(), Terms { fail_on, ..Terms::default() }, &evidence());
        assert_eq!((report.verdict, report.targets[0].verdict, report.fail_on), (verdict, verdict, fail_on));
        assert_eq!((report.summary.violations, report.violations.len()), (2, 2));
        assert_eq!(report.summary.outcomes["member-macie-paused"].failed, 1, "it is FAILED all the same");
        assert_eq!(report.summary.by_severity[&Severity::High], 1);
    }
    let terms = Terms { fail_on: Severity::High, ..Terms::default() };
    let [mut lesser] = evidence();
    lesser.members.flagged.clear();
    let report = run_with(&mut Bucket::default(), 1, &checks(), terms, &[unread(lesser, Api::ListMembers)]);
    assert_eq!((report.verdict, report.summary.violations), (Verdict::InsufficientData, 1));
}

#[test]
fn a_rule_is_failed_before_it_is_not_evaluated_and_not_evaluated_before_it_is_exempt() {
    let two = || paused(here(), &["1", "2"]);
    let counts = |of: fn(&mut OutcomeCounts) -> &mut u64| {
        let mut counts = OutcomeCounts::default();
        *of(&mut counts) = 1;
        counts
    };
    for (evidence, exempted, expected, outcome) in [
        (two(), &["1"][..], counts(|counts| &mut counts.failed), Outcome::Failed),
        (unread(two(), Api::ListMembers), &["1"], counts(|counts| &mut counts.failed), Outcome::Failed),
        (two(), &["1", "2"], counts(|counts| &mut counts.exempt), Outcome::Exempt),
        (unread(two(), Api::GetMember), &["1", "2"], counts(|counts| &mut counts.not_evaluated), Outcome::NotEvaluated),
        (unread(two(), Api::ListInvitations), &["1", "2"], counts(|counts| &mut counts.exempt), Outcome::Exempt),
    ] {
        let report = run_with(&mut Bucket::default(), 1, &checks(), exempting(exempted), &[evidence]);
        assert_eq!(report.summary.outcomes["member-macie-paused"], expected, "{outcome:?}");
        let told = report.targets[0].outcomes.as_ref().expect("there is one target");
        assert_eq!(told["member-macie-paused"], outcome);
        let verdict = match (outcome, report.complete) {
            (Outcome::Failed, _) => Verdict::NonCompliant,
            (_, true) => Verdict::Compliant,
            (_, false) => Verdict::InsufficientData,
        };
        assert_eq!((report.verdict, report.targets[0].verdict), (verdict, verdict), "{outcome:?}");
    }
}

#[test]
fn of_more_than_a_thousand_targets_those_that_are_compliant_have_no_outcomes() {
    for (targets, told) in [(1_000, 1_000), (1_001, 2)] {
        let mut evidence: Vec<_> = (1..=targets).map(|account| clean(target(account, "eu-west-1"))).collect();
        evidence[3] = paused(target(4, "eu-west-1"), &["1"]);
        evidence[5] = unread(clean(target(6, "eu-west-1")), Api::ListInvitations);
        let report = run(&mut Bucket::default(), 1, &evidence);
        let with_outcomes: Vec<_> = report.targets.iter().filter(|target| target.outcomes.is_some()).collect();
        assert_eq!(with_outcomes.len(), told);
        assert!(report.targets[3].outcomes.is_some() && report.targets[5].outcomes.is_some());
        let counts = report.summary.outcomes["member-macie-paused"];
        assert_eq!((counts.failed, counts.passed), (1, targets - 1), "the summary counts them all");
    }
}

/// Every read, each failed or not.
fn with_random_reads(mut evidence: Evidence, failed: &[bool]) -> Evidence {
    for (read, failed) in evidence.reads.iter_mut().zip(failed) {
        read.failure = failed.then(|| Failure::own("AccessDeniedException", "no"));
    }
    evidence
}

prop_compose! {
    /// A target of a small world, so that two runs over it have much in common.
    fn evidence_of(place: Target)(
        paused in vec(any::<bool>(), 4),
        suspended in vec(any::<bool>(), 4),
        invited in vec(any::<bool>(), 2),
        odd_filters in vec(any::<bool>(), 2),
        is_member in prop::bool::weighted(0.2),
        failed in vec(prop::bool::weighted(0.15), 8),
        looked_again in any::<bool>(),
        is_off in prop::bool::weighted(0.1),
    ) -> Evidence {
        if is_off {
            return off(place.clone());
        }
        let chosen = |flags: &[bool]| -> Vec<usize> {
            flags.iter().enumerate().filter(|(_, flag)| **flag).map(|(index, _)| index).collect()
        };
        let mut flagged: Vec<_> = chosen(&paused).into_iter().map(|index| member(index, "Paused")).collect();
        flagged.extend(chosen(&suspended).into_iter().map(|index| member(index, "AccountSuspended")));
        let items = flagged.len();
        let mut evidence = Evidence {
            members: members(flagged),
            invitations: chosen(&invited).into_iter().map(|i| invitation(&i.to_string(), "RegionDisabled")).collect(),
            filters: chosen(&odd_filters).into_iter().map(|i| filter(&i.to_string(), None, "FORWARD")).collect(),
            ..with_items(clean(place.clone()), Api::ListMembers, items)
        };
        if is_member {
            let status = Some("RegionDisabled".to_owned());
            evidence.administrator = Some(Administrator { id: "9".to_owned(), status, since: None });
        }
        if looked_again {
            evidence.reads.extend([Api::GetMember, Api::GetFindingsFilter, Api::GetFindingStatistics].map(Read::new));
        }
        with_random_reads(evidence, &failed)
    }
}

fn world() -> impl Strategy<Value = Vec<Evidence>> {
    (evidence_of(here()), evidence_of(there())).prop_map(|(one, other)| vec![one, other])
}

fn ids(violations: &[Violation]) -> BTreeSet<String> {
    violations.iter().map(|violation| violation.id.clone()).collect()
}

fn gone(list: &[Gone]) -> BTreeSet<String> {
    list.iter().map(|gone| gone.id.clone()).collect()
}

/// Whether everything that a rule needs was read, and Macie was on to be asked.
fn was_read(rule: &str, evidence: &Evidence) -> bool {
    let check = checks::all().find(|check| check.id == rule).expect("a rule");
    let read = |api: &Api| match evidence.state_of(*api) {
        ReadState::Complete => true,
        ReadState::Incomplete => false,
        ReadState::NotAsked => api.is_second_look(),
    };
    check.needs.iter().all(read) && (!evidence.is_macie_off() || rule == "macie-not-enabled")
}

/// As many cases as usual, or in proportion to `PROPTEST_CASES`, of which 1,024 are the usual number.
fn cases(usual: u32) -> ProptestConfig {
    let given = env::var("PROPTEST_CASES").map_or(1024, |given| given.parse::<u32>().expect("a number of cases"));
    let cases = (u64::from(usual) * u64::from(given)).div_ceil(1024);
    ProptestConfig { cases: u32::try_from(cases).unwrap_or(u32::MAX), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn nothing_is_resolved_by_what_was_not_read(worlds in vec(world(), 2..5)) {
        let mut bucket = Bucket::default();
        for (day, world) in worlds.iter().enumerate() {
            let report = run(&mut bucket, day as u32 + 1, world);
            let changes = report.changes.expect("changes");
            for (list, expected) in [(&changes.resolved, true), (&changes.unknown, false)] {
                for gone in list {
                    let evidence = world.iter().find(|evidence| evidence.target == gone.target).expect("a target");
                    // A rule of members does not apply in a member account, which is not known either.
                    let applies = !gone.rule.starts_with("member-") || evidence.administrator.is_none()
                        || evidence.items_of(Api::ListMembers) != Some(0);
                    let applies = applies && (!gone.rule.starts_with("administrator-") || evidence.administrator.is_some());
                    prop_assert_eq!(was_read(gone.rule, evidence) && applies, expected, "{:?}", gone);
                }
            }
        }
    }

    #[test]
    fn what_was_there_is_resolved_unknown_or_still_there_and_nothing_else(worlds in vec(world(), 2..5)) {
        let mut bucket = Bucket::default();
        let mut there: BTreeMap<String, String> = BTreeMap::new();
        for (day, world) in worlds.iter().enumerate() {
            let day = day as u32 + 1;
            let report = run(&mut bucket, day, world);
            let changes = report.changes.as_ref().expect("changes");
            let (resolved, unknown) = (gone(&changes.resolved), gone(&changes.unknown));
            let mut still = BTreeSet::new();
            let mut next = BTreeMap::new();
            for violation in &report.violations {
                let first = violation.first_seen.clone().expect("a time");
                match there.get(&violation.id) {
                    None => prop_assert_eq!((violation.change, &first), (Some(Change::New), &at(day))),
                    Some(since) => {
                        prop_assert_eq!((violation.change, &first), (Some(Change::Known), since));
                        still.insert(violation.id.clone());
                    }
                }
                next.insert(violation.id.clone(), first);
            }
            for gone in &changes.unknown {
                prop_assert_eq!(Some(&gone.first_seen), there.get(&gone.id));
                next.insert(gone.id.clone(), gone.first_seen.clone());
            }
            let covered: BTreeSet<String> = resolved.iter().chain(&unknown).chain(&still).cloned().collect();
            prop_assert_eq!(&covered, &there.keys().cloned().collect::<BTreeSet<_>>());
            prop_assert_eq!(covered.len(), resolved.len() + unknown.len() + still.len(), "each in one of them");
            prop_assert_eq!(changes.new as usize, ids(&report.violations).len() - still.len());
            there = next;
        }
    }

    #[test]
    fn the_same_again_is_neither_new_nor_resolved(first in world(), second in world()) {
        let mut bucket = Bucket::default();
        run(&mut bucket, 1, &first);
        let told = run(&mut bucket, 2, &second).changes.expect("changes");
        for day in 3..5 {
            let changes = run(&mut bucket, day, &second).changes.expect("changes");
            prop_assert_eq!((changes.new, changes.resolved.len()), (0, 0));
            prop_assert_eq!(&changes.unknown, &told.unknown);
        }
    }

    #[test]
    fn a_retry_says_the_same_to_the_letter(
        first in world(), second in world(), written in vec(any::<bool>(), 2), is_exempted in any::<bool>(),
    ) {
        let terms = || if is_exempted { exempting(&["0", "1"]) } else { Terms::default() };
        let mut bucket = Bucket::default();
        run_with(&mut bucket, 1, &checks(), terms(), &first);
        let attempt = build(&bucket, on(2), &checks(), terms(), &second);
        let states = attempt.states.into_iter().zip(&written).filter(|(_, written)| **written);
        bucket.keep(states.map(|(state, _)| state).collect());
        let retry = build(&bucket, on(2), &checks(), terms(), &second);
        prop_assert_eq!(json(&retry.report), json(&attempt.report));
    }

    #[test]
    fn a_rule_that_is_switched_off_for_a_while_loses_nothing(worlds in vec(world(), 3)) {
        let mut bucket = Bucket::default();
        let first = run(&mut bucket, 1, &worlds[0]);
        let paused = |violation: &&Violation| violation.rule == "member-macie-paused";
        let before: BTreeSet<_> = first.violations.iter().filter(paused).map(|v| v.id.clone()).collect();
        let off = without_rule("member-macie-paused");
        let report = run_with(&mut bucket, 2, &off, Terms::default(), &worlds[1]);
        let changes = report.changes.expect("changes");
        prop_assert!(!changes.resolved.iter().chain(&changes.unknown).any(|gone| gone.rule == "member-macie-paused"));
        let report = run(&mut bucket, 3, &worlds[2]);
        let changes = report.changes.as_ref().expect("changes");
        let gone = changes.resolved.iter().chain(&changes.unknown).filter(|gone| gone.rule == "member-macie-paused");
        let known = report.violations.iter().filter(paused).filter(|found| found.change == Some(Change::Known));
        let after: BTreeSet<_> = gone.map(|gone| gone.id.clone()).chain(known.map(|found| found.id.clone())).collect();
        prop_assert_eq!(after, before);
    }

    #[test]
    fn any_document_is_a_state_or_is_refused(document in any::<String>(), number in any::<u64>()) {
        prop_assert!(State::parse(document.as_bytes(), &here()).is_err());
        let versioned = json!({"version": number}).to_string();
        let refused = State::parse(versioned.as_bytes(), &here()).expect_err("there is nothing in it");
        prop_assert_eq!(matches!(refused, Unusable::TooNew(_)), number > 1);
    }
}
