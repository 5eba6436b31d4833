//! How much the findings filters mute that archive findings, over the wire.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use simulator::lambda::Outcome;
use simulator::{Fault, FaultKind, Seed, TargetSeed};

use crate::function::{Function, error, healthy, read, seed, violations, with_seconds};

/// An administrator account with members.
fn administrator() -> TargetSeed {
    TargetSeed { administrator: None, ..healthy() }
}

fn archive(id: &str, criteria: Value) -> Value {
    json!({"id": id, "action": "ARCHIVE", "criteria": criteria})
}

/// An account with these filters, and with findings of three buckets.
fn with_filters(filters: Vec<Value>) -> TargetSeed {
    let finding = |finding: Value| finding.as_object().cloned().expect("an object");
    TargetSeed {
        findings_filters: filters,
        findings: vec![
            finding(json!({"count": 30, "severity": "Low", "bucket": "payroll", "archived": true})),
            finding(json!({"count": 4, "severity": "Medium", "bucket": "hr", "archived": true})),
            finding(json!({"count": 2, "severity": "Low", "bucket": "payroll"})),
            finding(json!({"severity": "High", "bucket": "web"})),
        ],
        ..administrator()
    }
}

async fn report(target: TargetSeed) -> Value {
    Function::start(seed(target)).await.report().await
}

/// The violation of the filter with this id.
fn of<'a>(report: &'a Value, id: &str) -> &'a Value {
    let list = report["violations"].as_array().expect("a list");
    list.iter().find(|violation| violation["resource"]["id"] == id).unwrap_or_else(|| panic!("{id} in {list:?}"))
}

fn told<'a>(report: &'a Value, id: &str) -> (&'a str, &'a str) {
    let violation = of(report, id);
    let text = |value: &'a Value| value.as_str().unwrap_or_default();
    (text(&violation["filter"]["breadth"]), text(&violation["severity"]))
}

/// The digest of a filter whose canonical form this is.
fn digest(canonical: &str) -> String {
    Sha256::digest(canonical).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn asked<'a>(requests: &'a [simulator::Request], operation: &str) -> Vec<&'a simulator::Request> {
    requests.iter().filter(|request| request.operation == operation).collect()
}

#[tokio::test]
async fn every_breadth_has_its_severity() {
    let own = json!({"eq": ["us-east-1"]});
    let cases = [
        ("none", Value::Null, "EVERYTHING"),
        ("empty", json!({}), "EVERYTHING"),
        ("own-region", json!({"region": own}), "EVERYTHING"),
        ("neq-alone", json!({"resourcesAffected.s3Bucket.name": {"neq": ["web"]}}), "EVERYTHING"),
        ("all-severities", json!({"severity.description": {"eq": ["High", "Low", "Medium"]}}), "EVERYTHING"),
        ("archived", json!({"archived": {"eq": ["false"]}}), "EVERYTHING"),
        ("unknown-operator", json!({"resourcesAffected.s3Bucket.name": {"startsWith": ["pay"]}}), "EVERYTHING"),
        ("severity", json!({"severity.description": {"eq": ["Low"]}}), "CLASS"),
        ("unknown-field", json!({"moonPhase": {"eq": ["full"]}}), "CLASS"),
        ("account", json!({"accountId": {"eq": ["999999999999"]}, "severity.description": {"eq": ["Low"]}}), "ACCOUNT"),
        ("bucket", json!({"resourcesAffected.s3Bucket.name": {"eq": ["hr"]}, "region": own}), "BUCKET"),
        (
            "narrow-among-wide",
            json!({"region": own, "severity.score": {"gt": 0}, "category": {"neq": ["POLICY"]}, "id": {"eq": ["1"]}}),
            "OBJECT",
        ),
    ];
    let filters = cases.iter().map(|(id, criteria, _)| archive(id, criteria.clone())).collect();
    let report = report(with_filters(filters)).await;
    assert_eq!((&report["complete"], violations(&report).len()), (&json!(true), cases.len()));
    for (id, _, breadth) in &cases {
        let severity = match *breadth {
            "EVERYTHING" => "CRITICAL",
            "CLASS" | "ACCOUNT" => "HIGH",
            "BUCKET" => "MEDIUM",
            _ => "LOW",
        };
        assert_eq!(told(&report, id), (*breadth, severity), "{id}");
    }
    let count = cases.len() as u64;
    let looked = read(&report, "GetFindingsFilter");
    assert_eq!((&looked["complete"], &looked["items"]), (&json!(true), &json!(count)));
    let counted = read(&report, "GetFindingStatistics");
    assert_eq!((&counted["pages"], &counted["items"]), (&json!(3 * count), &json!(count)));
}

