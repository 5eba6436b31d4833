//! Several Regions and several administrator accounts in one run.

use serde_json::{Value, json};
use simulator::{Fault, FaultKind, RegionSeed, RoleSeed, Seed, TargetSeed};

use crate::function::{ACCOUNT, Function, error, healthy, violations};

const ROLE: &str = "arn:aws:iam::111122223333:role/macie-compliance-audit";

fn places(report: &Value) -> Vec<(String, String, bool)> {
    let targets = report["targets"].as_array().expect("a list of targets");
    let text = |target: &Value, field: &str| target[field].as_str().expect("a text").to_owned();
    targets.iter().map(|t| (text(t, "accountId"), text(t, "region"), t["complete"] == true)).collect()
}

fn two_accounts() -> Seed {
    let archiving = TargetSeed {
        account_id: Some("111122223333".to_owned()),
        findings_filters: vec![json!({"id": "theirs", "action": "ARCHIVE"})],
        ..healthy()
    };
    Seed { targets: vec![healthy(), archiving], ..Seed::default() }
}

#[tokio::test]
async fn a_region_without_macie_does_not_hide_the_others() {
    let here = TargetSeed { region: "eu-west-1".to_owned(), ..healthy() };
    let off = TargetSeed { region: "eu-west-2".to_owned(), enabled: false, ..healthy() };
    let seed = Seed { targets: vec![here, off], ..Seed::default() };
    let report = Function::with(seed, &[("MACIE_REGIONS", "eu-west-1,eu-west-2")]).await.report().await;
    assert_eq!(report["targets"][0]["verdict"], "COMPLIANT");
    assert_eq!(report["targets"][1]["verdict"], "NON_COMPLIANT");
    assert_eq!((&report["verdict"], &report["complete"]), (&json!("NON_COMPLIANT"), &json!(true)));
}

#[tokio::test]
async fn all_means_every_region_with_macie_that_is_not_disabled() {
    let region = |name: &str, status: &str| RegionSeed { name: name.to_owned(), opt_status: status.to_owned() };
    let mut seed = crate::function::seed(healthy());
    seed.regions.retain(|known| known.name != "af-south-1" && known.name != "me-south-1");
    seed.regions.extend([
        region("af-south-1", "DISABLED"),
        region("me-south-1", "ENABLED"),
        region("ap-east-2", "ENABLED"),
    ]);
    let report = Function::with(seed, &[("MACIE_REGIONS", "all")]).await.report().await;
    let regions: Vec<String> = places(&report).into_iter().map(|(_, region, _)| region).collect();
    assert_eq!(regions.len(), 22);
    assert!(regions.contains(&"me-south-1".to_owned()) && !regions.contains(&"af-south-1".to_owned()));
    assert!(regions.contains(&"ap-east-2".to_owned()), "nobody knows whether it offers Macie, so it is asked");
    assert_eq!((&report["verdict"], &report["summary"]["regionsWithoutMacie"]), (&json!("COMPLIANT"), &json!([])));
}

#[tokio::test]
async fn all_without_the_list_of_regions_reads_every_region_and_is_incomplete() {
    let fault = Fault::of("account", "ListRegions", error(403, "AccessDeniedException", "no"));
    let seed = Seed { faults: vec![fault], ..crate::function::seed(healthy()) };
    let report = Function::with(seed, &[("MACIE_REGIONS", "all")]).await.report().await;
    assert_eq!(places(&report).len(), 22);
    assert_eq!((&report["verdict"], &report["summary"]["targetsIncomplete"]), (&json!("INSUFFICIENT_DATA"), &json!(1)));
    assert!(report["targets"].to_string().contains("account:ListRegions"), "the hint names the permission");
}

#[tokio::test]
async fn a_role_opens_one_more_account() {
    let seed = Seed {
        roles: [(ROLE.to_owned(), RoleSeed { external_id: Some("s3cret".to_owned()), ..RoleSeed::default() })].into(),
        ..two_accounts()
    };
    let function = Function::with(
        seed,
        &[
            ("MACIE_ROLE_ARNS", ROLE),
            ("MACIE_ROLE_EXTERNAL_IDS", "111122223333=s3cret"),
            ("MACIE_REGIONS", "us-east-1,eu-west-1"),
        ],
    )
    .await;
    let report = function.report().await;
    let expected =
        [("111122223333", "eu-west-1"), ("111122223333", "us-east-1"), (ACCOUNT, "eu-west-1"), (ACCOUNT, "us-east-1")];
    assert_eq!(places(&report), expected.map(|(account, region)| (account.to_owned(), region.to_owned(), true)));
    assert_eq!(report["summary"]["violations"], 2);
    assert!(report["violations"].as_array().is_some_and(|list| list.iter().all(|v| v["accountId"] == "111122223333")));
}

