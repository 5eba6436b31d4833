//! What Macie refuses: what the account is no part in, what is not allowed, and where it is off.

use std::fmt::Write;

use crate::client::{Heard, ask, ask_as};
use serde_json::{Value, json};
use simulator::{Seed, Simulator, TargetSeed};

const READS: [&str; 16] = [
    "GET /macie",
    "GET /members",
    "GET /findingsfilters",
    "POST /findings/statistics",
    "GET /admin/configuration",
    "GET /automated-discovery/configuration",
    "GET /automated-discovery/accounts",
    "GET /classification-scopes",
    "GET /classification-scopes/x",
    "GET /templates/sensitivity-inspections",
    "GET /templates/sensitivity-inspections/x",
    "GET /allow-lists",
    "POST /jobs/list",
    "POST /datasources/s3",
    "GET /findings-publication-configuration",
    "GET /classification-export-configuration",
];

async fn start(target: Value) -> Simulator {
    let target: TargetSeed = serde_json::from_value(target).expect("a target");
    Simulator::start(Seed { targets: vec![target], ..Seed::default() }).await.expect("it starts")
}

/// Which of the meanings of AccessDeniedException an answer has.
fn refusal(heard: &Heard) -> &'static str {
    if heard.header("x-amzn-errortype") != Some("AccessDeniedException") {
        return "";
    }
    let message = heard.json()["message"].as_str().expect("a message").to_owned();
    let known = [
        ("Macie is not enabled", "off"),
        ("you must be the Macie administrator for an organization", "administrator only"),
        ("is not authorized to perform: macie2:", "permission"),
        ("member account", "member"),
        ("not available in this Region", "Region"),
    ];
    known.into_iter().find(|(part, _)| message.contains(part)).map_or("unknown", |(_, meaning)| meaning)
}

#[tokio::test]
async fn each_role_may_ask_what_macie_lets_it() {
    let mut told = String::new();
    for (role, target) in [
        ("administrator", json!({"members": [{"count": 1}]})),
        ("administrator without members", json!({"organization": {}})),
        ("member", json!({"administrator": {}})),
        ("member with members", json!({"administrator": {}, "members": [{"count": 1}]})),
        ("standalone", json!({})),
        ("off", json!({"enabled": false, "members": [{"count": 1}]})),
    ] {
        let simulator = start(target).await;
        for line in READS {
            let body = if line.contains("statistics") { r#"{"groupBy": "type"}"# } else { "" };
            let refusal = refusal(&ask(&simulator, "macie2", line, body).await);
            if !refusal.is_empty() && (refusal, line) != ("off", "GET /macie") {
                writeln!(told, "{role}: {line}: {refusal}").expect("it is written");
            }
        }
    }
    let member = |role: &str| {
        format!(
            "{role}: GET /admin/configuration: administrator only\n\
             {role}: GET /automated-discovery/configuration: member\n\
             {role}: GET /automated-discovery/accounts: member\n\
             {role}: GET /classification-scopes: member\n\
             {role}: GET /classification-scopes/x: member\n\
             {role}: GET /templates/sensitivity-inspections: member\n\
             {role}: GET /templates/sensitivity-inspections/x: member\n"
        )
    };
    let standalone = "standalone: GET /admin/configuration: administrator only\n\
                      standalone: GET /automated-discovery/accounts: administrator only\n";
    let off: String = READS[1..]
        .iter()
        .map(|line| match *line {
            "GET /admin/configuration" => format!("off: {line}: administrator only\n"),
            _ => format!("off: {line}: off\n"),
        })
        .collect();
    assert_eq!(told, [&member("member"), &member("member with members"), standalone, &off].concat());
}

#[tokio::test]
async fn a_target_refuses_what_its_seed_says() {
    let simulator = start(json!({"members": [{"count": 1}], "refused": {
        "ListMembers": "permission",
        "DescribeOrganizationConfiguration": "notAdministrator",
        "ListAllowLists": "notEnabled",
    }}))
    .await;
    for (line, expected) in [
        ("GET /members", "permission"),
        ("GET /admin/configuration", "administrator only"),
        ("GET /allow-lists", "off"),
        ("GET /macie", ""),
    ] {
        assert_eq!(refusal(&ask(&simulator, "macie2", line, "").await), expected, "{line}");
    }
    for wrong in [
        json!({"refused": {"ListMember": "permission"}}),
        json!({"administrator": {}, "organization": {}}),
        json!({"administrator": {}, "discovery": {"status": "DISABLED"}}),
        json!({"administrator": {}, "excludedBuckets": ["logs"]}),
    ] {
        let target: TargetSeed = serde_json::from_value(wrong.clone()).expect("a target");
        assert!(Simulator::start(Seed { targets: vec![target], ..Seed::default() }).await.is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn one_region_has_no_allow_lists() {
    let simulator = start(json!({"allowLists": [{"id": "a"}]})).await;
    for (line, there) in [("GET /allow-lists", "Region"), ("GET /allow-lists/a", "Region"), ("POST /jobs/list", "")] {
        assert_eq!(refusal(&ask_as(&simulator, "AKID", "ap-northeast-3", "macie2", line, "").await), there);
        assert_eq!(refusal(&ask(&simulator, "macie2", line, "").await), "");
    }
}
