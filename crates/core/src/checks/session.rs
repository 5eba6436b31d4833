//! Checks of the account's own Macie session.

use super::check::always;
use super::{Check, Judge, Problem};
use crate::api::Api;
use crate::evidence::SessionStatus;
use crate::severity::Severity;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "macie-not-enabled",
        severity: Severity::Critical,
        title: "Macie is not enabled",
        risk: "Nothing in this account and Region is watched.",
        fix: "Enable Macie here, or take the Region out of MACIE_REGIONS (parameter MacieRegions) if it is not to be watched.",
        needs: &[Api::GetMacieSession],
        applies: always,
        judge: Judge::Session(|session, scope| {
            (session.status == SessionStatus::NotEnabled).then(|| Problem::with_session(session, scope, None))
        }),
    },
    Check {
        id: "macie-paused",
        severity: Severity::Critical,
        title: "Macie is paused",
        risk: "Macie monitors nothing and creates no findings here while it is paused.",
        fix: "Resume it in the Macie settings, or with UpdateMacieSession and status ENABLED.",
        needs: &[Api::GetMacieSession],
        applies: always,
        judge: Judge::Session(|session, scope| match &session.status {
            SessionStatus::Is(status) if status == "PAUSED" => {
                Some(Problem::with_session(session, scope, Some(status)))
            }
            _ => None,
        }),
    },
];
