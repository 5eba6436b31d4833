//! Macie's REST-JSON API, as far as an audit reads it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use crate::allow_lists;
use crate::discovery::Discovery;
use crate::items::{Role, Target};
use crate::lists::Lists;
use crate::paging::Pager;
use crate::record::held;
use crate::refusals::{check_role, refusal};
use crate::seed::{FaultKind, Refusal, Seed, TargetSeed};
use crate::wire::{Answer, Call, ServiceError, found};

/// Account and Region.
type Key = (String, String);

/// Macie in every account and Region.
#[derive(Debug)]
pub(crate) struct Macie {
    seeds: HashMap<Key, TargetSeed>,
    disabled_regions: Vec<String>,
    /// Rendered when first asked for, because a seed for `*` stands for any number of Regions.
    targets: Mutex<HashMap<Key, Option<Arc<Target>>>>,
}

impl Macie {
    pub(crate) fn new(seed: &Seed) -> Macie {
        let seeds = seed.targets.iter().map(|target| {
            let account = target.account_id.as_ref().unwrap_or(&seed.account);
            ((account.clone(), target.region.clone()), target.clone())
        });
        let disabled = seed.regions.iter().filter(|region| !region.opt_status.starts_with("ENABLED"));
        let macie = Macie {
            seeds: seeds.collect(),
            disabled_regions: disabled.map(|region| region.name.clone()).collect(),
            targets: Mutex::default(),
        };
        // Long lists take their time to render, which is no part of the first answer.
        for (account, region) in macie.seeds.keys().filter(|(_, region)| region != "*") {
            macie.target(account, region);
        }
        macie
    }

    pub(crate) fn answer(&self, call: &Call, pager: &Pager, fault: Option<&FaultKind>) -> Result<Answer, ServiceError> {
        if self.disabled_regions.contains(&call.caller.region) {
            let message = "The security token included in the request is invalid.";
            return Err(ServiceError::new(403, "UnrecognizedClientException", message));
        }
        let target = self.target(&call.caller.account, &call.caller.region);
        let status = target.as_ref().map_or(403, |found| found.not_enabled_status);
        let Some(target) = target.filter(|found| found.enabled) else {
            return Err(match call.operation.as_str() {
                // As it was seen to answer where Macie is off.
                "DescribeOrganizationConfiguration" => refusal(Refusal::NotAdministrator, call),
                _ => ServiceError { status, ..refusal(Refusal::NotEnabled, call) },
            });
        };
        if let Some(how) = target.refused.get(&call.operation) {
            return Err(refusal(*how, call));
        }
        check_role(target.role, call)?;
        Ok(Answer::json(answer(&target, &Lists { call, pager, fault })?))
    }

    /// What an account is in the first of its targets where Macie is enabled, an administrator before all else.
    pub(crate) fn role(&self, account: &str) -> Option<Role> {
        let roles: Vec<_> = self.targets_of(account).map(|target| target.role).collect();
        let administrator = roles.iter().find(|role| **role == Role::Administrator);
        administrator.or(roles.first()).copied()
    }

    /// The members that are `Enabled` in every target in which an account is the administrator.
    pub(crate) fn watched(&self, account: &str) -> Vec<String> {
        let mut targets = self.targets_of(account).filter(|target| target.role == Role::Administrator);
        let mut watched = targets.next().map(|target| target.watched.clone()).unwrap_or_default();
        for target in targets {
            let here: HashSet<&String> = target.watched.iter().collect();
            watched.retain(|id| here.contains(id));
        }
        watched
    }

    /// The targets of an account where Macie is enabled, in the order of their Regions.
    fn targets_of(&self, account: &str) -> impl Iterator<Item = Arc<Target>> {
        let mut regions: Vec<_> =
            self.seeds.keys().filter(|(its, _)| its == account).map(|(_, region)| region).collect();
        regions.sort();
        regions.into_iter().filter_map(|region| self.target(account, region)).filter(|target| target.enabled)
    }

    fn target(&self, account: &str, region: &str) -> Option<Arc<Target>> {
        let key = (account.to_owned(), region.to_owned());
        held(&self.targets)
            .entry(key.clone())
            .or_insert_with(|| {
                let any = (key.0.clone(), "*".to_owned());
                let seed = self.seeds.get(&key).or_else(|| self.seeds.get(&any))?;
                Some(Arc::new(Target::render(seed, account, region)))
            })
            .clone()
    }
}

fn answer(target: &Target, lists: &Lists<'_>) -> Result<String, ServiceError> {
    let call = lists.call;
    let relationship = |name: &str| match &target.administrator {
        Some(administrator) => format!("{{\"{name}\":{administrator}}}"),
        None => "{}".to_owned(),
    };
    match call.operation.as_str() {
        "DescribeBuckets" => target.buckets.list(lists),
        "DescribeClassificationJob" => found(target.jobs.catalog.get(&call.resource)),
        "DescribeOrganizationConfiguration" => Ok(target.organization.clone()),
        "GetAdministratorAccount" => Ok(relationship("administrator")),
        "GetAllowList" => {
            allow_lists::check(&target.place)?;
            found(target.allow_lists.get(&call.resource))
        }
        "GetClassificationExportConfiguration" => Ok(target.export.clone()),
        "GetFindingStatistics" => target.findings.answer(call),
        "GetFindingsFilter" => found(target.filters.get(&call.resource)),
        "GetFindingsPublicationConfiguration" => Ok(target.publication.clone()),
        "GetMacieSession" => Ok(target.session.clone()),
        "GetMasterAccount" => Ok(relationship("master")),
        "GetMember" => found(target.member(&call.resource)),
        "ListAllowLists" => {
            allow_lists::check(&target.place)?;
            lists.by_query("allowLists", &target.allow_lists.listed)
        }
        "ListClassificationJobs" => target.jobs.list(lists),
        "ListFindingsFilters" => lists.by_query("findingsFilterListItems", &target.filters.listed),
        "ListInvitations" => lists.by_query("invitations", &target.invitations),
        "ListManagedDataIdentifiers" => target.discovery.list_identifiers(lists),
        "ListMembers" => match call.parameter("onlyAssociated") {
            None | Some("true") => lists.by_query("members", &target.current_members),
            Some("false") => lists.by_query("members", &target.members),
            Some(_) => Err(ServiceError::validation("onlyAssociated is neither true nor false")),
        },
        operation if Discovery::answers(operation) => target.discovery.answer(lists),
        _ => Err(ServiceError::new(404, "UnknownOperationException", "There is no such operation")),
    }
}
