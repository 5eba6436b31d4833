//! Puts the report together: evidence goes in target by target, and is judged as it comes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::advice;
use super::changes::{self, Current, Earlier, Stamp, State, Told};
use super::exempted::{ExemptionsSource, Ledger};
use super::v1::{self, Exempted, OutcomeCounts, Report, Run, TargetResult, Verdict};
use crate::api::Api;
use crate::checks::Checks;
use crate::evidence::{Evidence, StatusCounts};
use crate::judge::{self, Outcome, Violation};
use crate::names::Target;
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

/// What a run is about, beside its evidence.
#[derive(Debug)]
pub struct Terms {
    /// The least severity that makes a verdict `NON_COMPLIANT`.
    pub fail_on: Severity,
    /// What there is to exempt by.
    pub exemptions: ExemptionsSource,
    /// Whether it is over other Regions than the settings name.
    pub is_partial: bool,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms { fail_on: Severity::Low, exemptions: ExemptionsSource::None, is_partial: false }
    }
}

/// A report, and what it leaves for the next run.
#[derive(Debug)]
pub struct Built {
    /// The report.
    pub report: Report,
    /// What this run found in each target, for the next to compare with; none where states are not kept.
    pub states: Vec<(Target, State)>,
    /// The worst verdict of the runs that its targets are compared with: one over some of them alone does not tell that
    /// of all.
    pub last_verdict: Option<Verdict>,
    /// How many of the unknown violations were told as unknown by the last run.
    pub unknown_before: u64,
    /// Whether an earlier delivery of this run told of something that is no more, or is exempted now.
    pub takes_back: bool,
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
    members_by_status: StatusCounts,
    regions_without_macie: BTreeSet<String>,
    kept: Vec<Evidence>,
}

/// A target, judged.
#[derive(Debug)]
struct Judged {
    result: TargetResult,
    results: Vec<judge::Result>,
    is_macie_off: bool,
    violations: Vec<v1::Violation>,
    earlier: Earlier,
}

/// What all targets came to.
#[derive(Debug, Default)]
struct Outcomes {
    violations: Vec<v1::Violation>,
    exempted: Vec<Exempted>,
    new: u64,
    resolved: Vec<v1::Gone>,
    unknown: Vec<v1::Gone>,
    unknown_before: u64,
    takes_back: bool,
    compared_with: Option<Arc<Stamp>>,
    last_verdict: Option<Verdict>,
    are_kept: bool,
}

