//! The report goes out before the deadline, with what was read until then.

use std::time::{Duration, Instant};

use serde_json::json;
use simulator::lambda::Outcome;
use simulator::{FaultKind, TargetSeed};

use crate::function::{Function, faulty, healthy, read, seed, violations, with_seconds};

#[tokio::test]
async fn a_call_that_hangs_is_cut_and_named_and_the_rest_is_published_in_time() {
    for kind in [FaultKind::Hang, FaultKind::HangMidBody] {
        for api in ["ListMembers", "GetMacieSession"] {
            let mut seed = faulty(api, kind.clone());
            seed.targets[0].findings_filters = vec![json!({"id": "f", "action": "ARCHIVE"})];
            let function = Function::start(seed).await;
            let start = Instant::now();
            let Outcome::Answer(answer) = function.invoke(with_seconds(12)).await else { panic!("it fails") };
            assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
            assert_eq!((&answer["verdict"], &answer["complete"]), (&json!("NON_COMPLIANT"), &json!(false)));
            let report = function.published().remove(0);
            assert_eq!(read(&report, api)["error"]["code"], "DeadlineExceeded", "{api} {kind:?}");
            assert_eq!(read(&report, "ListFindingsFilters")["complete"], true);
            assert_eq!(violations(&report), [("filter-archives-findings".to_owned(), "f".to_owned())]);
        }
    }
}

#[tokio::test]
async fn what_waits_for_the_administrator_is_read_however_little_time_there_is() {
    for (seconds, at_once) in [(10, "64"), (11, "64"), (12, "64"), (10, "4")] {
        let mut seed = faulty("GetAdministratorAccount", FaultKind::Hang);
        seed.targets = vec![TargetSeed {
            administrator: None,
            findings_filters: vec![json!({"id": "f", "action": "ARCHIVE"})],
            allow_lists: vec![json!({"id": "a1", "criteria": {"regex": "Example"}})],
            jobs: vec![json!({"jobStatus": "RUNNING", "jobType": "ONE_TIME", "allowListIds": ["a1"]})],
            ..healthy()
        }];
        let function = Function::with(seed, &[("MAX_CONCURRENCY", at_once)]).await;
        function.runtime.ready().await;
        let Outcome::Answer(_) = function.invoke(with_seconds(seconds)).await else { panic!("it fails") };
        let report = function.published().remove(0);
        let reads = report["targets"][0]["reads"].as_array().expect("a list");
        assert!(reads.iter().any(|read| read["api"] == "GetAllowList"), "{seconds} s: {reads:?}");
        let failed: Vec<_> = reads.iter().filter(|read| read["complete"] == false).map(|read| &read["api"]).collect();
        assert_eq!(failed, ["GetAdministratorAccount"], "{seconds} s");
        assert!(violations(&report).contains(&("filter-archives-findings".to_owned(), "f".to_owned())));
    }
}

#[tokio::test]
async fn the_margin_decides_when_reading_ends() {
    let mut seed = faulty("ListMembers", FaultKind::EndlessEmpty);
    seed.latency_ms = 5;
    let function = Function::with(seed, &[("DEADLINE_MARGIN_SECONDS", "4")]).await;
    let start = Instant::now();
    let Outcome::Answer(answer) = function.invoke(with_seconds(6)).await else { panic!("it fails") };
    assert!((1_500..4_000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    assert_eq!(answer["verdict"], "INSUFFICIENT_DATA");
    let report = function.published().remove(0);
    let members = read(&report, "ListMembers");
    assert_eq!(members["error"]["code"], "DeadlineExceeded");
    assert!(members["pages"].as_u64().is_some_and(|pages| pages > 50), "{members}");
}

#[tokio::test]
async fn members_that_could_not_be_read_again_in_time_stand_unconfirmed() {
    let mut hanging = faulty("GetMember", FaultKind::Hang);
    hanging.targets = seed(TargetSeed {
        members: vec![json!({"accountId": "100000000001", "relationshipStatus": "AccountSuspended"})],
        ..healthy()
    })
    .targets;
    let function = Function::start(hanging).await;
    let Outcome::Answer(_) = function.invoke(with_seconds(12)).await else { panic!("it fails") };
    let report = function.published().remove(0);
    assert_eq!(report["violations"][0]["confirmed"], false);
    assert_eq!(read(&report, "GetMember")["error"]["code"], "DeadlineExceeded");
}

#[tokio::test]
async fn an_account_that_does_not_open_in_time_delays_no_other() {
    let role = ("MACIE_ROLE_ARNS", "arn:aws:iam::111122223333:role/audit");
    for (service, api, variable) in [("sts", "AssumeRole", role), ("account", "ListRegions", ("MACIE_REGIONS", "all"))]
    {
        let faults = vec![simulator::Fault::of(service, api, FaultKind::Hang)];
        let function = Function::with(simulator::Seed { faults, ..seed(healthy()) }, &[variable]).await;
        let Outcome::Answer(answer) = function.invoke(with_seconds(22)).await else { panic!("it fails") };
        assert_eq!(answer["verdict"], "INSUFFICIENT_DATA");
        assert_eq!(answer["summary"]["targetsIncomplete"], 1, "{api}");
        let report = function.published().remove(0);
        let targets = report["targets"].as_array().expect("targets");
        let failed = targets.iter().find(|target| target["complete"] == false).expect("an incomplete target");
        assert_eq!(
            (&failed["reads"][0]["api"], &failed["reads"][0]["error"]["code"]),
            (&json!(api), &json!("DeadlineExceeded"))
        );
    }
}
