//! What a check is.

use super::filters::ArchivingFilter;
use crate::api::Api;
use crate::evidence::{AccountRole, Administrator, Evidence, Filter, Invitation, Member, Session};
use crate::names::{Target, has_allow_lists};
use crate::policy::Policy;
use crate::resource::{Resource, ResourceType};
use crate::severity::Severity;

/// A rule, and how it is judged.
#[derive(Debug)]
pub struct Check {
    /// The id of the rule, as `DISABLED_RULES` and the report spell it.
    pub id: &'static str,
    /// How bad a violation is, unless the problem says otherwise.
    pub severity: Severity,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// What is missed while it is so, or why it cannot be told.
    pub risk: &'static str,
    /// What to do about it.
    pub fix: &'static str,
    /// The operations whose answers it needs. What no enabled check needs is not asked; where one of
    /// them was not read to its end, the rule is not evaluated.
    pub needs: &'static [Api],
    /// Whether it has something to say about a target where Macie is on, given what the account is to Macie and
    /// what was read; `None` where that cannot be told, and then the rule is not evaluated.
    pub applies: fn(&Evidence, &Policy) -> Option<bool>,
    /// How it is judged.
    pub judge: Judge,
}

impl Check {
    /// Whether there is in a Region what the check is about.
    pub fn is_offered_in(&self, region: &str) -> bool {
        has_allow_lists(region) || !self.needs.iter().any(|api| api.is_about_allow_lists())
    }
}

/// For a check that has something to say about every target.
pub(super) fn always(_: &Evidence, _: &Policy) -> Option<bool> {
    Some(true)
}

/// How a check is judged, from the narrowest view to the widest.
///
/// The judges of one item also decide, while a page is read, whether the item is kept. So memory
/// grows with what is flagged.
#[derive(Clone, Copy, Debug)]
pub enum Judge {
    /// The account's session.
    Session(fn(&Session, &Scope<'_>) -> Option<Problem>),
    /// The account's administrator, where it has one.
    Administrator(fn(&Administrator, &Scope<'_>) -> Option<Problem>),
    /// One member.
    Member(fn(&Member, &Scope<'_>) -> Option<Problem>),
    /// One invitation.
    Invitation(fn(&Invitation, &Scope<'_>) -> Option<Problem>),
    /// One findings filter.
    Filter(fn(&Filter, &Scope<'_>) -> Option<Problem>),
    /// Everything that was read of a target.
    Target(fn(&Evidence, &Scope<'_>) -> Vec<Problem>),
    /// The evidence of all targets of the run. It names the target that each problem belongs to.
    Run(RunJudge),
}

/// Judges the evidence of all targets, and gives each problem with the target that it belongs to.
pub type RunJudge = fn(&[Evidence], &Policy) -> Vec<(Target, Problem)>;

/// What an account is to Macie, as far as judges go by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It has an administrator.
    Member,
    /// It has members whose findings it sees beside its own.
    OverMembers,
    /// It sees its own findings alone: it is a standalone account, or administers an organization without members.
    Alone,
}

/// What a judge knows beside the evidence.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Where the evidence is from.
    pub target: &'a Target,
    /// What the account is to Macie; `None` where that could not be read, and while it is read.
    pub role: Option<Role>,
    /// The settings that concern checks, and the date.
    pub policy: &'a Policy,
}

impl<'a> Scope<'a> {
    /// What a judge knows when everything is read. An account of whose members nothing was read counts as one without.
    pub(crate) fn of(evidence: &'a Evidence, policy: &'a Policy) -> Scope<'a> {
        let role = evidence.role().map(|role| match role {
            AccountRole::Member => Role::Member,
            _ if evidence.members.by_status.has_associated() => Role::OverMembers,
            _ => Role::Alone,
        });
        Scope { target: &evidence.target, role, policy }
    }
}

/// What a judge found. With the check and the target it becomes a violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What breaks the rule.
    pub resource: Resource,
    /// What the service says of it, if anything.
    pub status: Option<String>,
    /// The service's own time for the status, RFC 3339 in UTC.
    pub since: Option<String>,
    /// For members: whether the status was read twice.
    pub confirmed: Option<bool>,
    /// How bad it is, where that differs from the check's own severity.
    pub severity: Option<Severity>,
    /// What limits or widens it here, as a sentence that follows the check's own risk.
    pub note: Option<&'static str>,
    /// For a filter that archives findings: how much it mutes.
    pub filter: Option<Box<ArchivingFilter>>,
}

impl Problem {
    /// A problem with a resource of which the service says nothing more.
    pub fn with(resource: Resource) -> Problem {
        Problem { resource, status: None, since: None, confirmed: None, severity: None, note: None, filter: None }
    }

    /// A problem with the session of the account.
    pub fn with_session(session: &Session, scope: &Scope<'_>, status: Option<&str>) -> Problem {
        Problem {
            status: status.map(str::to_owned),
            since: session.since.clone(),
            ..Problem::with(Resource::new(ResourceType::Session, &scope.target.account_id))
        }
    }

    /// A problem with the administrator of the account.
    pub fn with_administrator(administrator: &Administrator) -> Problem {
        Problem {
            status: administrator.status.clone(),
            since: administrator.since.clone(),
            ..Problem::with(Resource::new(ResourceType::Administrator, &administrator.id))
        }
    }

    /// A problem with a member.
    pub fn with_member(member: &Member) -> Problem {
        Problem {
            status: member.status.clone(),
            since: member.since.clone(),
            confirmed: Some(member.confirmed),
            ..Problem::with(Resource {
                arn: member.arn.clone(),
                email: member.email.clone(),
                ..Resource::new(ResourceType::Member, &member.id)
            })
        }
    }

    /// A problem with an invitation.
    pub fn with_invitation(invitation: &Invitation) -> Problem {
        Problem {
            status: invitation.status.clone(),
            since: invitation.since.clone(),
            ..Problem::with(Resource::new(ResourceType::Invitation, &invitation.sender_id))
        }
    }

    /// A problem with a findings filter.
    pub fn with_filter(filter: &Filter) -> Problem {
        Problem {
            status: filter.action.clone(),
            ..Problem::with(Resource {
                arn: filter.arn.clone(),
                name: filter.name.clone(),
                ..Resource::new(ResourceType::FindingsFilter, &filter.id)
            })
        }
    }
}
