//! A read that fails is part of the report: the other reads go on, and nobody is told COMPLIANT. The
//! matrix has every API with every fault; here is what the report says besides.

use macie_compliance_core::api::{Api, Service};
use serde_json::{Value, json};
use simulator::lambda::{Invocation, Outcome};
use simulator::{Fault, FaultKind, Seed, TargetSeed};

use crate::function::{ACCOUNT, Function, error, faulty, healthy, read, seed, text, violations};

const APIS: [&str; 5] =
    ["GetMacieSession", "GetAdministratorAccount", "ListMembers", "ListInvitations", "ListFindingsFilters"];

/// The report when one API fails, after checking that only its read is incomplete.
async fn report_of(api: &str, kind: FaultKind) -> Value {
    let mut seed = faulty(api, kind.clone());
    if api == "GetAdministratorAccount" {
        seed.faults.push(Fault::of("macie2", "GetMasterAccount", kind));
    }
    let report = Function::start(seed).await.report().await;
    assert_eq!((&report["verdict"], &report["complete"]), (&json!("INSUFFICIENT_DATA"), &json!(false)), "{api}");
    assert_eq!(report["summary"]["targetsIncomplete"], 1);
    for other in APIS.iter().filter(|other| **other != api) {
        assert_eq!(read(&report, other)["complete"], true, "{other} goes on while {api} fails");
    }
    report
}

#[tokio::test]
async fn a_denied_read_names_the_permission_that_would_fix_it() {
    for api in APIS {
        let report =
            report_of(api, error(403, "AccessDeniedException", "User is not authorized to perform this")).await;
        let failed = &read(&report, api)["error"];
        assert_eq!(failed["code"], "AccessDeniedException", "{api}");
        assert_eq!(failed["message"], "User is not authorized to perform this");
        assert!(failed["requestId"].is_string());
        assert!(failed["hint"].as_str().is_some_and(|hint| hint.contains(&format!("macie2:{api}"))), "{failed}");
    }
}

#[tokio::test]
async fn macie_disabled_in_the_middle_of_a_walk_leaves_the_rest_unread() {
    let mut seed = faulty("ListMembers", error(403, "AccessDeniedException", "Macie is not enabled"));
    seed.faults[0].from = 2;
    let function = Function::with(seed, &[("DISABLED_RULES", "macie-not-enabled")]).await;
    let report = function.report().await;
    assert_eq!(report["verdict"], "INSUFFICIENT_DATA");
    assert_eq!(read(&report, "ListMembers")["error"]["code"], "AccessDeniedException");
}

#[tokio::test]
async fn the_older_name_does_where_only_it_is_allowed_or_known() {
    for kind in [
        error(403, "AccessDeniedException", "not authorized"),
        error(404, "UnknownOperationException", ""),
        FaultKind::Respond { status: 404, content_type: "text/html".to_owned(), body: "<html>".to_owned() },
    ] {
        let mut seed = faulty("GetAdministratorAccount", kind);
        seed.targets[0].administrator = Some(json!({"accountId": "3", "relationshipStatus": "AccountSuspended"}));
        let report = Function::start(seed).await.report().await;
        assert_eq!(report["complete"], true);
        assert_eq!(read(&report, "GetMasterAccount")["items"], 1);
        assert_eq!(report["violations"][0]["rule"], "administrator-account-suspended");
    }
}

#[tokio::test]
async fn failures_of_earlier_runs_take_no_retry_from_later_ones() {
    let function = Function::start(seed(healthy())).await;
    let every = |times| {
        let fault = |api: &&str| Fault { times, ..Fault::of("macie2", api, error(500, "InternalServerException", "")) };
        APIS.iter().map(fault).collect()
    };
    function.aws.set_faults(every(None));
    for _ in 0..2 {
        assert_eq!(function.answer(json!({})).await["verdict"], "INSUFFICIENT_DATA");
    }
    function.aws.set_faults(every(Some(2)));
    assert_eq!(function.answer(json!({})).await["verdict"], "COMPLIANT");
}

#[tokio::test]
async fn credentials_that_the_region_does_not_know_are_told_as_such() {
    let report =
        report_of("ListMembers", error(403, "UnrecognizedClientException", "The security token is invalid")).await;
    let failed = &read(&report, "ListMembers")["error"];
    assert!(failed["hint"].as_str().is_some_and(|hint| hint.contains("us-east-1")), "{failed}");
}