#[tokio::test]
async fn a_role_is_assumed_once_and_not_again_by_the_next_run() {
    let function =
        Function::with(two_accounts(), &[("MACIE_ROLE_ARNS", ROLE), ("MACIE_REGIONS", "us-east-1,eu-west-1")]).await;
    for _ in 0..2 {
        assert_eq!(function.answer(json!({})).await["summary"]["violations"], 2);
    }
    let assumed = function.aws.requests().iter().filter(|request| request.operation == "AssumeRole").count();
    assert_eq!(assumed, 1);
}

#[tokio::test]
async fn no_role_of_many_is_assumed_more_often_than_once() {
    let accounts: Vec<String> = (1..=100).map(|account| format!("{account:012}")).collect();
    let target = |account: &String| TargetSeed { account_id: Some(account.clone()), ..healthy() };
    let seed = Seed { targets: accounts.iter().map(target).collect(), ..Seed::default() };
    let roles: Vec<String> = accounts.iter().map(|account| format!("arn:aws:iam::{account}:role/audit")).collect();
    let function = Function::with(seed, &[("MACIE_ROLE_ARNS", &roles.join(","))]).await;
    for _ in 0..2 {
        assert_eq!(function.answer(json!({})).await["summary"]["targetsIncomplete"], 0);
    }
    let assumed = function.aws.requests().iter().filter(|request| request.operation == "AssumeRole").count();
    assert_eq!(assumed, 100);
}

#[tokio::test]
async fn a_role_that_cannot_be_assumed_makes_only_its_own_targets_incomplete() {
    let seed = Seed { roles: [("arn:aws:iam::1:role/other".to_owned(), RoleSeed::default())].into(), ..two_accounts() };
    let function = Function::with(seed, &[("MACIE_ROLE_ARNS", ROLE)]).await;
    let report = function.report().await;
    assert_eq!(
        places(&report),
        [
            ("111122223333".to_owned(), "us-east-1".to_owned(), false),
            (ACCOUNT.to_owned(), "us-east-1".to_owned(), true)
        ]
    );
    assert_eq!(report["verdict"], "INSUFFICIENT_DATA");
    let failed = &report["targets"][0]["reads"][0];
    assert_eq!((&failed["api"], &failed["error"]["code"]), (&json!("AssumeRole"), &json!("AccessDenied")));
    assert!(failed["error"]["hint"].as_str().is_some_and(|hint| hint.contains("sts:AssumeRole")), "{failed}");
}

/// The SDK renews what is good for ten seconds or less, so these credentials are renewed for every request.
fn short_lived() -> Seed {
    let role = RoleSeed { session_seconds: Some(5), ..RoleSeed::default() };
    Seed { roles: [(ROLE.to_owned(), role)].into(), ..two_accounts() }
}

#[tokio::test]
async fn credentials_that_end_within_a_run_are_renewed() {
    let function = Function::with(short_lived(), &[("MACIE_ROLE_ARNS", ROLE)]).await;
    let report = function.report().await;
    assert_eq!((&report["complete"], &report["summary"]["violations"]), (&json!(true), &json!(1)));
    let assumed = function.aws.requests().iter().filter(|request| request.operation == "AssumeRole").count();
    assert!(assumed > 1, "{assumed}");
}

#[tokio::test]
async fn credentials_that_cannot_be_renewed_leave_only_their_account_unread() {
    let refusal = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "no more".to_owned() };
    let refused = Fault { from: 2, ..Fault::of("sts", "AssumeRole", refusal) };
    let seed = Seed { faults: vec![refused], ..short_lived() };
    let report = Function::with(seed, &[("MACIE_ROLE_ARNS", ROLE)]).await.report().await;
    let [theirs, own] = report["targets"].as_array().expect("a list").as_slice() else { panic!("{report}") };
    assert_eq!((&theirs["accountId"], &theirs["complete"]), (&json!("111122223333"), &json!(false)));
    assert_eq!((&own["complete"], &own["verdict"]), (&json!(true), &json!("COMPLIANT")));
    // What the first credentials were given to was read.
    for failed in theirs["reads"].as_array().expect("a list").iter().filter(|read| read["complete"] == false) {
        let message = failed["error"]["message"].as_str().expect("a message");
        assert_eq!(failed["error"]["code"], "CredentialsError");
        assert!(message.contains("AssumeRole: AccessDenied: no more"), "{failed}");
    }
}

