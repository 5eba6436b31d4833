//! A membership invitation that the account received: ListInvitations.

use serde::{Deserialize, Serialize};

/// A membership invitation that the account received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// The account id of the sender.
    pub sender_id: String,
    /// The status of the relationship; `None` where the service gave none.
    pub status: Option<String>,
    /// When it was sent, RFC 3339 in UTC.
    pub since: Option<String>,
}
