//! A run that the state machine divides: find the targets, audit each, publish the report of all.

use serde_json::{Value, json};
use simulator::lambda::{Invocation, Outcome};
use simulator::{Fault, FaultKind, RoleSeed, Seed, TargetSeed};

use crate::function::{ACCOUNT, Function, error, healthy, read, seed, violations, with_seconds};

pub(crate) const BUCKET: (&str, &str) = ("EVIDENCE_BUCKET", "results");

/// What a document of the evidence of a target has in its path.
fn evidence() -> Option<String> {
    Some("/runs/e-1/evidence/".to_owned())
}

/// One execution, driven as the state machine drives it. Its targets are audited by `audit`, which
/// says whether each is.
pub(crate) async fn execute(function: &Function, event: Value, audit: impl Fn(&Value) -> bool) -> Value {
    execute_as(function, "e-1", event, audit).await
}

/// The same for an execution of this name.
async fn execute_as(function: &Function, name: &str, event: Value, audit: impl Fn(&Value) -> bool) -> Value {
    let listed = function.answer(json!({"step": "ListTargets", "execution": name, "event": event})).await;
    let items = function.aws.object(&format!("runs/{name}/targets.json")).expect("the targets are handed on");
    let items: Vec<Value> = serde_json::from_slice(&items).expect("a list");
    assert_eq!(listed, json!({"execution": name, "targets": items.len()}));
    for item in items.iter().filter(|item| audit(item)) {
        let answer = function.answer(json!({"step": "AuditTarget", "execution": name, "target": item})).await;
        assert_eq!((&answer["accountId"], &answer["region"]), (&item["accountId"], &item["region"]));
        assert!(
            answer["verdict"].is_string() && answer.as_object().is_some_and(|answer| answer.len() == 4),
            "{answer}"
        );
    }
    function.answer(json!({"step": "PublishReport", "execution": name})).await
}

fn accounts() -> Vec<String> {
    (1..10).map(|index| format!("{index:012}")).collect()
}

/// Ten accounts, the first of which administers Macie for an organization.
fn ten_accounts() -> Seed {
    let first = &accounts()[0];
    let target = |account: String| TargetSeed {
        administrator: healthy().administrator.filter(|_| account != *first),
        account_id: Some(account),
        members: vec![
            json!({"count": 60, "relationshipStatus": "Enabled"}),
            json!({"accountId": "100000000099", "relationshipStatus": "AccountSuspended"}),
        ],
        findings_filters: vec![json!({"id": "quiet", "action": "ARCHIVE"})],
        ..healthy()
    };
    Seed { targets: accounts().into_iter().chain([ACCOUNT.to_owned()]).map(target).collect(), ..Seed::default() }
}

