//! Findings filters with everything in them, and what their criteria match.

use crate::client::{Heard, ask};
use serde_json::{Map, Value, json};
use simulator::{Fault, FaultKind, Seed, Simulator, TargetSeed};

async fn start(target: Value) -> Simulator {
    let target: TargetSeed = serde_json::from_value(target).expect("a target");
    Simulator::start(Seed { targets: vec![target], ..Seed::default() }).await.expect("it starts")
}

async fn statistics(simulator: &Simulator, asked: Value) -> Heard {
    ask(simulator, "macie2", "POST /findings/statistics", &asked.to_string()).await
}

/// The groups of an answer, in its order.
async fn groups(simulator: &Simulator, asked: Value) -> Vec<(String, u64)> {
    let answer = statistics(simulator, asked).await.json();
    let groups = answer["countsByGroup"].as_array().expect("groups").iter();
    let text = |group: &Value| group["groupKey"].as_str().expect("a key").to_owned();
    groups.map(|group| (text(group), group["count"].as_u64().expect("a number"))).collect()
}

#[tokio::test]
async fn a_filter_is_read_as_it_is_now() {
    let criteria = json!({"criterion": {"region": {"eq": ["us-east-1"], "startsWith": ["x"]}, "new": {}}, "mode": 1});
    let simulator = start(json!({"findingsFilters": [
        {"id": "a", "action": "ARCHIVE", "criteria": criteria, "description": "why", "position": 4, "tags": {"k": "v"}},
        {"id": "b", "action": "ARCHIVE", "now": {"action": "NOOP"}},
        {"id": "c", "action": "ARCHIVE", "now": null},
    ]}))
    .await;
    let read = async |id: &str| ask(&simulator, "macie2", &format!("GET /findingsfilters/{id}"), "").await;
    let filter = json!({
        "action": "ARCHIVE", "arn": "arn:aws:macie2:us-east-1:999999999999:findings-filter/a", "description": "why",
        "findingCriteria": criteria, "id": "a", "name": "filter-1", "position": 4, "tags": {"k": "v"},
    });
    assert_eq!(read("a").await.json(), filter);
    let listed = ask(&simulator, "macie2", "GET /findingsfilters", "").await.json();
    let listed = &listed["findingsFilterListItems"];
    let names = |item: &Value| item.as_object().map(Map::len);
    assert_eq!(listed.as_array().map(|items| items.iter().map(names).collect()), Some(vec![Some(5); 3]));
    assert_eq!((&listed[1]["action"], &read("b").await.json()["action"]), (&json!("ARCHIVE"), &json!("NOOP")));
    assert_eq!(read("b").await.json().get("findingCriteria"), None);
    assert_eq!(read("c").await.header("x-amzn-errortype"), Some("ResourceNotFoundException"));
}

