//! What was read, and what could not be.
//!
//! Evidence is plain values without a verdict. It holds only the items that a check has something to
//! say about, and counts of the rest, so it grows with what is flagged and not with what is read. In
//! a divided run it is what one invocation hands on to another, as JSON that is read by the same build
//! and published nowhere.

mod administrator;
mod allow_list;
mod bucket;
mod delivery;
mod discovery;
mod filter;
mod invitation;
mod job;
mod member;
mod organization;
mod relationship;
mod roster;
mod session;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::api::{Api, Audience};
use crate::failure::Failure;
use crate::names::{Target, has_allow_lists};

pub use administrator::Administrator;
pub use allow_list::AllowList;
pub use bucket::{Bucket, Buckets};
pub use delivery::{Publication, Results};
pub use discovery::{Discovery, ManagedDataIdentifier};
pub use filter::{BucketMatches, Filter, FilterDetail, FindingCounts, Matches};
pub use invitation::Invitation;
pub use job::Job;
pub use member::{Member, Members, StatusCounts};
pub use organization::Organization;
pub use relationship::{RELATIONSHIP_STATUSES, is_recognized};
pub use roster::{Roster, RosterAccount};
pub use session::{Session, SessionStatus};

/// How far the reading of one API in one target got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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

    /// A read that failed before it had any answer.
    pub fn failed(api: Api, failure: Failure) -> Read {
        Read { failure: Some(failure), ..Read::new(api) }
    }
}

/// Whether something was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadState {
    /// It was never asked for.
    NotAsked,
    /// It was asked for, and not read to its end.
    Incomplete,
    /// It was read to its end.
    Complete,
}

/// What an audited account is to Macie. It decides which questions apply to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountRole {
    /// It has an administrator.
    Member,
    /// It has members, or administers Macie for an organization.
    Administrator,
    /// It has neither.
    Standalone,
}

/// Everything that was read of one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Evidence {
    /// The target.
    pub target: Target,
    /// Every read that was tried.
    pub reads: Vec<Read>,
    /// Whether the Region turned out not to offer Macie. Then there is nothing else here.
    #[serde(default)]
    pub macie_not_offered: bool,
    /// The account's Macie session, if it was read.
    pub session: Option<Session>,
    /// The account's administrator, if it has one.
    pub administrator: Option<Administrator>,
    /// The accounts that are associated with this administrator account.
    pub members: Members,
    /// The invitations that a check has something to say about.
    pub invitations: Vec<Invitation>,
    /// The findings filters that a check has something to say about.
    pub filters: Vec<Filter>,
    /// How Macie is set up for the organization, if the account administers Macie for one.
    pub organization: Option<Organization>,
    /// The accounts of the organization. It has a document of its own.
    #[serde(skip)]
    pub roster: Option<Arc<Roster>>,
    /// Automated sensitive data discovery.
    pub discovery: Discovery,
    /// The classification jobs that are not finished and that a check has something to say about.
    pub jobs: Vec<Job>,
    /// The allow lists that are in use.
    pub allow_lists: Vec<AllowList>,
    /// The buckets that Macie cannot look into.
    pub buckets: Buckets,
    /// Which findings go to Security Hub, if it was read.
    pub publication: Option<Publication>,
    /// Whether discovery results are kept, if it was read.
    pub results: Option<Results>,
}

impl Evidence {
    /// A target of which nothing is read yet.
    pub fn new(target: Target) -> Evidence {
        Evidence {
            target,
            reads: Vec::new(),
            macie_not_offered: false,
            session: None,
            administrator: None,
            members: Members::default(),
            invitations: Vec::new(),
            filters: Vec::new(),
            organization: None,
            roster: None,
            discovery: Discovery::default(),
            jobs: Vec::new(),
            allow_lists: Vec::new(),
            buckets: Buckets::default(),
            publication: None,
            results: None,
        }
    }

