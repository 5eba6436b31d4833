//! Discovery, allow lists, jobs, buckets and settings answer what the seed says.

use crate::client::{Heard, ask, form};
use serde_json::{Value, json};
use simulator::{Seed, Simulator, TargetSeed};

async fn start(target: Value) -> Simulator {
    let target: TargetSeed = serde_json::from_value(target).expect("a target");
    Simulator::start(Seed { targets: vec![target], ..Seed::default() }).await.expect("it starts")
}

async fn get(simulator: &Simulator, path: &str) -> Heard {
    ask(simulator, "macie2", &format!("GET {path}"), "").await
}

async fn post(simulator: &Simulator, path: &str, body: Value) -> Heard {
    ask(simulator, "macie2", &format!("POST {path}"), &body.to_string()).await
}

/// Every item of a list, over all pages, and how many pages there were.
async fn all_posted(simulator: &Simulator, path: &str, name: &str, mut body: Value) -> (Vec<Value>, usize) {
    let (mut items, mut pages) = (Vec::new(), 0);
    loop {
        let page = post(simulator, path, body.clone()).await.json();
        items.extend(page[name].as_array().expect("a list").clone());
        pages += 1;
        if page["nextToken"].is_null() {
            return (items, pages);
        }
        body["nextToken"] = page["nextToken"].clone();
    }
}

