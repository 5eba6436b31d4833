//! Rules about findings filters.

use super::{Rule, Severity, is};
use crate::facts::{ResourceType::FindingsFilter, Status};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "filter-archives-findings",
        severity: Severity::Medium,
        title: "Findings filter archives findings",
        remediation: "Findings that match this filter are suppressed: they reach neither EventBridge nor Security Hub and cannot be unarchived. Delete the filter or set its action to NOOP, unless it is meant to be there.",
        about: FindingsFilter,
        breaks: |status| is(status, "ARCHIVE"),
    },
    Rule {
        id: "filter-action-unrecognized",
        severity: Severity::Low,
        title: "Findings filter action is not recognized",
        remediation: "Macie gave an action that this version does not know, or none. Look the filter up under Findings in the Macie console, and update macie-compliance.",
        about: FindingsFilter,
        breaks: |status| match status {
            Status::Is(word) => word != "ARCHIVE" && word != "NOOP",
            Status::Absent => true,
            Status::NotEnabled => false,
        },
    },
];