impl<'a> Builder<'a> {
    /// A report of nothing yet.
    pub fn new(checks: &'a Checks, policy: &'a Policy) -> Builder<'a> {
        Builder {
            checks,
            policy,
            targets: Vec::new(),
            members_by_status: StatusCounts::default(),
            regions_without_macie: BTreeSet::new(),
            kept: Vec::new(),
        }
    }

    /// Adds what was read of a target, and what is known of its last run. Each target is added once.
    pub fn add(&mut self, evidence: Evidence, earlier: Earlier) {
        if evidence.macie_not_offered {
            self.regions_without_macie.insert(evidence.target.region);
            return;
        }
        let judgement = judge::judge(&evidence, self.checks, self.policy);
        let result = TargetResult {
            target: evidence.target.clone(),
            verdict: Verdict::InsufficientData,
            complete: judgement.complete,
            outcomes: None,
            reads: evidence.reads.iter().map(|read| self::read(read, &evidence)).collect(),
        };
        self.targets.push(Judged {
            result,
            results: judgement.results,
            is_macie_off: evidence.is_macie_off(),
            violations: judgement.violations.into_iter().map(violation).collect(),
            earlier,
        });
        self.members_by_status.merge(&evidence.members.by_status);
        if self.checks.look_at_the_run() {
            self.kept.push(evidence);
        }
    }

    /// The whole report, in one part: the targets by account and Region, the violations each once,
    /// the worst first, then by rule, account, Region and resource.
    pub fn build(mut self, header: Header, terms: Terms) -> Built {
        self.targets.sort_by(|a, b| a.result.target.cmp(&b.result.target));
        self.judge_the_run();
        let Builder { checks, mut targets, members_by_status, regions_without_macie, .. } = self;
        let Header { report_id, generated_at, trigger } = header;
        let run = Run { report_id, generated_at };
        let mut ledger = Ledger::new(terms.exemptions);
        let mut found = Outcomes::default();
        let mut compared = Vec::new();
        for judged in &mut targets {
            let next = settle(judged, checks, terms.fail_on, &run, &mut ledger, &mut found);
            compared.extend(next.map(|next| (judged.result.target.clone(), next)));
        }
        found.sort();

        let complete = !targets.is_empty() && targets.iter().all(|target| target.result.complete);
        let fails = found.violations.iter().any(|violation| violation.severity <= terms.fail_on);
        let verdict = Verdict::of(fails, complete);
        let stamp = Arc::new(Stamp { run: run.clone(), verdict });
        let states =
            compared.into_iter().map(|(target, next)| (target.clone(), next.into_state(target, stamp.clone())));
        let states = states.collect();
        let members_by_status = checks.need(Api::ListMembers).then(|| members_by_status.into_map());
        let summary = v1::Summary {
            regions_without_macie: regions_without_macie.into_iter().collect(),
            members_by_status,
            ..summary(&targets, &found, checks)
        };
        let (last_verdict, unknown_before, takes_back) = (found.last_verdict, found.unknown_before, found.takes_back);
        let report = Report {
            schema_version: v1::SCHEMA_VERSION,
            report_id: run.report_id,
            generated_at: run.generated_at,
            trigger,
            verdict,
            complete,
            fail_on: terms.fail_on,
            rules_disabled: checks.disabled(),
            summary,
            targets: with_outcomes(targets, checks),
            changes: found.are_kept.then(|| v1::Changes {
                compared_with: found.compared_with.map(|with| with.run.clone()),
                new: found.new,
                resolved_total: found.resolved.len() as u64,
                resolved: found.resolved,
                unknown_total: found.unknown.len() as u64,
                unknown: found.unknown,
            }),
            violations: found.violations,
            exempted: found.exempted,
            exemptions: ledger.finish(terms.is_partial),
            evidence: None,
            truncated: None,
            part: v1::Part { number: 1, of: 1 },
        };
        Built { report, states, last_verdict, unknown_before, takes_back }
    }

    /// What is found over the whole run belongs to a target each, and changes what it came to.
    fn judge_the_run(&mut self) {
        let found = judge::judge_run(&self.kept, self.checks, self.policy);
        let places: HashMap<Target, usize> = if found.is_empty() {
            HashMap::new()
        } else {
            self.targets.iter().enumerate().map(|(at, judged)| (judged.result.target.clone(), at)).collect()
        };
        for (place, found) in found {
            let Some(at) = places.get(&found.target) else { continue };
            self.targets[*at].results[place].outcome = Outcome::Failed;
            self.targets[*at].violations.push(violation(found));
        }
    }
}

/// Exempts and compares what was found in a target, and gives what its next state is made of.
fn settle(
    judged: &mut Judged,
    checks: &Checks,
    fail_on: Severity,
    run: &Run,
    ledger: &mut Ledger,
    found: &mut Outcomes,
) -> Option<changes::Compared> {
    let target = &judged.result.target;
    let mut known = HashSet::new();
    let mut violations = std::mem::take(&mut judged.violations);
    // Of two that are the same the worse is told.
    violations.sort_by(|a, b| order(a).cmp(&order(b)));
    violations.retain(|violation| known.insert(violation.id.clone()));
    let mut violations: Vec<_> = violations.into_iter().map(|found| (ledger.cover(&found), found)).collect();
    let result_of = |rule: &str| checks.iter().position(|check| check.id == rule).map(|place| judged.results[place]);
    ledger.saw(target, &|rule| result_of(rule).is_some_and(|result| result.was_read) && !judged.is_macie_off);

    let earlier = std::mem::take(&mut judged.earlier);
    let is_kept = earlier != Earlier::NotKept;
    let current: Vec<_> = violations.iter().map(|(exemption, found)| current(found, exemption.is_some())).collect();
    let told = |rule| match result_of(rule) {
        None => Told::NotJudged,
        Some(result) if !result.was_read || result.outcome == Outcome::NotApplicable => Told::Unknown,
        Some(_) => Told::Gone,
    };
    let mut compared = changes::compare(earlier, run, target, &current, !ledger.is_unreadable(), told);
    drop(current);
    for (mark, (_, violation)) in std::mem::take(&mut compared.marks).into_iter().zip(&mut violations) {
        (violation.change, violation.first_seen) = mark.unzip();
    }
    found.are_kept |= is_kept;
    found.resolved.append(&mut compared.resolved);
    found.unknown.append(&mut compared.unknown);
    found.unknown_before += compared.unknown_before;
    found.takes_back |= compared.takes_back;
    let verdicts = found.last_verdict.into_iter().chain(compared.with.as_ref().map(|with| with.verdict));
    found.last_verdict = verdicts.max_by_key(|verdict| verdict.rank());
    let newest = |stamp: &Arc<Stamp>| stamp.run.generated_at.clone();
    found.compared_with = found.compared_with.take().into_iter().chain(compared.with.take()).max_by_key(newest);

    for (check, result) in checks.iter().zip(&mut judged.results) {
        let mut of_it = violations.iter().filter(|(_, violation)| violation.rule == check.id);
        if result.outcome == Outcome::Failed && of_it.all(|(exemption, _)| exemption.is_some()) {
            result.outcome = if result.was_read { Outcome::Exempt } else { Outcome::NotEvaluated };
        }
    }
    let mut fails = false;
    for (exemption, violation) in violations {
        match exemption {
            Some(exemption) => found.exempted.push(Exempted { violation, exemption }),
            None => {
                fails |= violation.severity <= fail_on;
                found.new += u64::from(violation.change == Some(v1::Change::New));
                found.violations.push(violation);
            }
        }
    }
    judged.result.verdict = Verdict::of(fails, judged.result.complete);
    is_kept.then_some(compared)
}

