//! What must hold for all inputs.

use std::collections::{BTreeMap, HashSet};
use std::{env, iter};

use macie_compliance_core::api::Api;
use macie_compliance_core::checks::Checks;
use macie_compliance_core::evidence::{
    Administrator, Evidence, Filter, Invitation, Member, Read, ReadState, Session, SessionStatus,
};
use macie_compliance_core::failure::Failure;
use macie_compliance_core::inlet::event;
use macie_compliance_core::inlet::settings::Settings;
use macie_compliance_core::judge::{Outcome, judge};
use macie_compliance_core::order::{Event, Trigger};
use macie_compliance_core::render::{LIMIT, Messages};
use macie_compliance_core::report::v1::{Report, Verdict};
use macie_compliance_core::report::{Builder, Header};
use macie_compliance_core::testing::{checks, envelope, filter, members, policy, target};
use macie_compliance_core::text;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

fn words() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-z]{1,20}", any::<String>(), Just("\u{202e}\r\n\u{1b}[2J\u{2028}\"\\".repeat(20))]
}

fn status() -> impl Strategy<Value = Option<String>> {
    let known =
        ["Enabled", "AccountSuspended", "RegionDisabled", "Paused", "Removed", "ARCHIVE", "NOOP", "PAUSED", "ENABLED"];
    prop_oneof![
        4 => prop::sample::select(known.to_vec()).prop_map(|word| Some(word.to_owned())),
        1 => words().prop_map(Some),
        1 => Just(None),
    ]
}

fn session() -> impl Strategy<Value = Session> {
    let status = prop_oneof![
        1 => Just(SessionStatus::NotEnabled),
        3 => status().prop_map(|status| status.map_or(SessionStatus::Absent, SessionStatus::Is)),
    ];
    (status, prop::option::of(words())).prop_map(|(status, since)| Session { status, since })
}

/// An id, a status, a text, another one, and whether.
type Item = (String, Option<String>, Option<String>, Option<String>, bool);

fn items() -> impl Strategy<Value = Vec<Item>> {
    let item = ("[a-z0-9]{1,12}", status(), prop::option::of(words()), prop::option::of(words()), any::<bool>());
    vec(item, 0..14)
}

/// Every read that can be, each at most once: complete, or with a failure, or not tried.
fn reads() -> impl Strategy<Value = Vec<Read>> {
    let apis = [
        Api::GetMacieSession,
        Api::GetAdministratorAccount,
        Api::ListMembers,
        Api::GetMember,
        Api::ListInvitations,
        Api::ListFindingsFilters,
    ];
    let one = |api: Api| {
        let failure = prop_oneof![9 => Just(None), 1 => words().prop_map(Some)];
        let read = (failure, 0_u64..3).prop_map(move |(failure, items)| {
            let failure = failure.map(|text| Failure::own(&text, text.clone()));
            Some(Read { items, failure, ..Read::new(api) })
        });
        prop_oneof![9 => read, 1 => Just(None)]
    };
    (apis.map(one), any::<bool>()).prop_map(|(reads, older)| {
        let mut reads: Vec<Read> = reads.into_iter().flatten().collect();
        for read in &mut reads {
            if older && read.api == Api::GetAdministratorAccount {
                read.api = Api::GetMasterAccount;
            }
        }
        reads
    })
}

prop_compose! {
    fn evidence()(
        region in prop::sample::select(vec!["eu-west-1", "us-east-1", "ap-southeast-2"]),
        account in 1_u64..5,
        reads in reads(),
        session in prop::option::of(session()),
        administrator in prop::option::of(("[0-9]{12}", status(), prop::option::of(words()))),
        flagged in items(),
        invitations in items(),
        filters in items(),
    ) -> Evidence {
        let member = |(id, status, arn, email, confirmed): Item| Member { id, since: email.clone(), arn, email, status, confirmed };
        let invitation = |(sender_id, status, since, _, _): Item| Invitation { sender_id, status, since };
        let filter = |(id, action, arn, name, _): Item| Filter { id, arn, name, action };
        Evidence {
            reads,
            session,
            administrator: administrator.map(|(id, status, since)| Administrator { id, status, since }),
            members: members(flagged.into_iter().map(member).collect()),
            invitations: invitations.into_iter().map(invitation).collect(),
            filters: filters.into_iter().map(filter).collect(),
            ..Evidence::new(target(account, region))
        }
    }
}