#[tokio::test]
async fn credentials_that_were_cut_off_are_none() {
    let whole = "<AccessKeyId>A</AccessKeyId><SecretAccessKey>B</SecretAccessKey><SessionToken>C</SessionToken>\
                 <Expiration>2999-01-01T00:00:00Z</Expiration>";
    let fields: Vec<usize> = whole.match_indices("</").map(|(at, _)| at - 1).collect();
    for cut in fields.into_iter().chain([0]) {
        let body = format!("<AssumeRoleResponse><AssumeRoleResult><Credentials>{}", &whole[..cut]);
        let kind = FaultKind::Respond { status: 200, content_type: "text/xml".to_owned(), body };
        let seed = Seed { faults: vec![Fault::of("sts", "AssumeRole", kind)], ..two_accounts() };
        let report = Function::with(seed, &[("MACIE_ROLE_ARNS", ROLE)]).await.report().await;
        let failed = &report["targets"][0]["reads"][0];
        let code = failed["error"]["code"].as_str();
        assert_eq!((&failed["api"], code), (&json!("AssumeRole"), Some("InvalidResponse")), "cut at {cut}");
    }
}

#[tokio::test]
async fn an_outage_of_sts_in_earlier_runs_takes_no_retry_from_later_ones() {
    let roles: Vec<String> = (1..=25).map(|account| format!("arn:aws:iam::{account:012}:role/audit")).collect();
    let function = Function::with(crate::function::seed(healthy()), &[("MACIE_ROLE_ARNS", &roles.join(","))]).await;
    let broken = |times| vec![Fault { times, ..Fault::of("sts", "AssumeRole", error(500, "InternalFailure", "")) }];
    for _ in 0..2 {
        function.aws.clear();
        function.aws.set_faults(broken(None));
        assert_eq!(function.answer(json!({})).await["summary"]["targetsIncomplete"], 25);
        let asked = function.aws.requests().iter().filter(|request| request.operation == "AssumeRole").count();
        assert_eq!(asked, 25 * 6, "each role is tried as often as ever");
    }
    function.aws.set_faults(broken(Some(25)));
    // The other accounts have no Macie here, which is an answer: every role was assumed.
    assert_eq!(function.answer(json!({})).await["complete"], true);
}

#[tokio::test]
async fn two_hundred_targets_are_read_in_one_run_within_the_limit() {
    let accounts: Vec<String> = (1..10).map(|index| format!("{index:012}")).collect();
    let target = |account: &String| TargetSeed {
        account_id: Some(account.clone()),
        members: vec![
            json!({"count": 60, "relationshipStatus": "Enabled"}),
            json!({"relationshipStatus": "AccountSuspended"}),
        ],
        ..healthy()
    };
    let own = ACCOUNT.to_owned();
    let seed = Seed { targets: accounts.iter().chain([&own]).map(target).collect(), latency_ms: 2, ..Seed::default() };
    let roles: Vec<String> = accounts.iter().map(|account| format!("arn:aws:iam::{account}:role/audit")).collect();
    let regions: Vec<&str> = simulator::seed::MACIE_REGIONS[..20].to_vec();
    let variables = [("MACIE_ROLE_ARNS", roles.join(",")), ("MACIE_REGIONS", regions.join(","))];
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let function = Function::with(seed, &variables).await;
    let answer = function.answer(json!({})).await;
    assert_eq!((&answer["complete"], &answer["summary"]["targets"]), (&json!(true), &json!(200)));
    assert_eq!((&answer["summary"]["violations"], &answer["summary"]["members"]), (&json!(200), &json!(12_200)));
    assert!(function.aws.most_in_flight() <= 64, "{}", function.aws.most_in_flight());

    let reports = function.published();
    let mut told: Vec<_> = reports.iter().flat_map(places).collect();
    told.sort();
    told.dedup();
    assert_eq!(told.len(), 200, "every target is told");
    assert_eq!(reports.iter().map(|report| violations(report).len()).sum::<usize>(), 200);
}

#[tokio::test]
async fn one_region_that_throttles_for_ever_delays_no_other() {
    let throttled = Fault {
        region: Some("eu-west-1".to_owned()),
        service: Some("macie2".to_owned()),
        api: None,
        ..Fault::of("macie2", "ListMembers", error(429, "ThrottlingException", "Rate exceeded"))
    };
    let seed = Seed { faults: vec![throttled], ..crate::function::seed(healthy()) };
    let function = Function::with(seed, &[("MACIE_REGIONS", "eu-west-1,us-east-1"), ("MAX_CONCURRENCY", "2")]).await;
    let report = function.report().await;
    assert_eq!(
        places(&report),
        [(ACCOUNT, "eu-west-1", false), (ACCOUNT, "us-east-1", true)].map(|(a, r, c)| (a.to_owned(), r.to_owned(), c))
    );
    let requests = function.aws.requests();
    let last =
        |region: &str| requests.iter().filter(|request| request.region == region).map(|request| request.order).max();
    let before = requests
        .iter()
        .filter(|request| request.region == "eu-west-1" && Some(request.order) < last("us-east-1"))
        .count();
    assert!(before <= 10, "the other Region is done while this one waits to be tried again: {before}");
}
