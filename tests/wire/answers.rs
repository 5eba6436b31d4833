//! Answers that say less than they should, say something new, or come before it is known whom they are for.

use macie_compliance_core::api::Api;
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, OrganizationSeed, TargetSeed};

use crate::function::{Function, error, read, seed, violations};
use crate::mutes::{
    LIST, ONE, administrator, asked, denied, map, member, outcomes, report_of, with_fault, with_organization,
    without_permission,
};

fn answer(body: &Value) -> FaultKind {
    FaultKind::Respond { status: 200, content_type: "application/json".to_owned(), body: body.to_string() }
}

/// An account alone, which has a setting for members that it does not have.
fn alone() -> TargetSeed {
    TargetSeed { discovery: map(json!({"autoEnableOrganizationMembers": "NONE"})), ..TargetSeed::default() }
}

#[tokio::test]
async fn an_account_alone_has_no_members_to_enable_discovery_for() {
    let rule = "discovery-not-for-all-members";
    assert_eq!(outcomes(&report_of(seed(alone())).await)[rule], "-");
    let variables = [("DISABLED_RULES", "member-*,roster-*,discovery-account-disabled")];
    let report = Function::with(seed(alone()), &variables).await.report().await;
    assert_eq!((&report["verdict"], outcomes(&report)[rule]), (&json!("COMPLIANT"), "-"));
    // Where it is not known that it is alone, nothing is said.
    for api in [Api::DescribeOrganizationConfiguration, Api::ListMembers] {
        let report = report_of(without_permission(api, alone())).await;
        assert_eq!((&report["verdict"], outcomes(&report)[rule]), (&json!("INSUFFICIENT_DATA"), "not evaluated"));
    }
    // One that administers Macie for an organization is none, even where its own administrator could not be read.
    for api in [Api::GetAdministratorAccount, Api::ListMembers] {
        let report = report_of(without_permission(api, administrator())).await;
        assert_eq!(outcomes(&report)[rule], "passed", "{api:?}");
    }
}

#[tokio::test]
async fn an_answer_that_leaves_out_what_a_rule_is_about_is_none() {
    let with_list = |list: Value| TargetSeed {
        allow_lists: vec![list],
        discovery_template: map(json!({"includes": {"allowListIds": [LIST]}})),
        ..administrator()
    };
    let list = |body: Value| {
        let mut list =
            json!({"id": LIST, "arn": "arn:aws:macie2:us-east-1:999999999999:allow-list/1", "name": "words"});
        list.as_object_mut().expect("an object").extend(map(body));
        with_fault(
            seed(with_list(json!({"id": LIST, "criteria": {"regex": "x"}}))),
            "macie2",
            "GetAllowList",
            answer(&list),
        )
    };
    let of = |api: &str, body: Value| with_fault(seed(administrator()), "macie2", api, answer(&body));
    let jobs = |job: Value| of("ListClassificationJobs", json!({"items": [job]}));
    let id = "a".repeat(32);
    for (api, seed) in [
        ("GetFindingsPublicationConfiguration", of("GetFindingsPublicationConfiguration", json!({}))),
        (
            "GetFindingsPublicationConfiguration",
            of(
                "GetFindingsPublicationConfiguration",
                json!({"securityHubConfiguration": {"publishPolicyFindings": true}}),
            ),
        ),
        ("GetAllowList", list(json!({"criteria": {"regex": "x"}, "status": {}}))),
        ("GetAllowList", list(json!({"status": {"code": "OK"}}))),
        ("GetAllowList", list(json!({"criteria": {}, "status": {"code": "OK"}}))),
        ("GetAutomatedDiscoveryConfiguration", of("GetAutomatedDiscoveryConfiguration", json!({"status": "ENABLED"}))),
        (
            "ListAutomatedDiscoveryAccounts",
            of("ListAutomatedDiscoveryAccounts", json!({"items": [{"accountId": ONE, "status": "PAUSED"}]})),
        ),
        (
            "ListClassificationJobs",
            jobs(json!({"jobId": id, "name": "j", "jobType": "SCHEDULED", "jobStatus": "SUSPENDED"})),
        ),
        (
            "ListClassificationJobs",
            jobs(json!({"jobId": id, "name": "j", "jobType": "RECURRING", "jobStatus": "RUNNING"})),
        ),
        (
            "ListClassificationJobs",
            jobs(json!({"jobId": id, "name": "j", "jobType": "SCHEDULED", "jobStatus": "IDLE",
                "lastRunErrorStatus": {"code": "PARTIAL"}})),
        ),
        (
            "GetAdministratorAccount",
            with_fault(
                seed(member()),
                "macie2",
                "GetAdministratorAccount",
                answer(&json!({"administrator": {"relationshipStatus": "Enabled"}})),
            ),
        ),
    ] {
        let report = report_of(seed).await;
        let found = read(&report, api);
        assert_eq!(found["error"]["code"], "InvalidResponse", "{api}: {report}");
        assert_eq!(report["complete"], false, "{api}");
        let named = violations(&report);
        assert!(named.iter().all(|(rule, _)| rule == "allow-list-in-use"), "{api}: {named:?}");
    }
}

