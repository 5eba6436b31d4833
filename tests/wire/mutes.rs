//! Every way to mute Macie beside its findings filters: what is asked of whom, and what is said of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use macie_compliance_core::api::{Api, Service};
use macie_compliance_core::checks::{self, Checks};
use serde_json::{Map, Value, json};
use simulator::{Fault, FaultKind, OrganizationSeed, Paging, Refusal, Seed, Spelling, TargetSeed};

use crate::function::{ACCOUNT, Function, error, read, seed, violations};
use crate::steps::{BUCKET, execute};

pub(crate) const ONE: &str = "100000000001";
const TWO: &str = "100000000002";
const OTHER: &str = "333333333333";
pub(crate) const LIST: &str = "al00000000000000000001";

pub(crate) fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

/// The administrator of an organization that is as one would like it.
pub(crate) fn administrator() -> TargetSeed {
    let member = |id: &str| json!({"accountId": id, "relationshipStatus": "Enabled"});
    TargetSeed { members: vec![member(ONE), member(TWO)], organization: Some(Map::new()), ..TargetSeed::default() }
}

pub(crate) fn member() -> TargetSeed {
    let administrator = Some(json!({"accountId": OTHER, "relationshipStatus": "Enabled"}));
    TargetSeed { administrator, ..TargetSeed::default() }
}

/// An administrator whose organization has these accounts beside those that it watches.
fn with_accounts(more_accounts: Vec<Value>) -> Seed {
    with_organization(OrganizationSeed { more_accounts, ..OrganizationSeed::default() })
}

pub(crate) fn with_organization(organization: OrganizationSeed) -> Seed {
    Seed { organizations: [(ACCOUNT.to_owned(), organization)].into(), ..seed(administrator()) }
}

pub(crate) fn with_fault(seed: Seed, service: &str, api: &str, kind: FaultKind) -> Seed {
    Seed { faults: vec![Fault::of(service, api, kind)], ..seed }
}

pub(crate) async fn report_of(seed: Seed) -> Value {
    Function::start(seed).await.report().await
}

/// What each rule came to in the one target of a run.
pub(crate) fn outcomes(report: &Value) -> BTreeMap<String, &'static str> {
    let names = [
        ("passed", "passed"),
        ("failed", "FAILED"),
        ("exempt", "exempt"),
        ("notApplicable", "-"),
        ("notEvaluated", "not evaluated"),
    ];
    let of = |counts: &Value| names.iter().find(|(name, _)| counts[name] == 1).map(|(_, shown)| *shown);
    let all = report["summary"]["outcomes"].as_object().expect("an object");
    all.iter().map(|(rule, counts)| (rule.clone(), of(counts).expect("one target"))).collect()
}

/// What was asked, with how often, of the services that are read.
pub(crate) fn asked(function: &Function) -> BTreeMap<String, usize> {
    let mut asked = BTreeMap::new();
    let requests = function.aws.requests();
    for request in requests.iter().filter(|request| ["macie2", "organizations"].contains(&request.service.as_str())) {
        *asked.entry(request.operation.clone()).or_default() += 1;
    }
    asked
}

pub(crate) fn denied(action: &str) -> FaultKind {
    error(
        403,
        "AccessDeniedException",
        &format!(
            "User: arn:aws:sts::{ACCOUNT}:assumed-role/audit/session is not authorized to perform: {action} because no identity-based policy allows the {action} action"
        ),
    )
}

/// A seed with one target, in which one of the operations is not allowed.
pub(crate) fn without_permission(api: Api, target: TargetSeed) -> Seed {
    let row = api.row();
    with_fault(seed(target), row.service.prefix(), row.operation, denied(row.action))
}

// Each rule where it was planted.

