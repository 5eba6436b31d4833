//! Organizations: ListAccounts.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::items::{Role, account_id, expand, object, texts};
use crate::macie::Macie;
use crate::paging::{Pager, Walk};
use crate::record::held;
use crate::seed::{FaultKind, OrganizationSeed, Spelling};
use crate::wire::{Answer, Call, ServiceError};

/// What the name of an operation begins with in the header that says it.
const TARGET: &str = "AWSOrganizationsV20161128.";

/// The organization of every account, in its ARN.
const ORGANIZATION: &str = "o-simulated00";

/// 5 January 2026, in seconds since 1970.
const JOINED: u64 = 1_767_600_000;

/// The organizations that accounts are in.
#[derive(Debug)]
pub(crate) struct Organizations {
    seeds: BTreeMap<String, OrganizationSeed>,
    /// The accounts that each caller is told, rendered when first asked for.
    accounts: Mutex<HashMap<String, Arc<Vec<String>>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
struct ListAccounts {
    max_results: Option<usize>,
    next_token: Option<String>,
}

/// The operation that a request is for, by its header.
pub(crate) fn operation(target: Option<&str>) -> &str {
    target.and_then(|target| target.strip_prefix(TARGET)).unwrap_or_default()
}

impl Organizations {
    pub(crate) fn new(seeds: BTreeMap<String, OrganizationSeed>) -> Organizations {
        Organizations { seeds, accounts: Mutex::default() }
    }

    pub(crate) fn answer(
        &self,
        call: &Call,
        macie: &Macie,
        pager: &Pager,
        fault: Option<&FaultKind>,
    ) -> Result<Answer, ServiceError> {
        if call.operation != "ListAccounts" {
            return Err(ServiceError::new(400, "UnknownOperationException", "There is no such operation"));
        }
        let invalid = |message: String| ServiceError::new(400, "InvalidInputException", message);
        let asked: ListAccounts = call.json_or_default().map_err(|error| invalid(error.message))?;
        let size = asked.max_results.unwrap_or(20);
        if !(1..=20).contains(&size) {
            return Err(invalid("MaxResults is not a number from 1 to 20".to_owned()));
        }
        let accounts = self.accounts(&call.caller.account, macie)?;
        let walk = Walk {
            api: call.operation.clone(),
            account: call.caller.account.clone(),
            region: call.caller.region.clone(),
            parameters: format!("{:?}", asked.max_results),
        };
        let page = pager.page(&walk, asked.next_token.as_deref(), size, accounts.len(), fault);
        let page = page.map_err(|error| invalid(error.message))?;
        let accounts = accounts[page.items].join(",");
        let next = page.next.map_or(String::new(), |next| format!(",\"NextToken\":{}", json!(next)));
        Ok(Answer::json_1_1(format!("{{\"Accounts\":[{accounts}]{next}}}")))
    }

    fn accounts(&self, caller: &str, macie: &Macie) -> Result<Arc<Vec<String>>, ServiceError> {
        let not_in_use = || {
            let message = "Your account is not a member of an organization.";
            Err(ServiceError::new(400, "AWSOrganizationsNotInUseException", message))
        };
        let seed = match self.seeds.get(caller) {
            Some(seed) if !seed.in_use => return not_in_use(),
            Some(seed) => seed.clone(),
            None => match macie.role(caller) {
                Some(Role::Administrator) => OrganizationSeed::default(),
                Some(Role::Member) => {
                    let message = "You don't have permissions to access this resource.";
                    return Err(ServiceError::new(400, "AccessDeniedException", message));
                }
                Some(Role::Standalone) | None => return not_in_use(),
            },
        };
        Ok(held(&self.accounts)
            .entry(caller.to_owned())
            .or_insert_with(|| Arc::new(render(&seed, caller, &macie.watched(caller))))
            .clone())
    }
}

fn render(seed: &OrganizationSeed, caller: &str, watched: &[String]) -> Vec<String> {
    let management = seed.management_account.as_deref().unwrap_or(caller);
    let account = |id: &str, _| account(id, management);
    let own = || [caller].into_iter().chain(watched.iter().map(String::as_str)).map(|id| json!({ "Id": id })).collect();
    let given = seed.accounts.clone().unwrap_or_else(own);
    let mut accounts = expand(&given, "Id", account_id(1), account);
    accounts.extend(expand(&seed.more_accounts, "Id", account_id(4), account));
    accounts.iter_mut().filter_map(Value::as_object_mut).for_each(|account| spell(account, seed.spelling));
    texts(accounts.iter())
}

fn account(id: &str, management: &str) -> Map<String, Value> {
    object(json!({
        "Arn": format!("arn:aws:organizations::{management}:account/{ORGANIZATION}/{id}"),
        "Email": format!("account-{id}@example.com"),
        "Id": id,
        "JoinedMethod": "CREATED",
        "JoinedTimestamp": JOINED,
        "Name": format!("account-{id}"),
        "Paths": [format!("{ORGANIZATION}/r-simu/{id}/")],
        "State": "ACTIVE",
    }))
}

/// Tells the state of an account, which the seed has in `State`, as the organization does.
fn spell(account: &mut Map<String, Value>, spelling: Spelling) {
    let state = account.get("State").cloned();
    if matches!(spelling, Spelling::Status | Spelling::Neither) {
        account.remove("State");
    }
    if let (Spelling::Status | Spelling::Both, Some(state)) = (spelling, state) {
        // The old field had only three values.
        let status = match state.as_str() {
            Some("CLOSED") => json!("SUSPENDED"),
            Some("PENDING_ACTIVATION") => json!("ACTIVE"),
            _ => state,
        };
        account.entry("Status").or_insert(status);
    }
}
