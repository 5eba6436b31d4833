//! Rules about this account's own Macie session.

use super::{Rule, Severity, is};
use crate::facts::{ResourceType::Session, Status};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "macie-not-enabled",
        severity: Severity::Critical,
        title: "Macie is not enabled",
        remediation: "Nothing in this account and Region is watched. Enable Macie here, or take the Region out of MACIE_REGIONS if it is not to be watched.",
        about: Session,
        breaks: |status| *status == Status::NotEnabled,
    },
    Rule {
        id: "macie-paused",
        severity: Severity::Critical,
        title: "Macie is paused",
        remediation: "Macie monitors nothing and creates no findings here while it is paused. Resume it in the Macie settings, or with UpdateMacieSession and status ENABLED.",
        about: Session,
        breaks: |status| is(status, "PAUSED"),
    },
];