#[tokio::test]
async fn each_rule_is_raised_where_it_was_planted_and_nowhere_else() {
    let on_account = |id: &str| vec![id.to_owned()];
    let of = |target: TargetSeed| seed(target);
    let list = |value: Value| TargetSeed {
        allow_lists: vec![value],
        discovery_template: map(json!({"includes": {"allowListIds": [LIST]}})),
        ..administrator()
    };
    let paused = json!({"jobId": "a".repeat(32), "jobType": "SCHEDULED", "jobStatus": "USER_PAUSED"});
    let failing = json!({"jobId": "b".repeat(32), "jobType": "SCHEDULED", "jobStatus": "IDLE", "lastRunErrorStatus": {"code": "ERROR"}});
    let job = |job: Value| TargetSeed { jobs: vec![job], ..administrator() };
    let buckets = |buckets: Vec<Value>| TargetSeed { buckets, ..administrator() };
    let in_use = ("allow-list-in-use", "LOW", on_account(LIST));
    for (seed, expected) in [
        (
            with_accounts(vec![json!({"Id": "555555555555"})]),
            vec![("roster-account-not-watched", "HIGH", on_account("555555555555"))],
        ),
        (
            of(TargetSeed { organization: Some(map(json!({"autoEnable": false}))), ..administrator() }),
            vec![("roster-auto-enable-off", "MEDIUM", on_account(ACCOUNT))],
        ),
        (
            of(TargetSeed { organization: Some(map(json!({"maxAccountLimitReached": true}))), ..administrator() }),
            vec![("roster-member-limit-reached", "HIGH", on_account(ACCOUNT))],
        ),
        (
            of(TargetSeed { discovery: map(json!({"status": "DISABLED"})), ..administrator() }),
            vec![("discovery-disabled", "HIGH", on_account(ACCOUNT))],
        ),
        (
            of(TargetSeed { discovery: map(json!({"autoEnableOrganizationMembers": "NEW"})), ..administrator() }),
            vec![("discovery-not-for-all-members", "MEDIUM", on_account(ACCOUNT))],
        ),
        (
            of(TargetSeed { discovery_accounts: [(TWO.to_owned(), json!("DISABLED"))].into(), ..administrator() }),
            vec![("discovery-account-disabled", "MEDIUM", on_account(TWO))],
        ),
        (
            of(TargetSeed { excluded_buckets: vec![json!("logs"), json!("tmp")], ..administrator() }),
            vec![("discovery-bucket-excluded", "MEDIUM", vec!["logs".to_owned(), "tmp".to_owned()])],
        ),
        (
            of(TargetSeed {
                discovery_template: map(json!({"excludes": {"managedDataIdentifierIds": ["AWS_CREDENTIALS"]}})),
                ..administrator()
            }),
            vec![("discovery-detector-excluded", "HIGH", on_account("AWS_CREDENTIALS"))],
        ),
        (of(list(json!({"id": LIST, "criteria": {"regex": "Example Corp"}}))), vec![in_use.clone()]),
        (
            of(list(json!({"id": LIST, "criteria": {"regex": ".*"}}))),
            vec![("allow-list-too-wide", "HIGH", on_account(LIST)), in_use.clone()],
        ),
        (
            of(list(json!({"id": LIST, "criteria": {"s3WordsList": {"bucketName": "words", "objectKey": "list"}},
                "status": {"code": "S3_OBJECT_EMPTY"}}))),
            vec![in_use.clone(), ("allow-list-broken", "LOW", on_account(LIST))],
        ),
        // A list that nothing names hides nothing.
        (
            of(TargetSeed { allow_lists: vec![json!({"id": LIST, "criteria": {"regex": ".*"}})], ..administrator() }),
            vec![],
        ),
        (
            of(TargetSeed {
                allow_lists: vec![json!({"id": LIST, "criteria": {"regex": "Example"}})],
                jobs: vec![json!({"jobStatus": "RUNNING", "jobType": "ONE_TIME", "allowListIds": [LIST]})],
                ..member()
            }),
            vec![in_use.clone()],
        ),
        (
            of(TargetSeed {
                allow_lists: vec![json!({"id": LIST, "criteria": {"regex": ".*"}})],
                jobs: vec![
                    json!({"jobStatus": "COMPLETE", "jobType": "ONE_TIME", "allowListIds": [LIST]}),
                    json!({"jobStatus": "CANCELLED", "jobType": "SCHEDULED", "allowListIds": [LIST],
                        "lastRunErrorStatus": {"code": "ERROR"}}),
                ],
                ..administrator()
            }),
            vec![],
        ),
        (of(job(paused)), vec![("job-stopped", "MEDIUM", vec!["a".repeat(32)])]),
        (of(job(failing)), vec![("job-failing", "MEDIUM", vec!["b".repeat(32)])]),
        (
            of(buckets(vec![json!({"bucketName": "shut", "errorCode": "ACCESS_DENIED"}), json!({"count": 60})])),
            vec![("bucket-not-readable", "MEDIUM", on_account("shut"))],
        ),
        (
            of(buckets(vec![json!({"count": 120, "accountId": TWO, "errorCode": "BUCKET_COUNT_EXCEEDS_QUOTA"})])),
            vec![("bucket-not-monitored", "HIGH", on_account(TWO))],
        ),
        (
            of(TargetSeed { publication: map(json!({"publishPolicyFindings": false})), ..administrator() }),
            vec![("publication-policy-findings-off", "MEDIUM", on_account(ACCOUNT))],
        ),
        (
            of(TargetSeed { publication: map(json!({"publishClassificationFindings": false})), ..administrator() }),
            vec![("publication-sensitive-findings-off", "LOW", on_account(ACCOUNT))],
        ),
        (
            of(TargetSeed { export: Value::Null, ..administrator() }),
            vec![("results-not-kept", "MEDIUM", on_account(ACCOUNT))],
        ),
    ] {
        let report = report_of(seed).await;
        let severity = |violation: &Value| {
            let text = |field: &str| violation[field].as_str().unwrap_or_default().to_owned();
            (text("rule"), text("severity"), violation["resource"]["id"].as_str().unwrap_or_default().to_owned())
        };
        let found: BTreeSet<_> = report["violations"].as_array().expect("a list").iter().map(severity).collect();
        let each = expected.iter().flat_map(|(rule, severity, ids)| {
            ids.iter().map(move |id| ((*rule).to_owned(), (*severity).to_owned(), id.clone()))
        });
        assert_eq!(found, each.collect(), "{report}");
        assert_eq!(report["complete"], true, "{expected:?}: {report}");
        let failed: BTreeSet<String> =
            outcomes(&report).into_iter().filter(|(_, outcome)| *outcome == "FAILED").map(|(rule, _)| rule).collect();
        assert_eq!(failed, expected.iter().map(|(rule, ..)| (*rule).to_owned()).collect());
    }
}

