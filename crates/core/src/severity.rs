//! How bad a violation is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad a violation is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// Macie does not watch this target at all, or nobody administers it.
    Critical,
    /// An account that should be watched is not.
    High,
    /// Findings are suppressed, or may be missed.
    Medium,
    /// Worth a look.
    Low,
}

impl Severity {
    /// Every severity, the worst first.
    pub const ALL: [Severity; 4] = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];

    /// The severity as the report spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Critical => "CRITICAL",
            Severity::High => "HIGH",
            Severity::Medium => "MEDIUM",
            Severity::Low => "LOW",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_severity_is_spelled_one_way() {
        for severity in Severity::ALL {
            assert_eq!(serde_json::to_value(severity).expect("JSON"), severity.as_str());
        }
        assert!(Severity::ALL.is_sorted());
    }
}
