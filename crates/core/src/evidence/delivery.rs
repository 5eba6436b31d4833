//! Where findings and results go: GetFindingsPublicationConfiguration and GetClassificationExportConfiguration.

use serde::{Deserialize, Serialize};

/// Which findings go to Security Hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Publication {
    /// Policy findings.
    pub policy_findings: bool,
    /// Sensitive data findings.
    pub sensitive_data_findings: bool,
}

/// Whether there is a bucket for the results of sensitive data discovery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Results {
    /// The name of the bucket; `None` where there is none.
    pub bucket: Option<String>,
}