#[tokio::test]
async fn who_is_expected_to_administer() {
    let invited = TargetSeed { invitations: vec![json!({"accountId": "222222222222"})], ..member() };
    for (expected, target, found) in [
        (OTHER, member(), vec![]),
        (ACCOUNT, administrator(), vec![]),
        ("222222222222,333333333333", invited.clone(), vec![]),
        (OTHER, invited.clone(), vec![("invitation-unexpected", "222222222222")]),
        ("222222222222", invited, vec![("administrator-unexpected", OTHER)]),
        (ACCOUNT, member(), vec![("administrator-unexpected", OTHER)]),
        (OTHER, administrator(), vec![("administrator-unexpected", ACCOUNT)]),
    ] {
        let report = Function::with(seed(target), &[("EXPECTED_ADMINISTRATOR", expected)]).await.report().await;
        let found: Vec<_> = found.into_iter().map(|(rule, id)| (rule.to_owned(), id.to_owned())).collect();
        assert_eq!(violations(&report), found, "{expected}");
        assert_eq!(report["complete"], true);
    }
}

// What is asked of whom.

/// What accounts are to Macie, and how it answers them.
fn roles() -> [(&'static str, Seed); 8] {
    let no_administrator = |target| {
        let faults = ["GetAdministratorAccount", "GetMasterAccount"];
        let faults = faults.map(|api| Fault::of("macie2", api, denied("macie2:GetAdministratorAccount")));
        Seed { faults: faults.into(), ..seed(target) }
    };
    let by_invitation = TargetSeed {
        refused: [("DescribeOrganizationConfiguration".to_owned(), Refusal::NotAdministrator)].into(),
        ..administrator()
    };
    let off = TargetSeed { enabled: false, ..TargetSeed::default() };
    [
        ("organization", seed(administrator())),
        ("invitation", seed(by_invitation)),
        ("member", seed(member())),
        ("standalone", seed(TargetSeed::default())),
        ("no members", seed(TargetSeed { members: Vec::new(), ..administrator() })),
        ("unknown", no_administrator(administrator())),
        ("unknown member", no_administrator(member())),
        ("off", seed(off)),
    ]
}

/// The table of roles: what every rule comes to in an account in which there is nothing wrong, and what it is asked.
#[tokio::test]
async fn what_an_account_is_decides_what_it_is_asked_and_what_applies() {
    let expected = format!("{ACCOUNT},{OTHER}");
    let mut columns = Vec::new();
    for (name, seed) in roles() {
        let function = Function::with(seed, &[("EXPECTED_ADMINISTRATOR", &expected)]).await;
        let report = function.report().await;
        columns.push((name, report["verdict"].clone(), outcomes(&report), asked(&function)));
    }
    let mut table = String::new();
    let mut line = |first: &str, cells: Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!("{cell:<16}")).collect();
        writeln!(table, "{}", format!("{first:<40}{cells}").trim_end()).expect("a string takes all");
    };
    line("rule", columns.iter().map(|(name, ..)| (*name).to_owned()).collect());
    for check in checks::all() {
        line(check.id, columns.iter().map(|(_, _, outcomes, _)| outcomes[check.id].to_owned()).collect());
    }
    line("", Vec::new());
    line("operation", columns.iter().map(|(name, ..)| (*name).to_owned()).collect());
    for api in Api::ALL.iter().filter(|api| matches!(api.row().service, Service::Macie | Service::Organizations)) {
        let times = |asked: &BTreeMap<String, usize>| asked.get(api.operation()).map_or("-".into(), usize::to_string);
        line(api.operation(), columns.iter().map(|(_, _, _, asked)| times(asked)).collect());
    }
    line("calls", columns.iter().map(|(_, _, _, asked)| asked.values().sum::<usize>().to_string()).collect());
    line("", Vec::new());
    let verdict = |verdict: &Value| verdict.as_str().unwrap_or_default().replace("INSUFFICIENT", "INSUFF");
    line("verdict", columns.iter().map(|(_, of, ..)| verdict(of)).collect());
    insta::assert_snapshot!(table);
}

