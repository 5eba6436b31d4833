//! How much an `ARCHIVE` filter mutes, how it is told, and what stands for it in an exemption.

use macie_compliance_core::criteria::{Breadth, Criteria, Place};
use macie_compliance_core::names::sha256;
use macie_compliance_core::severity::Severity;
use macie_compliance_core::text;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

const STANDALONE: Place<'_> = Place { account_id: "111122223333", region: "eu-west-1", has_members: false };
const ADMINISTRATOR: Place<'_> = Place { has_members: true, ..STANDALONE };

const BUCKET: &str = "resourcesAffected.s3Bucket.name";
const OBJECT: &str = "resourcesAffected.s3Object.key";

fn criteria(criterion: Value) -> Criteria {
    Criteria::new(Some(json!({"criterion": criterion})))
}

fn breadth(criterion: Value) -> Breadth {
    criteria(criterion).breadth(&STANDALONE)
}

/// The breadth of a single condition.
fn grade(field: &str, condition: Value) -> Breadth {
    breadth(json!({field: condition}))
}

fn words(criterion: Value) -> Vec<String> {
    criteria(criterion).words()
}

/// A single condition in words.
fn sentence(field: &str, condition: Value) -> String {
    let words = words(json!({field: condition}));
    assert_eq!(words.len(), 1, "{words:?}");
    words.concat()
}

#[test]
fn a_breadth_is_spelled_one_way_and_the_widest_is_the_worst() {
    for breadth in Breadth::ALL {
        assert_eq!(serde_json::to_value(breadth).expect("JSON"), breadth.as_str());
    }
    assert!(Breadth::ALL.is_sorted() && Breadth::ALL.map(Breadth::severity).is_sorted());
    let severities = [Severity::Critical, Severity::High, Severity::High, Severity::Medium, Severity::Low];
    assert_eq!(Breadth::ALL.map(Breadth::severity), severities);
}

#[test]
fn criteria_without_conditions_mute_everything() {
    for answered in [None, Some(Value::Null), Some(json!({})), Some(json!({"criterion": null}))] {
        let criteria = Criteria::new(answered.clone());
        assert_eq!(criteria.breadth(&STANDALONE), Breadth::Everything, "{answered:?}");
        assert_eq!(criteria.as_json(), json!({"criterion": {}}), "{answered:?}");
        assert_eq!(criteria.words(), ["every finding: there are no conditions"], "{answered:?}");
    }
}

#[test]
fn criteria_of_an_unknown_form_mute_everything_and_are_kept() {
    for answered in
        [json!("x"), json!(["x"]), json!({"criterion": "x"}), json!({"criterion": [{BUCKET: {"eq": ["x"]}}]})]
    {
        let criteria = Criteria::new(Some(answered.clone()));
        assert_eq!(criteria.breadth(&STANDALONE), Breadth::Everything, "{answered}");
        assert_eq!(criteria.words(), ["every finding: the conditions have a form that is not recognized"]);
        if answered.is_object() {
            assert_eq!(criteria.as_json(), answered);
        }
        assert_eq!(criteria.with_archived(true), json!({"criterion": {"archived": {"eq": ["true"]}}}), "{answered}");
    }
}

