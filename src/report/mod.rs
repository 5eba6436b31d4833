//! The report: what was found, as JSON, as a mail, as one line, and as messages that SNS takes.

mod hint;
mod mail;
mod message;
pub mod v1;

use std::collections::HashSet;
use std::collections::btree_map::{BTreeMap, Entry};

use crate::event::Trigger;
use crate::facts::{Api, Facts, Read, ResourceType, count_members};
use crate::rules::{Rules, Severity, Violation};

pub use message::{Attribute, LIMIT, Message, messages};
use v1::{Report, Verdict};

/// What a report is about, besides the facts.
#[derive(Clone, Debug)]
pub struct Head {
    /// The envelope's id, or the Lambda request id.
    pub report_id: String,
    /// When it is made, RFC 3339 in UTC.
    pub generated_at: String,
    /// What started the run.
    pub trigger: Trigger,
}

/// Judges facts and puts together the whole report of them, in one part.
pub fn build(head: Head, facts: &[Facts], rules: &Rules) -> Report {
    let violations = rules.judge(facts).iter().map(violation).collect();
    let targets = facts.iter().map(target).collect();
    assemble(head, targets, violations, facts.iter().map(|facts| &facts.members_by_status), rules)
}

/// Puts reports together as one, in one part, as if everything had been read at once. A target that
/// more than one of them tells of has the reads of all.
pub fn combine(head: Head, reports: Vec<Report>, rules: &Rules) -> Report {
    let mut targets: BTreeMap<(String, String), v1::Target> = BTreeMap::new();
    let (mut violations, mut members) = (Vec::new(), Vec::new());
    for report in reports {
        for target in report.targets {
            match targets.entry((target.account_id.clone(), target.region.clone())) {
                Entry::Vacant(free) => drop(free.insert(target)),
                Entry::Occupied(mut known) => known.get_mut().reads.extend(target.reads),
            }
        }
        violations.extend(report.violations);
        members.push(report.summary.members_by_status);
    }
    violations.sort_by(|a, b| order(a).cmp(&order(b)));
    assemble(head, targets.into_values().collect(), violations, members.iter(), rules)
}

/// The order of [`Rules::judge`].
fn order(violation: &v1::Violation) -> impl Ord {
    let v1::Violation { severity, rule, account_id, region, resource, id, .. } = violation;
    (*severity, rule, account_id, region, &resource.id, id)
}

/// Decides what is complete and the verdicts, and counts.
fn assemble<'a>(
    head: Head,
    mut targets: Vec<v1::Target>,
    violations: Vec<v1::Violation>,
    members_by_status: impl Iterator<Item = &'a BTreeMap<String, u64>>,
    rules: &Rules,
) -> Report {
    let broken: HashSet<(&str, &str)> =
        violations.iter().map(|violation| (violation.account_id.as_str(), violation.region.as_str())).collect();
    for target in &mut targets {
        target.complete = !target.reads.is_empty() && target.reads.iter().all(|read| read.complete);
        let broken = broken.contains(&(target.account_id.as_str(), target.region.as_str()));
        target.verdict = verdict(!broken, target.complete);
    }
    let complete = !targets.is_empty() && targets.iter().all(|target| target.complete);
    let mut summary = summary(&targets, &violations, rules);
    for (status, count) in members_by_status.flatten() {
        count_members(&mut summary.members_by_status, status, *count as i64);
    }
    Report {
        schema_version: v1::SCHEMA_VERSION.to_owned(),
        report_id: head.report_id,
        generated_at: head.generated_at,
        trigger: head.trigger.into(),
        verdict: verdict(violations.is_empty(), complete),
        complete,
        summary,
        targets,
        violations,
        part: v1::Part { number: 1, of: 1 },
    }
}

impl From<Trigger> for v1::Trigger {
    fn from(Trigger { source, detail_type, id, time }: Trigger) -> v1::Trigger {
        v1::Trigger { source, detail_type, id, time }
    }
}