#[tokio::test]
async fn a_deadline_and_an_arn_as_cargo_lambda_watch_gives_them_end_no_run() {
    let function = Function::start(seed(healthy())).await;
    let invocation =
        Invocation { deadline_ms: 600_000, function_arn: "function-arn".to_owned(), ..Invocation::new(json!({})) };
    let Outcome::Answer(answer) = function.invoke(invocation).await else { panic!("it fails") };
    assert_eq!(answer["verdict"], "COMPLIANT");
    assert_eq!(
        function.published()[0]["targets"][0]["accountId"],
        crate::function::ACCOUNT,
        "the topic's owner stands in"
    );
}

#[tokio::test]
async fn a_region_that_a_service_control_policy_denies_is_one_item_of_the_mail_that_says_what_helps() {
    let denied = ["eu-north-1", "eu-south-1", "sa-east-1"];
    // What the account is to Macie is not known there, so that it is asked everything.
    let all = || Api::ALL.iter().map(|api| api.row()).filter(|row| row.service == Service::Macie);
    let fault = |region: &&str| {
        all().map(|row| row.operation).map(|api| Fault {
            region: Some((*region).to_owned()),
            ..Fault::of("macie2", api, error(403, "AccessDeniedException", &format!(
                "User: arn:aws:sts::999999999999:assumed-role/macie-compliance-FunctionRole-1QWERTY2ASDF/macie-compliance-Function-AbCdEfGhIjKl is not authorized to perform: macie2:{api} on resource: arn:aws:macie2:{region}:999999999999:* with an explicit deny in a service control policy: arn:aws:organizations::111122223333:policy/o-exampleorgid/service_control_policy/p-examplepolicyid"
            )))
        }).collect::<Vec<_>>()
    };
    let faults = denied
        .iter()
        .flat_map(fault)
        .chain([Fault::of("macie2", "GetMasterAccount", error(403, "AccessDeniedException", "no"))])
        .collect();
    let function = Function::with(Seed { faults, ..seed(healthy()) }, &[("MACIE_REGIONS", "all")]).await;
    assert_eq!(function.answer(json!({})).await["summary"]["targetsIncomplete"], 3);
    let mail = text(&function.aws.messages()[0].body, "email");
    let flat = mail.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(mail.lines().filter(|line| line.starts_with("- ")).count(), 1, "{mail}");
    for part in APIS.iter().chain(&denied).chain(&[
        "denied by a service control policy",
        "out of MACIE_REGIONS",
        "p-examplepolicyid",
    ]) {
        assert!(flat.contains(part), "{part} in {mail}");
    }
    assert!(!flat.contains("Fix: allow"), "it is allowed already: {mail}");
    let report = function.published().remove(0);
    let failed = report["targets"].as_array().expect("a list").iter().find(|target| target["region"] == "eu-north-1");
    let hint = failed.expect("the target")["reads"][0]["error"]["hint"].as_str().expect("a hint");
    assert!(hint.starts_with("take eu-north-1 out of MACIE_REGIONS"), "{hint}");
}

#[tokio::test]
async fn a_token_that_no_request_could_carry_fails_its_list_and_no_other() {
    let next = "x".repeat(66_000);
    let body = json!({"members": [], "nextToken": next}).to_string();
    let long = FaultKind::Respond { status: 200, content_type: "application/json".to_owned(), body };
    let report = Function::start(faulty("ListMembers", long)).await.report().await;
    assert_eq!((&report["verdict"], &report["complete"]), (&json!("INSUFFICIENT_DATA"), &json!(false)));
    assert_eq!(read(&report, "ListMembers")["error"]["code"], "InvalidResponse");
    assert_eq!(read(&report, "ListFindingsFilters")["complete"], true);
}

/// Macie says of a session that it is there, and of a list that Macie is not enabled.
#[tokio::test]
async fn that_macie_is_off_is_no_answer_where_a_session_says_more_or_no_rule_is_about_it() {
    let off = || error(403, "AccessDeniedException", "Macie is not enabled");
    let session = json!({"status": "PAUSED"}).as_object().cloned().unwrap_or_default();
    let paused = TargetSeed { session, ..healthy() };
    let world = Seed { targets: vec![paused], ..faulty("ListFindingsFilters", off()) };
    let report = Function::start(world).await.report().await;
    assert_eq!(violations(&report), [("macie-paused".to_owned(), ACCOUNT.to_owned())]);
    assert_eq!(read(&report, "ListFindingsFilters")["complete"], false);
    let variables = [("DISABLED_RULES", "macie-not-enabled")];
    let report = Function::with(faulty("ListFindingsFilters", off()), &variables).await.report().await;
    assert_eq!((&report["verdict"], &report["violations"]), (&json!("INSUFFICIENT_DATA"), &json!([])));
}
