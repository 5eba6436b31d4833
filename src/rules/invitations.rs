//! Rules about the membership invitations that this account received.

use super::{Rule, Severity, is, unrecognized};
use crate::facts::ResourceType::Invitation;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "invitation-account-suspended",
        severity: Severity::Medium,
        title: "Invitation from a suspended account",
        remediation: "The account that sent the invitation is suspended, so it cannot administer Macie for this one. Decline and delete the invitation if it is not expected.",
        about: Invitation,
        breaks: |status| is(status, "AccountSuspended"),
    },
    Rule {
        id: "invitation-region-disabled",
        severity: Severity::Medium,
        title: "Invitation from an account with the Region disabled",
        remediation: "The Region is disabled for the account that sent the invitation, so it cannot administer Macie here. Decline and delete the invitation if it is not expected.",
        about: Invitation,
        breaks: |status| is(status, "RegionDisabled"),
    },
    Rule {
        id: "invitation-status-unrecognized",
        severity: Severity::Low,
        title: "Invitation status is not recognized",
        remediation: "Macie gave a status that this version does not know, or none. Look the invitation up on the Accounts page of the Macie console, and update macie-compliance.",
        about: Invitation,
        breaks: unrecognized,
    },
];
