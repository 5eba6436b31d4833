//! Rules about the accounts that this administrator account watches.

use super::{Rule, Severity, is, unrecognized};
use crate::facts::ResourceType::Member;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "member-account-suspended",
        severity: Severity::High,
        title: "Member account is suspended",
        remediation: "Macie does not watch this account while AWS has it suspended. Reopen the account in AWS Organizations or Billing, or remove it from the Macie members if it is to stay closed.",
        about: Member,
        breaks: |status| is(status, "AccountSuspended"),
    },
    Rule {
        id: "member-region-disabled",
        severity: Severity::High,
        title: "Region is disabled for the member account",
        remediation: "Macie does not watch this account in this Region. Enable the Region for the account, or make sure by policy that no S3 bucket of the account can be there.",
        about: Member,
        breaks: |status| is(status, "RegionDisabled"),
    },
    Rule {
        id: "member-macie-paused",
        severity: Severity::High,
        title: "Macie is paused for the member account",
        remediation: "The administrator account suspended Macie for this member. Resume it on the Accounts page of the Macie console, or with UpdateMemberSession and status ENABLED.",
        about: Member,
        breaks: |status| is(status, "Paused"),
    },
    Rule {
        id: "member-status-unrecognized",
        severity: Severity::Medium,
        title: "Member status is not recognized",
        remediation: "Macie gave a status that this version does not know, or none. Look the member up on the Accounts page of the Macie console, and update macie-compliance.",
        about: Member,
        breaks: unrecognized,
    },
];
