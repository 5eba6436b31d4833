//! What was read, and what could not be.
//!
//! Facts are plain values without a verdict. They hold only what a rule has something to say
//! about, and counts of the rest, so they grow with what is flagged and not with what is read.

use std::collections::BTreeMap;
use std::fmt;

/// One account in one Region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The twelve digits of the AWS account.
    pub account_id: String,
    /// The Region's code, such as `eu-west-1`.
    pub region: String,
}

/// The service operations that a run may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Api {
    /// Macie: the session of this account.
    GetMacieSession,
    /// Macie: the administrator relationship of this account.
    GetAdministratorAccount,
    /// Macie: the same under its deprecated name.
    GetMasterAccount,
    /// Macie: every account associated with this administrator account.
    ListMembers,
    /// Macie: one member, read again before it is reported.
    GetMember,
    /// Macie: the membership invitations that this account received.
    ListInvitations,
    /// Macie: the findings filters of this account.
    ListFindingsFilters,
    /// STS: the role of another administrator account.
    AssumeRole,
    /// Account Management: the Regions that this account has not disabled.
    ListRegions,
    /// S3: what another invocation found in this target.
    GetObject,
}

impl Api {
    /// The IAM action that allows the operation.
    pub fn action(self) -> String {
        let service = match self {
            Api::AssumeRole => "sts",
            Api::ListRegions => "account",
            Api::GetObject => "s3",
            _ => "macie2",
        };
        format!("{service}:{self}")
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Why a read did not finish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The service's error code, the SDK's name for an error without one, or one of our own.
    pub code: String,
    /// The service's message, or our explanation.
    pub message: String,
    /// The service's request id, where there was an answer.
    pub request_id: Option<String>,
}

impl Failure {
    /// The Lambda deadline came near before the read was finished.
    pub const DEADLINE_EXCEEDED: &str = "DeadlineExceeded";
    /// A page token came back that had been followed before.
    pub const PAGINATION_LOOP: &str = "PaginationLoop";
    /// The answer lacks what the API promises, so it cannot count as read.
    pub const INVALID_RESPONSE: &str = "InvalidResponse";

    /// The failure of a read that the deadline cut.
    pub fn deadline_exceeded() -> Failure {
        Failure::own(Failure::DEADLINE_EXCEEDED, "the Lambda deadline came near before this was read")
    }

    /// A failure that this product found by itself.
    pub fn own(code: &str, message: impl Into<String>) -> Failure {
        Failure { code: code.to_owned(), message: message.into(), request_id: None }
    }
}

/// How far the walk of one API in one target got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The operation.
    pub api: Api,
    /// Answers received.
    pub pages: u64,
    /// Items in them.
    pub items: u64,
    /// Why it did not finish; `None` when everything was read.
    pub failure: Option<Failure>,
}

impl Read {
    /// A read that has not begun.
    pub fn new(api: Api) -> Read {
        Read { api, pages: 0, items: 0, failure: None }
    }
}

/// What kind of thing a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResourceType {
    /// An account associated with this administrator account.
    Member,
    /// A membership invitation that this account received.
    Invitation,
    /// This account's relationship with its administrator.
    Administrator,
    /// A findings filter.
    FindingsFilter,
    /// This account's Macie session.
    Session,
}

/// What the service says of a resource: a relationship status, an action or a session status.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// The service's own word, known to this build or not.
    Is(String),
    /// The service gave none.
    Absent,
    /// Macie answered that it is not enabled in this target.
    NotEnabled,
}

impl Status {
    /// The service's word, where there is one.
    pub fn word(&self) -> Option<&str> {
        match self {
            Status::Is(word) => Some(word),
            Status::Absent | Status::NotEnabled => None,
        }
    }
}

/// Macie's relationship statuses, as its `RelationshipStatus` type lists them.
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

/// One thing that was read and that a rule may judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// What it is.
    pub kind: ResourceType,
    /// The account id (for an invitation, the sender's), or the filter's id.
    pub id: String,
    /// Its Amazon Resource Name, where the service gives one.
    pub arn: Option<String>,
    /// Its name, written by whoever made it.
    pub name: Option<String>,
    /// For members: its e-mail address, where reports are to have it.
    pub email: Option<String>,
    /// What the service says of it.
    pub status: Status,
    /// The service's own time for the status, RFC 3339 in UTC.
    pub since: Option<String>,
    /// For members: whether GetMember said the same as ListMembers.
    pub confirmed: Option<bool>,
}

/// How many different statuses are counted each by its own name. Macie has ten; what goes beyond
/// this is counted together, so that a service gone wild cannot fill a report.
const STATUSES: usize = 40;

/// Adds to the count of the members that have a status.
pub fn count_members(counts: &mut BTreeMap<String, u64>, status: &str, change: i64) {
    let known = counts.contains_key(status) || counts.len() < STATUSES;
    let count = counts.entry(if known { status } else { "(other)" }.to_owned()).or_default();
    *count = count.saturating_add_signed(change);
}

/// Everything that was read of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The target.
    pub target: Target,
    /// Every read that was tried.
    pub reads: Vec<Read>,
    /// How many members have each status.
    pub members_by_status: BTreeMap<String, u64>,
    /// The resources that a rule has something to say about.
    pub flagged: Vec<Resource>,
}

impl Facts {
    /// A target of which nothing is read yet.
    pub fn new(target: Target) -> Facts {
        Facts { target, reads: Vec::new(), members_by_status: BTreeMap::new(), flagged: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forty_statuses_are_counted_by_name_and_the_rest_together() {
        let mut counts = BTreeMap::new();
        for status in 0..43 {
            count_members(&mut counts, &status.to_string(), 2);
        }
        count_members(&mut counts, "7", -1);
        assert_eq!(counts.len(), STATUSES + 1);
        assert_eq!((counts["39"], counts["7"], counts["(other)"]), (2, 1, 6));
    }

    #[test]
    fn an_operation_is_allowed_by_an_action_of_its_service() {
        for (api, action) in [
            (Api::ListMembers, "macie2:ListMembers"),
            (Api::AssumeRole, "sts:AssumeRole"),
            (Api::ListRegions, "account:ListRegions"),
            (Api::GetObject, "s3:GetObject"),
        ] {
            assert_eq!(api.action(), action);
        }
    }
}
