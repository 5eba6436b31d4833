//! Rules about this account's relationship with its Macie administrator.

use super::{Rule, Severity, is};
use crate::facts::ResourceType::Administrator;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "administrator-account-suspended",
        severity: Severity::Critical,
        title: "Macie administrator account is suspended",
        remediation: "Nobody administers Macie for this account while its administrator account is suspended. Reopen that account, or designate another Macie administrator.",
        about: Administrator,
        breaks: |status| is(status, "AccountSuspended"),
    },
    Rule {
        id: "administrator-region-disabled",
        severity: Severity::Critical,
        title: "Region is disabled for the Macie administrator account",
        remediation: "The administrator account cannot see this account's findings in this Region. Enable the Region for the administrator account.",
        about: Administrator,
        breaks: |status| is(status, "RegionDisabled"),
    },
];