#[tokio::test]
async fn a_target_that_says_nothing_is_clean() {
    let simulator = start(json!({"members": [{"count": 2}]})).await;
    let read = async |path: &str| get(&simulator, path).await.json();
    let discovery = read("/automated-discovery/configuration").await;
    assert_eq!((&discovery["status"], &discovery["autoEnableOrganizationMembers"]), (&json!("ENABLED"), &json!("ALL")));
    let accounts = read("/automated-discovery/accounts").await;
    let statuses: Vec<_> = accounts["items"].as_array().expect("a list").iter().map(|it| &it["status"]).collect();
    assert_eq!(statuses, ["ENABLED"; 3]);

    let scopes = read("/classification-scopes").await;
    let scope = scopes["classificationScopes"][0].clone();
    assert_eq!(scope["id"], discovery["classificationScopeId"]);
    let path = format!("/classification-scopes/{}", scope["id"].as_str().expect("an id"));
    let told = json!({"id": scope["id"], "name": scope["name"], "s3": {"excludes": {"bucketNames": []}}});
    assert_eq!(read(&path).await, told);
    let templates = read("/templates/sensitivity-inspections").await;
    let id = templates["sensitivityInspectionTemplates"][0]["id"].clone();
    assert_eq!(id, discovery["sensitivityInspectionTemplateId"]);
    let template = read(&format!("/templates/sensitivity-inspections/{}", id.as_str().expect("an id"))).await;
    assert_eq!(template["excludes"], json!({"managedDataIdentifierIds": []}));

    assert_eq!(read("/allow-lists").await["allowLists"], json!([]));
    assert_eq!(post(&simulator, "/jobs/list", json!({})).await.json()["items"], json!([]));
    assert_eq!(post(&simulator, "/datasources/s3", json!({})).await.json()["buckets"], json!([]));
    let both = json!({"publishClassificationFindings": true, "publishPolicyFindings": true});
    assert_eq!(read("/findings-publication-configuration").await, json!({ "securityHubConfiguration": both }));
    let export = read("/classification-export-configuration").await;
    assert!(export["configuration"]["s3Destination"]["kmsKeyArn"].is_string());
    assert_eq!(read("/admin/configuration").await, json!({"autoEnable": true, "maxAccountLimitReached": false}));
    for path in ["/classification-scopes/x", "/templates/sensitivity-inspections/x", "/allow-lists/x", "/jobs/x"] {
        assert_eq!(get(&simulator, path).await.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn settings_differ_where_the_seed_says_so() {
    let simulator = start(json!({
        "members": [{"count": 2}, {"relationshipStatus": "Paused"}],
        "organization": {"autoEnable": false, "maxAccountLimitReached": true},
        "discovery": {"autoEnableOrganizationMembers": "NEW"},
        "discoveryAccounts": {"100000000001": "DISABLED", "100000000002": null, "555555555555": "ENABLED"},
        "excludedBuckets": ["logs", {"count": 2}],
        "discoveryTemplate": {"excludes": {"managedDataIdentifierIds": ["AWS_CREDENTIALS"]}},
        "publication": {"publishPolicyFindings": false},
        "export": null,
    }))
    .await;
    let read = async |path: &str| get(&simulator, path).await.json();
    assert_eq!(read("/admin/configuration").await, json!({"autoEnable": false, "maxAccountLimitReached": true}));
    let discovery = read("/automated-discovery/configuration").await;
    assert_eq!((&discovery["status"], &discovery["autoEnableOrganizationMembers"]), (&json!("ENABLED"), &json!("NEW")));
    let accounts = read("/automated-discovery/accounts").await;
    let expected = [("100000000001", "DISABLED"), ("555555555555", "ENABLED"), ("999999999999", "ENABLED")]
        .map(|(id, status)| json!({"accountId": id, "status": status}));
    assert_eq!(accounts["items"], json!(expected));
    let scope = discovery["classificationScopeId"].as_str().expect("an id");
    let scope = read(&format!("/classification-scopes/{scope}")).await;
    let names: Vec<_> = scope["s3"]["excludes"]["bucketNames"].as_array().expect("a list").iter().collect();
    assert_eq!(names, ["logs", "excluded-1", "excluded-2"]);
    let template = discovery["sensitivityInspectionTemplateId"].as_str().expect("an id");
    let template = read(&format!("/templates/sensitivity-inspections/{template}")).await;
    assert_eq!(template["excludes"], json!({"managedDataIdentifierIds": ["AWS_CREDENTIALS"]}));
    assert_eq!(template["includes"]["allowListIds"], json!([]));
    let publication = &read("/findings-publication-configuration").await["securityHubConfiguration"];
    assert_eq!(*publication, json!({"publishClassificationFindings": true, "publishPolicyFindings": false}));
    assert_eq!(read("/classification-export-configuration").await, json!({}));

    let off = start(json!({"members": [{"count": 1}], "discovery": {"status": "DISABLED"}})).await;
    assert!(get(&off, "/automated-discovery/configuration").await.json()["disabledAt"].is_string());
    let accounts = get(&off, "/automated-discovery/accounts").await.json();
    assert_eq!(accounts["items"][0], json!({"accountId": "100000000001", "status": "DISABLED"}));
}

#[tokio::test]
async fn identifiers_come_in_pages_by_token_alone() {
    let simulator = start(json!({})).await;
    let (items, pages) = all_posted(&simulator, "/managed-data-identifiers/list", "items", json!({})).await;
    assert!(items.len() > 25 && pages == 2);
    assert!(items.contains(&json!({"category": "CREDENTIALS", "id": "AWS_CREDENTIALS"})));
    let given = json!([{"id": "MINE", "category": "CUSTOM_IDENTIFIER"}]);
    let simulator = start(json!({ "managedDataIdentifiers": given })).await;
    assert_eq!(ask(&simulator, "macie2", "POST /managed-data-identifiers/list", "").await.json()["items"], given);
}

#[tokio::test]
async fn allow_lists_tell_their_criteria_one_by_one() {
    let words = json!({"s3WordsList": {"bucketName": "words", "objectKey": "list.txt"}});
    let simulator = start(json!({"allowLists": [
        {"id": "wide", "criteria": {"regex": ".*"}},
        {"id": "words", "criteria": words, "status": {"code": "S3_OBJECT_NOT_FOUND"}},
        {"id": "since-deleted", "now": null},
        {"count": 30},
    ]}))
    .await;
    let first = get(&simulator, "/allow-lists?maxResults=25").await.json();
    let token = form(&[("nextToken", first["nextToken"].as_str().expect("a token"))]);
    let second = get(&simulator, &format!("/allow-lists?maxResults=25&{token}")).await.json();
    assert_eq!(
        (first["allowLists"].as_array().map(Vec::len), second["allowLists"].as_array().map(Vec::len)),
        (Some(25), Some(8))
    );
    assert_eq!((&first["allowLists"][0]["id"], first["allowLists"][0].get("criteria")), (&json!("wide"), None));
    let read = async |id: &str| get(&simulator, &format!("/allow-lists/{id}")).await;
    let wide = read("wide").await.json();
    assert_eq!((&wide["criteria"], &wide["status"]), (&json!({"regex": ".*"}), &json!({"code": "OK"})));
    let of_words = read("words").await.json();
    assert_eq!((&of_words["criteria"], &of_words["status"]["code"]), (&words, &json!("S3_OBJECT_NOT_FOUND")));
    assert_eq!(read("since-deleted").await.status(), 404);
    assert_eq!(get(&simulator, "/allow-lists?maxResults=26").await.status(), 400);
}

#[tokio::test]
async fn jobs_are_filtered_paged_and_described() {
    let simulator = start(json!({"jobs": [
        {"jobId": "paused", "jobStatus": "USER_PAUSED", "allowListIds": ["wide"]},
        {"jobId": "failing", "lastRunErrorStatus": {"code": "ERROR"}, "now": {"jobStatus": "COMPLETE"}},
        {"jobId": "once", "jobType": "ONE_TIME", "jobStatus": "COMPLETE", "now": null},
        {"count": 60, "jobStatus": "CANCELLED"},
    ]}))
    .await;
    let list = async |body: Value| all_posted(&simulator, "/jobs/list", "items", body).await;
    let ids =
        |jobs: &[Value]| jobs.iter().map(|job| job["jobId"].as_str().expect("an id").to_owned()).collect::<Vec<_>>();
    let (jobs, pages) = list(json!({"maxResults": 200})).await;
    assert_eq!((jobs.len(), pages), (63, 3));
    assert!(jobs[0]["userPausedDetails"]["jobExpiresAt"].is_string() && jobs[0]["bucketDefinitions"].is_array());
    assert_eq!((jobs[0].get("allowListIds"), jobs[1].get("userPausedDetails")), (None, None));
    assert_eq!(jobs[1]["lastRunErrorStatus"], json!({"code": "ERROR"}));
    let term =
        |key: &str, comparator: &str, values: &[&str]| json!({"key": key, "comparator": comparator, "values": values});
    for (filter, expected) in [
        (json!({"includes": [term("jobStatus", "EQ", &["USER_PAUSED", "PAUSED"])]}), vec!["paused"]),
        (
            json!({"includes": [term("jobType", "EQ", &["SCHEDULED"]), term("jobStatus", "NE", &["CANCELLED"])]}),
            vec!["paused", "failing"],
        ),
        (json!({"excludes": [term("jobStatus", "EQ", &["CANCELLED", "IDLE"])]}), vec!["paused", "once"]),
        (
            json!({"includes": [term("name", "STARTS_WITH", &["job-"])], "excludes": [term("name", "CONTAINS", &["-"])]}),
            vec![],
        ),
    ] {
        let (jobs, _) = list(json!({ "filterCriteria": filter })).await;
        assert_eq!(ids(&jobs), expected, "{filter}");
    }
    for wrong in [
        json!({"maxResults": 0}),
        json!({"filterCriteria": {"includes": [term("jobStatus", "LIKE", &["x"])]}}),
        json!({"filterCriteria": {"includes": [term("bucket", "EQ", &["x"])]}}),
    ] {
        assert_eq!(post(&simulator, "/jobs/list", wrong.clone()).await.status(), 400, "{wrong}");
    }
    let read = async |id: &str| get(&simulator, &format!("/jobs/{id}")).await;
    let paused = read("paused").await.json();
    assert_eq!((&paused["allowListIds"], paused.get("bucketDefinitions")), (&json!(["wide"]), None));
    assert!(paused["jobArn"].is_string() && paused["s3JobDefinition"]["bucketDefinitions"].is_array());
    assert_eq!(read("failing").await.json()["jobStatus"], "COMPLETE");
    assert_eq!(read("once").await.status(), 404);
}

#[tokio::test]
async fn buckets_are_found_by_their_error() {
    let simulator = start(json!({"buckets": [
        {"count": 40},
        {"bucketName": "closed", "errorCode": "ACCESS_DENIED"},
        {"count": 30, "accountId": "100000000001", "errorCode": "BUCKET_COUNT_EXCEEDS_QUOTA"},
    ]}))
    .await;
    let of = async |codes: &[&str]| {
        let criteria = json!({"criteria": {"errorCode": {"eq": codes}}, "maxResults": 50});
        all_posted(&simulator, "/datasources/s3", "buckets", criteria).await
    };
    let (denied, pages) = of(&["ACCESS_DENIED"]).await;
    assert_eq!((denied.len(), pages, &denied[0]["bucketName"]), (1, 1, &json!("closed")));
    let (both, pages) = of(&["ACCESS_DENIED", "BUCKET_COUNT_EXCEEDS_QUOTA"]).await;
    assert_eq!((both.len(), pages, &both[30]["accountId"]), (31, 2, &json!("100000000001")));
    let (fine, _) = all_posted(
        &simulator,
        "/datasources/s3",
        "buckets",
        json!({"criteria": {"errorCode": {"neq": ["ACCESS_DENIED", "BUCKET_COUNT_EXCEEDS_QUOTA"]}}}),
    )
    .await;
    assert_eq!((fine.len(), fine[0].get("errorCode")), (40, None));
    for wrong in
        [json!({"maxResults": 0}), json!({"criteria": {"bucketName": {"prefix": "b"}}}), json!({"criteria": []})]
    {
        assert_eq!(post(&simulator, "/datasources/s3", wrong.clone()).await.status(), 400, "{wrong}");
    }
}