#[test]
fn values_of_a_field_leave_out_what_the_contract_says() {
    let rows: &[(Breadth, &str, &[&str])] = &[
        (Breadth::Everything, "region", &["eu-west-1"]),
        (Breadth::Everything, "region", &["us-east-1", "eu-west-1"]),
        (Breadth::Class, "region", &["us-east-1"]),
        (Breadth::Class, "region", &["EU-WEST-1", "eu-west-11"]),
        (Breadth::Everything, "severity.description", &["High", "Low", "Medium"]),
        (Breadth::Everything, "severity.description", &["Low", "Low", "Medium", "High", "Critical"]),
        (Breadth::Class, "severity.description", &["Low", "Medium"]),
        (Breadth::Class, "severity.description", &["Low", "Low", "Medium"]),
        (Breadth::Class, "severity.description", &["Low", "Medium", "HIGH"]),
        (Breadth::Class, "severity.description", &["low", "medium", "high"]),
        (Breadth::Everything, "category", &["POLICY", "CLASSIFICATION"]),
        (Breadth::Class, "category", &["POLICY"]),
        (Breadth::Class, "category", &["CLASSIFICATION", "policy"]),
        (Breadth::Everything, "archived", &["false"]),
        (Breadth::Everything, "archived", &["true"]),
        (Breadth::Everything, "sample", &["false"]),
        (Breadth::Everything, "sample", &["true", "false"]),
        (Breadth::Object, "sample", &["true"]),
        (Breadth::Object, "sample", &["true", "true"]),
        (Breadth::Class, "sample", &["true", "perhaps"]),
        (Breadth::Everything, "accountId", &["111122223333"]),
        (Breadth::Everything, "accountId", &["444455556666", "111122223333"]),
        (Breadth::Account, "accountId", &["444455556666"]),
        (Breadth::Account, "resourcesAffected.s3Bucket.owner.id", &["111122223333"]),
        (Breadth::Class, "resourcesAffected.s3Bucket.owner.displayName", &["x"]),
        (Breadth::Bucket, BUCKET, &["payroll"]),
        (Breadth::Bucket, "resourcesAffected.s3Bucket.arn", &["arn:aws:s3:::payroll"]),
        (Breadth::Bucket, "resourcesAffected.s3Bucket.tags.key", &["team"]),
        (Breadth::Bucket, "resourcesAffected.s3Bucket.tags.value", &["hr"]),
        (Breadth::Class, "resourcesAffected.s3Bucket.tagsets.key", &["team"]),
        (Breadth::Class, "resourcesAffected.s3Bucket.publicAccess.effectivePermission", &["PUBLIC"]),
        (Breadth::Object, OBJECT, &["a.csv"]),
        (Breadth::Object, "resourcesAffected.s3Object.path", &["payroll/a.csv"]),
        (Breadth::Object, "resourcesAffected.s3Object.versionId", &["v"]),
        (Breadth::Object, "resourcesAffected.s3Object.eTag", &["e"]),
        (Breadth::Object, "resourcesAffected.s3Object.tags.key", &["team"]),
        (Breadth::Object, "resourcesAffected.s3Object.tags.value", &["hr"]),
        (Breadth::Class, "resourcesAffected.s3Object.extension", &["csv"]),
        (Breadth::Object, "classificationDetails.jobId", &["j"]),
        (Breadth::Object, "classificationDetails.jobArn", &["arn:aws:macie2:eu-west-1:111122223333:x"]),
        (Breadth::Object, "id", &["f"]),
        (
            Breadth::Class,
            "classificationDetails.originType",
            &["AUTOMATED_SENSITIVE_DATA_DISCOVERY", "SENSITIVE_DATA_DISCOVERY_JOB"],
        ),
        (Breadth::Class, "classificationDetails.result.sensitiveData.category", &["CREDENTIALS"]),
        (Breadth::Class, "severity.score", &["1"]),
        (Breadth::Class, "type", &["Policy:IAMUser/S3BucketPublic"]),
        (Breadth::Class, "sensitiveData.category", &["CREDENTIALS"]),
        (Breadth::Class, "s3Bucket.name", &["payroll"]),
        (Breadth::Class, "ID", &["f"]),
        (Breadth::Class, "", &["x"]),
    ];
    for (wanted, field, values) in rows {
        for operator in ["eq", "eqExactMatch"] {
            assert_eq!(grade(field, json!({operator: values})), *wanted, "{field} {operator} {values:?}");
            let excluded = grade(field, json!({"neq": values}));
            assert_eq!(excluded, Breadth::Everything, "{field} neq {values:?}");
        }
    }
}

#[test]
fn the_own_account_is_all_there_is_only_where_there_are_no_members() {
    let own = criteria(json!({"accountId": {"eq": ["111122223333"]}}));
    assert_eq!(own.breadth(&STANDALONE), Breadth::Everything);
    assert_eq!(own.breadth(&ADMINISTRATOR), Breadth::Account);
}

#[test]
fn a_condition_that_names_no_values_leaves_nothing_out() {
    for condition in [
        json!({"neq": ["payroll"]}),
        json!({"gt": 0}),
        json!({"gte": 1, "lt": 2}),
        json!({"lte": 2, "neq": ["payroll"]}),
        json!({"eq": []}),
        json!({"eq": [], "eqExactMatch": []}),
        json!({"eq": null}),
        json!({"eq": "payroll"}),
        json!({"eq": {"payroll": true}}),
        json!({"eq": [7]}),
        json!({"eq": ["payroll", null]}),
        json!({"startsWith": ["payroll"]}),
        json!({"EQ": ["payroll"]}),
        json!({}),
        json!(["payroll"]),
        json!("payroll"),
        json!(null),
    ] {
        assert_eq!(grade(BUCKET, condition.clone()), Breadth::Everything, "{condition}");
    }
}