    /// A target of which nothing could be read.
    pub fn unread(target: Target, api: Api, failure: Failure) -> Evidence {
        Evidence { reads: vec![Read::failed(api, failure)], ..Evidence::new(target) }
    }

    /// Whether Macie answered that it is not enabled here.
    pub fn is_macie_off(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.status == SessionStatus::NotEnabled)
    }

    /// Whether every read was finished. A target without any read is not complete.
    pub fn is_complete(&self) -> bool {
        !self.reads.is_empty() && self.reads.iter().all(|read| read.failure.is_none())
    }

    /// Whether the answers of an operation are all here.
    pub fn state_of(&self, api: Api) -> ReadState {
        if let Some(roster) = self.roster.as_ref().filter(|_| api == Api::ListAccounts) {
            return if roster.is_complete { ReadState::Complete } else { ReadState::Incomplete };
        }
        let of_it = |read: &&Read| read.api == api || read.api.replaces() == Some(api);
        match self.reads.iter().find(of_it) {
            None => ReadState::NotAsked,
            Some(Read { failure: Some(_), .. }) => ReadState::Incomplete,
            Some(_) => ReadState::Complete,
        }
    }

    /// Items that an operation gave, whether or not there are more; `None` where it was not asked.
    pub fn items_of(&self, api: Api) -> Option<u64> {
        self.reads.iter().find(|read| read.api == api).map(|read| read.items)
    }

    /// Whether an operation is known not to be for the account, or not to exist in the Region.
    pub fn is_for_others(&self, api: Api) -> bool {
        let role = self.role();
        match api.row().audience {
            Audience::Everyone => api.is_about_allow_lists() && !has_allow_lists(&self.target.region),
            Audience::NotMembers => role == Some(AccountRole::Member),
            Audience::Administrators if api == Api::ListAccounts => {
                self.is_of_no_organization() || role == Some(AccountRole::Member)
            }
            Audience::Administrators => self.is_no_administrator(),
        }
    }

    /// Whether the account is known to have no members, and to administer Macie for no organization.
    pub fn is_no_administrator(&self) -> bool {
        let has_no_members =
            self.items_of(Api::ListMembers) == Some(0) && self.state_of(Api::ListMembers) == ReadState::Complete;
        matches!(self.role(), Some(AccountRole::Member | AccountRole::Standalone))
            || self.is_of_no_organization() && has_no_members
    }

    fn is_of_no_organization(&self) -> bool {
        self.organization.is_none() && self.state_of(Api::DescribeOrganizationConfiguration) == ReadState::Complete
    }

    /// What the account is to Macie; `None` where that could not be read.
    pub fn role(&self) -> Option<AccountRole> {
        if self.administrator.is_some() {
            return Some(AccountRole::Member);
        }
        if self.state_of(Api::GetAdministratorAccount) != ReadState::Complete {
            return None;
        }
        let may_be_organization = match self.state_of(Api::DescribeOrganizationConfiguration) {
            ReadState::Complete if self.organization.is_some() => return Some(AccountRole::Administrator),
            ReadState::Complete | ReadState::NotAsked => false,
            ReadState::Incomplete => true,
        };
        match (self.items_of(Api::ListMembers), self.state_of(Api::ListMembers)) {
            (Some(1..), _) => Some(AccountRole::Administrator),
            (Some(0), ReadState::Complete) if !may_be_organization => Some(AccountRole::Standalone),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(reads: &[(Api, u64, bool)]) -> Evidence {
        let target = Target { account_id: "999999999999".to_owned(), region: "us-east-1".to_owned() };
        let read = |(api, items, complete): &(Api, u64, bool)| Read {
            items: *items,
            failure: (!complete).then(Failure::deadline_exceeded),
            ..Read::new(*api)
        };
        Evidence { reads: reads.iter().map(read).collect(), ..Evidence::new(target) }
    }

    #[test]
    fn a_read_counts_under_the_name_that_it_replaces() {
        let read = evidence(&[(Api::GetMasterAccount, 0, true), (Api::ListMembers, 3, false)]);
        assert_eq!(read.state_of(Api::GetAdministratorAccount), ReadState::Complete);
        assert_eq!(read.state_of(Api::GetMasterAccount), ReadState::Complete);
        assert_eq!(read.state_of(Api::ListMembers), ReadState::Incomplete);
        assert_eq!(read.state_of(Api::ListInvitations), ReadState::NotAsked);
        assert_eq!((read.items_of(Api::ListMembers), read.items_of(Api::ListInvitations)), (Some(3), None));
        assert!(!read.is_complete() && !evidence(&[]).is_complete());
        assert!(evidence(&[(Api::ListMembers, 0, true)]).is_complete());
    }

    #[test]
    fn the_role_is_told_only_where_it_was_read() {
        let administrator = |complete| (Api::GetAdministratorAccount, 0, complete);
        let organization = |complete| (Api::DescribeOrganizationConfiguration, 0, complete);
        for (reads, role) in [
            (vec![], None),
            (vec![administrator(true)], None),
            (vec![administrator(true), (Api::ListMembers, 0, true)], Some(AccountRole::Standalone)),
            (vec![administrator(true), (Api::ListMembers, 0, false)], None),
            (vec![administrator(true), (Api::ListMembers, 1, false)], Some(AccountRole::Administrator)),
            (vec![administrator(false), (Api::ListMembers, 1, true)], None),
            // There is no organization that it administers, or that could not be read.
            (vec![administrator(true), organization(true), (Api::ListMembers, 0, true)], Some(AccountRole::Standalone)),
            (vec![administrator(true), organization(false), (Api::ListMembers, 0, true)], None),
            (vec![administrator(true), organization(true)], None),
        ] {
            assert_eq!(evidence(&reads).role(), role, "{reads:?}");
        }
        let administrator = Administrator { id: "1".to_owned(), status: None, since: None };
        let member = Evidence { administrator: Some(administrator), ..evidence(&[]) };
        assert_eq!(member.role(), Some(AccountRole::Member));
        let of_organization = evidence(&[(Api::GetAdministratorAccount, 0, true), organization(true)]);
        let organization = Some(Organization { auto_enable: true, is_limit_reached: false });
        let of_organization = Evidence { organization, ..of_organization };
        assert_eq!(of_organization.role(), Some(AccountRole::Administrator));
    }

    #[test]
    fn what_is_for_administrators_is_for_whoever_has_members_or_may_have_some() {
        let administrator = |complete| (Api::GetAdministratorAccount, 0, complete);
        let organization = |complete| (Api::DescribeOrganizationConfiguration, 0, complete);
        for (reads, is_no_administrator) in [
            // The role is not told, and what else was read tells as much.
            (vec![administrator(false), organization(true), (Api::ListMembers, 0, true)], true),
            (vec![administrator(false), organization(true), (Api::ListMembers, 0, false)], false),
            (vec![administrator(false), organization(true), (Api::ListMembers, 1, true)], false),
            (vec![administrator(false), organization(true)], false),
            (vec![administrator(false), organization(false), (Api::ListMembers, 0, true)], false),
            (vec![administrator(true), organization(true), (Api::ListMembers, 0, true)], true),
            // One whose members accepted an invitation has no organization.
            (vec![administrator(true), organization(true), (Api::ListMembers, 1, true)], false),
        ] {
            let read = evidence(&reads);
            assert_eq!(read.is_no_administrator(), is_no_administrator, "{reads:?}");
            assert_eq!(read.is_for_others(Api::ListAutomatedDiscoveryAccounts), is_no_administrator, "{reads:?}");
            let has_no_organization = reads.contains(&organization(true));
            assert_eq!(read.is_for_others(Api::ListAccounts), has_no_organization, "{reads:?}");
        }
    }
}
