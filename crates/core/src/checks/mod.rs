//! The checks: one file each, or one for a small family of checks that differ in a word.
//!
//! To add one, write its file and add its line to [`FAMILIES`]. CONTRIBUTING.md has the recipe.

mod administrator;
mod allow_lists;
mod buckets;
mod check;
mod delivery;
mod discovery;
mod filters;
mod invitations;
mod jobs;
mod members;
mod roster;
mod session;

use crate::api::Api;
use crate::evidence::{Filter, Invitation, Member, Session};

pub use allow_lists::PROBES;
pub use check::{Check, Judge, Problem, RunJudge, Scope};
pub use filters::ArchivingFilter;

/// Every check of this build, in the order in which documentation lists them.
pub static FAMILIES: &[&[Check]] = &[
    session::CHECKS,
    administrator::CHECKS,
    members::CHECKS,
    invitations::CHECKS,
    filters::CHECKS,
    roster::CHECKS,
    discovery::CHECKS,
    allow_lists::CHECKS,
    jobs::CHECKS,
    buckets::CHECKS,
    delivery::CHECKS,
];

/// Every check of this build.
pub fn all() -> impl Iterator<Item = &'static Check> {
    FAMILIES.iter().copied().flatten()
}

/// The checks whose rule this entry of `DISABLED_RULES` names: the one with this id, or with a `*`
/// at the end every one whose id begins so.
pub fn named(entry: &str) -> Vec<&'static Check> {
    match entry.strip_suffix('*') {
        Some(prefix) => all().filter(|check| check.id.starts_with(prefix)).collect(),
        None => all().filter(|check| check.id == entry).collect(),
    }
}

/// The checks of a run: all but those of the rules that are switched off.
#[derive(Clone, Debug)]
pub struct Checks(Vec<&'static Check>);

impl Checks {
    /// All checks but those of the rules with these ids.
    pub fn without(disabled: &[&str]) -> Checks {
        Checks(all().filter(|check| !disabled.contains(&check.id)).collect())
    }

    /// These checks and no others.
    pub fn only(checks: impl IntoIterator<Item = &'static Check>) -> Checks {
        Checks(checks.into_iter().collect())
    }

    /// The checks in force.
    pub fn iter(&self) -> impl Iterator<Item = &'static Check> {
        self.0.iter().copied()
    }

    /// Those that are about something that there is in a Region.
    pub fn offered_in(&self, region: &str) -> Checks {
        Checks::only(self.iter().filter(|check| check.is_offered_in(region)))
    }

    /// How many checks are in force.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no check is in force.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ids of the rules that are switched off.
    pub fn disabled(&self) -> Vec<&'static str> {
        all().map(|check| check.id).filter(|id| self.iter().all(|check| check.id != *id)).collect()
    }

    /// Whether a check needs what this operation answers. What no check needs is not asked.
    pub fn need(&self, api: Api) -> bool {
        // Discovery is set up otherwise by administrators than by standalone accounts, and members tell them apart.
        let tells_apart = api == Api::ListMembers && self.need(Api::GetAutomatedDiscoveryConfiguration);
        tells_apart || self.iter().any(|check| check.needs.contains(&api))
    }

    /// Whether a check is judged over the whole run, so that the evidence of every target is kept.
    pub fn look_at_the_run(&self) -> bool {
        self.iter().any(|check| matches!(check.judge, Judge::Run(_)))
    }

    /// Whether a check has something to say about this session.
    pub fn flag_session(&self, session: &Session, scope: &Scope<'_>) -> bool {
        self.iter().any(|check| matches!(check.judge, Judge::Session(judge) if judge(session, scope).is_some()))
    }

    /// Whether a check has something to say about this member.
    pub fn flag_member(&self, member: &Member, scope: &Scope<'_>) -> bool {
        self.iter().any(|check| matches!(check.judge, Judge::Member(judge) if judge(member, scope).is_some()))
    }

    /// Whether a check has something to say about this invitation.
    pub fn flag_invitation(&self, invitation: &Invitation, scope: &Scope<'_>) -> bool {
        self.iter().any(|check| matches!(check.judge, Judge::Invitation(judge) if judge(invitation, scope).is_some()))
    }

    /// Whether a check has something to say about this findings filter.
    pub fn flag_filter(&self, filter: &Filter, scope: &Scope<'_>) -> bool {
        self.iter().any(|check| matches!(check.judge, Judge::Filter(judge) if judge(filter, scope).is_some()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_names_a_rule_or_all_that_begin_so() {
        let ids = |entry: &str| named(entry).iter().map(|check| check.id).collect::<Vec<_>>();
        assert_eq!(ids("macie-paused"), ["macie-paused"]);
        assert_eq!(
            ids("administrator-*"),
            ["administrator-account-suspended", "administrator-region-disabled", "administrator-unexpected"]
        );
        assert_eq!(ids("*").len(), all().count());
        for nothing in ["", "macie", "macie-paused-", "no-*", "*-paused", "m*d"] {
            assert!(ids(nothing).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn what_no_enabled_check_needs_is_not_needed() {
        let all_but = |entry: &str| {
            let ids: Vec<&str> = named(entry).iter().map(|check| check.id).collect();
            Checks::without(&ids)
        };
        let checks = all_but("member-*");
        assert!(checks.need(Api::ListMembers) && !checks.need(Api::GetMember) && checks.need(Api::ListInvitations));
        assert_eq!((checks.len(), checks.disabled().len()), (all().count() - 4, 4));
        assert!(checks.disabled().iter().all(|id| id.starts_with("member-")));
        assert!(
            !all_but("roster-*").need(Api::ListAccounts)
                && !all_but("roster-*").need(Api::DescribeOrganizationConfiguration)
        );
        assert!(!checks.is_empty() && all_but("*").is_empty());
        assert!(!checks.look_at_the_run());
        assert!(Checks::without(&["member-macie-paused"]).need(Api::GetMember));
    }

    #[test]
    fn every_check_has_an_id_of_its_own_and_says_what_it_needs() {
        let ids: std::collections::HashSet<&str> = all().map(|check| check.id).collect();
        assert_eq!(ids.len(), all().count());
        for check in all() {
            assert!(!check.needs.is_empty(), "{}", check.id);
            for text in [check.title, check.risk, check.fix] {
                assert!(!text.is_empty() && text.is_ascii(), "{}", check.id);
            }
        }
    }
}