impl Outcomes {
    fn sort(&mut self) {
        self.violations.sort_by(|a, b| order(a).cmp(&order(b)));
        self.exempted.sort_by(|a, b| order(&a.violation).cmp(&order(&b.violation)));
        let by_severity = |gone: &v1::Gone| {
            (gone.severity, gone.rule, gone.target.clone(), gone.resource.id.clone(), gone.id.clone())
        };
        self.resolved.sort_by_cached_key(by_severity);
        self.unknown.sort_by_cached_key(by_severity);
    }
}

fn order(violation: &v1::Violation) -> impl Ord {
    let v1::Violation { severity, rule, target, resource, id, .. } = violation;
    (*severity, *rule, target, &resource.id, id)
}

fn current(violation: &v1::Violation, is_exempted: bool) -> Current<'_> {
    let v1::Violation { id, rule, severity, resource, .. } = violation;
    Current { id, rule, severity: *severity, resource, is_exempted }
}

fn summary(targets: &[Judged], found: &Outcomes, checks: &Checks) -> v1::Summary {
    let items = |api: Api| {
        let reads = targets.iter().flat_map(|target| &target.result.reads);
        checks.need(api).then(|| reads.filter(|read| read.api == api).map(|read| read.items).sum())
    };
    let mut by_severity: BTreeMap<_, _> = Severity::ALL.map(|severity| (severity, 0)).into();
    let mut by_rule: BTreeMap<_, _> = checks.iter().map(|check| (check.id, 0)).collect();
    for violation in &found.violations {
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
        violations: found.violations.len() as u64,
        exempted: found.exempted.len() as u64,
        by_severity,
        by_rule,
        outcomes: checks.iter().enumerate().map(|(place, check)| (check.id, outcomes(targets, place))).collect(),
        members_by_status: None,
    }
}

/// The most targets of which all outcomes are told.
const TOLD_IN_FULL: usize = 1_000;

/// The results of the targets, with what each rule came to; where there are very many targets, only in those that
/// are not compliant.
fn with_outcomes(targets: Vec<Judged>, checks: &Checks) -> Vec<TargetResult> {
    let in_full = targets.len() <= TOLD_IN_FULL;
    let with_outcomes = |judged: Judged| {
        let is_told = in_full || judged.result.verdict != Verdict::Compliant;
        let outcomes = checks.iter().zip(&judged.results).map(|(check, result)| (check.id, result.outcome));
        TargetResult { outcomes: is_told.then(|| outcomes.collect()), ..judged.result }
    };
    targets.into_iter().map(with_outcomes).collect()
}

/// In how many targets the check at this place had each outcome.
fn outcomes(targets: &[Judged], place: usize) -> OutcomeCounts {
    let mut counts = OutcomeCounts::default();
    for target in targets {
        *match target.results[place].outcome {
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
        first_seen: None,
        change: None,
        filter: problem.filter,
    }
}
