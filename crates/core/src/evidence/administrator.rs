//! The account's relationship with its Macie administrator: GetAdministratorAccount.

use serde::{Deserialize, Serialize};

/// The account's relationship with its Macie administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Administrator {
    /// The administrator's account id.
    pub id: String,
    /// The status of the relationship; `None` where the service gave none.
    pub status: Option<String>,
    /// When the invitation was sent, RFC 3339 in UTC.
    pub since: Option<String>,
}
