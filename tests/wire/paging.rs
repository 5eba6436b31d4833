//! Every page, each item once, and never a list that only looks finished.

use std::collections::HashSet;

use serde_json::json;
use simulator::{Fault, FaultKind, Paging, Seed, TargetSeed};

use crate::function::{Function, faulty, healthy, read, seed, violations};

/// Flagged items at the very ends and on both sides of a page, to show that none is lost.
fn long_lists() -> Seed {
    let mut members = vec![json!({"count": 9_000, "relationshipStatus": "Enabled"})];
    members.insert(0, json!({"accountId": "100000000001", "relationshipStatus": "AccountSuspended"}));
    members.push(json!({"accountId": "100000000002", "relationshipStatus": "RegionDisabled"}));
    members.push(json!({"count": 997, "relationshipStatus": "Removed"}));
    members.push(json!({"accountId": "100000000003", "relationshipStatus": "Paused"}));
    Seed {
        paging: Paging { token_length: 400, empty_page_every: 7, ..Paging::default() },
        ..seed(TargetSeed {
            members,
            invitations: vec![
                json!({"count": 999, "relationshipStatus": "Invited"}),
                json!({"accountId": "100000000004", "relationshipStatus": "AccountSuspended"}),
            ],
            findings_filters: vec![json!({"count": 999, "action": "NOOP"}), json!({"id": "last", "action": "ARCHIVE"})],
            ..healthy()
        })
    }
}

#[tokio::test]
async fn quotas_full_of_items_are_read_to_the_last_page_and_no_page_twice() {
    let function = Function::start(long_lists()).await;
    let report = function.report().await;
    assert_eq!(report["complete"], true);
    let summary = &report["summary"];
    assert_eq!(
        (&summary["members"], &summary["invitations"], &summary["filters"]),
        (&json!(10_000), &json!(1_000), &json!(1_000))
    );
    let found: HashSet<String> = violations(&report).into_iter().map(|(_, id)| id).collect();
    assert_eq!(
        found,
        ["100000000001", "100000000002", "100000000003", "100000000004", "last"].map(str::to_owned).into()
    );

    let requests = function.aws.requests();
    for (api, pages) in [("ListMembers", 457), ("ListInvitations", 45), ("ListFindingsFilters", 45)] {
        let walked: Vec<_> = requests.iter().filter(|request| request.operation == api).collect();
        assert_eq!(read(&report, api)["pages"], pages);
        assert_eq!(walked.len(), pages, "{api}");
        let tokens: HashSet<_> = walked.iter().map(|request| request.query.get("nextToken")).collect();
        assert_eq!(tokens.len(), pages, "no page of {api} is read twice");
        assert!(walked.iter().all(|request| request.query["maxResults"] == "25"));
        let all = walked.iter().all(|request| request.query.get("onlyAssociated").is_some_and(|only| only == "false"));
        assert!(api != "ListMembers" || all, "onlyAssociated goes with every page");
    }
}

#[tokio::test]
async fn a_token_that_comes_back_ends_the_walk_as_a_loop() {
    for kind in [FaultKind::RepeatToken, FaultKind::CycleTokens] {
        for api in ["ListMembers", "ListInvitations", "ListFindingsFilters"] {
            let fault = Fault { from: 2, ..Fault::of("macie2", api, kind.clone()) };
            let many = |item| vec![item; 1];
            let target = TargetSeed {
                members: many(json!({"count": 100, "relationshipStatus": "Enabled"})),
                invitations: many(json!({"count": 100, "relationshipStatus": "Invited"})),
                findings_filters: many(json!({"count": 100, "action": "NOOP"})),
                ..healthy()
            };
            let function = Function::start(Seed { faults: vec![fault], ..seed(target) }).await;
            let report = function.report().await;
            assert_eq!(report["verdict"], "INSUFFICIENT_DATA", "{api} {kind:?}");
            assert_eq!(read(&report, api)["error"]["code"], "PaginationLoop", "{api} {kind:?}");
            assert_eq!(
                report["targets"][0]["reads"]
                    .as_array()
                    .map(|reads| reads.iter().filter(|r| r["complete"] == true).count()),
                Some(9)
            );
        }
    }
}

#[tokio::test]
async fn where_pages_end_and_how_items_are_ordered_changes_neither_violations_nor_counts() {
    let statuses = ["Enabled", "AccountSuspended", "Removed", "Paused", "RegionDisabled", "Unheard"];
    let actions = ["NOOP", "ARCHIVE", "OTHER"];
    let member = |index: usize| json!({"accountId": format!("{index:012}"), "relationshipStatus": statuses[index % 6]});
    let invitation =
        |index: usize| json!({"accountId": format!("{index:012}"), "relationshipStatus": statuses[index % 5]});
    let filter = |index: usize| {
        let (id, name, action) = (format!("f-{index}"), format!("n-{index}"), actions[index % 3]);
        json!({"id": id, "name": name, "action": action, "position": index, "description": "One of many"})
    };
    let mut known = None;
    for (max_page, empty_page_every) in [(25, 0), (1, 0), (2, 3), (3, 0), (7, 1), (13, 0), (24, 2)] {
        for turned in [false, true] {
            let list = |item: &dyn Fn(usize) -> serde_json::Value, count| {
                let mut items: Vec<_> = (1..=count).map(item).collect();
                if turned {
                    items.reverse();
                }
                items
            };
            let target = TargetSeed {
                members: list(&member, 60),
                invitations: list(&invitation, 26),
                findings_filters: list(&filter, 51),
                ..healthy()
            };
            let paging = Paging { max_page, empty_page_every, ..Paging::default() };
            let mut report = Function::start(Seed { paging, ..seed(target) }).await.report().await;
            assert_eq!(read(&report, "ListMembers")["complete"], true);
            let told = (report["violations"].take(), report["summary"].take(), report["verdict"].take());
            assert_eq!(told.1["violations"], 40 + 11 + 34, "members, invitations, filters");
            let known = known.get_or_insert_with(|| told.clone());
            assert_eq!(known, &told, "pages of {max_page}, an empty one after every {empty_page_every}, {turned}");
        }
    }
}

#[tokio::test]
async fn what_was_read_before_a_walk_broke_off_is_reported() {
    let mut faults = faulty("ListFindingsFilters", crate::function::error(500, "InternalServerException", "broken"));
    faults.faults[0].from = 3;
    faults.targets[0].findings_filters =
        vec![json!({"id": "f", "action": "ARCHIVE"}), json!({"count": 99, "action": "NOOP"})];
    let report = Function::start(faults).await.report().await;
    assert_eq!((&report["verdict"], &report["complete"]), (&json!("NON_COMPLIANT"), &json!(false)));
    let filters = read(&report, "ListFindingsFilters");
    assert_eq!((&filters["pages"], &filters["items"]), (&json!(2), &json!(50)));
    assert_eq!(filters["error"]["code"], "InternalServerException");
    assert_eq!(violations(&report), [("filter-archives-findings".to_owned(), "f".to_owned())]);
}