impl From<v1::Trigger> for Trigger {
    fn from(v1::Trigger { source, detail_type, id, time }: v1::Trigger) -> Trigger {
        Trigger { source, detail_type, id, time }
    }
}

fn verdict(no_violation: bool, complete: bool) -> Verdict {
    match (no_violation, complete) {
        (false, _) => Verdict::NonCompliant,
        (true, false) => Verdict::InsufficientData,
        (true, true) => Verdict::Compliant,
    }
}

fn summary(targets: &[v1::Target], violations: &[v1::Violation], rules: &Rules) -> v1::Summary {
    let items = |api: Api| {
        let reads = targets.iter().flat_map(|target| &target.reads);
        reads.filter(|read| read.api == api.to_string()).map(|read| read.items).sum()
    };
    let mut by_severity: BTreeMap<_, _> = Severity::ALL.map(|level| (severity(level), 0)).into();
    let mut by_rule: BTreeMap<_, _> = rules.iter().map(|rule| (rule.id.to_owned(), 0)).collect();
    for violation in violations {
        *by_severity.entry(violation.severity).or_default() += 1;
        *by_rule.entry(violation.rule.clone()).or_default() += 1;
    }
    v1::Summary {
        targets: targets.len() as u64,
        targets_incomplete: targets.iter().filter(|target| !target.complete).count() as u64,
        members: items(Api::ListMembers),
        invitations: items(Api::ListInvitations),
        filters: items(Api::ListFindingsFilters),
        violations: violations.len() as u64,
        exempted: 0,
        by_severity,
        by_rule,
        members_by_status: BTreeMap::new(),
    }
}

/// A target as it was read. Whether it is complete, and its verdict, are decided for all at once.
fn target(facts: &Facts) -> v1::Target {
    v1::Target {
        account_id: facts.target.account_id.clone(),
        region: facts.target.region.clone(),
        verdict: Verdict::InsufficientData,
        complete: false,
        reads: facts.reads.iter().map(|read| self::read(read, facts)).collect(),
    }
}

fn read(read: &Read, facts: &Facts) -> v1::Read {
    let error = read.failure.as_ref().map(|failure| v1::ReadError {
        code: failure.code.clone(),
        message: failure.message.clone(),
        request_id: failure.request_id.clone(),
        hint: hint::hint(read.api, failure, &facts.target),
    });
    v1::Read { api: read.api.to_string(), complete: error.is_none(), pages: read.pages, items: read.items, error }
}

fn violation(violation: &Violation) -> v1::Violation {
    let Violation { id, rule, target, resource } = violation;
    v1::Violation {
        id: id.clone(),
        rule: rule.id.to_owned(),
        severity: severity(rule.severity),
        account_id: target.account_id.clone(),
        region: target.region.clone(),
        resource: v1::Resource {
            kind: resource_type(resource.kind),
            id: resource.id.clone(),
            arn: resource.arn.clone(),
            name: resource.name.clone(),
            email: resource.email.clone(),
        },
        status: resource.status.word().map(str::to_owned),
        confirmed: resource.confirmed,
        since: resource.since.clone(),
        title: rule.title.to_owned(),
        remediation: rule.remediation.to_owned(),
    }
}

fn severity(severity: Severity) -> v1::Severity {
    match severity {
        Severity::Critical => v1::Severity::Critical,
        Severity::High => v1::Severity::High,
        Severity::Medium => v1::Severity::Medium,
        Severity::Low => v1::Severity::Low,
    }
}

fn resource_type(kind: ResourceType) -> v1::ResourceType {
    match kind {
        ResourceType::Member => v1::ResourceType::Member,
        ResourceType::Invitation => v1::ResourceType::Invitation,
        ResourceType::Administrator => v1::ResourceType::Administrator,
        ResourceType::FindingsFilter => v1::ResourceType::FindingsFilter,
        ResourceType::Session => v1::ResourceType::Session,
    }
}
