//! Automated sensitive data discovery: GetAutomatedDiscoveryConfiguration, ListAutomatedDiscoveryAccounts,
//! GetClassificationScope and GetSensitivityInspectionTemplate.

use serde::{Deserialize, Serialize};

/// Automated sensitive data discovery of an administrator or standalone account. What was not read is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Discovery {
    /// `ENABLED` or `DISABLED`; `None` where it was not read.
    pub status: Option<String>,
    /// For which accounts of the organization it is enabled by itself: `ALL`, `NEW` or `NONE`.
    pub auto_enable_members: Option<String>,
    /// The accounts for which it is off.
    pub disabled_accounts: Vec<String>,
    /// The names of the buckets that are excluded from it.
    pub excluded_buckets: Vec<String>,
    /// The managed data identifiers that are excluded from it.
    pub excluded_identifiers: Vec<ManagedDataIdentifier>,
    /// The ids of the allow lists that are part of it.
    pub allow_lists: Vec<String>,
}

/// A detector of Macie's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManagedDataIdentifier {
    /// Its id, such as `AWS_CREDENTIALS`.
    pub id: String,
    /// What kind of data it finds, such as `CREDENTIALS`; `None` where that could not be read.
    pub category: Option<String>,
}
