//! Organizations lists the accounts of an organization.

use crate::client::{Heard, ask_as, exchange};
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, Seed, Simulator};

const TARGET: &str = "x-amz-target: AWSOrganizationsV20161128.ListAccounts\r\n";

async fn start(seed: Value) -> Simulator {
    let seed: Seed = serde_json::from_value(seed).expect("a seed");
    Simulator::start(seed).await.expect("it starts")
}

async fn send(simulator: &Simulator, key: &str, target: &str, body: &str) -> Heard {
    let scope = format!("{key}/20261122/us-east-1/organizations/aws4_request");
    let headers = format!("authorization: AWS4-HMAC-SHA256 Credential={scope}, Signature=0\r\n{target}");
    exchange(&simulator.url()[7..], "POST /", &headers, body).await
}

async fn list(simulator: &Simulator, body: Value) -> Heard {
    send(simulator, "AKID", TARGET, &body.to_string()).await
}

/// Every account, over all pages of a size, and the sizes of the pages.
async fn all(simulator: &Simulator, size: usize) -> (Vec<Value>, Vec<usize>) {
    let (mut accounts, mut sizes, mut body) = (Vec::new(), Vec::new(), json!({ "MaxResults": size }));
    loop {
        let page = list(simulator, body.clone()).await.json();
        let here = page["Accounts"].as_array().expect("a list");
        sizes.push(here.len());
        accounts.extend(here.clone());
        let Some(next) = page.get("NextToken") else {
            return (accounts, sizes);
        };
        body["NextToken"] = next.clone();
    }
}

fn ids(accounts: &[Value]) -> Vec<&str> {
    accounts.iter().map(|account| account["Id"].as_str().expect("an id")).collect()
}

fn error(heard: &Heard) -> (u16, String) {
    let body = heard.json();
    assert!(body["Message"].is_string());
    (heard.status(), body["__type"].as_str().expect("a code").to_owned())
}

#[tokio::test]
async fn an_organization_that_nothing_is_said_of_is_watched_whole() {
    let simulator = start(json!({"targets": [
        {"region": "us-east-1", "members": [{"count": 3}, {"accountId": "100000000009", "relationshipStatus": "Paused"}]},
        {"region": "eu-west-1", "members": [{"count": 2}, {"accountId": "100000000009"}]},
        {"region": "eu-west-2", "enabled": false},
    ]}))
    .await;
    let (accounts, _) = all(&simulator, 20).await;
    assert_eq!(ids(&accounts), ["999999999999", "100000000001", "100000000002"]);
    assert!(accounts.iter().all(|account| account["State"] == "ACTIVE" && account.get("Status").is_none()));
    assert!(accounts.iter().all(|account| account["JoinedTimestamp"].as_u64().is_some_and(|at| at < 1_780_000_000)));
    let arn = "arn:aws:organizations::999999999999:account/o-simulated00/100000000001";
    assert_eq!(accounts[1]["Arn"], arn);
}

#[tokio::test]
async fn pages_are_small_and_some_are_empty() {
    let simulator = start(json!({
        "targets": [{"members": [{"count": 50}]}], "paging": {"emptyPageEvery": 2, "tokenLength": 400},
        "organizations": {"999999999999": {"moreAccounts": [{"count": 2, "State": "SUSPENDED"}]}},
    }))
    .await;
    let (accounts, sizes) = all(&simulator, 20).await;
    assert_eq!(sizes, [20, 20, 0, 13]);
    assert_eq!(accounts.iter().filter(|account| account["State"] == "SUSPENDED").count(), 2);
    let mut ids = ids(&accounts);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 53);
    assert_eq!(simulator.requests()[0].body, json!({"MaxResults": 20}));
    assert_eq!(list(&simulator, json!({})).await.json()["Accounts"].as_array().map(Vec::len), Some(20));
    for wrong in [json!({"MaxResults": 21}), json!({"MaxResults": 0}), json!({"NextToken": "x"}), json!({"Max": 1})] {
        let heard = list(&simulator, wrong).await;
        assert_eq!(error(&heard), (400, "InvalidInputException".to_owned()));
        assert_eq!(heard.header("content-type"), Some("application/x-amz-json-1.1"));
    }
}