#[tokio::test]
async fn statistics_count_what_the_criteria_match() {
    let simulator = start(json!({"findings": [
        {"severity": "Low", "bucket": "payroll", "archived": true, "count": 30},
        {"severity": "High", "bucket": "hr", "archived": true, "jobId": "j1", "count": 3},
        {"severity": "High", "bucket": "hr", "jobId": "j2"},
        {"severity": "Medium", "bucket": "web", "type": "Policy:IAMUser/S3BucketPublic", "accountId": "100000000001"},
        {"raw": true, "severity": {"description": "Medium"}},
    ]}))
    .await;
    let by_severity = async |criterion: Value| {
        let criteria = json!({ "criterion": criterion });
        groups(&simulator, json!({"groupBy": "severity.description", "findingCriteria": criteria})).await
    };
    let counts = |counts: &[(&str, u64)]| counts.iter().map(|(key, count)| ((*key).to_owned(), *count)).collect();
    let all: Vec<_> = counts(&[("High", 4), ("Low", 30), ("Medium", 2)]);
    assert_eq!(groups(&simulator, json!({"groupBy": "severity.description"})).await, all);
    assert_eq!(by_severity(json!({})).await, all);
    assert_eq!(by_severity(json!({"archived": {"eq": ["true"]}})).await, counts(&[("High", 3), ("Low", 30)]));
    assert_eq!(by_severity(json!({"archived": {"eq": ["false"]}})).await, counts(&[("High", 1), ("Medium", 1)]));
    let name = "resourcesAffected.s3Bucket.name";
    assert_eq!(by_severity(json!({name: {"eq": ["hr", "web"]}})).await, counts(&[("High", 4), ("Medium", 1)]));
    assert_eq!(by_severity(json!({name: {"neq": ["hr", "payroll"]}})).await, counts(&[("Medium", 2)]));
    assert_eq!(by_severity(json!({"category": {"eq": ["POLICY"]}})).await, counts(&[("Medium", 1)]));
    assert_eq!(by_severity(json!({"accountId": {"eq": ["999999999999"]}})).await, counts(&[("High", 4), ("Low", 30)]));
    assert_eq!(by_severity(json!({"severity.score": {"gte": 2, "lt": 3}})).await, counts(&[("Medium", 1)]));
    assert_eq!(by_severity(json!({"region": {"eq": ["eu-west-1"]}})).await, counts(&[]));
    assert_eq!(by_severity(json!({"region": {"unheardOf": [1]}})).await, all);

    let job = json!({"groupBy": "classificationDetails.jobId"});
    assert_eq!(groups(&simulator, job).await, counts(&[("j1", 3), ("j2", 1)]));
    let kind = groups(&simulator, json!({"groupBy": "type"})).await;
    assert_eq!(kind, counts(&[("Policy:IAMUser/S3BucketPublic", 1), ("SensitiveData:S3Object/Personal", 34)]));
    let largest = json!({"attributeName": "count", "orderBy": "DESC"});
    let top = groups(&simulator, json!({"groupBy": name, "size": 2, "sortCriteria": largest})).await;
    assert_eq!(top, counts(&[("payroll", 30), ("hr", 4)]));
    let last = json!({"attributeName": "groupKey", "orderBy": "DESC"});
    let last = groups(&simulator, json!({"groupBy": name, "size": 1, "sortCriteria": last})).await;
    assert_eq!(last, counts(&[("web", 1)]));
    assert_eq!(simulator.requests()[0].body, json!({"groupBy": "severity.description"}));
}

#[tokio::test]
async fn statistics_that_cannot_be_are_refused() {
    let simulator = start(json!({})).await;
    for wrong in [
        json!({}),
        json!({"groupBy": "accountId"}),
        json!({"groupBy": "type", "size": 0}),
        json!({"groupBy": "type", "size": "1"}),
        json!({"groupBy": "type", "sortCriteria": {"orderBy": "desc"}}),
        json!({"groupBy": "type", "nextToken": "x"}),
        json!({"groupBy": "type", "findingCriteria": {"criterion": {"a": {"eq": "x"}}}}),
    ] {
        let heard = statistics(&simulator, wrong.clone()).await;
        assert_eq!(heard.header("x-amzn-errortype"), Some("ValidationException"), "{wrong}");
    }
    assert_eq!(statistics(&simulator, json!({"groupBy": "type"})).await.json(), json!({"countsByGroup": []}));
}

#[tokio::test]
async fn the_new_reads_have_faults_too() {
    let throttled =
        FaultKind::Error { status: 429, code: "ThrottlingException".to_owned(), message: "Rate exceeded".to_owned() };
    let simulator = start(json!({"findingsFilters": [{"id": "a"}, {"id": "b"}]})).await;
    let of_b = Fault { path: Some("/b".to_owned()), ..Fault::of("macie2", "GetFindingsFilter", throttled.clone()) };
    let second = Fault { from: 2, times: Some(1), ..Fault::of("macie2", "GetFindingStatistics", throttled) };
    simulator.set_faults(vec![of_b, second]);
    for (id, status) in [("a", 200), ("b", 429)] {
        assert_eq!(ask(&simulator, "macie2", &format!("GET /findingsfilters/{id}"), "").await.status(), status);
    }
    for status in [200, 429, 200] {
        assert_eq!(statistics(&simulator, json!({"groupBy": "type"})).await.status(), status);
    }
}
