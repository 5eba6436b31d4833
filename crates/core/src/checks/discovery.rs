//! Checks of automated sensitive data discovery.

use std::collections::BTreeSet;

use super::{Check, Judge, Problem, Scope};
use crate::api::Api;
use crate::evidence::{AccountRole, Evidence, ReadState};
use crate::policy::Policy;
use crate::resource::{Resource, ResourceType};
use crate::severity::Severity;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "discovery-disabled",
        severity: Severity::High,
        title: "Automated sensitive data discovery is off",
        risk: "Macie looks for sensitive data only where a classification job does.",
        fix: "Enable it on the Automated discovery page of the Macie console, or with UpdateAutomatedDiscoveryConfiguration and status ENABLED.",
        needs: &[Api::GetAutomatedDiscoveryConfiguration],
        applies: |evidence, _| Some(is_no_member(evidence)),
        judge: Judge::Target(|evidence, scope| {
            let is_off = evidence.discovery.status.as_deref() == Some("DISABLED");
            of_account(scope, is_off, evidence.discovery.status.as_deref())
        }),
    },
    Check {
        id: "discovery-not-for-all-members",
        severity: Severity::Medium,
        title: "Automated sensitive data discovery is not enabled for all members",
        risk: "Accounts that it was not enabled for one by one are left out.",
        fix: "Choose all accounts in the settings of Automated discovery in the Macie console, or use UpdateAutomatedDiscoveryConfiguration with autoEnableOrganizationMembers ALL.",
        needs: &[Api::GetAutomatedDiscoveryConfiguration],
        applies: is_administrator_with_discovery,
        judge: Judge::Target(|evidence, scope| {
            let setting = evidence.discovery.auto_enable_members.as_deref();
            let is_weak = is_administrator_with_discovery(evidence, scope.policy) == Some(true)
                && setting.is_some_and(|setting| setting != "ALL");
            of_account(scope, is_weak, setting)
        }),
    },
    Check {
        id: "discovery-account-disabled",
        severity: Severity::Medium,
        title: "Automated sensitive data discovery is off for a member account",
        risk: "Macie looks for sensitive data in this account only where a classification job does.",
        fix: "Enable it for the account on the Accounts page of the Macie console, or with BatchUpdateAutomatedDiscoveryAccounts.",
        needs: &[Api::GetAutomatedDiscoveryConfiguration, Api::ListAutomatedDiscoveryAccounts, Api::ListMembers],
        applies: is_administrator_with_discovery,
        judge: Judge::Target(accounts),
    },
    Check {
        id: "discovery-bucket-excluded",
        severity: Severity::Medium,
        title: "Bucket is excluded from automated sensitive data discovery",
        risk: "Macie does not look for sensitive data in this bucket, and keeps showing what it found before.",
        fix: "Remove it from the exclusions in the settings of Automated discovery in the Macie console, or with UpdateClassificationScope.",
        needs: &[Api::GetAutomatedDiscoveryConfiguration, Api::ListClassificationScopes, Api::GetClassificationScope],
        applies: |evidence, _| Some(has_discovery(evidence)),
        judge: Judge::Target(|evidence, _| {
            let buckets = evidence.discovery.excluded_buckets.iter().filter(|_| has_discovery(evidence));
            let problem = |name: &String| {
                Problem::with(Resource { name: Some(name.clone()), ..Resource::new(ResourceType::Bucket, name) })
            };
            buckets.map(problem).collect()
        }),
    },
    Check {
        id: "discovery-detector-excluded",
        severity: Severity::Medium,
        title: "Managed data identifier is excluded from automated sensitive data discovery",
        risk: "Macie does not look for this kind of sensitive data.",
        fix: "Remove it from the excluded managed data identifiers in the settings of Automated discovery in the Macie console, or with UpdateSensitivityInspectionTemplate.",
        needs: &[
            Api::GetAutomatedDiscoveryConfiguration,
            Api::ListSensitivityInspectionTemplates,
            Api::GetSensitivityInspectionTemplate,
            Api::ListManagedDataIdentifiers,
        ],
        applies: |evidence, _| Some(has_discovery(evidence)),
        judge: Judge::Target(|evidence, _| {
            let identifiers = evidence.discovery.excluded_identifiers.iter().filter(|_| has_discovery(evidence));
            identifiers
                .map(|identifier| Problem {
                    severity: (identifier.category.as_deref() == Some("CREDENTIALS")).then_some(Severity::High),
                    status: identifier.category.clone(),
                    ..Problem::with(Resource::new(ResourceType::ManagedDataIdentifier, &identifier.id))
                })
                .collect()
        }),
    },
];

/// A member account has no settings of discovery: its administrator has them. Where the role could not be read, the
/// service's own words tell.
fn is_no_member(evidence: &Evidence) -> bool {
    let read = evidence.state_of(Api::GetAutomatedDiscoveryConfiguration);
    let is_for_others = read == ReadState::Complete && evidence.discovery.status.is_none();
    evidence.role() != Some(AccountRole::Member) && !is_for_others
}

/// Where discovery is off, there is nothing to leave out of it.
fn has_discovery(evidence: &Evidence) -> bool {
    is_no_member(evidence) && evidence.discovery.status.as_deref() != Some("DISABLED")
}

/// A standalone account has no members to enable it for.
fn is_administrator_with_discovery(evidence: &Evidence, _: &Policy) -> Option<bool> {
    if !has_discovery(evidence) || evidence.is_no_administrator() {
        return Some(false);
    }
    // One that administers Macie for an organization is an administrator, even where its own could not be read.
    let is_administrator = evidence.organization.is_some() || evidence.role() == Some(AccountRole::Administrator);
    is_administrator.then_some(true)
}

fn of_account(scope: &Scope<'_>, is_weak: bool, status: Option<&str>) -> Vec<Problem> {
    let resource = Resource::new(ResourceType::Discovery, &scope.target.account_id);
    is_weak.then(|| Problem { status: status.map(str::to_owned), ..Problem::with(resource) }).into_iter().collect()
}

/// Enabled members for which discovery is off. What became of the others the checks of members say.
fn accounts(evidence: &Evidence, _: &Scope<'_>) -> Vec<Problem> {
    let enabled = evidence.members.ids_by_status.get("Enabled");
    let Some(enabled) = enabled.filter(|_| has_discovery(evidence)) else { return Vec::new() };
    let enabled: BTreeSet<&str> = enabled.iter().map(String::as_str).collect();
    let disabled: BTreeSet<&str> = evidence.discovery.disabled_accounts.iter().map(String::as_str).collect();
    disabled.intersection(&enabled).map(|id| Problem::with(Resource::new(ResourceType::Account, *id))).collect()
}