#[tokio::test]
async fn the_state_of_an_account_is_spelt_in_four_ways() {
    let states = ["ACTIVE", "SUSPENDED", "PENDING_CLOSURE", "CLOSED", "PENDING_ACTIVATION"];
    let given: Vec<_> = states.iter().map(|state| json!({ "State": state })).collect();
    for (spelling, has_state, has_status) in
        [("state", true, false), ("status", false, true), ("both", true, true), ("neither", false, false)]
    {
        let organization = json!({"accounts": given, "spelling": spelling, "managementAccount": "444444444444"});
        let simulator = start(json!({"organizations": {"999999999999": organization}})).await;
        let (accounts, _) = all(&simulator, 20).await;
        let of = |name: &str| accounts.iter().filter_map(|account| account.get(name)?.as_str()).collect::<Vec<_>>();
        assert_eq!(of("State"), if has_state { states.to_vec() } else { Vec::new() });
        let statuses = ["ACTIVE", "SUSPENDED", "PENDING_CLOSURE", "SUSPENDED", "ACTIVE"];
        assert_eq!(of("Status"), if has_status { statuses.to_vec() } else { Vec::new() });
        assert!(of("Arn").iter().all(|arn| arn.contains("::444444444444:account/")));
    }
}

#[tokio::test]
async fn only_an_administrator_is_told() {
    let of = async |seed: Value| {
        let simulator = start(seed).await;
        error(&list(&simulator, json!({})).await)
    };
    let not_in_use = (400, "AWSOrganizationsNotInUseException".to_owned());
    assert_eq!(of(json!({})).await, not_in_use);
    let left = json!({"targets": [{"members": [{"count": 1}]}], "organizations": {"999999999999": {"inUse": false}}});
    assert_eq!(of(left).await, not_in_use);
    assert_eq!(of(json!({"targets": [{"administrator": {}}]})).await, (400, "AccessDeniedException".to_owned()));
    let faults = [("TooManyRequestsException", 400), ("ServiceException", 500)].map(|(code, status)| {
        json!({"service": "organizations", "api": "ListAccounts", "times": 1,
               "kind": {"type": "error", "status": status, "code": code}})
    });
    for fault in faults {
        let (status, code) = (fault["kind"]["status"].clone(), fault["kind"]["code"].clone());
        let told = of(json!({"targets": [{"members": [{"count": 1}]}], "faults": [fault]})).await;
        assert_eq!((json!(told.0), json!(told.1)), (status, code));
    }
}

#[tokio::test]
async fn it_is_another_service_with_faults_of_its_own() {
    let simulator = start(json!({"targets": [{"members": [{"count": 30}]}]})).await;
    simulator.set_faults(vec![Fault::of("organizations", "ListAccounts", FaultKind::EndlessEmpty)]);
    let page = list(&simulator, json!({})).await.json();
    assert_eq!((&page["Accounts"], page["NextToken"].is_string()), (&json!([]), true));
    simulator.set_faults(Vec::new());
    for target in
        ["", "x-amz-target: AWSOrganizationsV20161128.DescribeOrganization\r\n", "x-amz-target: ListAccounts\r\n"]
    {
        assert_eq!(error(&send(&simulator, "AKID", target, "{}").await), (400, "UnknownOperationException".to_owned()));
    }
    assert_eq!(simulator.requests()[0].operation, "ListAccounts");
    let unknown = json!({"faults": [{"service": "organizations", "api": "ListRoots", "kind": {"type": "reset"}}]});
    let unknown: Seed = serde_json::from_value(unknown).expect("a seed");
    assert!(Simulator::start(unknown).await.is_err());
    assert_eq!(ask_as(&simulator, "AKID", "us-east-1", "macie2", "GET /members", "").await.status(), 200);
}

#[tokio::test]
async fn each_administrator_is_told_of_its_own_organization() {
    let simulator = start(json!({"targets": [
        {"members": [{"count": 1}]},
        {"accountId": "888888888888", "members": [{"accountId": "200000000002"}]},
    ]}))
    .await;
    let heard = send(&simulator, "ASIASIMULATED888888888888", TARGET, "{}").await.json();
    assert_eq!(ids(heard["Accounts"].as_array().expect("a list")), ["888888888888", "200000000002"]);
}