#[test]
fn the_values_of_a_condition_count_beside_other_operators() {
    for condition in [
        json!({"eq": ["payroll"], "neq": ["hr"]}),
        json!({"eq": ["payroll"], "gt": 1}),
        json!({"eq": ["payroll"], "startsWith": ["p"]}),
        json!({"eq": [], "eqExactMatch": ["payroll"]}),
        json!({"eq": ["payroll"], "eqExactMatch": [7]}),
    ] {
        assert_eq!(grade(BUCKET, condition.clone()), Breadth::Bucket, "{condition}");
    }
    let narrowed = grade("region", json!({"eq": ["eu-west-1"], "eqExactMatch": ["us-east-1"]}));
    assert_eq!(narrowed, Breadth::Class, "both lists have to match");
}

#[test]
fn the_narrowest_condition_counts() {
    let wide = json!({"region": {"eq": ["eu-west-1"]}, "archived": {"eq": ["false"]}, "updatedAt": {"gt": 0}});
    assert_eq!(breadth(wide.clone()), Breadth::Everything);
    for (field, wanted) in [
        ("type", Breadth::Class),
        ("resourcesAffected.s3Bucket.owner.id", Breadth::Account),
        (BUCKET, Breadth::Bucket),
        (OBJECT, Breadth::Object),
    ] {
        let mut narrowed = wide.clone();
        narrowed[field] = json!({"eq": ["x"]});
        assert_eq!(breadth(narrowed), wanted, "{field}");
    }
    let mixed = json!({"accountId": {"eq": ["444455556666"]}, BUCKET: {"eq": ["x"]}, "type": {"eq": ["x"]}});
    assert_eq!(breadth(mixed), Breadth::Bucket);
}

#[test]
fn conditions_are_told_in_words_by_field() {
    let told = words(json!({
        "severity.description": {"eq": ["Low"]},
        BUCKET: {"eq": ["payroll", "hr"]},
        "accountId": {"neq": ["111122223333"]},
        "createdAt": {"gte": 1_767_225_600_000_i64},
    }));
    let wanted = [
        "account is not 111122223333",
        "created at or after 2026-01-01T00:00:00Z",
        "bucket is one of payroll, hr",
        "severity is Low",
    ];
    assert_eq!(told, wanted);
}