/// The numbers stand in docs/reference/permissions.md.
#[tokio::test]
async fn the_number_of_calls_in_a_clean_target() {
    for (name, target, calls) in [
        ("an administrator", administrator(), 18),
        ("a member", member(), 10),
        ("an account alone", TargetSeed::default(), 16),
        ("an account without Macie", TargetSeed { enabled: false, ..TargetSeed::default() }, 1),
    ] {
        let function = Function::start(seed(target)).await;
        let report = function.report().await;
        let asked = asked(&function);
        assert_eq!(asked.values().sum::<usize>(), calls, "{name}: {asked:?}");
        assert_eq!(report["complete"], true, "{name}");
    }
}

#[tokio::test]
async fn a_region_without_allow_lists_is_not_asked_for_them() {
    for target in [administrator(), member()] {
        let function = Function::with(seed(target), &[("MACIE_REGIONS", "ap-northeast-3")]).await;
        let report = function.report().await;
        assert_eq!(report["verdict"], "COMPLIANT", "{report}");
        let asked = asked(&function);
        assert!(!asked.contains_key("ListAllowLists") && asked.contains_key("ListClassificationJobs"), "{asked:?}");
        for (rule, outcome) in outcomes(&report).iter().filter(|(rule, _)| rule.starts_with("allow-list-")) {
            assert_eq!(*outcome, "-", "{rule}");
        }
    }
}

// The organization's accounts.

#[expect(clippy::disallowed_methods, reason = "the function compares with its own clock")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("now is after 1970").as_secs()
}

