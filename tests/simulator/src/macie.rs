//! Macie's REST-JSON API, as far as an audit reads it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use hyper::Method;
use serde_json::json;

use crate::items::Target;
use crate::paging::{Pager, Walk};
use crate::record::held;
use crate::seed::{FaultKind, Seed, TargetSeed};
use crate::wire::{Answer, Call, ServiceError};

/// Every operation that is answered.
pub(crate) const OPERATIONS: [&str; 9] = [
    "GetAdministratorAccount",
    "GetFindingStatistics",
    "GetFindingsFilter",
    "GetMacieSession",
    "GetMasterAccount",
    "GetMember",
    "ListFindingsFilters",
    "ListInvitations",
    "ListMembers",
];

/// The operation that a request is for, by its path as it was sent, or the empty name.
pub(crate) fn operation(method: &Method, path: &str) -> &'static str {
    let parts: Vec<_> = path.split('/').collect();
    if method == Method::POST {
        return match parts[..] {
            ["", "findings", "statistics"] => "GetFindingStatistics",
            _ => "",
        };
    }
    if method != Method::GET {
        return "";
    }
    match parts[..] {
        ["", "administrator"] => "GetAdministratorAccount",
        ["", "findingsfilters", id] if !id.is_empty() => "GetFindingsFilter",
        ["", "macie"] => "GetMacieSession",
        ["", "master"] => "GetMasterAccount",
        ["", "members", id] if !id.is_empty() => "GetMember",
        ["", "findingsfilters"] => "ListFindingsFilters",
        ["", "invitations"] => "ListInvitations",
        ["", "members"] => "ListMembers",
        _ => "",
    }
}

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
            let message = "Macie is not enabled";
            return Err(ServiceError::new(status, "AccessDeniedException", message));
        };
        let relationship = |name: &str| match &target.administrator {
            Some(administrator) => format!("{{\"{name}\":{administrator}}}"),
            None => "{}".to_owned(),
        };
        let body = match call.operation.as_str() {
            "GetAdministratorAccount" => relationship("administrator"),
            "GetFindingStatistics" => target.findings.answer(call)?,
            "GetFindingsFilter" => found(target.filters.get(&call.resource))?,
            "GetMacieSession" => target.session.clone(),
            "GetMasterAccount" => relationship("master"),
            "GetMember" => found(target.member(&call.resource))?,
            "ListFindingsFilters" => list(call, pager, "findingsFilterListItems", &target.filters.listed, fault)?,
            "ListInvitations" => list(call, pager, "invitations", &target.invitations, fault)?,
            "ListMembers" => {
                let members = match call.parameter("onlyAssociated") {
                    None | Some("true") => &target.current_members,
                    Some("false") => &target.members,
                    Some(_) => {
                        let message = "onlyAssociated is neither true nor false";
                        return Err(ServiceError::validation(message));
                    }
                };
                list(call, pager, "members", members, fault)?
            }
            _ => {
                let message = "There is no such operation";
                return Err(ServiceError::new(404, "UnknownOperationException", message));
            }
        };
        Ok(Answer::json(body))
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

fn found(resource: Option<String>) -> Result<String, ServiceError> {
    let message = "The specified resource does not exist";
    resource.ok_or_else(|| ServiceError::new(404, "ResourceNotFoundException", message))
}

fn list(
    call: &Call,
    pager: &Pager,
    name: &str,
    items: &[String],
    fault: Option<&FaultKind>,
) -> Result<String, ServiceError> {
    let max_results = call.parameter("maxResults");
    let asked = match max_results.map(str::parse) {
        None => 25,
        Some(Ok(number @ 1..=25)) => number,
        Some(_) => {
            let message = "maxResults is not a number from 1 to 25";
            return Err(ServiceError::validation(message));
        }
    };
    let only_associated = call.parameter("onlyAssociated");
    let walk = Walk {
        api: call.operation.clone(),
        account: call.caller.account.clone(),
        region: call.caller.region.clone(),
        parameters: format!("{max_results:?} {only_associated:?}"),
    };
    let token = call.parameter("nextToken");
    let page = pager.page(&walk, token, asked, items.len(), fault)?;
    let items = items[page.items].join(",");
    let next = json!(page.next);
    Ok(format!("{{\"{name}\":[{items}],\"nextToken\":{next}}}"))
}
