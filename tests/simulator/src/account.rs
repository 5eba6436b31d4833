//! `account:ListRegions`.

use serde::Deserialize;
use serde_json::json;

use crate::paging::{Pager, Walk};
use crate::seed::{FaultKind, RegionSeed};
use crate::wire::{Answer, Call, ServiceError};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
struct ListRegions {
    account_id: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
    region_opt_status_contains: Option<Vec<String>>,
}

pub(crate) fn answer(
    call: &Call,
    regions: &[RegionSeed],
    pager: &Pager,
    fault: Option<&FaultKind>,
) -> Result<Answer, ServiceError> {
    if call.operation != "ListRegions" {
        let message = "There is no such operation";
        return Err(ServiceError::new(404, "UnknownOperationException", message));
    }
    let request: ListRegions = call.json_or_default()?;
    let asked = request.max_results.unwrap_or(50);
    if !(1..=50).contains(&asked) {
        let message = "MaxResults is not a number from 1 to 50";
        return Err(ServiceError::validation(message));
    }
    let wanted = &request.region_opt_status_contains;
    let regions: Vec<_> = regions
        .iter()
        .filter(|region| match wanted {
            Some(wanted) => wanted.contains(&region.opt_status),
            None => true,
        })
        .map(|region| json!({"RegionName": region.name, "RegionOptStatus": region.opt_status}))
        .collect();
    let walk = Walk {
        api: call.operation.clone(),
        account: call.caller.account.clone(),
        region: call.caller.region.clone(),
        parameters: format!("{:?} {:?} {wanted:?}", request.account_id, request.max_results),
    };
    let token = request.next_token.as_deref();
    let page = pager.page(&walk, token, asked, regions.len(), fault)?;
    let mut body = json!({ "Regions": regions[page.items] });
    if let Some(next) = page.next {
        body["NextToken"] = next.into();
    }
    Ok(Answer::json(body.to_string()))
}