#[tokio::test]
async fn every_kind_of_account() {
    let now = now();
    let day = 24 * 60 * 60;
    let accounts = |joined: u64| {
        vec![
            json!({"Id": "500000000001", "State": "SUSPENDED"}),
            json!({"Id": "500000000002", "State": "PENDING_CLOSURE"}),
            json!({"Id": "500000000003", "State": "CLOSED"}),
            json!({"Id": "500000000004", "State": "PENDING_ACTIVATION"}),
            json!({"Id": "500000000005", "JoinedTimestamp": joined}),
            json!({"Id": "500000000006"}),
            json!({"Id": "500000000006"}),
            json!({"Id": "444444444444"}),
        ]
    };
    for (joined, missed) in [
        (now - day + 600, vec!["444444444444", "500000000006"]),
        (now - day - 600, vec!["444444444444", "500000000005", "500000000006"]),
        (now + day, vec!["444444444444", "500000000006"]),
        // Later than any clock can tell.
        (1 << 62, vec!["444444444444", "500000000006"]),
    ] {
        let organization = OrganizationSeed {
            more_accounts: accounts(joined),
            management_account: Some("444444444444".to_owned()),
            ..OrganizationSeed::default()
        };
        let report = report_of(with_organization(organization)).await;
        let found: BTreeSet<String> = violations(&report).into_iter().map(|(_, id)| id).collect();
        assert_eq!(found, missed.into_iter().map(str::to_owned).collect(), "{report}");
        assert_eq!(report["complete"], true);
        for violation in report["violations"].as_array().expect("a list") {
            let told = violation["remediation"].as_str().expect("a text").contains("management account");
            assert_eq!(told, violation["resource"]["id"] == "444444444444", "{violation}");
        }
    }
}

#[tokio::test]
async fn the_state_of_an_account_under_its_new_and_its_old_name() {
    for (spelling, missed) in [
        (Spelling::State, Some(vec!["500000000001"])),
        (Spelling::Both, Some(vec!["500000000001"])),
        (Spelling::Status, Some(vec!["500000000001"])),
        (Spelling::Neither, None),
    ] {
        let more_accounts = vec![json!({"Id": "500000000001"}), json!({"Id": "500000000002", "State": "SUSPENDED"})];
        let organization = OrganizationSeed { spelling, more_accounts, ..OrganizationSeed::default() };
        let report = report_of(with_organization(organization)).await;
        let found: Vec<String> = violations(&report).into_iter().map(|(_, id)| id).collect();
        assert_eq!(found, missed.clone().unwrap_or_default(), "{spelling:?}");
        assert_eq!(report["complete"], missed.is_some(), "{spelling:?}");
        if missed.is_none() {
            assert_eq!(read(&report, "ListAccounts")["error"]["code"], "InvalidResponse");
            assert_eq!(report["verdict"], "INSUFFICIENT_DATA");
            assert_eq!(outcomes(&report)["roster-account-not-watched"], "not evaluated");
        }
    }
    // What is told under the new name counts.
    let more_accounts = vec![json!({"Id": "500000000001", "State": "CLOSED", "Status": "ACTIVE"})];
    let organization = OrganizationSeed { spelling: Spelling::Both, more_accounts, ..OrganizationSeed::default() };
    assert_eq!(report_of(with_organization(organization)).await["verdict"], "COMPLIANT");
    let odd = report_of(with_accounts(vec![json!({"Id": "500000000001", "State": "DORMANT"})])).await;
    assert_eq!(odd["verdict"], "INSUFFICIENT_DATA", "a state that no rule knows is never compliant");
}

#[tokio::test]
async fn the_list_of_accounts_in_many_pages_some_of_them_empty_and_throttled_in_the_middle() {
    let base = || Seed {
        paging: Paging { empty_page_every: 1, max_page: 2, ..Paging::default() },
        ..with_accounts(vec![json!({"count": 9, "State": "SUSPENDED"}), json!({"Id": "555555555555"})])
    };
    let throttled = Fault {
        from: 4,
        times: Some(2),
        ..Fault::of("organizations", "ListAccounts", error(400, "TooManyRequestsException", "slow down"))
    };
    let plain = report_of(base()).await;
    let again = report_of(Seed { faults: vec![throttled], ..base() }).await;
    for report in [plain, again] {
        assert_eq!(violations(&report), [("roster-account-not-watched".to_owned(), "555555555555".to_owned())]);
        let accounts = read(&report, "ListAccounts");
        assert_eq!((&accounts["items"], &accounts["complete"]), (&json!(13), &json!(true)), "{accounts}");
        assert!(accounts["pages"].as_u64().is_some_and(|pages| pages > 7), "{accounts}");
    }
}