#[tokio::test]
async fn a_filter_is_told_with_its_criteria_its_digest_and_what_matches_it() {
    let odd =
        json!({"criterion": {"severity.description": {"like": {"b": 1, "a": 10.0}, "eq": ["Low"]}}, "next": [null]});
    let filters = vec![
        json!({"id": "all", "action": "ARCHIVE", "description": "Accepted\u{202e}", "position": 7}),
        archive("hr", json!({"resourcesAffected.s3Bucket.name": {"eq": ["hr"]}})),
        archive("odd", odd.clone()),
    ];
    let report = report(with_filters(filters)).await;
    let counts = |total: u64, high: u64, medium: u64, low: u64| json!({"total": total, "High": high, "Medium": medium, "Low": low});
    let all = &of(&report, "all")["filter"];
    assert_eq!(
        (&all["criteria"], &all["conditions"]),
        (&json!({"criterion": {}}), &json!(["every finding: there are no conditions"]))
    );
    assert_eq!((&all["description"], &all["position"]), (&json!("Accepted\u{202e}"), &json!(7)));
    assert_eq!(all["digest"], digest(r#"{"action":"ARCHIVE","criteria":{"criterion":{}}}"#));
    let buckets = json!([{"name": "payroll", "archived": 30}, {"name": "hr", "archived": 4}]);
    assert_eq!(
        all["matches"],
        json!({"archived": counts(34, 0, 4, 30), "current": counts(3, 1, 0, 2), "topBuckets": buckets})
    );
    let hr = &of(&report, "hr")["filter"];
    let canonical =
        r#"{"action":"ARCHIVE","criteria":{"criterion":{"resourcesAffected.s3Bucket.name":{"eq":["hr"]}}}}"#;
    assert_eq!(hr["digest"], digest(canonical));
    let buckets = json!([{"name": "hr", "archived": 4}]);
    assert_eq!(
        hr["matches"],
        json!({"archived": counts(4, 0, 4, 0), "current": counts(0, 0, 0, 0), "topBuckets": buckets})
    );
    let told = &of(&report, "odd")["filter"];
    assert_eq!(told["criteria"], odd, "what no build knows is kept");
    let canonical = r#"{"action":"ARCHIVE","criteria":{"criterion":{"severity.description":{"eq":["Low"],"like":{"a":10,"b":1}}},"next":[null]}}"#;
    assert_eq!(told["digest"], digest(canonical));
    assert_eq!(told["matches"]["archived"], counts(30, 0, 0, 30));
}

#[tokio::test]
async fn matches_are_asked_with_the_criteria_as_they_are_and_archived_replaced() {
    let criteria = json!({"criterion": {
        "archived": {"neq": ["true"]},
        "severity.description": {"eq": ["Low"], "like": {"a": 1.5}},
    }, "next": 1});
    let function = Function::start(seed(with_filters(vec![archive("f", criteria)]))).await;
    function.report().await;
    let requests = function.aws.requests();
    let bodies: Vec<&Value> = asked(&requests, "GetFindingStatistics").iter().map(|request| &request.body).collect();
    let with_archived = |archived: &str| {
        json!({"criterion": {
            "archived": {"eq": [archived]},
            "severity.description": {"eq": ["Low"], "like": {"a": 1.5}},
        }, "next": 1})
    };
    let expected = [
        json!({"groupBy": "severity.description", "findingCriteria": with_archived("true")}),
        json!({"groupBy": "severity.description", "findingCriteria": with_archived("false")}),
        json!({
            "groupBy": "resourcesAffected.s3Bucket.name", "findingCriteria": with_archived("true"),
            "size": 5, "sortCriteria": {"attributeName": "count", "orderBy": "DESC"},
        }),
    ];
    assert_eq!(bodies.len(), expected.len());
    assert!(expected.iter().all(|expected| bodies.contains(&expected)), "{bodies:?}");
}

#[tokio::test]
async fn the_five_buckets_with_most_archived_findings_are_named() {
    let finding = |index: u64| {
        let finding = json!({"count": 10 + index, "severity": "Low", "bucket": format!("b-{index}"), "archived": true});
        finding.as_object().cloned().expect("an object")
    };
    let findings = (0..8).map(finding).collect();
    let report = report(TargetSeed { findings, ..with_filters(vec![archive("f", json!({}))]) }).await;
    let expected: Vec<Value> =
        (3..8).rev().map(|index| json!({"name": format!("b-{index}"), "archived": 10 + index})).collect();
    assert_eq!(of(&report, "f")["filter"]["matches"]["topBuckets"], json!(expected));
    assert_eq!(of(&report, "f")["filter"]["matches"]["archived"]["total"], 108);
}

#[tokio::test]
async fn what_a_filter_is_when_it_is_read_by_itself_counts() {
    let changed = |id: &str, now: Value| json!({"id": id, "action": "ARCHIVE", "now": now});
    let filters = vec![
        changed("noop", json!({"action": "NOOP"})),
        changed("gone", Value::Null),
        changed("odd", json!({"action": "FORWARD"})),
        changed("renamed", json!({"name": "by now", "criteria": {"id": {"eq": ["1"]}}})),
    ];
    let report = report(with_filters(filters)).await;
    let expected = [("filter-action-unrecognized", "odd"), ("filter-archives-findings", "renamed")];
    assert_eq!(violations(&report), expected.map(|(rule, id)| (rule.to_owned(), id.to_owned())));
    assert_eq!((&report["complete"], &report["summary"]["filters"]), (&json!(true), &json!(4)));
    assert_eq!(told(&report, "renamed"), ("OBJECT", "LOW"));
    assert_eq!(of(&report, "renamed")["resource"]["name"], "by now");
    let looked = read(&report, "GetFindingsFilter");
    assert_eq!((&looked["pages"], &looked["items"]), (&json!(4), &json!(3)), "one of four was not there any more");
    assert_eq!(read(&report, "GetFindingStatistics")["items"], 1, "the others archive nothing");
}

#[tokio::test]
async fn filters_that_are_all_harmless_by_now_leave_a_target_compliant() {
    let now = [json!({"action": "NOOP"}), Value::Null];
    let filters = now.map(|now| json!({"action": "ARCHIVE", "now": now})).to_vec();
    let function = Function::start(seed(with_filters(filters))).await;
    let report = function.report().await;
    assert_eq!((&report["verdict"], &report["complete"]), (&json!("COMPLIANT"), &json!(true)));
    assert!(asked(&function.aws.requests(), "GetFindingStatistics").is_empty());
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_stands_with_medium_and_the_others_are_told_whole() {
    for (kind, code, seconds) in [
        (error(403, "AccessDeniedException", "not yours"), "AccessDeniedException", 14),
        (FaultKind::Hang, "DeadlineExceeded", 14),
        (FaultKind::Hang, "DeadlineExceeded", 12),
    ] {
        // More than are asked about at the same time.
        let mut filters = ["secret", "secret-2", "secret-3"].map(|id| archive(id, json!({}))).to_vec();
        filters.push(archive("open", json!({"id": {"eq": ["1"]}})));
        let fault = Fault { path: Some("secret".to_owned()), ..Fault::of("macie2", "GetFindingsFilter", kind) };
        let function = Function::start(Seed { faults: vec![fault], ..seed(with_filters(filters)) }).await;
        let Outcome::Answer(answer) = function.invoke(with_seconds(seconds)).await else { panic!("{code}: it fails") };
        assert_eq!((&answer["verdict"], &answer["complete"]), (&json!("NON_COMPLIANT"), &json!(false)), "{code}");
        let report = function.published().remove(0);
        let secret = of(&report, "secret");
        assert_eq!(secret["severity"], "MEDIUM", "{code}");
        for field in ["breadth", "criteria", "digest", "matches", "description", "position"] {
            assert_eq!(secret["filter"].get(field), Some(&Value::Null), "{code}: {field}");
        }
        let failed = read(&report, "GetFindingsFilter");
        assert_eq!((&failed["complete"], &failed["error"]["code"]), (&json!(false), &json!(code)));
        assert_eq!(told(&report, "open"), ("OBJECT", "LOW"), "{code}");
        let counted = read(&report, "GetFindingStatistics");
        assert_eq!((&counted["complete"], &counted["items"]), (&json!(true), &json!(1)), "{code}");
        assert!(
            of(&report, "open")["filter"]["matches"].is_object(),
            "{code}: one that hangs costs no other its number"
        );
    }
}

#[tokio::test]
async fn where_no_filter_can_be_read_none_is_counted_and_the_permission_is_named() {
    let denied = error(403, "AccessDeniedException", "User is not authorized to perform this");
    let fault = Fault::of("macie2", "GetFindingsFilter", denied);
    let filters = vec![archive("a", json!({})), archive("b", json!({}))];
    let function = Function::start(Seed { faults: vec![fault], ..seed(with_filters(filters)) }).await;
    let report = function.report().await;
    assert_eq!((violations(&report).len(), &report["complete"]), (2, &json!(false)));
    assert_eq!(report["summary"]["bySeverity"], json!({"CRITICAL": 0, "HIGH": 0, "MEDIUM": 2, "LOW": 0}));
    let hint = &read(&report, "GetFindingsFilter")["error"]["hint"];
    assert!(hint.as_str().is_some_and(|hint| hint.contains("macie2:GetFindingsFilter")), "{hint}");
    assert!(asked(&function.aws.requests(), "GetFindingStatistics").is_empty());
}

#[tokio::test]
async fn without_statistics_the_breadth_is_told_and_the_matches_are_not() {
    for (kind, code) in [
        (error(403, "AccessDeniedException", "no"), "AccessDeniedException"),
        (FaultKind::Hang, "DeadlineExceeded"),
        (
            FaultKind::Respond { status: 200, content_type: "application/json".to_owned(), body: "{}".to_owned() },
            "InvalidResponse",
        ),
    ] {
        let fault = Fault::of("macie2", "GetFindingStatistics", kind);
        let filters = vec![archive("all", json!({})), archive("one", json!({"id": {"eq": ["1"]}}))];
        let function = Function::start(Seed { faults: vec![fault], ..seed(with_filters(filters)) }).await;
        let Outcome::Answer(answer) = function.invoke(with_seconds(14)).await else { panic!("{code}: it fails") };
        assert_eq!((&answer["verdict"], &answer["complete"]), (&json!("NON_COMPLIANT"), &json!(false)), "{code}");
        let report = function.published().remove(0);
        assert_eq!((told(&report, "all"), told(&report, "one")), (("EVERYTHING", "CRITICAL"), ("OBJECT", "LOW")));
        for id in ["all", "one"] {
            let filter = &of(&report, id)["filter"];
            assert_eq!(filter.get("matches"), Some(&Value::Null), "{code}");
            assert!(filter["digest"].is_string() && filter["criteria"].is_object(), "{code}");
        }
        let failed = read(&report, "GetFindingStatistics");
        assert_eq!((&failed["complete"], &failed["error"]["code"]), (&json!(false), &json!(code)));
        assert_eq!(read(&report, "GetFindingsFilter")["complete"], true);
    }
}

#[tokio::test]
async fn one_number_that_is_missing_leaves_all_of_a_filter_unknown() {
    // The three questions about a filter are asked at once; one of them goes unanswered.
    for from in 1..=3 {
        let denied = error(403, "AccessDeniedException", "no");
        let fault = Fault { from, times: Some(1), ..Fault::of("macie2", "GetFindingStatistics", denied) };
        let seed = Seed { faults: vec![fault], ..seed(with_filters(vec![archive("f", json!({}))])) };
        let report = Function::start(seed).await.report().await;
        assert_eq!((&of(&report, "f")["filter"]["matches"], &report["complete"]), (&Value::Null, &json!(false)));
    }
}

#[tokio::test]
async fn an_archived_finding_of_severity_high_makes_any_filter_high() {
    let bucket = |name: &str| json!({"resourcesAffected.s3Bucket.name": {"eq": [name]}});
    let filters = vec![
        archive("all", json!({})),
        archive("with-high", bucket("secrets")),
        archive("object", json!({"resourcesAffected.s3Object.key": {"eq": ["a.csv"]}})),
        archive("current-only", bucket("web")),
    ];
    let finding = |finding: Value| finding.as_object().cloned().expect("an object");
    let findings = vec![
        finding(
            json!({"severity": "High", "bucket": "secrets", "resourcesAffected.s3Object.key": "a.csv", "archived": true}),
        ),
        finding(json!({"severity": "High", "bucket": "web"})),
    ];
    let report = report(TargetSeed { findings, ..with_filters(filters) }).await;
    assert_eq!(told(&report, "all"), ("EVERYTHING", "CRITICAL"), "it is not lowered");
    assert_eq!(told(&report, "with-high"), ("BUCKET", "HIGH"));
    assert_eq!(told(&report, "object"), ("OBJECT", "HIGH"));
    assert_eq!(told(&report, "current-only"), ("BUCKET", "MEDIUM"), "nothing of it is archived");
}

#[tokio::test]
async fn what_an_account_is_to_macie_widens_or_limits_its_filters() {
    let own = || vec![archive("own", json!({"accountId": {"eq": ["999999999999"]}}))];
    let note = "only findings of its own classification jobs are affected";
    for (target, breadth, is_limited) in [
        (with_filters(own()), "ACCOUNT", false),
        (TargetSeed { members: Vec::new(), ..with_filters(own()) }, "EVERYTHING", false),
        (
            TargetSeed { members: Vec::new(), organization: Some(Map::new()), ..with_filters(own()) },
            "EVERYTHING",
            false,
        ),
        (TargetSeed { organization: Some(Map::new()), ..with_filters(own()) }, "ACCOUNT", false),
        (TargetSeed { administrator: healthy().administrator, ..with_filters(own()) }, "EVERYTHING", true),
    ] {
        let report = report(target).await;
        let remediation = of(&report, "own")["remediation"].as_str().expect("a text");
        assert_eq!((told(&report, "own").0, remediation.contains(note)), (breadth, is_limited), "{remediation}");
    }
}

#[tokio::test]
async fn what_the_time_does_not_allow_to_ask_is_the_narrowest_and_is_told() {
    let criteria = |index: usize| match index {
        0..150 => json!({"id": {"eq": ["1"]}}),
        150..190 => json!({"severity.description": {"eq": ["Low"]}}),
        _ => json!({"severity.description": {"neq": ["High"]}}),
    };
    let filters = (0..200).map(|index| archive(&format!("f-{index:03}"), criteria(index))).collect();
    // Fifty filters are answered, three questions each, and then nothing is any more.
    let fault = Fault { from: 151, ..Fault::of("macie2", "GetFindingStatistics", FaultKind::Hang) };
    let function = Function::start(Seed { faults: vec![fault], ..seed(with_filters(filters)) }).await;
    function.runtime.ready().await;
    let Outcome::Answer(answer) = function.invoke(with_seconds(20)).await else { panic!("it fails") };
    assert_eq!((&answer["summary"]["violations"], &answer["complete"]), (&json!(200), &json!(false)));
    let parts = function.published();
    assert_eq!(read(&parts[0], "GetFindingsFilter")["complete"], true);
    let counted = read(&parts[0], "GetFindingStatistics");
    assert_eq!(counted["error"]["code"], "DeadlineExceeded");
    let all = parts.iter().flat_map(|part| part["violations"].as_array().expect("a list"));
    let mut unknown: Vec<(&str, usize)> = vec![("EVERYTHING", 0), ("CLASS", 0), ("OBJECT", 0)];
    let mut known = 0;
    for violation in all {
        let breadth = violation["filter"]["breadth"].as_str().expect("it was read");
        if violation["filter"]["matches"].is_null() {
            unknown.iter_mut().filter(|(of, _)| *of == breadth).for_each(|(_, count)| *count += 1);
        } else {
            known += 1;
        }
    }
    assert_eq!(counted["items"], known);
    assert!((28..=50).contains(&known), "what was answered is told: {known}");
    assert_eq!(unknown[0].1, 0, "the widest are asked first: {unknown:?}");
    assert!(unknown[2].1 >= 128, "the narrowest are asked last: {unknown:?}");
}

#[tokio::test]
async fn filters_that_archive_nothing_and_rules_that_are_switched_off_cost_no_call() {
    let harmless = vec![json!({"count": 30, "action": "NOOP"}), json!({"id": "odd", "action": "FORWARD"})];
    let archiving = vec![archive("quiet", json!({})), json!({"id": "odd", "action": "FORWARD"})];
    let off = [("DISABLED_RULES", "filter-archives-findings")];
    for (filters, variables) in [(harmless, &[][..]), (archiving, &off[..])] {
        let function = Function::with(seed(with_filters(filters)), variables).await;
        let report = function.report().await;
        assert_eq!(violations(&report), [("filter-action-unrecognized".to_owned(), "odd".to_owned())]);
        assert_eq!(report["complete"], true);
        for operation in ["GetFindingsFilter", "GetFindingStatistics"] {
            assert!(asked(&function.aws.requests(), operation).is_empty(), "{operation}");
            let reads = report["targets"][0]["reads"].as_array().expect("a list");
            assert!(reads.iter().all(|read| read["api"] != operation));
        }
    }
}

#[tokio::test]
async fn looking_at_filters_keeps_to_the_requests_that_are_allowed_at_once() {
    let filters = (0..40).map(|index| archive(&format!("f-{index}"), json!({}))).collect();
    let slow = Seed { latency_ms: 5, ..seed(with_filters(filters)) };
    let function = Function::with(slow, &[("MAX_CONCURRENCY", "5")]).await;
    assert_eq!(function.report().await["complete"], true);
    assert_eq!(function.aws.most_in_flight(), 5);

    let filters = (0..5).map(|index| archive(&format!("f-{index}"), json!({}))).collect();
    let slow = Seed { latency_ms: 5, ..seed(with_filters(filters)) };
    let regions = simulator::seed::MACIE_REGIONS[..20].join(",");
    let function = Function::with(slow, &[("MACIE_REGIONS", &regions)]).await;
    let report = function.report().await;
    assert_eq!((&report["complete"], &report["summary"]["violations"]), (&json!(true), &json!(100)));
    assert!((20..=64).contains(&function.aws.most_in_flight()), "{}", function.aws.most_in_flight());
}
