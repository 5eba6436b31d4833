//! Checks of findings filters.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::check::{Role, always};
use super::{Check, Judge, Problem, Scope};
use crate::api::Api;
use crate::criteria::{Breadth, Criteria, Place};
use crate::evidence::{Filter, FilterDetail, Matches};
use crate::severity::Severity;

/// What is needed to tell whether a filter archives findings, and how many.
const ARCHIVING: &[Api] = &[Api::ListFindingsFilters, Api::GetFindingsFilter, Api::GetFindingStatistics];

/// How much a findings filter mutes whose action is `ARCHIVE`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "deserialize", derive(serde::Deserialize))]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct ArchivingFilter {
    /// The breadth of its narrowest condition; null where GetFindingsFilter could not be read, as are `criteria`,
    /// `digest` and `matches`.
    pub breadth: Option<Breadth>,
    /// Its conditions in words.
    pub conditions: Vec<String>,
    /// Its criteria as Macie gives them. In messages those of more than 4 KB are null.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    pub criteria: Option<Value>,
    /// What whoever made it wrote about it.
    pub description: Option<String>,
    /// Its place in the order in which filters are applied.
    pub position: Option<i64>,
    /// The SHA-256 of its action and criteria in canonical JSON (RFC 8785), which an exemption of it names.
    pub digest: Option<String>,
    /// How many findings match its criteria; null where that could not be read.
    pub matches: Option<Matches>,
}

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "filter-archives-findings",
        severity: Severity::Medium,
        title: "Findings filter archives findings",
        risk: "Findings that match this filter are suppressed: they reach neither EventBridge nor Security Hub and cannot be unarchived.",
        fix: "Delete the filter or set its action to NOOP, or exempt it if it is meant to be there.",
        needs: ARCHIVING,
        applies: always,
        judge: Judge::Filter(archives),
    },
    Check {
        id: "filter-action-unrecognized",
        severity: Severity::Low,
        title: "Findings filter action is not recognized",
        risk: "Macie gave an action that this version does not know, or none.",
        fix: "Look the filter up under Findings in the Macie console, and update macie-compliance.",
        needs: &[Api::ListFindingsFilters],
        applies: always,
        judge: Judge::Filter(|filter, _| {
            (!matches!(filter.action.as_deref(), Some("ARCHIVE" | "NOOP"))).then(|| Problem::with_filter(filter))
        }),
    },
];

fn archives(filter: &Filter, scope: &Scope<'_>) -> Option<Problem> {
    if filter.action.as_deref() != Some("ARCHIVE") {
        return None;
    }
    let muted = match &filter.detail {
        Some(detail) => muted(detail, scope),
        None => ArchivingFilter {
            breadth: None,
            conditions: Vec::new(),
            criteria: None,
            description: None,
            position: None,
            digest: None,
            matches: None,
        },
    };
    let archived = muted.matches.as_ref().map(|matches| matches.archived);
    let hides_high = archived.is_some_and(|archived| archived.high > 0);
    // Severities are in order, the worst first.
    let graded = muted.breadth.map_or(Severity::Medium, Breadth::severity);
    Some(Problem {
        severity: Some(if hides_high { graded.min(Severity::High) } else { graded }),
        note: (scope.role == Some(Role::Member)).then_some(
            "This account has a Macie administrator, so only findings of its own classification jobs are affected.",
        ),
        filter: Some(Box::new(muted)),
        ..Problem::with_filter(filter)
    })
}

fn muted(detail: &FilterDetail, scope: &Scope<'_>) -> ArchivingFilter {
    let criteria = Criteria::new(detail.criteria.clone());
    let place = Place {
        account_id: &scope.target.account_id,
        region: &scope.target.region,
        has_members: scope.role == Some(Role::OverMembers),
    };
    ArchivingFilter {
        breadth: Some(criteria.breadth(&place)),
        conditions: criteria.words(),
        digest: Some(criteria.digest("ARCHIVE")),
        criteria: Some(criteria.as_json()),
        description: detail.description.clone(),
        position: detail.position,
        matches: detail.matches.clone(),
    }
}