#[tokio::test]
async fn of_half_a_list_no_account_is_named() {
    let many = || Seed {
        paging: Paging { max_page: 2, ..Paging::default() },
        ..with_accounts(vec![json!({"count": 9}), json!({"Id": "555555555555"})])
    };
    let fail = |service: &str, api: &str, code: &str| Seed {
        faults: vec![Fault { from: 2, ..Fault::of(service, api, error(400, code, "no")) }],
        ..many()
    };
    let three = TargetSeed {
        members: [ONE, TWO, "100000000003"].map(|id| json!({"accountId": id, "relationshipStatus": "Enabled"})).into(),
        ..administrator()
    };
    for (api, seed) in [
        ("ListAccounts", fail("organizations", "ListAccounts", "InvalidInputException")),
        ("ListMembers", Seed { targets: vec![three], ..fail("macie2", "ListMembers", "ValidationException") }),
    ] {
        let report = report_of(seed).await;
        assert_eq!(violations(&report), [], "{api}");
        assert_eq!(report["verdict"], "INSUFFICIENT_DATA");
        assert_eq!(outcomes(&report)["roster-account-not-watched"], "not evaluated", "{api}");
        assert_eq!(outcomes(&report)["roster-auto-enable-off"], "passed", "{api}");
        let read = read(&report, api);
        assert_eq!((&read["complete"], &read["pages"]), (&json!(false), &json!(1)));
    }
}

#[tokio::test]
async fn what_organizations_refuses() {
    let not_in_use = OrganizationSeed { in_use: false, ..OrganizationSeed::default() };
    let report = report_of(with_organization(not_in_use)).await;
    assert_eq!(report["verdict"], "COMPLIANT", "{report}");
    assert_eq!(outcomes(&report)["roster-account-not-watched"], "-");
    for kind in [
        error(400, "AccessDeniedException", "You don't have permissions to access this resource."),
        denied("organizations:ListAccounts"),
        // Organizations says nothing of Macie, so this is no answer.
        error(403, "AccessDeniedException", "Macie is not enabled"),
    ] {
        let report = report_of(with_fault(seed(administrator()), "organizations", "ListAccounts", kind)).await;
        assert_eq!(report["verdict"], "INSUFFICIENT_DATA");
        assert_eq!(outcomes(&report)["roster-account-not-watched"], "not evaluated");
        assert_eq!(read(&report, "ListAccounts")["error"]["code"], "AccessDeniedException");
        assert_eq!(violations(&report), []);
    }
}

#[tokio::test]
async fn the_list_of_accounts_is_read_once_and_is_a_read_of_the_first_target() {
    let regions = ("MACIE_REGIONS", "eu-west-1,us-east-1,us-west-2");
    let function = Function::with(with_accounts(vec![json!({"Id": "555555555555"})]), &[regions]).await;
    let report = function.report().await;
    assert_eq!(asked(&function)["ListAccounts"], 1);
    let missed = ("roster-account-not-watched".to_owned(), "555555555555".to_owned());
    assert_eq!(violations(&report), vec![missed; 3], "it is missed in each Region");
    let with_it =
        |target: &Value| target["reads"].as_array().expect("reads").iter().any(|r| r["api"] == "ListAccounts");
    let told: Vec<bool> = report["targets"].as_array().expect("targets").iter().map(with_it).collect();
    assert_eq!(told, [true, false, false]);

    // Where it fails, no Region is judged by it.
    let failed =
        with_fault(seed(administrator()), "organizations", "ListAccounts", error(400, "AccessDeniedException", "no"));
    let report = Function::with(failed, &[regions]).await.report().await;
    assert_eq!(report["summary"]["outcomes"]["roster-account-not-watched"]["notEvaluated"], 3);
    assert_eq!(report["summary"]["targetsIncomplete"], 3);
}

