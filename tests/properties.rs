//! What must hold for all inputs.

use std::collections::{BTreeMap, HashSet};
use std::{env, iter};

use macie_compliance::event::{self, Event, Trigger};
use macie_compliance::facts::{Api, Facts, Failure, Read, Resource, ResourceType, Status, Target};
use macie_compliance::report::v1::{Report, Verdict};
use macie_compliance::report::{self, Head, LIMIT};
use macie_compliance::rules::Rules;
use macie_compliance::settings::Settings;
use macie_compliance::text;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

fn words() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-z]{1,20}", any::<String>(), Just("\u{202e}\r\n\u{1b}[2J\u{2028}\"\\".repeat(20))]
}

fn status() -> impl Strategy<Value = Status> {
    let known =
        ["Enabled", "AccountSuspended", "RegionDisabled", "Paused", "Removed", "ARCHIVE", "NOOP", "PAUSED", "ENABLED"];
    prop_oneof![
        4 => prop::sample::select(known.to_vec()).prop_map(|word| Status::Is(word.to_owned())),
        1 => words().prop_map(Status::Is),
        1 => Just(Status::Absent),
        1 => Just(Status::NotEnabled),
    ]
}

prop_compose! {
    fn resource()(
        kind in prop::sample::select(vec![
            ResourceType::Member, ResourceType::Invitation, ResourceType::Administrator,
            ResourceType::FindingsFilter, ResourceType::Session,
        ]),
        id in "[a-z0-9]{1,12}",
        name in prop::option::of(words()),
        email in prop::option::of(words()),
        status in status(),
        since in prop::option::of(words()),
        confirmed in prop::option::of(any::<bool>()),
    ) -> Resource {
        Resource { kind, id, arn: name.clone(), name, email, status, since, confirmed }
    }
}

prop_compose! {
    fn facts()(
        region in prop::sample::select(vec!["eu-west-1", "us-east-1", "ap-southeast-2"]),
        account in 1_u64..5,
        flagged in vec(resource(), 0..40),
        failure in prop::option::of(words()),
        reads in 0_usize..6,
    ) -> Facts {
        let target = Target { account_id: format!("{account:012}"), region: region.to_owned() };
        let failure = failure.map(|text| Failure { code: text.clone(), message: text, request_id: None });
        let reads = (0..reads).map(|_| Read { failure: failure.clone(), ..Read::new(Api::ListMembers) }).collect();
        Facts { flagged, reads, ..Facts::new(target) }
    }
}

fn head(text: &str) -> Head {
    let trigger = Trigger { source: text.to_owned(), ..Trigger::default() };
    Head { report_id: text.to_owned(), generated_at: "2026-11-22T06:00:04Z".to_owned(), trigger }
}

fn build(facts: &[Facts], text: &str) -> Report {
    report::build(head(text), facts, &Rules::without(&[]))
}

fn ids(report: &Value) -> Vec<String> {
    let list = report["violations"].as_array().expect("a list");
    list.iter().map(|violation| violation["id"].as_str().expect("an id").to_owned()).collect()
}

/// Repeats what was flagged under other ids, so that a report is long enough to be split.
fn enlarged(mut facts: Facts, times: usize) -> Facts {
    let once = facts.flagged.clone();
    for round in 1..times {
        facts.flagged.extend(once.iter().map(|r| Resource { id: format!("{}-{round}", r.id), ..r.clone() }));
    }
    facts
}

/// The fields of both kinds of event, and what is near them.
const FIELDS: [&str; 22] = [
    "version",
    "id",
    "detail-type",
    "source",
    "account",
    "time",
    "region",
    "resources",
    "detail",
    "replay-name",
    "regions",
    "publish",
    "Regions",
    "detailType",
    "dryRun",
    "step",
    "execution",
    "event",
    "target",
    "roles",
    "roleArn",
    "",
];

/// Any JSON tree, in which the fields and values that mean something are frequent.
fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words().prop_map(Value::from),
        prop::sample::select(vec![
            "eu-west-1",
            "all",
            "{}",
            "aws.events",
            "us-east-1 ",
            "",
            "AuditTarget",
            "ListTargets",
            "PublishReport"
        ])
        .prop_map(Value::from),
    ];
    let name = || prop_oneof![4 => prop::sample::select(FIELDS.to_vec()).prop_map(str::to_owned), 1 => words()];
    leaf.prop_recursive(4, 48, 8, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((name(), inner), 0..8).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// The names of all fields of a tree, at any depth.
fn keys(tree: &Value) -> Box<dyn Iterator<Item = &str> + '_> {
    match tree {
        Value::Object(fields) => {
            Box::new(fields.iter().flat_map(|(name, value)| iter::once(name.as_str()).chain(keys(value))))
        }
        Value::Array(items) => Box::new(items.iter().flat_map(keys)),
        _ => Box::new(iter::empty()),
    }
}

