//! The accounts associated with an administrator account: ListMembers and GetMember.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::text::beginning;

/// An account that is associated with the administrator account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// Its account id.
    pub id: String,
    /// Its Amazon Resource Name.
    pub arn: Option<String>,
    /// Its e-mail address, where reports are to have it.
    pub email: Option<String>,
    /// The status of the relationship; `None` where the service gave none.
    pub status: Option<String>,
    /// When the status was last changed, RFC 3339 in UTC. It is not known yet while a check decides whether a listed
    /// member is kept.
    pub since: Option<String>,
    /// Whether GetMember said the same as ListMembers.
    pub confirmed: bool,
}

/// What is kept of the members of a target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Members {
    /// The members that a check has something to say about.
    pub flagged: Vec<Member>,
    /// How many members have each status.
    pub by_status: StatusCounts,
    /// The ids of all members by status, `(absent)` where there is none. Kept only where something
    /// else will need them: what is judged over the whole of a divided run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ids_by_status: BTreeMap<String, Vec<String>>,
}

/// The statuses of accounts whose findings the administrator account sees beside its own. Macie lists others too: those
/// that were only invited, and those that left or were removed (the Macie API reference, `RelationshipStatus`).
const ASSOCIATED: [&str; 4] = ["Enabled", "Paused", "AccountSuspended", "RegionDisabled"];

/// What a member without a status is counted under.
const NO_STATUS: &str = "(absent)";

/// How many different statuses are counted each by its own name. Macie has ten; what goes beyond
/// this is counted together, so that a service gone wild can fill neither memory nor a report.
const STATUSES: usize = 40;

/// How many characters of a status it is counted under. Macie's longest has 27.
const STATUS: usize = 64;

/// How many members have each status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatusCounts(BTreeMap<String, u64>);

impl StatusCounts {
    /// Counts one more member with this status.
    pub fn add(&mut self, status: Option<&str>) {
        self.add_all(key(status), 1);
    }

    /// Takes back one that was counted with this status.
    pub fn remove(&mut self, status: Option<&str>) {
        let status = key(status);
        let key = if self.0.contains_key(status) { status } else { OTHER };
        let Some(count) = self.0.get_mut(key) else { return };
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.0.remove(key);
        }
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: &StatusCounts) {
        for (status, count) in &other.0 {
            self.add_all(status, *count);
        }
    }

    /// Whether there is an account whose findings the administrator account sees beside its own.
    pub fn has_associated(&self) -> bool {
        ASSOCIATED.iter().any(|status| self.0.contains_key(*status))
    }

    /// The counts by status.
    pub fn into_map(self) -> BTreeMap<String, u64> {
        self.0
    }

    fn add_all(&mut self, status: &str, more: u64) {
        // Nearly every member has a status that another had before, and of such no copy is made.
        if let Some(count) = self.0.get_mut(status) {
            *count += more;
            return;
        }
        let key = if self.0.len() < STATUSES { status } else { OTHER };
        *self.0.entry(key.to_owned()).or_default() += more;
    }
}

/// What members with further statuses are counted under.
const OTHER: &str = "(other)";

/// What a status is counted under.
fn key(status: Option<&str>) -> &str {
    beginning(status.unwrap_or(NO_STATUS), STATUS)
}

impl Members {
    /// Counts a member, and keeps its id if all ids are to be kept.
    pub fn count(&mut self, member: &Member, keep_id: bool) {
        self.by_status.add(member.status.as_deref());
        if keep_id {
            let status = member.status.as_deref().unwrap_or(NO_STATUS).to_owned();
            self.ids_by_status.entry(status).or_default().push(member.id.clone());
        }
    }

    /// Takes back a member that turned out to have another status.
    pub fn uncount(&mut self, member: &Member) {
        self.by_status.remove(member.status.as_deref());
        let status = member.status.as_deref().unwrap_or(NO_STATUS);
        if let Some(ids) = self.ids_by_status.get_mut(status) {
            ids.retain(|id| *id != member.id);
            if ids.is_empty() {
                self.ids_by_status.remove(status);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forty_statuses_are_counted_by_name_and_the_rest_together() {
        let mut counts = StatusCounts::default();
        for status in 0..43 {
            counts.add(Some(&status.to_string()));
            counts.add(Some(&status.to_string()));
        }
        counts.remove(Some("7"));
        counts.remove(Some("42"));
        let mut twice = counts.clone();
        twice.merge(&counts);
        let (counts, twice) = (counts.into_map(), twice.into_map());
        assert_eq!(counts.len(), STATUSES + 1);
        assert_eq!((counts["39"], counts["7"], counts["(other)"]), (2, 1, 5));
        assert_eq!((twice["39"], twice["7"], twice["(other)"]), (4, 2, 10));
    }

    #[test]
    fn a_status_of_any_length_is_counted_under_its_beginning() {
        let mut counts = StatusCounts::default();
        let longest = "é".repeat(STATUS);
        for status in [&longest, &format!("{longest}a"), &format!("{longest}b")] {
            counts.add(Some(status));
        }
        counts.remove(Some(&format!("{longest}c")));
        assert_eq!(counts.into_map(), [(longest, 2)].into());
    }

    #[test]
    fn a_status_that_nobody_has_any_more_is_not_listed() {
        let mut counts = StatusCounts::default();
        counts.add(None);
        assert_eq!(counts.clone().into_map(), [("(absent)".to_owned(), 1)].into());
        counts.remove(None);
        counts.remove(None);
        assert!(counts.into_map().is_empty());
    }

    #[test]
    fn ids_are_kept_by_status_only_where_they_are_asked_for() {
        let member = |id: &str, status: Option<&str>| Member {
            id: id.to_owned(),
            arn: None,
            email: None,
            status: status.map(str::to_owned),
            since: None,
            confirmed: false,
        };
        let mut members = Members::default();
        members.count(&member("1", Some("Enabled")), false);
        assert!(members.ids_by_status.is_empty());
        for (id, status) in [("2", Some("Enabled")), ("3", Some("Enabled")), ("4", None)] {
            members.count(&member(id, status), true);
        }
        members.uncount(&member("2", Some("Enabled")));
        members.uncount(&member("4", None));
        assert_eq!(members.ids_by_status, [("Enabled".to_owned(), vec!["3".to_owned()])].into());
        assert_eq!(members.by_status.into_map(), [("Enabled".to_owned(), 2)].into());
    }
}