#[tokio::test]
async fn a_divided_run_reads_the_accounts_in_its_last_step_and_keeps_them_as_a_document() {
    let variables = [BUCKET, ("MACIE_REGIONS", "eu-west-1,us-east-1,us-west-2")];
    let function = Function::with(with_accounts(vec![json!({"Id": "555555555555"})]), &variables).await;
    let whole = function.report().await;
    function.aws.clear();
    let answer = execute(&function, json!({}), |_| {
        assert!(!asked(&function).contains_key("ListAccounts"), "the audit of one target does not need it");
        true
    })
    .await;
    assert_eq!((&answer["verdict"], &answer["complete"]), (&json!("NON_COMPLIANT"), &json!(true)));
    let report = function.published().pop().expect("a report");
    let reads = |report: &Value| (0..3).map(|place| report["targets"][place]["reads"].clone()).collect::<Vec<_>>();
    assert_eq!((violations(&report), reads(&report)), (violations(&whole), reads(&whole)));
    assert_eq!(report["summary"], whole["summary"]);
    let document = function.aws.object(&format!("runs/e-1/roster/{ACCOUNT}.json")).expect("a document of its own");
    let document: Value = serde_json::from_slice(&document).expect("JSON");
    assert_eq!(document["content"]["accounts"].as_array().map(Vec::len), Some(4), "{document}");
    // A retry of the last step has it there.
    assert_eq!(asked(&function)["ListAccounts"], 1);
    let again = function.answer(json!({"step": "PublishReport", "execution": "e-1"})).await;
    assert_eq!((&again["summary"], asked(&function)["ListAccounts"]), (&answer["summary"], 1));

    // One that fails is no document, and is read again.
    function.aws.clear();
    assert_eq!(function.aws.forget_objects(&format!("roster/{ACCOUNT}.json")), 1);
    function.aws.set_faults(vec![Fault::of(
        "organizations",
        "ListAccounts",
        error(400, "AccessDeniedException", "no"),
    )]);
    let failed = function.answer(json!({"step": "PublishReport", "execution": "e-1"})).await;
    assert_eq!((&failed["verdict"], &failed["summary"]["targetsIncomplete"]), (&json!("INSUFFICIENT_DATA"), &json!(3)));
    function.aws.set_faults(Vec::new());
    let mended = function.answer(json!({"step": "PublishReport", "execution": "e-1"})).await;
    assert_eq!(mended["summary"], answer["summary"]);
}

// Permissions.

/// The operations that part II added.
fn added() -> impl Iterator<Item = Api> {
    let first = Api::ALL.iter().position(|api| *api == Api::DescribeOrganizationConfiguration).expect("a row");
    let last = Api::ALL.iter().position(|api| *api == Api::ListAccounts).expect("a row");
    Api::ALL[first..=last].iter().copied()
}

/// An administrator in which every operation is asked: a job, and a detector and an allow list that are in use.
fn with_everything() -> TargetSeed {
    TargetSeed {
        allow_lists: vec![json!({"id": LIST, "criteria": {"regex": "Example Corp"}})],
        discovery_template: map(json!({
            "includes": {"allowListIds": [LIST]},
            "excludes": {"managedDataIdentifierIds": ["AWS_CREDENTIALS"]},
        })),
        jobs: vec![json!({"jobStatus": "IDLE", "jobType": "SCHEDULED"})],
        ..administrator()
    }
}

#[tokio::test]
async fn a_permission_that_is_missing_concerns_the_rules_that_need_it_and_no_others() {
    let function = Function::start(seed(with_everything())).await;
    let report = function.report().await;
    let before = outcomes(&report);
    let found = ["discovery-detector-excluded", "allow-list-in-use"];
    let failed: BTreeSet<&str> =
        before.iter().filter(|(_, outcome)| **outcome == "FAILED").map(|(rule, _)| rule.as_str()).collect();
    assert_eq!(failed, found.into());
    let all = asked(&function);
    for api in added() {
        assert!(all.contains_key(api.operation()), "{} is asked", api.operation());
        let report = report_of(without_permission(api, with_everything())).await;
        assert_ne!(report["verdict"], "COMPLIANT");
        assert_eq!(report["complete"], false, "{}", api.operation());
        let error = &read(&report, api.operation())["error"];
        assert_eq!(error["code"], "AccessDeniedException");
        assert!(error["hint"].as_str().is_some_and(|hint| hint.contains(api.row().action)), "{error}");
        let after = outcomes(&report);
        let still_found = |rule: &str| violations(&report).iter().any(|(found, _)| found == rule);
        for check in checks::all() {
            let expected = match check.needs.contains(&api) {
                true if still_found(check.id) => "FAILED",
                true => "not evaluated",
                false => before[check.id],
            };
            // What shows that a list is in use, or what is excluded, may be what cannot be read.
            let hidden = found.contains(&check.id) && !check.needs.contains(&api);
            assert!(!hidden || still_found(check.id), "{} without {}", check.id, api.operation());
            assert_eq!(after[check.id], expected, "{} without {}", check.id, api.operation());
        }
    }
}

