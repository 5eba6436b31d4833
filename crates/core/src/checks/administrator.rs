//! Checks of the account's relationship with its Macie administrator.

use super::{Check, Judge, Problem};
use crate::api::Api;
use crate::evidence::Administrator;
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
        judge: Judge::Administrator(|administrator, _| with_status(administrator, "AccountSuspended")),
    },
    Check {
        id: "administrator-region-disabled",
        severity: Severity::Critical,
        title: "Region is disabled for the Macie administrator account",
        risk: "The administrator account cannot see this account's findings in this Region.",
        fix: "Enable the Region for the administrator account.",
        needs: NEEDS,
        judge: Judge::Administrator(|administrator, _| with_status(administrator, "RegionDisabled")),
    },
];

fn with_status(administrator: &Administrator, status: &str) -> Option<Problem> {
    (administrator.status.as_deref() == Some(status)).then(|| Problem::with_administrator(administrator))
}
