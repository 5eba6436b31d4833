//! How Macie is set up for the organization: DescribeOrganizationConfiguration.

use serde::{Deserialize, Serialize};

/// How Macie is set up for the organization of a Macie administrator account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    /// Whether Macie is enabled by itself for accounts that join.
    pub auto_enable: bool,
    /// Whether the administrator account has as many members as it can have.
    pub is_limit_reached: bool,
}
