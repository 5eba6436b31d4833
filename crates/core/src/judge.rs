//! Evidence, judged by the checks: an outcome for each rule, and the violations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::Api;
use crate::checks::{Check, Checks, Judge, Problem, Scope};
use crate::evidence::{Evidence, ReadState};
use crate::names::{Target, fingerprint};
use crate::policy::Policy;
use crate::severity::Severity;

/// What a rule came to in a target. The first that holds, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// Something breaks it.
    Failed,
    /// A read that it needs was not finished.
    NotEvaluated,
    /// Everything that breaks it is exempted.
    Exempt,
    /// It says nothing about this target.
    NotApplicable,
    /// Everything that it needs was read, and nothing breaks it.
    Passed,
}

/// Something that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The same for the same account, Region, rule and resource in every run.
    pub id: String,
    /// The id of the rule.
    pub rule: &'static str,
    /// What is wrong.
    pub title: &'static str,
    /// What is missed while it is so, and what to do about it.
    pub remediation: String,
    /// How bad it is.
    pub severity: Severity,
    /// Where it was found.
    pub target: Target,
    /// What was found.
    pub problem: Problem,
}

impl Violation {
    fn new(check: &Check, target: &Target, problem: Problem) -> Violation {
        let parts = [&target.account_id, &target.region, check.id, &problem.resource.id];
        Violation {
            id: fingerprint(&parts),
            rule: check.id,
            title: check.title,
            remediation: [check.risk, problem.note.unwrap_or_default(), check.fix]
                .into_iter()
                .filter(|text| !text.is_empty())
                .collect::<Vec<_>>()
                .join(" "),
            severity: problem.severity.unwrap_or(check.severity),
            target: target.clone(),
            problem,
        }
    }
}

/// What a check came to in a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Result {
    /// The outcome.
    pub outcome: Outcome,
    /// Whether everything that the check needs was read.
    pub was_read: bool,
}

/// What the checks made of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What each check in force came to, in their order.
    pub results: Vec<Result>,
    /// Whether every read was finished, and nothing that a check needs went unread.
    pub complete: bool,
    /// What was found.
    pub violations: Vec<Violation>,
}

/// Judges one target by every check but those over the whole run, which pass here unless something
/// that they need is missing.
pub fn judge(evidence: &Evidence, checks: &Checks, policy: &Policy) -> Judgement {
    let scope = Scope::of(evidence, policy);
    let results = Vec::with_capacity(checks.len());
    let mut judgement = Judgement { results, complete: evidence.is_complete(), violations: Vec::new() };
    for check in checks.iter() {
        let is_offered = check.is_offered_in(&evidence.target.region);
        let missing = is_offered && check.needs.iter().any(|api| is_missing(*api, evidence));
        judgement.complete &= !missing;
        let problems = problems(check, evidence, &scope);
        let applies = applies(check, evidence, policy);
        let outcome = outcome(!problems.is_empty(), missing, applies);
        judgement.results.push(Result { outcome, was_read: !missing && applies.is_some() });
        judgement.violations.extend(problems.into_iter().map(|found| Violation::new(check, &evidence.target, found)));
    }
    judgement
}

/// Judges the whole run by the checks that look at all of it. What each finds comes with the place of
/// the check among those in force.
pub fn judge_run(evidence: &[Evidence], checks: &Checks, policy: &Policy) -> Vec<(usize, Violation)> {
    let mut found = Vec::new();
    for (place, check) in checks.iter().enumerate() {
        if let Judge::Run(judge) = check.judge {
            let problems = judge(evidence, policy);
            found.extend(problems.into_iter().map(|(target, found)| (place, Violation::new(check, &target, found))));
        }
    }
    found
}

fn problems(check: &Check, evidence: &Evidence, scope: &Scope<'_>) -> Vec<Problem> {
    match check.judge {
        Judge::Session(judge) => evidence.session.iter().filter_map(|session| judge(session, scope)).collect(),
        Judge::Administrator(judge) => {
            evidence.administrator.iter().filter_map(|administrator| judge(administrator, scope)).collect()
        }
        Judge::Member(judge) => evidence.members.flagged.iter().filter_map(|member| judge(member, scope)).collect(),
        Judge::Invitation(judge) => {
            evidence.invitations.iter().filter_map(|invitation| judge(invitation, scope)).collect()
        }
        Judge::Filter(judge) => evidence.filters.iter().filter_map(|filter| judge(filter, scope)).collect(),
        Judge::Target(judge) => judge(evidence, scope),
        Judge::Run(_) => Vec::new(),
    }
}

fn outcome(failed: bool, missing: bool, applies: Option<bool>) -> Outcome {
    match applies {
        _ if failed => Outcome::Failed,
        _ if missing => Outcome::NotEvaluated,
        None => Outcome::NotEvaluated,
        Some(false) => Outcome::NotApplicable,
        Some(true) => Outcome::Passed,
    }
}