/// The evidence of a run, in which each target is once.
fn run() -> impl Strategy<Value = Vec<Evidence>> {
    vec(evidence(), 0..5).prop_map(|mut run| {
        run.sort_by(|a, b| a.target.cmp(&b.target));
        run.dedup_by(|a, b| a.target == b.target);
        run
    })
}

fn build_by(checks: &Checks, evidence: &[Evidence], text: &str) -> Report {
    let policy = policy();
    let mut builder = Builder::new(checks, &policy);
    evidence.iter().for_each(|evidence| builder.add(evidence.clone()));
    let trigger = Trigger { source: text.to_owned(), ..Trigger::default() };
    builder.report(Header { report_id: text.to_owned(), generated_at: "2026-11-22T06:00:04Z".to_owned(), trigger })
}

fn build(evidence: &[Evidence], text: &str) -> Report {
    build_by(&checks(), evidence, text)
}

fn ids(report: &Value) -> Vec<String> {
    let list = report["violations"].as_array().expect("a list");
    list.iter().map(|violation| violation["id"].as_str().expect("an id").to_owned()).collect()
}

/// Repeats what was flagged under other ids, so that a report is long enough to be split.
fn enlarged(mut evidence: Evidence, times: usize) -> Evidence {
    let once = evidence.clone();
    for round in 1..times {
        let other = |id: &str| format!("{id}-{round}");
        evidence.members.flagged.extend(once.members.flagged.iter().map(|m| Member { id: other(&m.id), ..m.clone() }));
        evidence.filters.extend(once.filters.iter().map(|f| Filter { id: other(&f.id), ..f.clone() }));
        evidence
            .invitations
            .extend(once.invitations.iter().map(|i| Invitation { sender_id: other(&i.sender_id), ..i.clone() }));
    }
    evidence
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
fn many(targets: usize, flagged: usize, text: &str) -> Vec<Evidence> {
    let one = |index: usize| {
        let failure = index.is_multiple_of(3).then(|| Failure::own("AccessDeniedException", text));
        let reads = vec![Read::new(Api::ListMembers), Read { failure, ..Read::new(Api::ListInvitations) }];
        Evidence { reads, ..Evidence::new(target(index as u64 % 97, &format!("r-{index:04}"))) }
    };
    let mut evidence: Vec<Evidence> = (0..targets).map(one).collect();
    for index in 0..flagged {
        evidence[index * 31 % targets].filters.push(filter(&format!("f-{index}"), Some(text), "ARCHIVE"));
    }
    evidence
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
        run in run(), times in 1_usize..60, text in words(),
    ) {
        let run: Vec<Evidence> = run.into_iter().map(|evidence| enlarged(evidence, times)).collect();
        let report = build(&run, &text::clip(&text));
        let messages = Messages::of(&report);
        let (mut held, mut known) = (Vec::new(), HashSet::new());
        for (index, message) in messages.iter().enumerate() {
            prop_assert!(message.size() <= LIMIT, "{} bytes", message.size());
            prop_assert!(envelope(&message).len() <= message.size(), "{} bytes", envelope(&message).len());
            prop_assert!(message.subject.len() + message.body.len() <= message.size());
            prop_assert!(known.insert(message.deduplication_id.clone()));
            let part: Value = serde_json::from_str(&message.report()).expect("each part is JSON");
            prop_assert_eq!(&part["part"], &json!({"number": index + 1, "of": messages.len()}));
            prop_assert_eq!(&part["verdict"], report.verdict.as_str());
            held.extend(ids(&part));
        }
        let expected: Vec<String> = report.violations.iter().map(|violation| violation.id.clone()).collect();
        prop_assert_eq!(held, expected);
    }

    #[test]
    fn no_text_makes_a_subject_a_mail_or_a_line_unsafe(run in run(), text in words()) {
        for message in Messages::of(&build(&run, &text)).iter() {
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
    fn compliant_means_that_every_read_of_every_target_is_complete(run in run()) {
        let report = build(&run, "r");
        let asked = |evidence: &Evidence| {
            let of_it = |api: &Api| evidence.state_of(*api) != ReadState::NotAsked;
            evidence.is_macie_off()
                || [Api::GetMacieSession, Api::GetAdministratorAccount, Api::ListMembers, Api::ListInvitations, Api::ListFindingsFilters]
                    .iter()
                    .all(of_it)
        };
        let all_read = !run.is_empty() && run.iter().all(|evidence| evidence.is_complete() && asked(evidence));
        prop_assert_eq!(report.complete, all_read);
        prop_assert_eq!(report.verdict == Verdict::Compliant, all_read && report.violations.is_empty());
        prop_assert_eq!(report.verdict == Verdict::NonCompliant, !report.violations.is_empty());
    }

    #[test]
    fn the_outcomes_of_every_rule_are_those_of_all_targets(run in run()) {
        let (checks, policy) = (checks(), policy());
        let report = build(&run, "r");
        for check in checks.iter() {
            let counts = report.summary.outcomes[check.id];
            let sum = counts.passed + counts.failed + counts.exempt + counts.not_applicable + counts.not_evaluated;
            prop_assert_eq!(sum, report.summary.targets);
            prop_assert!(report.verdict != Verdict::Compliant || counts.not_evaluated == 0);
        }
        for evidence in &run {
            let judgement = judge(evidence, &checks, &policy);
            for (check, outcome) in checks.iter().zip(judgement.outcomes) {
                let violated = report.violations.iter().any(|v| v.rule == check.id && v.target == evidence.target);
                prop_assert_eq!(outcome == Outcome::Failed, violated);
                let state = |api: &&Api| evidence.state_of(**api);
                let missing = check.needs.iter().filter(|api| !api.is_second_look()).any(|api| state(&api) != ReadState::Complete)
                    || check.needs.iter().any(|api| state(&api) == ReadState::Incomplete);
                prop_assert!(outcome != Outcome::Passed || !missing, "{} {outcome:?}", check.id);
            }
        }
    }

    #[test]
    fn a_report_does_not_depend_on_the_order_in_which_targets_are_added(run in run()) {
        let mut reversed = run.clone();
        reversed.reverse();
        prop_assert_eq!(text::json(&build(&reversed, "r")), text::json(&build(&run, "r")));
    }

    #[test]
    fn judging_does_not_depend_on_the_order_of_a_list(mut evidence in evidence(), cut in 0_usize..14) {
        // Two items with one id are one violation, and which of the two is reported is not defined.
        let mut known = HashSet::new();
        evidence.members.flagged.retain(|member| known.insert(member.id.clone()));
        let mut other = evidence.clone();
        other.members.flagged.rotate_left(cut.min(evidence.members.flagged.len()));
        other.filters.reverse();
        other.invitations.reverse();
        let of = |evidence: Evidence| build(&[evidence], "r").violations.into_iter().map(|v| v.id).collect::<Vec<_>>();
        let whole = of(evidence);
        prop_assert_eq!(&whole, &of(other));
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
        if let Ok(Event::Run(order)) = event::parse(&event) {
            prop_assert_eq!(order.dry_run, event.get("publish") == Some(&json!(false)));
            prop_assert_eq!(order.regions.is_some(), event.get("regions").is_some_and(Value::is_array));
        }
    }
}

proptest! {
    #![proptest_config(cases(8))]

    #[test]
    fn thousands_of_violations_and_of_targets_split_and_none_is_lost(
        targets in 1_usize..1_500, flagged in 0_usize..5_000, text in words(),
    ) {
        let evidence = many(targets, flagged, &text::clip(&text));
        let report = build(&evidence, "r");
        let messages = Messages::of(&report);
        let (mut violations, mut told) = (Vec::new(), BTreeMap::new());
        for message in messages.iter() {
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