#[tokio::test]
async fn a_detector_whose_category_is_unknown_is_of_medium_severity() {
    let report = report_of(without_permission(Api::ListManagedDataIdentifiers, with_everything())).await;
    let detector = &report["violations"].as_array().expect("a list")[0];
    assert_eq!((&detector["rule"], &detector["severity"]), (&json!("discovery-detector-excluded"), &json!("MEDIUM")));
}

/// What a role of the first version allows.
const FIRST: [Api; 7] = [
    Api::GetMacieSession,
    Api::GetAdministratorAccount,
    Api::ListMembers,
    Api::GetMember,
    Api::ListInvitations,
    Api::ListFindingsFilters,
    Api::ListRegions,
];

#[tokio::test]
async fn what_the_guide_switches_off_until_the_roles_are_updated_keeps_a_run_complete() {
    let guide = include_str!("../../docs/guides/upgrade.md");
    let listed = guide.split_once("DisabledRules:\n").and_then(|(_, rest)| rest.split_once("```")).expect("a list").0;
    let rules: Vec<&str> = listed.lines().map(|line| line.trim().trim_start_matches("- ")).collect();
    let filter = json!({"id": "quiet", "action": "ARCHIVE"});
    let target = TargetSeed { findings_filters: vec![filter], ..with_everything() };
    let is_new =
        |api: &&Api| matches!(api.row().service, Service::Macie | Service::Organizations) && !FIRST.contains(api);
    let fault = |api: &Api| Fault::of(api.row().service.prefix(), api.operation(), denied(api.row().action));
    let faults: Vec<Fault> = Api::ALL.iter().filter(is_new).map(fault).collect();
    let of = |disabled: String| {
        let seed = Seed { faults: faults.clone(), ..seed(target.clone()) };
        async move { Function::with(seed, &[("DISABLED_RULES", &disabled)]).await.report().await }
    };
    assert_eq!(of(rules.join(",")).await["complete"], true, "{rules:?}");
    // None of them is in the list for nothing.
    for left_out in &rules {
        let others: Vec<&str> = rules.iter().copied().filter(|rule| rule != left_out).collect();
        assert_eq!(of(others.join(",")).await["complete"], false, "{left_out}");
    }
}

/// Until the roles of other accounts have the new permissions, a run without the rules that need them is complete.
#[tokio::test]
async fn a_group_of_rules_that_is_switched_off_needs_no_permission_of_its_own() {
    let groups = ["roster-", "discovery-", "allow-list-", "job-", "bucket-", "publication-", "results-"];
    let (clean, every) = (|| TargetSeed { jobs: with_everything().jobs, ..administrator() }, groups.join("*,") + "*");
    let groups = groups.map(|group| format!("{group}*")).into_iter().chain([every]);
    for group in groups {
        let disabled: Vec<&str> = group.split(',').flat_map(checks::named).map(|check| check.id).collect();
        let rest = Checks::without(&disabled);
        let refused: Vec<Api> = added().filter(|api| !rest.need(*api)).collect();
        let fault = |api: &Api| Fault::of(api.row().service.prefix(), api.operation(), denied(api.row().action));
        let seed = Seed { faults: refused.iter().map(fault).collect(), ..seed(clean()) };
        let function = Function::with(seed, &[("DISABLED_RULES", &group)]).await;
        let report = function.report().await;
        assert_eq!(report["verdict"], "COMPLIANT", "{group}: {report}");
        let asked = asked(&function);
        for api in refused {
            assert!(!asked.contains_key(api.operation()), "{group} is off and {} is asked", api.operation());
        }
        let second_looks_that_a_clean_account_has_no_need_of = [Api::ListManagedDataIdentifiers, Api::GetAllowList];
        for api in added().filter(|api| rest.need(*api)) {
            let is_asked = asked.contains_key(api.operation());
            let is_idle = second_looks_that_a_clean_account_has_no_need_of.contains(&api);
            assert!(is_asked != is_idle, "{group} is off: {} {asked:?}", api.operation());
        }
    }
}
