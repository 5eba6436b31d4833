//! The relationship between an account and its Macie administrator.

/// The statuses of a relationship, as Macie's `RelationshipStatus` type lists them.
pub const RELATIONSHIP_STATUSES: [&str; 10] = [
    "Enabled",
    "Paused",
    "Invited",
    "Created",
    "Removed",
    "Resigned",
    "EmailVerificationInProgress",
    "EmailVerificationFailed",
    "RegionDisabled",
    "AccountSuspended",
];

/// Whether a status is there and one that this build knows.
pub fn is_recognized(status: Option<&str>) -> bool {
    status.is_some_and(|status| RELATIONSHIP_STATUSES.contains(&status))
}
