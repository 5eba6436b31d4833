//! Checks of the account's relationship with its Macie administrator.

use super::{Check, Judge, Problem, Scope};
use crate::api::Api;
use crate::evidence::{Administrator, Evidence, ReadState};
use crate::policy::Policy;
use crate::resource::{Resource, ResourceType};
use crate::severity::Severity;

const NEEDS: &[Api] = &[Api::GetAdministratorAccount];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "administrator-account-suspended",
        severity: Severity::Critical,
        title: "Macie administrator account is suspended",
        risk: "Nobody administers Macie for this account while its administrator account is suspended.",
        fix: "Reopen that account, or designate another Macie administrator.",
        needs: NEEDS,
        applies: has_administrator,
        judge: Judge::Administrator(|administrator, _| with_status(administrator, "AccountSuspended")),
    },
    Check {
        id: "administrator-region-disabled",
        severity: Severity::Critical,
        title: "Region is disabled for the Macie administrator account",
        risk: "The administrator account cannot see this account's findings in this Region.",
        fix: "Enable the Region for the administrator account.",
        needs: NEEDS,
        applies: has_administrator,
        judge: Judge::Administrator(|administrator, _| with_status(administrator, "RegionDisabled")),
    },
    Check {
        id: "administrator-unexpected",
        severity: Severity::Critical,
        title: "Macie administrator is not the expected one",
        risk: "Somebody else administers Macie for this account, or nobody does: they decide what is suppressed and what is looked at, and the findings go to them.",
        fix: "Designate the expected administrator again in AWS Organizations, or correct EXPECTED_ADMINISTRATOR (parameter ExpectedAdministrator).",
        needs: NEEDS,
        applies: |_, policy| Some(has_expectation(policy)),
        judge: Judge::Target(unexpected),
    },
];

fn has_expectation(policy: &Policy) -> bool {
    !policy.expected_administrators.is_empty()
}

/// The account itself is expected and has no administrator, or its administrator is expected.
fn unexpected(evidence: &Evidence, scope: &Scope<'_>) -> Vec<Problem> {
    let expected = |id: &String| scope.policy.expected_administrators.contains(id);
    if !has_expectation(scope.policy) {
        return Vec::new();
    }
    let account_id = &scope.target.account_id;
    let problem = match &evidence.administrator {
        Some(administrator) if administrator.id.is_empty() => None,
        Some(administrator) if expected(&administrator.id) => None,
        Some(administrator) => Some(Problem::with_administrator(administrator)),
        None if evidence.state_of(Api::GetAdministratorAccount) != ReadState::Complete || expected(account_id) => None,
        None => Some(Problem::with(Resource::new(ResourceType::Administrator, account_id))),
    };
    problem.into_iter().collect()
}

fn has_administrator(evidence: &Evidence, _: &Policy) -> Option<bool> {
    Some(evidence.administrator.is_some())
}

fn with_status(administrator: &Administrator, status: &str) -> Option<Problem> {
    (administrator.status.as_deref() == Some(status)).then(|| Problem::with_administrator(administrator))
}