/// Whether something that was needed was not read. Where Macie is off, and where an account is not one that an
/// operation is for, what was not asked for is not missing.
fn is_missing(api: Api, evidence: &Evidence) -> bool {
    match evidence.state_of(api) {
        ReadState::Complete => false,
        ReadState::Incomplete => true,
        ReadState::NotAsked => !evidence.is_macie_off() && !api.is_second_look() && !evidence.is_for_others(api),
    }
}

/// Whether a rule has something to say about a target; `None` where that cannot be told.
fn applies(check: &Check, evidence: &Evidence, policy: &Policy) -> Option<bool> {
    if evidence.is_macie_off() { Some(false) } else { (check.applies)(evidence, policy) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Administrator, Invitation, Member, Read, Session, SessionStatus};
    use crate::failure::Failure;

    /// The operations that a standalone account is asked for.
    const READS: [Api; 14] = [
        Api::GetMacieSession,
        Api::GetAdministratorAccount,
        Api::ListMembers,
        Api::ListInvitations,
        Api::ListFindingsFilters,
        Api::DescribeOrganizationConfiguration,
        Api::GetAutomatedDiscoveryConfiguration,
        Api::ListClassificationScopes,
        Api::ListSensitivityInspectionTemplates,
        Api::ListClassificationJobs,
        Api::ListAllowLists,
        Api::DescribeBuckets,
        Api::GetFindingsPublicationConfiguration,
        Api::GetClassificationExportConfiguration,
    ];

    /// Everything read, and nothing there.
    fn clean() -> Evidence {
        let target = Target { account_id: "999999999999".to_owned(), region: "eu-west-1".to_owned() };
        Evidence { reads: READS.map(Read::new).into(), ..Evidence::new(target) }
    }

    fn failed(mut evidence: Evidence, api: Api) -> Evidence {
        evidence.reads.retain(|read| read.api != api);
        evidence.reads.push(Read::failed(api, Failure::deadline_exceeded()));
        evidence
    }

    fn without(mut evidence: Evidence, api: Api) -> Evidence {
        evidence.reads.retain(|read| read.api != api);
        evidence
    }

    fn with_members(mut evidence: Evidence, number: u64) -> Evidence {
        evidence.reads.retain(|read| read.api != Api::ListMembers);
        evidence.reads.push(Read { items: number, ..Read::new(Api::ListMembers) });
        evidence
    }

    fn with_administrator(evidence: Evidence, status: &str) -> Evidence {
        let administrator = Administrator { id: "1".to_owned(), status: Some(status.to_owned()), since: None };
        Evidence { administrator: Some(administrator), ..evidence }
    }

    fn with_session(evidence: Evidence, status: SessionStatus) -> Evidence {
        Evidence { session: Some(Session { status, since: None }), ..evidence }
    }

    fn with_paused_member(mut evidence: Evidence) -> Evidence {
        evidence.members.flagged.push(Member {
            id: "1".to_owned(),
            arn: None,
            email: None,
            status: Some("Paused".to_owned()),
            since: None,
            confirmed: false,
        });
        evidence.reads.push(Read::new(Api::ListAutomatedDiscoveryAccounts));
        with_members(evidence, 1)
    }

    fn off() -> Evidence {
        let mut evidence = with_session(clean(), SessionStatus::NotEnabled);
        evidence.reads.truncate(1);
        evidence
    }

    fn policy() -> Policy {
        let today = time::Date::from_calendar_date(2026, time::Month::November, 22).expect("a date");
        Policy { today, expected_administrators: Vec::new() }
    }

    fn outcome_of(rule: &str, evidence: &Evidence) -> Outcome {
        let checks = Checks::without(&[]);
        let place = checks.iter().position(|check| check.id == rule).expect("a rule");
        judge(evidence, &checks, &policy()).results[place].outcome
    }

    #[test]
    fn a_rule_comes_to_the_first_outcome_that_holds() {
        use Outcome::{Failed, NotApplicable, NotEvaluated, Passed};
        let older = || {
            let mut evidence = without(clean(), Api::GetAdministratorAccount);
            evidence.reads.push(Read::new(Api::GetMasterAccount));
            evidence
        };
        let invited = |status: &str| {
            let status = Some(status.to_owned());
            Evidence { invitations: vec![Invitation { sender_id: "1".to_owned(), status, since: None }], ..clean() }
        };
        let looked_again =
            || Evidence { reads: [READS.map(Read::new).as_slice(), &[Read::new(Api::GetMember)]].concat(), ..clean() };
        for (rule, evidence, outcome) in [
            ("member-macie-paused", clean(), Passed),
            ("member-macie-paused", with_paused_member(clean()), Failed),
            ("member-macie-paused", with_paused_member(failed(clean(), Api::GetMember)), Failed),
            ("member-region-disabled", with_paused_member(clean()), Passed),
            ("member-macie-paused", failed(clean(), Api::ListMembers), NotEvaluated),
            ("member-macie-paused", without(clean(), Api::ListMembers), NotEvaluated),
            // GetMember is asked only where a member is flagged.
            ("member-macie-paused", failed(clean(), Api::GetMember), NotEvaluated),
            ("member-macie-paused", looked_again(), Passed),
            // What an account is to Macie.
            ("member-macie-paused", with_administrator(clean(), "Enabled"), NotApplicable),
            ("member-macie-paused", with_members(with_administrator(clean(), "Enabled"), 1), Passed),
            ("member-macie-paused", with_members(clean(), 1), Passed),
            ("member-macie-paused", failed(with_administrator(clean(), "Enabled"), Api::ListMembers), NotEvaluated),
            ("administrator-region-disabled", clean(), NotApplicable),
            ("administrator-region-disabled", with_administrator(clean(), "Enabled"), Passed),
            ("administrator-region-disabled", with_administrator(clean(), "RegionDisabled"), Failed),
            ("administrator-account-suspended", with_administrator(clean(), "RegionDisabled"), Passed),
            ("administrator-account-suspended", with_administrator(clean(), "AccountSuspended"), Failed),
            ("administrator-region-disabled", failed(clean(), Api::GetAdministratorAccount), NotEvaluated),
            ("administrator-region-disabled", without(clean(), Api::GetAdministratorAccount), NotEvaluated),
            // GetMasterAccount answers in place of GetAdministratorAccount.
            ("administrator-region-disabled", older(), NotApplicable),
            ("administrator-region-disabled", with_administrator(older(), "Enabled"), Passed),
            ("invitation-region-disabled", clean(), Passed),
            ("invitation-region-disabled", invited("Postponed"), Passed),
            ("invitation-region-disabled", invited("RegionDisabled"), Failed),
            ("invitation-account-suspended", invited("AccountSuspended"), Failed),
            ("invitation-status-unrecognized", invited("Postponed"), Failed),
            ("invitation-status-unrecognized", invited("Enabled"), Passed),
            ("filter-archives-findings", failed(clean(), Api::ListFindingsFilters), NotEvaluated),
            ("filter-archives-findings", failed(clean(), Api::ListMembers), Passed),
            // The session.
            ("macie-paused", with_session(clean(), SessionStatus::Is("ENABLED".to_owned())), Passed),
            ("macie-paused", with_session(clean(), SessionStatus::Is("PAUSED".to_owned())), Failed),
            ("macie-not-enabled", with_session(clean(), SessionStatus::Is("PAUSED".to_owned())), Passed),
            ("macie-paused", failed(clean(), Api::GetMacieSession), NotEvaluated),
            ("macie-not-enabled", Evidence { reads: Vec::new(), ..clean() }, NotEvaluated),
            // Where Macie is off, nothing else is asked, and nothing else applies.
            ("macie-not-enabled", off(), Failed),
            ("macie-paused", off(), NotApplicable),
            ("member-macie-paused", off(), NotApplicable),
            ("administrator-region-disabled", off(), NotApplicable),
            ("invitation-region-disabled", off(), NotApplicable),
            ("filter-archives-findings", off(), NotApplicable),
            ("filter-archives-findings", failed(off(), Api::ListFindingsFilters), NotEvaluated),
        ] {
            assert_eq!(outcome_of(rule, &evidence), outcome, "{rule}: {evidence:?}");
        }
    }

    #[test]
    fn a_rule_that_is_switched_off_has_no_outcome() {
        let checks = Checks::without(&["member-macie-paused"]);
        let judgement = judge(&with_paused_member(clean()), &checks, &policy());
        assert_eq!(judgement.results.len(), checks.len());
        assert!(judgement.violations.is_empty());
        assert!(judgement.results.iter().all(|result| result.outcome != Outcome::Failed && result.was_read));
    }

    #[test]
    fn a_violation_says_what_and_where_and_how_bad_it_is() {
        let judgement = judge(&with_paused_member(clean()), &Checks::without(&[]), &policy());
        let [violation] = judgement.violations.try_into().expect("one violation");
        assert_eq!(violation.id, fingerprint(&["999999999999", "eu-west-1", "member-macie-paused", "1"]));
        assert_eq!((violation.rule, violation.severity), ("member-macie-paused", Severity::High));
        assert_eq!((violation.target, violation.title), (clean().target, "Macie is paused for the member account"));
        assert!(
            violation.remediation.starts_with("The administrator account suspended Macie for this member. Resume it")
        );
        assert_eq!((violation.problem.status.as_deref(), violation.problem.confirmed), (Some("Paused"), Some(false)));
    }
}
