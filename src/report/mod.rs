//! The report: what was found, as JSON, as a mail, as one line, and as messages that SNS takes.

mod hint;
mod mail;
mod message;
pub mod v1;

use std::collections::BTreeMap;

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

/// Puts together the whole report, in one part.
pub fn build(head: Head, facts: &[Facts], rules: &Rules) -> Report {
    let violations: Vec<v1::Violation> = rules.judge(facts).iter().map(violation).collect();
    let targets: Vec<v1::Target> = facts.iter().map(|facts| target(facts, &violations)).collect();
    let complete = !targets.is_empty() && targets.iter().all(|target| target.complete);
    Report {
        schema_version: v1::SCHEMA_VERSION.to_owned(),
        report_id: head.report_id,
        generated_at: head.generated_at,
        trigger: v1::Trigger {
            source: head.trigger.source,
            detail_type: head.trigger.detail_type,
            id: head.trigger.id,
            time: head.trigger.time,
        },
        verdict: verdict(violations.is_empty(), complete),
        complete,
        summary: summary(facts, &targets, &violations, rules),
        targets,
        violations,
        part: v1::Part { number: 1, of: 1 },
    }
}

fn verdict(no_violation: bool, complete: bool) -> Verdict {
    match (no_violation, complete) {
        (false, _) => Verdict::NonCompliant,
        (true, false) => Verdict::InsufficientData,
        (true, true) => Verdict::Compliant,
    }
}

fn summary(facts: &[Facts], targets: &[v1::Target], violations: &[v1::Violation], rules: &Rules) -> v1::Summary {
    let reads = || facts.iter().flat_map(|facts| &facts.reads);
    let items = |api: Api| reads().filter(|read| read.api == api).map(|read| read.items).sum();
    let mut members_by_status = BTreeMap::new();
    for (status, count) in facts.iter().flat_map(|facts| &facts.members_by_status) {
        count_members(&mut members_by_status, status, *count as i64);
    }
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
        members_by_status,
    }
}

fn target(facts: &Facts, violations: &[v1::Violation]) -> v1::Target {
    let target = &facts.target;
    let here =
        |violation: &&v1::Violation| violation.account_id == target.account_id && violation.region == target.region;
    let complete = facts.complete();
    v1::Target {
        account_id: target.account_id.clone(),
        region: target.region.clone(),
        verdict: verdict(!violations.iter().any(|violation| here(&violation)), complete),
        complete,
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