/// What a violation and a target weigh is nothing like the same in real reports; here there are many of both.
fn many(targets: usize, flagged: usize, text: &str) -> Vec<Facts> {
    let target = |index: usize| {
        let target = Target { account_id: format!("{:012}", index % 97), region: format!("r-{index:04}") };
        let failure = Failure { code: "AccessDeniedException".to_owned(), message: text.to_owned(), request_id: None };
        let failure = index.is_multiple_of(3).then_some(failure);
        let reads = vec![Read::new(Api::ListMembers), Read { failure, ..Read::new(Api::ListInvitations) }];
        Facts { reads, ..Facts::new(target) }
    };
    let mut facts: Vec<Facts> = (0..targets).map(target).collect();
    for index in 0..flagged {
        let resource = Resource {
            kind: ResourceType::FindingsFilter,
            id: format!("f-{index}"),
            arn: None,
            name: Some(text.to_owned()),
            email: None,
            status: Status::Is("ARCHIVE".to_owned()),
            since: None,
            confirmed: None,
        };
        facts[index * 31 % targets].flagged.push(resource);
    }
    facts
}

/// As many cases as usual, or in proportion to `PROPTEST_CASES`, of which 1,024 are the usual number.
fn cases(usual: u32) -> ProptestConfig {
    let given = env::var("PROPTEST_CASES").map_or(1024, |given| given.parse::<u32>().expect("a number of cases"));
    let cases = (u64::from(usual) * u64::from(given)).div_ceil(1024);
    ProptestConfig { cases: u32::try_from(cases).unwrap_or(u32::MAX), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn a_report_splits_into_valid_parts_that_hold_each_violation_once_and_in_order(
        facts in vec(facts(), 1..4), times in 1_usize..60, text in words(),
    ) {
        let facts: Vec<Facts> = facts.into_iter().map(|facts| enlarged(facts, times)).collect();
        let report = build(&facts, &text::clip(&text));
        let messages = report::messages(&report);
        let mut held = Vec::new();
        for (index, message) in messages.iter().enumerate() {
            prop_assert!(message.size() <= LIMIT, "{} bytes", message.size());
            let part: Value = serde_json::from_str(&message.report()).expect("each part is JSON");
            prop_assert_eq!(&part["part"], &json!({"number": index + 1, "of": messages.len()}));
            prop_assert_eq!(&part["verdict"], report.verdict.as_str());
            held.extend(ids(&part));
        }
        let expected: Vec<String> = report.violations.iter().map(|violation| violation.id.clone()).collect();
        prop_assert_eq!(held, expected);
    }

    #[test]
    fn no_text_makes_a_subject_a_mail_or_a_line_unsafe(facts in vec(facts(), 1..4), text in words()) {
        for message in report::messages(&build(&facts, &text)) {
            prop_assert!(message.subject.len() <= 99 && !message.subject.is_empty());
            prop_assert!(message.subject.chars().all(|c| (' '..='~').contains(&c)), "{:?}", message.subject);
            let body: Value = serde_json::from_str(&message.body).expect("JSON");
            let mail = body["email"].as_str().expect("a mail");
            prop_assert!(!mail.chars().any(|c| text::is_unsafe(c) && c != '\n'), "{mail:?}");
            let sms = body["sms"].as_str().expect("a short message");
            prop_assert!(!sms.is_empty() && !sms.chars().any(text::is_unsafe), "{sms:?}");
            prop_assert!(!message.body.chars().any(text::is_unsafe), "what is logged shows none either");
        }
    }

    #[test]
    fn compliant_means_that_every_read_of_every_target_is_complete(facts in vec(facts(), 0..4)) {
        let report = build(&facts, "r");
        let all_read = !facts.is_empty()
            && facts.iter().all(|f| !f.reads.is_empty() && f.reads.iter().all(|read| read.failure.is_none()));
        prop_assert_eq!(report.complete, all_read);
        prop_assert_eq!(report.verdict == Verdict::Compliant, all_read && report.violations.is_empty());
        prop_assert_eq!(report.verdict == Verdict::NonCompliant, !report.violations.is_empty());
    }

    #[test]
    fn reports_of_single_targets_combine_to_the_report_of_all(facts in vec(facts(), 0..5)) {
        let mut facts = facts;
        facts.sort_by(|a, b| a.target.cmp(&b.target));
        facts.dedup_by(|a, b| a.target == b.target);
        let mut alone: Vec<Report> = facts.iter().map(|facts| build(std::slice::from_ref(facts), "alone")).collect();
        alone.reverse();
        let combined = report::combine(head("r"), alone, &Rules::without(&[]));
        prop_assert_eq!(text::json(&combined), text::json(&build(&facts, "r")));
    }

    #[test]
    fn judging_does_not_depend_on_order_or_on_how_a_list_was_cut(
        mut facts in facts(), seed in any::<u64>(), cut in 0_usize..40,
    ) {
        // Two items with one id are one violation, and which of the two is told is not defined.
        let mut known = HashSet::new();
        facts.flagged.retain(|resource| known.insert((format!("{:?}", resource.kind), resource.id.clone())));
        let whole: Vec<String> = build(&[facts.clone()], "r").violations.into_iter().map(|v| v.id).collect();
        let mut other = facts.clone();
        let cut = cut.min(other.flagged.len());
        other.flagged.rotate_left(cut);
        let step = 1 + seed as usize % 7;
        other.flagged.sort_by_key(|resource| resource.id.len() * step % 5);
        prop_assert_eq!(&whole, &build(&[other], "r").violations.into_iter().map(|v| v.id).collect::<Vec<_>>());
        prop_assert_eq!(whole.iter().collect::<HashSet<_>>().len(), whole.len());
    }

    #[test]
    fn any_environment_starts_or_is_refused_in_one_line(value in any::<String>()) {
        if let Err(problems) = Settings::from_lookup(|_| Some(value.clone())) {
            prop_assert!(!problems.0.is_empty());
            prop_assert!(!problems.to_string().chars().any(text::is_unsafe), "{problems}");
        }
    }

    #[test]
    fn json_keeps_every_text_to_the_letter(text in any::<String>()) {
        let written = text::json(&text);
        prop_assert!(!written.chars().any(text::is_unsafe));
        prop_assert_eq!(serde_json::from_str::<String>(&written).expect("JSON"), text);
    }
}

proptest! {
    #![proptest_config(cases(1024))]

    #[test]
    fn any_event_runs_or_is_refused_with_the_name_of_a_field(event in tree()) {
        if let Err(refusal) = event::parse(&event) {
            let refusal = refusal.to_string();
            prop_assert!(!refusal.chars().any(text::is_unsafe), "{refusal}");
            let Some(fields) = event.as_object() else {
                prop_assert!(refusal.starts_with("event: expected an object, got "), "{refusal}");
                return Ok(());
            };
            let named = refusal.strip_prefix("event: field `").unwrap_or_default();
            let its_own = keys(&event).any(|name| named.starts_with(&format!("{}`: ", text::plain(name, 64))));
            // What a step lacks is told by what is expected of it.
            let lacking = [("source", "missing"), ("detail-type", "missing"), ("execution", "expected"), ("target", "expected")];
            let missing = lacking.iter().any(|(name, how)| {
                fields.get(*name).is_none_or(Value::is_null) && named.starts_with(&format!("{name}`: {how} "))
            });
            prop_assert!(its_own || missing, "{refusal}");
        }
    }

    #[test]
    fn only_a_field_that_says_so_keeps_a_run_from_publishing(event in tree()) {
        if let Ok(Event::Run(request)) = event::parse(&event) {
            prop_assert_eq!(request.dry_run, event.get("publish") == Some(&json!(false)));
            prop_assert_eq!(request.regions.is_some(), event.get("regions").is_some_and(Value::is_array));
        }
    }
}

proptest! {
    #![proptest_config(cases(8))]

    #[test]
    fn thousands_of_violations_and_of_targets_split_and_none_is_lost(
        targets in 1_usize..1_500, flagged in 0_usize..5_000, text in words(),
    ) {
        let facts = many(targets, flagged, &text::clip(&text));
        let report = build(&facts, "r");
        let messages = report::messages(&report);
        let (mut violations, mut told) = (Vec::new(), BTreeMap::new());
        for message in &messages {
            prop_assert!(message.size() <= LIMIT, "{} bytes", message.size());
            let part: Value = serde_json::from_str(&message.report()).expect("each part is JSON");
            prop_assert_eq!(&part["summary"], &serde_json::to_value(&report.summary).expect("JSON"));
            violations.extend(ids(&part));
            for target in part["targets"].as_array().expect("a list") {
                *told.entry(format!("{} {}", target["accountId"], target["region"])).or_insert(0) += 1;
            }
        }
        let expected: Vec<String> = report.violations.iter().map(|violation| violation.id.clone()).collect();
        prop_assert_eq!(expected.len(), flagged);
        prop_assert_eq!(violations, expected);
        prop_assert_eq!(told.len(), targets);
        let times: HashSet<usize> = told.into_values().collect();
        prop_assert!(times == HashSet::from([1]) || times == HashSet::from([messages.len()]), "{times:?}");
    }
}
