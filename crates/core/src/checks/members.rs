//! Checks of the accounts that this administrator account watches.

use super::{Check, Judge, Problem};
use crate::api::Api;
use crate::evidence::{Evidence, Member, is_recognized};
use crate::policy::Policy;
use crate::severity::Severity;

const NEEDS: &[Api] = &[Api::ListMembers, Api::GetMember];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "member-account-suspended",
        severity: Severity::High,
        title: "Member account is suspended",
        risk: "Macie does not watch this account while AWS has it suspended.",
        fix: "Reopen the account in AWS Organizations or Billing, or remove it from the Macie members if it is to stay closed.",
        needs: NEEDS,
        applies: may_have_members,
        judge: Judge::Member(|member, _| with_status(member, "AccountSuspended")),
    },
    Check {
        id: "member-region-disabled",
        severity: Severity::High,
        title: "Region is disabled for the member account",
        risk: "Macie does not watch this account in this Region.",
        fix: "Enable the Region for the account, or make sure by policy that no S3 bucket of the account can be there.",
        needs: NEEDS,
        applies: may_have_members,
        judge: Judge::Member(|member, _| with_status(member, "RegionDisabled")),
    },
    Check {
        id: "member-macie-paused",
        severity: Severity::High,
        title: "Macie is paused for the member account",
        risk: "The administrator account suspended Macie for this member.",
        fix: "Resume it on the Accounts page of the Macie console, or with UpdateMemberSession and status ENABLED.",
        needs: NEEDS,
        applies: may_have_members,
        judge: Judge::Member(|member, _| with_status(member, "Paused")),
    },
    Check {
        id: "member-status-unrecognized",
        severity: Severity::Medium,
        title: "Member status is not recognized",
        risk: "Macie gave a status that this version does not know, or none.",
        fix: "Look the member up on the Accounts page of the Macie console, and update macie-compliance.",
        needs: NEEDS,
        applies: may_have_members,
        judge: Judge::Member(|member, _| {
            (!is_recognized(member.status.as_deref())).then(|| Problem::with_member(member))
        }),
    },
];

/// An account that has an administrator and no members has nothing to watch.
fn may_have_members(evidence: &Evidence, _: &Policy) -> Option<bool> {
    Some(evidence.administrator.is_none() || evidence.items_of(Api::ListMembers) != Some(0))
}

fn with_status(member: &Member, status: &str) -> Option<Problem> {
    (member.status.as_deref() == Some(status)).then(|| Problem::with_member(member))
}