#[test]
fn every_operator_has_its_words() {
    for (field, condition, wanted) in [
        ("region", json!({"neq": ["a", "b"]}), "Region is none of a, b"),
        ("region", json!({"eqExactMatch": ["a"]}), "Region is exactly a"),
        ("region", json!({"eqExactMatch": ["a", "b"]}), "Region is exactly a, b"),
        ("region", json!({"eq": []}), "Region is one of no value"),
        ("archived", json!({"eq": ["true"], "neq": ["x"]}), "archived is true and is not x"),
        ("severity.score", json!({"gt": 1, "lt": 3}), "severity score is above 1 and is below 3"),
        ("severity.score", json!({"gte": 1, "lte": 2.5}), "severity score is at least 1 and is at most 2.5"),
        (
            "updatedAt",
            json!({"gt": 0, "lt": 1}),
            "updated after 1970-01-01T00:00:00Z and before 1970-01-01T00:00:00.001Z",
        ),
        ("updatedAt", json!({"lte": -1000}), "updated at or before 1969-12-31T23:59:59Z"),
        ("updatedAt", json!({"gt": i64::MAX}), "updated is above 9223372036854775807"),
        ("updatedAt", json!({"gt": 253_402_300_800_000_i64}), "updated is above 253402300800000"),
        ("updatedAt", json!({"gt": 1.5}), "updated is above 1.5"),
        ("updatedAt", json!({"gt": "0"}), "updated gt 0"),
        ("region", json!({"eq": "a"}), "Region eq a"),
        ("region", json!({"eq": ["a", 7, null, {"b": "c\n"}]}), r#"Region is one of a, 7, null, {"b":"c\n"}"#),
        ("region", json!({"starts With": ["a", "b"]}), r#"Region "starts With" a, b"#),
        ("region", json!({"startsWith": {"a": 1}}), r#"Region startsWith {"a":1}"#),
        ("region", json!({}), "Region has a condition that says nothing"),
        ("region", json!(["a"]), "Region has a condition of a form that is not recognized"),
        ("some.field", json!({"eq": ["a"]}), "some.field is a"),
        ("some field", json!({"eq": ["a"]}), r#""some field" is a"#),
    ] {
        assert_eq!(sentence(field, condition), wanted);
    }
}

/// Whoever makes a filter chooses its values, which must not be taken for conditions or values that are not there.
#[test]
fn what_is_no_single_word_is_in_quotes() {
    for (value, wanted) in [
        ("a-b_c.d/e:f@g+h=i*", "a-b_c.d/e:f@g+h=i*"),
        ("\u{e4}\u{6f22}7", "\u{e4}\u{6f22}7"),
        ("", r#""""#),
        ("a, b", r#""a, b""#),
        ("a;severity", r#""a;severity""#),
        (r#"a" and "b"#, r#""a\" and \"b""#),
        ("a\n\u{202e}b", "\"a\u{fffd}\u{fffd}b\""),
    ] {
        assert_eq!(sentence(BUCKET, json!({"eq": [value]})), format!("bucket is {wanted}"));
    }
}

#[test]
fn words_are_clipped_with_a_count() {
    let numbers = |n: usize| (1..=n).map(|n| n.to_string()).collect::<Vec<_>>();
    assert_eq!(sentence(BUCKET, json!({"eq": numbers(5)})), "bucket is one of 1, 2, 3, 4, 5");
    assert_eq!(sentence(BUCKET, json!({"eq": numbers(6)})), "bucket is one of 1, 2, 3, 4, 5 and 1 more");
    assert_eq!(sentence(BUCKET, json!({"neq": numbers(17)})), "bucket is none of 1, 2, 3, 4, 5 and 12 more");
    assert_eq!(sentence(BUCKET, json!({"eq": ["a".repeat(64)]})), format!("bucket is {}", "a".repeat(64)));
    assert_eq!(sentence(BUCKET, json!({"eq": ["a".repeat(65)]})), format!("bucket is \"{}…\"", "a".repeat(63)));
    let nested = format!("bucket is [\"{}…", "a".repeat(61));
    assert_eq!(sentence(BUCKET, json!({"eq": [["a".repeat(65)]]})), nested);

    let conditions = |n: usize| -> Value {
        let all = (0..n).map(|n| (format!("f{n:02}"), json!({"eq": ["a"]})));
        Value::Object(all.collect())
    };
    for (count, last) in [(20, "f19 is a"), (21, "and 1 more condition"), (32, "and 12 more conditions")] {
        let told = words(conditions(count));
        assert_eq!(told.last().map(String::as_str), Some(last));
        assert_eq!(told.len(), count.min(21));
        assert_eq!(told[19], "f19 is a");
    }

    let operators: Map<String, Value> = (0..100).map(|n| (format!("operator{n:02}"), json!(["a"]))).collect();
    let told = sentence(BUCKET, Value::Object(operators));
    assert_eq!((told.chars().count(), told.ends_with('…')), (512, true));
}

#[test]
fn matches_are_counted_with_one_archived_condition() {
    let answered = json!({"criterion": {"archived": {"eq": ["false"]}, "region": {"like": ["eu"]}}, "mode": "strict"});
    let criteria = Criteria::new(Some(answered));
    for archived in ["true", "false"] {
        assert_eq!(
            criteria.with_archived(archived == "true"),
            json!({"criterion": {"archived": {"eq": [archived]}, "region": {"like": ["eu"]}}, "mode": "strict"})
        );
    }
    let bare = Criteria::new(None).with_archived(false);
    assert_eq!(bare, json!({"criterion": {"archived": {"eq": ["false"]}}}));
}

/// The digests were computed by the `rfc8785` package of PyPI and Python's `hashlib`.
#[test]
fn a_digest_is_that_of_canonical_json() {
    let lists = r#"{"criterion":{"resourcesAffected.s3Bucket.name":{"eq":["payroll","hr"]},"severity.description":{"eq":["Low"]}}}"#;
    for (action, answered, canonical, digest) in [
        ("ARCHIVE", "{}", r#"{"criterion":{}}"#, "79ff0163eacb6e0ca9a6f3970022b14d2ad3ac9bf58e7fe700bce34e02d1a30c"),
        ("ARCHIVE", lists, lists, "bfe1ad8d2e33ec452c6ffbd1fb99b24e578aa350f70d07bbeff545e0f8de4873"),
        ("NOOP", lists, lists, "4c7ab5d88fa65a8e43ec687f744762779760a334636f7fa2f56c93ab8449a8ef"),
        (
            "ARCHIVE",
            r#"{"mode": "strict", "criterion": {"createdAt": {"startsWith": ["x"], "gt": 1767225600000}}}"#,
            r#"{"criterion":{"createdAt":{"gt":1767225600000,"startsWith":["x"]}},"mode":"strict"}"#,
            "cc0ed1beb24f5614d5fa2be40ee290a552055a1a8dcfca922d53104d7a9b46ca",
        ),
        // The order is that of UTF-16: an emoji, which begins with a surrogate, comes before U+FB33.
        (
            "ARCHIVE",
            r#"{"criterion": {"\u20ac": {}, "\r": {}, "\ufb33": {}, "1": {}, "\ud83d\ude00": {}, "\u0080": {},
                "\u00f6": {"eq": ["\u20ac$\u000F\u000aA'\u0042\u0022\u005c\"\/"]}}}"#,
            "{\"criterion\":{\"\\r\":{},\"1\":{},\"\u{80}\":{},\"\u{f6}\":{\"eq\":[\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\"/\"]},\"\u{20ac}\":{},\"\u{1f600}\":{},\"\u{fb33}\":{}}}",
            "cae1932f96ac6c5e0e37d244474af976e02e64844c490b9aae080d467f4bc77b",
        ),
        // Every number is a double: 2^53 + 1 is written as 2^53.
        (
            "ARCHIVE",
            r#"{"criterion": {"n": {"x": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001, -0.0,
                1e21, 100000000000000000000, 9007199254740993, 1767225600000]}}}"#,
            r#"{"criterion":{"n":{"x":[333333333.3333333,1e+30,4.5,0.002,1e-27,0,1e+21,100000000000000000000,9007199254740992,1767225600000]}}}"#,
            "3af9e1041d33e0baa2c0e669fb8b527ba01b9c524d1e2ece477217288c294915",
        ),
    ] {
        let document = format!(r#"{{"action":"{action}","criteria":{canonical}}}"#);
        assert_eq!(sha256(document.as_bytes()), digest, "{canonical}");
        let criteria = Criteria::new(Some(serde_json::from_str(answered).expect("JSON")));
        assert_eq!(criteria.digest(action), digest, "{answered}");
    }
}

/// A divided run hands them on.
#[test]
fn criteria_travel_as_what_they_are() {
    for answered in ["null", "{}", r#"{"criterion": {"region": {"like": ["eu"]}}, "mode": 1}"#] {
        let criteria: Criteria = serde_json::from_str(answered).expect("criteria");
        assert_eq!(criteria, Criteria::new(serde_json::from_str(answered).expect("JSON")));
        assert_eq!(serde_json::to_value(&criteria).expect("JSON"), criteria.as_json());
    }
}

fn known_field() -> impl Strategy<Value = String> {
    let fields = [
        "region",
        "severity.description",
        "category",
        "archived",
        "sample",
        "accountId",
        "resourcesAffected.s3Bucket.owner.id",
        BUCKET,
        "resourcesAffected.s3Bucket.tags.key",
        OBJECT,
        "classificationDetails.jobId",
        "type",
        "createdAt",
    ];
    select(fields.to_vec()).prop_map(str::to_owned)
}

/// A name that no field, operator or list of this build has, prefixes of known ones included.
fn unknown() -> impl Strategy<Value = String> {
    let near =
        ["s3Bucket.name", "resourcesAffected.s3Bucket", "resourcesAffected.s3Object.tagsX", "Id", "EQ", "contains"];
    prop_oneof![select(near.to_vec()).prop_map(str::to_owned), any::<String>().prop_map(|name| format!("x{name}"))]
}

fn text_value() -> impl Strategy<Value = String> {
    let values = [
        "eu-west-1",
        "us-east-1",
        "Low",
        "Medium",
        "High",
        "CLASSIFICATION",
        "POLICY",
        "true",
        "false",
        "111122223333",
    ];
    prop_oneof![4 => select(values.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
}

fn operand() -> impl Strategy<Value = Value> {
    let odd = [json!(null), json!(7), json!("Low"), json!([]), json!(["true", 1]), json!({"a": ["b"]}), json!(1.5e300)];
    prop_oneof![4 => vec(text_value(), 1..8).prop_map(|values| json!(values)), 1 => select(odd.to_vec())]
}

fn condition() -> impl Strategy<Value = Value> {
    let known = ["eq", "eqExactMatch", "neq", "gt", "gte", "lt", "lte"].map(str::to_owned);
    let operator = prop_oneof![6 => select(known.to_vec()), 1 => unknown()];
    let sound = btree_map(operator, operand(), 0..4).prop_map(|operators| json!(operators));
    prop_oneof![9 => sound, 1 => operand()]
}

fn conditions() -> impl Strategy<Value = Map<String, Value>> {
    let field = prop_oneof![4 => known_field(), 1 => unknown()];
    btree_map(field, condition(), 0..6).prop_map(|conditions| conditions.into_iter().collect())
}

fn place() -> impl Strategy<Value = Place<'static>> {
    any::<bool>().prop_map(|has_members| Place { has_members, ..STANDALONE })
}

proptest! {
    #[test]
    fn adding_a_condition_never_widens(before in conditions(), more in conditions(), place in place()) {
        let mut after = more;
        after.extend(before.clone());
        let (before, after) = (criteria(Value::Object(before)), criteria(Value::Object(after)));
        prop_assert!(after.breadth(&place) >= before.breadth(&place));
    }

    #[test]
    fn adding_an_operator_never_widens(field in known_field(), more in condition(), before in condition()) {
        if let (Value::Object(mut after), Value::Object(known)) = (more, before.clone()) {
            after.extend(known);
            prop_assert!(grade(&field, Value::Object(after)) >= grade(&field, before));
        }
    }

    /// The values of a list are joined by OR. So a list without the own Region is never wider than with it, say.
    #[test]
    fn adding_a_value_never_narrows(field in known_field(), values in vec(text_value(), 1..5), more in operand()) {
        for operator in ["eq", "eqExactMatch"] {
            let before = grade(&field, json!({operator: values}));
            let mut longer = values.iter().map(|value| json!(value)).collect::<Vec<_>>();
            longer.extend(more.as_array().cloned().unwrap_or_else(|| vec![more.clone()]));
            let after = grade(&field, json!({operator: longer}));
            prop_assert!(after <= before);
        }
    }

    #[test]
    fn an_unknown_field_is_never_narrower_than_a_class(field in unknown(), condition in condition(), place in place()) {
        let unknown = criteria(json!({field: condition}));
        prop_assert!(unknown.breadth(&place) <= Breadth::Class);
    }

    /// Neither does one that says only what does not match.
    #[test]
    fn an_unknown_operator_narrows_nothing(conditions in conditions(), place in place()) {
        let mut without = conditions.clone();
        for operators in without.values_mut().filter_map(Value::as_object_mut) {
            operators.retain(|operator, _| operator == "eq" || operator == "eqExactMatch");
        }
        let (with, without) = (criteria(Value::Object(conditions)), criteria(Value::Object(without)));
        prop_assert_eq!(with.breadth(&place), without.breadth(&place));
    }

    #[test]
    fn members_never_widen_what_a_filter_mutes(conditions in conditions()) {
        let criteria = criteria(Value::Object(conditions));
        prop_assert!(criteria.breadth(&ADMINISTRATOR) >= criteria.breadth(&STANDALONE));
    }

    #[test]
    fn words_are_safe_and_bounded(conditions in conditions()) {
        let told = words(Value::Object(conditions.clone()));
        prop_assert_eq!(told.len(), conditions.len().max(1));
        for sentence in told {
            prop_assert!(!sentence.is_empty() && sentence.chars().count() <= 512);
            prop_assert!(!sentence.chars().any(text::is_unsafe), "{:?}", sentence);
        }
    }

    #[test]
    fn only_the_archived_condition_is_replaced(conditions in conditions(), archived in any::<bool>()) {
        let mut wanted = conditions.clone();
        wanted.insert("archived".to_owned(), json!({"eq": [archived.to_string()]}));
        let asked = criteria(Value::Object(conditions)).with_archived(archived);
        prop_assert_eq!(asked, json!({"criterion": wanted}));
    }

    #[test]
    fn a_digest_depends_on_the_content_and_not_on_the_order(first in conditions(), second in conditions()) {
        let digest = |conditions: &Map<String, Value>| criteria(Value::Object(conditions.clone())).digest("ARCHIVE");
        let members = first.iter().rev().map(|(field, condition)| format!("{}:{condition}", json!(field)));
        let reversed = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        prop_assert_eq!(digest(&serde_json::from_str(&reversed).expect("JSON")), digest(&first));
        prop_assert_eq!(digest(&first) == digest(&second), first == second);
    }
}
