//! Checks of the membership invitations that the account received.

use super::check::always;
use super::{Check, Judge, Problem};
use crate::api::Api;
use crate::evidence::{Invitation, is_recognized};
use crate::severity::Severity;

const NEEDS: &[Api] = &[Api::ListInvitations];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "invitation-account-suspended",
        severity: Severity::Medium,
        title: "Invitation from a suspended account",
        risk: "The account that sent the invitation is suspended, so it cannot administer Macie for this one.",
        fix: "Decline and delete the invitation if it is not expected.",
        needs: NEEDS,
        applies: always,
        judge: Judge::Invitation(|invitation, _| with_status(invitation, "AccountSuspended")),
    },
    Check {
        id: "invitation-region-disabled",
        severity: Severity::Medium,
        title: "Invitation from an account with the Region disabled",
        risk: "The Region is disabled for the account that sent the invitation, so it cannot administer Macie here.",
        fix: "Decline and delete the invitation if it is not expected.",
        needs: NEEDS,
        applies: always,
        judge: Judge::Invitation(|invitation, _| with_status(invitation, "RegionDisabled")),
    },
    Check {
        id: "invitation-status-unrecognized",
        severity: Severity::Low,
        title: "Invitation status is not recognized",
        risk: "Macie gave a status that this version does not know, or none.",
        fix: "Look the invitation up on the Accounts page of the Macie console, and update macie-compliance.",
        needs: NEEDS,
        applies: always,
        judge: Judge::Invitation(|invitation, _| {
            (!is_recognized(invitation.status.as_deref())).then(|| Problem::with_invitation(invitation))
        }),
    },
    Check {
        id: "invitation-unexpected",
        severity: Severity::High,
        title: "Invitation is not from the expected Macie administrator",
        risk: "Whoever accepts it makes somebody else the Macie administrator of this account.",
        fix: "Decline it on the Accounts page of the Macie console, or with DeclineInvitations, and find out who sent it.",
        needs: NEEDS,
        applies: |_, policy| Some(!policy.expected_administrators.is_empty()),
        judge: Judge::Invitation(|invitation, scope| {
            let expected = &scope.policy.expected_administrators;
            (!expected.is_empty() && !expected.contains(&invitation.sender_id))
                .then(|| Problem::with_invitation(invitation))
        }),
    },
];

fn with_status(invitation: &Invitation, status: &str) -> Option<Problem> {
    (invitation.status.as_deref() == Some(status)).then(|| Problem::with_invitation(invitation))
}
