//! Puts the report together: evidence goes in target by target, and is judged as it comes.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::advice;
use super::v1::{self, OutcomeCounts, Report, TargetResult, Verdict};
use crate::api::Api;
use crate::checks::Checks;
use crate::evidence::{Evidence, StatusCounts};
use crate::judge::{self, Outcome, Violation};
use crate::order::Trigger;
use crate::policy::Policy;
use crate::severity::Severity;

/// What a report says beside what was found.
#[derive(Clone, Debug)]
pub struct Header {
    /// The envelope's id, or the Lambda request id.
    pub report_id: String,
    /// When it is made, RFC 3339 in UTC.
    pub generated_at: String,
    /// What started the run.
    pub trigger: Trigger,
}

/// Takes the evidence of a run and gives its report.
///
/// Evidence is judged as it comes and then let go, unless a check is judged over the whole run. So a
/// run over thousands of targets holds little more than what its report says.
#[derive(Debug)]
pub struct Builder<'a> {
    checks: &'a Checks,
    policy: &'a Policy,
    targets: Vec<Judged>,
    violations: Vec<v1::Violation>,
    members_by_status: StatusCounts,
    regions_without_macie: BTreeSet<String>,
    kept: Vec<Evidence>,
}

#[derive(Debug)]
struct Judged {
    result: TargetResult,
    outcomes: Vec<Outcome>,
}

impl<'a> Builder<'a> {
    /// A report of nothing yet.
    pub fn new(checks: &'a Checks, policy: &'a Policy) -> Builder<'a> {
        Builder {
            checks,
            policy,
            targets: Vec::new(),
            violations: Vec::new(),
            members_by_status: StatusCounts::default(),
            regions_without_macie: BTreeSet::new(),
            kept: Vec::new(),
        }
    }

    /// Adds what was read of a target. Each target is added once.
    pub fn add(&mut self, evidence: Evidence) {
        if evidence.macie_not_offered {
            self.regions_without_macie.insert(evidence.target.region);
            return;
        }
        let judgement = judge::judge(&evidence, self.checks, self.policy);
        let result = TargetResult {
            target: evidence.target.clone(),
            verdict: Verdict::of(!judgement.violations.is_empty(), judgement.complete),
            complete: judgement.complete,
            reads: evidence.reads.iter().map(|read| self::read(read, &evidence)).collect(),
        };
        self.targets.push(Judged { result, outcomes: judgement.outcomes });
        self.violations.extend(judgement.violations.into_iter().map(violation));
        self.members_by_status.merge(&evidence.members.by_status);
        if self.checks.look_at_the_run() {
            self.kept.push(evidence);
        }
    }

    /// The whole report, in one part: the targets by account and Region, the violations each once,
    /// the worst first, then by rule, account, Region and resource.
    pub fn report(mut self, header: Header) -> Report {
        self.judge_the_run();
        let Builder { checks, mut targets, mut violations, members_by_status, regions_without_macie, .. } = self;
        targets.sort_by(|a, b| a.result.target.cmp(&b.result.target));
        violations.sort_by(|a, b| order(a).cmp(&order(b)));
        let mut known = HashSet::new();
        violations.retain(|violation| known.insert(violation.id.clone()));
        let complete = !targets.is_empty() && targets.iter().all(|target| target.result.complete);
        let members_by_status = checks.need(Api::ListMembers).then(|| members_by_status.into_map());
        let summary = v1::Summary {
            regions_without_macie: regions_without_macie.into_iter().collect(),
            members_by_status,
            ..summary(&targets, &violations, checks)
        };
        Report {
            schema_version: v1::SCHEMA_VERSION,
            report_id: header.report_id,
            generated_at: header.generated_at,
            trigger: header.trigger,
            verdict: Verdict::of(!violations.is_empty(), complete),
            complete,
            rules_disabled: checks.disabled(),
            summary,
            targets: targets.into_iter().map(|target| target.result).collect(),
            violations,
            part: v1::Part { number: 1, of: 1 },
        }
    }

    /// What is found over the whole run belongs to a target each, and changes what it came to.
    fn judge_the_run(&mut self) {
        for (place, found) in judge::judge_run(&self.kept, self.checks, self.policy) {
            if let Some(judged) = self.targets.iter_mut().find(|judged| judged.result.target == found.target) {
                judged.outcomes[place] = Outcome::Failed;
                judged.result.verdict = Verdict::NonCompliant;
            }
            self.violations.push(violation(found));
        }
    }
}

fn order(violation: &v1::Violation) -> impl Ord {
    let v1::Violation { severity, rule, target, resource, id, .. } = violation;
    (*severity, *rule, target, &resource.id, id)
}

fn summary(targets: &[Judged], violations: &[v1::Violation], checks: &Checks) -> v1::Summary {
    let items = |api: Api| {
        let reads = targets.iter().flat_map(|target| &target.result.reads);
        checks.need(api).then(|| reads.filter(|read| read.api == api).map(|read| read.items).sum())
    };
    let mut by_severity: BTreeMap<_, _> = Severity::ALL.map(|severity| (severity, 0)).into();
    let mut by_rule: BTreeMap<_, _> = checks.iter().map(|check| (check.id, 0)).collect();
    for violation in violations {
        *by_severity.entry(violation.severity).or_default() += 1;
        *by_rule.entry(violation.rule).or_default() += 1;
    }
    v1::Summary {
        targets: targets.len() as u64,
        targets_incomplete: targets.iter().filter(|target| !target.result.complete).count() as u64,
        regions_without_macie: Vec::new(),
        members: items(Api::ListMembers),
        invitations: items(Api::ListInvitations),
        filters: items(Api::ListFindingsFilters),
        violations: violations.len() as u64,
        exempted: 0,
        by_severity,
        by_rule,
        outcomes: checks.iter().enumerate().map(|(place, check)| (check.id, outcomes(targets, place))).collect(),
        members_by_status: None,
    }
}

/// In how many targets the check at this place had each outcome.
fn outcomes(targets: &[Judged], place: usize) -> OutcomeCounts {
    let mut counts = OutcomeCounts::default();
    for target in targets {
        *match target.outcomes[place] {
            Outcome::Failed => &mut counts.failed,
            Outcome::NotEvaluated => &mut counts.not_evaluated,
            Outcome::Exempt => &mut counts.exempt,
            Outcome::NotApplicable => &mut counts.not_applicable,
            Outcome::Passed => &mut counts.passed,
        } += 1;
    }
    counts
}

fn read(read: &crate::evidence::Read, evidence: &Evidence) -> v1::Read {
    let error = read.failure.as_ref().map(|failure| {
        Box::new(v1::ReadError {
            code: failure.code.clone(),
            message: failure.message.clone(),
            request_id: failure.request_id.clone(),
            hint: advice::hint(&[read.api], failure, std::slice::from_ref(&evidence.target)),
        })
    });
    v1::Read { api: read.api, complete: error.is_none(), pages: read.pages, items: read.items, error }
}

fn violation(violation: Violation) -> v1::Violation {
    let Violation { id, rule, title, remediation, severity, target, problem } = violation;
    v1::Violation {
        id,
        rule,
        severity,
        target,
        resource: problem.resource,
        status: problem.status,
        confirmed: problem.confirmed,
        since: problem.since,
        title,
        remediation,
    }
}