fn of_ten_accounts() -> [(&'static str, String); 2] {
    let roles: Vec<String> = accounts().iter().map(|account| format!("arn:aws:iam::{account}:role/audit")).collect();
    [("MACIE_ROLE_ARNS", roles.join(",")), ("MACIE_REGIONS", simulator::seed::MACIE_REGIONS[..20].join(","))]
}

/// A report without what differs from run to run, and what a message leaves to the stored report.
fn lasting(mut report: Value) -> Value {
    let mut without = |list: Option<&str>, fields: &[&str]| {
        let items = match list {
            Some(list) => report[list].as_array_mut().expect("a list").iter_mut().collect(),
            None => vec![&mut report],
        };
        for item in items {
            let item = item.as_object_mut().expect("an object");
            fields.iter().for_each(|field| drop(item.remove(*field)));
        }
    };
    without(None, &["generatedAt", "reportId", "trigger", "part", "evidence"]);
    without(Some("violations"), &["firstSeen"]);
    without(Some("targets"), &["outcomes"]);
    report
}

#[tokio::test]
async fn two_hundred_targets_give_the_report_of_one_run_over_them() {
    let [roles, regions] = of_ten_accounts();
    let variables = [(roles.0, roles.1.as_str()), (regions.0, regions.1.as_str()), BUCKET];
    let function = Function::with(ten_accounts(), &variables).await;
    let whole = function.report().await;
    let answer = execute(&function, json!({}), |_| true).await;
    assert_eq!((&answer["complete"], &answer["summary"]["targets"]), (&json!(true), &json!(200)));
    assert_eq!((&answer["reportId"], &answer["report"]), (&json!("e-1"), &Value::Null));
    let parts = function.published();
    assert_eq!(parts.len(), answer["messageIds"].as_array().expect("ids").len());
    assert_eq!(lasting(whole_of(&parts)), lasting(whole));
}

/// One report out of its parts, each of which may tell of all targets.
fn whole_of(parts: &[Value]) -> Value {
    let mut whole = parts[0].clone();
    let items = |list: &'static str| parts.iter().flat_map(move |part| part[list].as_array().expect("a list").clone());
    let mut targets: Vec<Value> = Vec::new();
    for target in items("targets") {
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    whole["targets"] = json!(targets);
    whole["violations"] = json!(items("violations").collect::<Vec<Value>>());
    whole
}

#[tokio::test]
async fn a_target_whose_audit_failed_is_told_as_not_read_and_the_others_are_told_whole() {
    let function = Function::with(ten_accounts(), &[BUCKET, ("MACIE_REGIONS", "eu-west-1,eu-west-2,us-east-1")]).await;
    let answer = execute(&function, json!({}), |item| item["region"] != "eu-west-1").await;
    assert_eq!((&answer["verdict"], &answer["complete"]), (&json!("NON_COMPLIANT"), &json!(false)));
    assert_eq!((&answer["summary"]["targets"], &answer["summary"]["targetsIncomplete"]), (&json!(3), &json!(1)));
    let report = function.published().remove(0);
    let failed = read(&report, "GetObject");
    assert_eq!((&failed["complete"], &failed["error"]["code"]), (&json!(false), &json!("NoSuchKey")));
    assert!(failed["error"]["hint"].as_str().is_some_and(|hint| hint.contains("map run")), "{failed}");
    assert_eq!(violations(&report).len(), 4);
}

#[tokio::test]
async fn a_divided_run_knows_what_the_one_before_it_found() {
    let target = TargetSeed { findings_filters: vec![json!({"id": "quiet", "action": "ARCHIVE"})], ..healthy() };
    let function = Function::with(seed(target), &[BUCKET]).await;
    let marks = |report: &Value| {
        let list = report["violations"].as_array().expect("a list").clone();
        list.into_iter().map(|violation| violation["change"].clone()).collect::<Vec<_>>()
    };
    let last = || function.published().pop().expect("it is published");

    execute_as(&function, "e-1", json!({}), |_| true).await;
    assert_eq!(marks(&last()), ["NEW"]);
    execute_as(&function, "e-2", json!({}), |_| true).await;
    assert_eq!((marks(&last()), &last()["changes"]["new"]), (vec![json!("KNOWN")], &json!(0)));

    // A target that was not audited resolves nothing, and the next run knows it still.
    execute_as(&function, "e-3", json!({}), |_| false).await;
    assert_eq!((&last()["changes"]["resolvedTotal"], &last()["changes"]["unknownTotal"]), (&json!(0), &json!(1)));
    execute_as(&function, "e-4", json!({}), |_| true).await;
    assert_eq!(marks(&last()), ["KNOWN"]);
}

#[tokio::test]
async fn without_any_result_nothing_is_compliant() {
    let function = Function::with(seed(healthy()), &[BUCKET]).await;
    assert_eq!(execute(&function, json!({}), |_| true).await["verdict"], "COMPLIANT");
    for object in ["", "null", "{}", r#"{"targets":[]}"#] {
        let garbage =
            FaultKind::Respond { status: 200, content_type: "application/json".to_owned(), body: object.to_owned() };
        function.aws.set_faults(vec![Fault { path: evidence(), ..Fault::of("s3", "GetObject", garbage) }]);
        let answer = function.answer(json!({"step": "PublishReport", "execution": "e-1"})).await;
        assert_eq!((&answer["verdict"], &answer["complete"]), (&json!("INSUFFICIENT_DATA"), &json!(false)), "{object}");
        let report = function.published().pop().expect("it is published all the same");
        assert_eq!(read(&report, "GetObject")["error"]["code"], "InvalidResponse", "{object}");
    }
    function.aws.set_faults(Vec::new());
    assert_eq!(function.aws.forget_objects("-us-east-1.json"), 1);
    let answer = function.answer(json!({"step": "PublishReport", "execution": "e-1"})).await;
    assert_eq!(answer["verdict"], "INSUFFICIENT_DATA");
}

#[tokio::test]
async fn the_result_of_one_target_does_not_stand_for_another() {
    let function = Function::with(seed(healthy()), &[BUCKET, ("MACIE_REGIONS", "eu-west-1,us-east-1")]).await;
    execute(&function, json!({}), |_| true).await;
    let other = function.aws.object("-us-east-1.json").expect("a result");
    let swapped = FaultKind::Respond {
        status: 200,
        content_type: "application/json".to_owned(),
        body: String::from_utf8(other.to_vec()).expect("JSON"),
    };
    function.aws.set_faults(vec![Fault { path: evidence(), ..Fault::of("s3", "GetObject", swapped) }]);
    let answer = function.answer(json!({"step": "PublishReport", "execution": "e-1"})).await;
    assert_eq!((&answer["verdict"], &answer["summary"]["targetsIncomplete"]), (&json!("INSUFFICIENT_DATA"), &json!(1)));
}

#[tokio::test]
async fn what_could_not_be_opened_is_told_and_more_roles_come_with_the_event() {
    let role = |account: &str| format!("arn:aws:iam::{account}:role/audit");
    let known = RoleSeed { external_id: Some("s3cret".to_owned()), ..RoleSeed::default() };
    let seed = Seed { roles: [(role("000000000001"), known)].into(), ..ten_accounts() };
    let function = Function::with(seed, &[BUCKET]).await;
    let roles = json!([
        {"roleArn": role("000000000001"), "externalId": "s3cret"},
        {"roleArn": role("000000000002")},
    ]);
    let answer = execute(&function, json!({"roles": roles, "regions": ["eu-west-1"]}), |_| true).await;
    assert_eq!((&answer["summary"]["targets"], &answer["summary"]["targetsIncomplete"]), (&json!(3), &json!(1)));
    let report = function.published().remove(0);
    let told: Vec<(&Value, &Value)> =
        report["targets"].as_array().expect("targets").iter().map(|t| (&t["accountId"], &t["complete"])).collect();
    assert_eq!(
        told,
        [
            (&json!("000000000001"), &json!(true)),
            (&json!("000000000002"), &json!(false)),
            (&json!(ACCOUNT), &json!(true))
        ]
    );
    assert_eq!(report["targets"][1]["reads"][0]["api"], "AssumeRole");
    let without = json!({"roles": [{"roleArn": role("000000000001")}], "regions": ["eu-west-1"]});
    let answer = execute(&function, without, |_| true).await;
    assert_eq!(answer["summary"]["targetsIncomplete"], 1, "what an external id opened stays closed without it");
}

#[tokio::test]
async fn a_failed_list_of_regions_stays_in_the_report_beside_what_its_target_tells() {
    let fault = Fault::of("account", "ListRegions", error(403, "AccessDeniedException", "no"));
    let function =
        Function::with(Seed { faults: vec![fault], ..seed(healthy()) }, &[BUCKET, ("MACIE_REGIONS", "all")]).await;
    let answer = execute(&function, json!({}), |_| true).await;
    assert_eq!((&answer["verdict"], &answer["summary"]["targetsIncomplete"]), (&json!("INSUFFICIENT_DATA"), &json!(1)));
    let report = function.published().remove(0);
    assert_eq!(read(&report, "ListRegions")["complete"], false);
    assert_eq!(read(&report, "ListMembers")["complete"], true);
}

#[tokio::test]
async fn the_envelope_names_the_report_and_a_dry_run_publishes_nothing() {
    let function = Function::with(seed(healthy()), &[BUCKET]).await;
    let event = json!({"source": "aws.scheduler", "detail-type": "Scheduled Event", "id": "ev-1", "detail": "{}"});
    assert_eq!(execute(&function, event, |_| true).await["reportId"], "ev-1");
    assert_eq!(function.published()[0]["trigger"]["source"], "aws.scheduler");
    let dry = execute(&function, json!({"publish": false}), |_| true).await;
    assert_eq!((&dry["verdict"], &dry["messageIds"]), (&json!("COMPLIANT"), &json!([])));
    assert_eq!(function.aws.messages().len(), 1);
}

#[tokio::test]
async fn a_step_that_cannot_hand_on_or_find_what_it_needs_fails_and_publishes_nothing() {
    let target = json!({"accountId": ACCOUNT, "region": "us-east-1"});
    let denied = |api| Seed { faults: vec![Fault::of("s3", api, error(403, "AccessDenied", "no"))], ..seed(healthy()) };
    for (seed, variables, event, expected) in [
        (seed(healthy()), vec![], json!({"step": "ListTargets", "execution": "e"}), "EVIDENCE_BUCKET"),
        (denied("PutObject"), vec![BUCKET], json!({"step": "ListTargets", "execution": "e"}), "AccessDenied"),
        (
            denied("PutObject"),
            vec![BUCKET],
            json!({"step": "AuditTarget", "execution": "e", "target": target}),
            "AccessDenied",
        ),
        (denied("GetObject"), vec![BUCKET], json!({"step": "PublishReport", "execution": "e"}), "AccessDenied"),
        (seed(healthy()), vec![BUCKET], json!({"step": "PublishReport", "execution": "e"}), "NoSuchKey"),
    ] {
        let function = Function::with(seed, &variables).await;
        let (kind, message) = function.error(event.clone()).await;
        assert_eq!(kind, "StepFailed", "{event}");
        assert!(message.contains(expected), "{message}");
        assert!(function.aws.messages().is_empty());
    }
    // The same input would fail again, so that it is not retried.
    let elsewhere = json!({"accountId": "000000000001", "region": "us-east-1"});
    let function = Function::with(seed(healthy()), &[BUCKET]).await;
    let (kind, message) = function.error(json!({"step": "AuditTarget", "execution": "e", "target": elsewhere})).await;
    assert!(kind == "InvalidEvent" && message.contains("needs a roleArn"), "{kind}: {message}");
}

#[tokio::test]
async fn a_momentary_failure_of_the_bucket_is_retried() {
    let busy = FaultKind::Respond {
        status: 503,
        content_type: "text/xml".to_owned(),
        body: "<Error><Code>SlowDown</Code></Error>".to_owned(),
    };
    for api in ["PutObject", "GetObject"] {
        for kind in [busy.clone(), FaultKind::Reset, error(500, "InternalError", "again")] {
            let fault = Fault { times: Some(2), ..Fault::of("s3", api, kind) };
            let function = Function::with(Seed { faults: vec![fault], ..seed(healthy()) }, &[BUCKET]).await;
            assert_eq!(execute(&function, json!({}), |_| true).await["verdict"], "COMPLIANT", "{api}");
        }
    }
}

#[tokio::test]
async fn what_is_handed_on_holds_the_ids_and_statuses_of_all_members_and_says_how_to_encrypt_it() {
    let target = TargetSeed {
        members: vec![
            json!({"count": 30, "relationshipStatus": "Enabled"}),
            json!({"accountId": "100000000099", "relationshipStatus": "Paused"}),
        ],
        ..healthy()
    };
    let key = "arn:aws:kms:us-east-1:999999999999:key/0123-abcd";
    for (variables, expected) in
        [(vec![BUCKET], ("AES256", None)), (vec![BUCKET, ("EVIDENCE_KMS_KEY_ARN", key)], ("aws:kms", Some(key)))]
    {
        let function = Function::with(seed(target.clone()), &variables).await;
        assert_eq!(execute(&function, json!({}), |_| true).await["verdict"], "NON_COMPLIANT");
        let document = function.aws.object("-us-east-1.json").expect("the evidence of the target");
        let document: Value = serde_json::from_slice(&document).expect("JSON");
        let evidence = &document["content"];
        let ids = &evidence["members"]["idsByStatus"];
        assert_eq!(ids["Enabled"].as_array().map(Vec::len), Some(30), "{evidence}");
        assert_eq!(ids["Paused"], json!(["100000000099"]));
        let requests = function.aws.requests();
        let stored: Vec<_> = requests.iter().filter(|request| request.operation == "PutObject").collect();
        assert_eq!(stored.len(), 7, "what the steps hand on, the report, its page, the state and the history");
        for request in stored {
            let header = |name: &str| request.headers.get(name).map(String::as_str);
            let told = header("x-amz-server-side-encryption");
            assert_eq!((told, header("x-amz-server-side-encryption-aws-kms-key-id")), (Some(expected.0), expected.1));
        }
    }
}

#[tokio::test]
async fn each_violation_of_a_divided_run_is_logged_once() {
    let function = Function::with(ten_accounts(), &[BUCKET, ("MACIE_REGIONS", "eu-west-1,us-east-1")]).await;
    execute(&function, json!({}), |_| true).await;
    let log = function.log().await;
    let count = |message: &str| log.iter().filter(|line| line["message"] == message).count();
    assert_eq!((count("violation"), count("report"), count("audited"), count("concluded")), (4, 1, 2, 1));
    let scopes: Vec<_> = log.iter().filter(|line| line["message"] == "concluded").map(|line| &line["scope"]).collect();
    assert_eq!(scopes, ["settings"]);
    execute(&function, json!({"regions": ["us-east-1"]}), |_| true).await;
    let log = function.log().await;
    assert_eq!(
        log.iter().rfind(|line| line["message"] == "concluded").map(|line| &line["scope"]),
        Some(&json!("part"))
    );
}

#[tokio::test]
async fn an_exemptions_document_or_a_history_that_hangs_costs_no_target() {
    let exemptions = ("EXEMPTIONS_URI", "s3://results/exemptions.json");
    let regions = ("MACIE_REGIONS", "eu-west-1,eu-west-2,us-east-1");
    for key in ["exemptions.json", "history.json"] {
        let function = Function::with(ten_accounts(), &[BUCKET, exemptions, regions]).await;
        execute(&function, json!({"publish": false}), |_| true).await;
        let hang = Fault { path: Some(key.to_owned()), ..Fault::of("s3", "GetObject", FaultKind::Hang) };
        function.aws.set_faults(vec![hang]);
        let step = json!({"step": "ListTargets", "execution": "e-1", "event": {}});
        function.answer(step).await;
        let step = json!({"step": "PublishReport", "execution": "e-1"});
        let invocation = Invocation { event: step.to_string().into_bytes(), ..with_seconds(14) };
        let Outcome::Answer(answer) = function.invoke(invocation).await else { panic!("{key}: it fails") };
        assert_eq!((&answer["complete"], &answer["summary"]["targets"]), (&json!(true), &json!(3)), "{key}");
        let report = function.published().remove(0);
        let error = report["exemptions"]["error"].as_str().expect("there is no document that could be read");
        assert_eq!(error.starts_with("NoSuchKey"), key == "history.json", "{error}");
    }
}

#[tokio::test]
async fn once_the_states_hang_they_are_asked_for_no_more() {
    let [roles, regions] = of_ten_accounts();
    let function = Function::with(ten_accounts(), &[(roles.0, &roles.1), (regions.0, &regions.1), BUCKET]).await;
    function.answer(json!({"step": "ListTargets", "execution": "e-1", "event": {}})).await;
    let hang = Fault { path: Some("/state/".to_owned()), ..Fault::of("s3", "GetObject", FaultKind::Hang) };
    function.aws.set_faults(vec![hang]);
    let step = json!({"step": "PublishReport", "execution": "e-1"});
    let invocation = Invocation { event: step.to_string().into_bytes(), ..with_seconds(20) };
    let Outcome::Answer(answer) = function.invoke(invocation).await else { panic!("it fails") };
    assert_eq!(answer["summary"]["targets"], 200);
    let requests = function.aws.requests();
    let states = |operation| {
        requests.iter().filter(|request| request.operation == operation && request.path.contains("/state/")).count()
    };
    assert!((1..=130).contains(&states("GetObject")), "of 200: {}", states("GetObject"));
    assert_eq!(states("PutObject"), 0, "what could not be read stays");
}
