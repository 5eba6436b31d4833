//! What a report says of the runs before it, through the builder and the states that it leaves.

mod compared;
mod exempted;
mod properties;
mod retries;
mod unread;

use std::collections::BTreeMap;

use macie_compliance_core::api::Api;
use macie_compliance_core::checks::Checks;
use macie_compliance_core::evidence::{Evidence, Read, Session, SessionStatus};
use macie_compliance_core::exemptions::Document;
use macie_compliance_core::names::Target;
use macie_compliance_core::order::Trigger;
use macie_compliance_core::report::v1::{Change, Exempted, Gone, Report, Run, Violation};
use macie_compliance_core::report::{Builder, Built, Earlier, ExemptionsSource, Header, State, Terms};
use macie_compliance_core::testing::{checks, clean, member, members, policy, target, with_failed_read};
use macie_compliance_core::text::json;
use serde_json::{Value, json};

/// The states of all targets, as documents, between runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bucket(BTreeMap<Target, String>);

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
pub(crate) fn run(bucket: &mut Bucket, day: u32, evidence: &[Evidence]) -> Report {
    run_with(bucket, day, &checks(), Terms::default(), evidence)
}

pub(crate) fn run_with(bucket: &mut Bucket, day: u32, checks: &Checks, terms: Terms, evidence: &[Evidence]) -> Report {
    let Built { report, states, .. } = build(bucket, on(day), checks, terms, evidence);
    bucket.keep(states);
    report
}

pub(crate) fn here() -> Target {
    target(1, "eu-west-1")
}

fn there() -> Target {
    target(1, "us-east-1")
}

/// A target in which these members are paused.
pub(crate) fn paused(target: Target, ids: &[&str]) -> Evidence {
    let flagged = ids.iter().map(|id| member(id, "Paused")).collect();
    with_items(Evidence { members: members(flagged), ..clean(target) }, Api::ListMembers, ids.len())
}

fn with_items(mut evidence: Evidence, api: Api, items: usize) -> Evidence {
    evidence.reads.iter_mut().filter(|read| read.api == api).for_each(|read| read.items = items as u64);
    evidence
}

pub(crate) fn unread(evidence: Evidence, api: Api) -> Evidence {
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
pub(crate) fn exempting(ids: &[&str]) -> Terms {
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