#[tokio::test]
async fn an_organization_that_is_not_in_use_has_no_rules() {
    let not_in_use = OrganizationSeed { in_use: false, ..OrganizationSeed::default() };
    let weak = map(json!({"autoEnable": false, "maxAccountLimitReached": true}));
    let target = TargetSeed { organization: Some(weak), ..administrator() };
    let report = report_of(simulator::Seed { targets: vec![target], ..with_organization(not_in_use) }).await;
    assert_eq!(report["verdict"], "COMPLIANT", "{report}");
    for (rule, outcome) in outcomes(&report).iter().filter(|(rule, _)| rule.starts_with("roster-")) {
        assert_eq!(*outcome, "-", "{rule}");
    }
}

/// What is for accounts without an administrator is asked where the administrator is late. That it is refused
/// to a member, in whatever words, is then no read that failed.
#[tokio::test]
async fn what_was_asked_too_early_is_not_missing() {
    let for_others = [
        "DescribeOrganizationConfiguration",
        "GetAutomatedDiscoveryConfiguration",
        "ListAutomatedDiscoveryAccounts",
        "ListClassificationScopes",
        "ListSensitivityInspectionTemplates",
    ];
    let mut faults = vec![Fault::of("macie2", "GetAdministratorAccount", FaultKind::Slow { ms: 3_000 })];
    let refused = |api: &&str| Fault::of("macie2", api, error(403, "AccessDeniedException", "not for you"));
    faults.extend(for_others.iter().map(refused));
    let function = Function::start(simulator::Seed { faults, ..seed(member()) }).await;
    let report = function.report().await;
    assert!(asked(&function).contains_key("ListClassificationScopes"), "it is asked before the role is known");
    assert_eq!(report["verdict"], "COMPLIANT", "{report}");
}

#[tokio::test]
async fn that_something_is_for_others_is_no_answer_to_an_administrator() {
    let words = "The request failed because you must be the Macie administrator for an organization to do this.";
    for api in ["ListClassificationScopes", "ListSensitivityInspectionTemplates", "GetAutomatedDiscoveryConfiguration"]
    {
        let refused = error(403, "AccessDeniedException", words);
        let report = report_of(with_fault(seed(administrator()), "macie2", api, refused)).await;
        assert_eq!((&report["verdict"], &report["complete"]), (&json!("INSUFFICIENT_DATA"), &json!(false)), "{api}");
        assert_eq!(read(&report, api)["error"]["code"], "AccessDeniedException");
    }
}

#[tokio::test]
async fn a_region_without_allow_lists_is_not_asked_what_they_are_used_in() {
    let job = json!({"jobStatus": "RUNNING", "jobType": "ONE_TIME", "allowListIds": [LIST]});
    let target = TargetSeed { jobs: vec![job], ..administrator() };
    let refused = |api: &str| Fault::of("macie2", api, denied(&format!("macie2:{api}")));
    for (disabled, apis) in [
        ("macie-paused", &["DescribeClassificationJob"][..]),
        (
            "discovery-*,job-*",
            &["DescribeClassificationJob", "ListClassificationJobs", "ListSensitivityInspectionTemplates"],
        ),
    ] {
        let faults = apis.iter().map(|api| refused(api)).collect();
        let variables = [("MACIE_REGIONS", "ap-northeast-3"), ("DISABLED_RULES", disabled)];
        let function = Function::with(simulator::Seed { faults, ..seed(target.clone()) }, &variables).await;
        let report = function.report().await;
        assert_eq!(report["verdict"], "COMPLIANT", "{report}");
        let asked = asked(&function);
        assert!(apis.iter().all(|api| !asked.contains_key(*api)), "{asked:?}");
        assert_eq!(outcomes(&report)["allow-list-in-use"], "-");
    }
}
