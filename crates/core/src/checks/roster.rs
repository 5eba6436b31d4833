//! Checks of the organization: which of its accounts Macie watches, and whether new ones are added.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Judge, Problem, Scope};
use crate::api::Api;
use crate::evidence::{Evidence, Organization, ReadState, RosterAccount, is_recognized};
use crate::names::has_to_be_opted_into;
use crate::policy::Policy;
use crate::resource::{Resource, ResourceType};
use crate::severity::Severity;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "roster-account-not-watched",
        severity: Severity::High,
        title: "Account of the organization is not watched",
        risk: "The account is active in the organization, and Macie is not enabled for it here by this administrator: nothing in its buckets is found.",
        fix: "Add it on the Accounts page of the Macie console, or with CreateMember.",
        needs: &[Api::DescribeOrganizationConfiguration, Api::ListAccounts, Api::ListMembers],
        applies: administers_an_organization,
        judge: Judge::Target(not_watched),
    },
    Check {
        id: "roster-auto-enable-off",
        severity: Severity::Medium,
        title: "Macie is not enabled for new accounts of the organization",
        risk: "An account that joins the organization is not watched until somebody adds it.",
        fix: "Turn on Auto-enable on the Accounts page of the Macie console, or use UpdateOrganizationConfiguration with autoEnable true.",
        needs: &[Api::DescribeOrganizationConfiguration],
        applies: administers_an_organization,
        judge: Judge::Target(|evidence, scope| {
            of_organization(evidence, scope, |organization| !organization.auto_enable)
        }),
    },
    Check {
        id: "roster-member-limit-reached",
        severity: Severity::High,
        title: "The administrator account has as many members as it can have",
        risk: "Accounts that join the organization cannot be watched.",
        fix: "Remove members that are closed or gone, or ask AWS Support for a higher quota.",
        needs: &[Api::DescribeOrganizationConfiguration],
        applies: administers_an_organization,
        judge: Judge::Target(|evidence, scope| {
            of_organization(evidence, scope, |organization| organization.is_limit_reached)
        }),
    },
];

/// What the management account is told beside the risk.
const MANAGEMENT: &str = "It is the organization's management account, which no administrator can enable Macie for: somebody in it has to enable Macie first.";

fn administers_an_organization(evidence: &Evidence, _: &Policy) -> Option<bool> {
    Some(organization(evidence).is_some())
}

/// The organization that the account administers Macie for. Organizations may say that it is not in use.
fn organization(evidence: &Evidence) -> Option<&Organization> {
    let is_in_use = evidence.roster.as_ref().is_none_or(|roster| roster.is_in_use || !roster.is_complete);
    evidence.organization.as_ref().filter(|_| is_in_use)
}

fn of_organization(evidence: &Evidence, scope: &Scope<'_>, is_weak: fn(&Organization) -> bool) -> Vec<Problem> {
    let weak = organization(evidence).is_some_and(is_weak);
    let resource = || Resource::new(ResourceType::Organization, &scope.target.account_id);
    weak.then(|| Problem::with(resource())).into_iter().collect()
}

/// The accounts of the organization that are no enabled members. Of half a list of either kind nothing can be said,
/// and what the checks of members name is not named again.
fn not_watched(evidence: &Evidence, scope: &Scope<'_>) -> Vec<Problem> {
    let Some(roster) = evidence.roster.as_ref().filter(|roster| roster.is_complete) else { return Vec::new() };
    if evidence.state_of(Api::ListMembers) != ReadState::Complete || evidence.organization.is_none() {
        return Vec::new();
    }
    // A list that moves while it is read may have an account twice; one of its statuses is enough.
    let mut of_status: Vec<(&String, &Vec<String>)> = evidence.members.ids_by_status.iter().collect();
    of_status.sort_by_key(|(status, _)| is_watched_or_named(status));
    let statuses: BTreeMap<&str, &str> = of_status
        .into_iter()
        .flat_map(|(status, ids)| ids.iter().map(move |id| (id.as_str(), status.as_str())))
        .collect();
    let may_be_absent = has_to_be_opted_into(&scope.target.region);
    let is_missed = |account: &&RosterAccount| match statuses.get(account.id.as_str()) {
        _ if account.id == scope.target.account_id => false,
        None => !may_be_absent,
        Some(status) => !is_watched_or_named(status),
    };
    let missed = roster.accounts.iter().filter(is_missed);
    let mut named = BTreeSet::new();
    missed
        .filter(|account| named.insert(&account.id))
        .map(|account| Problem {
            status: statuses.get(account.id.as_str()).map(|status| (*status).to_owned()),
            note: account.is_management.then_some(MANAGEMENT),
            ..Problem::with(Resource {
                name: account.name.clone(),
                ..Resource::new(ResourceType::Account, &account.id)
            })
        })
        .collect()
}

/// Whether an account with this member status is watched, or a check of members is about the status.
fn is_watched_or_named(status: &str) -> bool {
    matches!(status, "Enabled" | "AccountSuspended" | "RegionDisabled" | "Paused") || !is_recognized(Some(status))
}
