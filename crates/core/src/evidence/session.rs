//! The account's Macie session: GetMacieSession.

use serde::{Deserialize, Serialize};

/// The account's Macie session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Whether Macie works in this account and Region.
    pub status: SessionStatus,
    /// When that was last changed, RFC 3339 in UTC.
    pub since: Option<String>,
}

/// Whether Macie works in an account and Region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SessionStatus {
    /// Macie answered that it is not enabled.
    NotEnabled,
    /// There is a session with this status: `ENABLED` or `PAUSED`, or a word that this build does
    /// not know, which makes the read incomplete.
    Is(String),
    /// There is a session, and the answer gave no status, which makes the read incomplete.
    Absent,
}
