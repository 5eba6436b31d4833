//! Checks of findings filters.

use super::{Check, Judge, Problem};
use crate::api::Api;
use crate::severity::Severity;

const NEEDS: &[Api] = &[Api::ListFindingsFilters];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "filter-archives-findings",
        severity: Severity::Medium,
        title: "Findings filter archives findings",
        risk: "Findings that match this filter are suppressed: they reach neither EventBridge nor Security Hub and cannot be unarchived.",
        fix: "Delete the filter or set its action to NOOP, unless it is meant to be there.",
        needs: NEEDS,
        judge: Judge::Filter(|filter, _| {
            (filter.action.as_deref() == Some("ARCHIVE")).then(|| Problem::with_filter(filter))
        }),
    },
    Check {
        id: "filter-action-unrecognized",
        severity: Severity::Low,
        title: "Findings filter action is not recognized",
        risk: "Macie gave an action that this version does not know, or none.",
        fix: "Look the filter up under Findings in the Macie console, and update macie-compliance.",
        needs: NEEDS,
        judge: Judge::Filter(|filter, _| {
            (!matches!(filter.action.as_deref(), Some("ARCHIVE" | "NOOP"))).then(|| Problem::with_filter(filter))
        }),
    },
];
