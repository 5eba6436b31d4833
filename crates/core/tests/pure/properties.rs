//! What must hold for all inputs.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::{env, iter};

use macie_compliance_core::api::{Api, Audience, Service};
use macie_compliance_core::checks::Checks;
use macie_compliance_core::evidence::{
    AccountRole, Administrator, AllowList, Bucket, Buckets, Discovery, Evidence, Filter, Invitation, Job,
    ManagedDataIdentifier, Member, Organization, Publication, Read, ReadState, Results, Roster, RosterAccount, Session,
    SessionStatus,
};
use macie_compliance_core::failure::Failure;
use macie_compliance_core::inlet::event;
use macie_compliance_core::inlet::settings::Settings;
use macie_compliance_core::judge::{Outcome, judge};
use macie_compliance_core::order::{Event, Trigger};
use macie_compliance_core::render::{LIMIT, Messages};
use macie_compliance_core::report::v1::{Exempted, Exemptions, Report, Verdict};
use macie_compliance_core::report::{Builder, Earlier, Header, Terms};
use macie_compliance_core::testing::{
    checks, envelope, exemption, filter, gone, members, policy, remembered, settled, target,
};
use macie_compliance_core::text;
use proptest::collection::{btree_map, vec};
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
    let of_targets = Api::ALL.iter().filter(|api| api.row().service == Service::Macie && api.replaces().is_none());
    let apis: Vec<Api> = of_targets.copied().collect();
    let one = |api: Api| {
        let failure = prop_oneof![29 => Just(None), 1 => words().prop_map(Some)];
        let read = (failure, 0_u64..3).prop_map(move |(failure, items)| {
            let failure = failure.map(|text| Failure::own(&text, text.clone()));
            Some(Read { items, failure, ..Read::new(api) })
        });
        prop_oneof![29 => read, 1 => Just(None)]
    };
    (apis.into_iter().map(one).collect::<Vec<_>>(), any::<bool>()).prop_map(|(reads, older)| {
        let mut reads: Vec<Read> = reads.into_iter().flatten().collect();
        for read in &mut reads {
            if older && read.api == Api::GetAdministratorAccount {
                read.api = Api::GetMasterAccount;
            }
        }
        reads
    })
}

fn roster() -> impl Strategy<Value = Option<Arc<Roster>>> {
    let account = |(id, _, name, _, is_management): Item| RosterAccount { id, name, is_management };
    let roster = (prop::bool::weighted(0.9), prop::bool::weighted(0.9), items());
    let roster = roster.prop_map(move |(is_in_use, is_complete, accounts)| {
        let accounts = if is_in_use { accounts.into_iter().map(account).collect() } else { Vec::new() };
        Arc::new(Roster { is_in_use, is_complete, accounts })
    });
    prop::option::of(roster)
}

fn organization() -> impl Strategy<Value = Option<Organization>> {
    let flags = (any::<bool>(), any::<bool>());
    prop::option::of(flags.prop_map(|(auto_enable, is_limit_reached)| Organization { auto_enable, is_limit_reached }))
}

fn discovery() -> impl Strategy<Value = Discovery> {
    let ids = || vec("[a-z0-9]{1,12}", 0..5);
    (any::<bool>(), status(), ids(), ids(), items(), ids()).prop_map(
        |(is_on, setting, accounts, buckets, excluded, lists)| {
            let excluded = excluded.into_iter().map(|(id, _, category, ..)| ManagedDataIdentifier { id, category });
            Discovery {
                status: Some(if is_on { "ENABLED" } else { "DISABLED" }.to_owned()),
                auto_enable_members: setting,
                disabled_accounts: accounts,
                excluded_buckets: buckets,
                excluded_identifiers: excluded.collect(),
                allow_lists: lists,
            }
        },
    )
}

/// What there is beside members, invitations and filters.
fn mutes() -> impl Strategy<Value = Evidence> {
    let publication = prop::option::of((any::<bool>(), any::<bool>()));
    let results = prop::option::of(prop::option::of(words()));
    let quota = btree_map("[0-9]{12}", 0_u64..9, 0..3);
    let lists = (items(), items(), items());
    (roster(), organization(), discovery(), lists, quota, publication, results).prop_map(
        |(roster, organization, discovery, (jobs, lists, buckets), over_quota, publication, results)| Evidence {
            roster: roster.filter(|_| organization.is_some()),
            organization,
            discovery,
            jobs: jobs
                .into_iter()
                .map(|(id, status, name, since, is_scheduled)| {
                    let has_failed = since.is_some();
                    Job { id, status, name, since, is_scheduled, has_failed, allow_lists: Vec::new() }
                })
                .collect(),
            allow_lists: lists
                .into_iter()
                .map(|(id, status, regex, name, _)| AllowList { id, arn: None, name, status, regex })
                .collect(),
            buckets: Buckets {
                unreadable: buckets
                    .into_iter()
                    .map(|(name, account_id, arn, ..)| Bucket { name, arn, account_id })
                    .collect(),
                over_quota,
            },
            publication: publication.map(|(policy_findings, sensitive_data_findings)| Publication {
                policy_findings,
                sensitive_data_findings,
            }),
            results: results.map(|bucket| Results { bucket }),
            ..Evidence::new(target(1, ""))
        },
    )
}

prop_compose! {
    fn evidence()(
        region in prop::sample::select(vec!["eu-west-1", "us-east-1", "ap-southeast-2", "ap-northeast-3"]),
        mutes in prop_oneof![3 => mutes(), 1 => Just(Evidence::new(target(1, "")))],
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
        let filter = |(id, action, arn, name, _): Item| Filter { id, arn, name, action, detail: None };
        Evidence {
            reads,
            session,
            administrator: administrator.map(|(id, status, since)| Administrator { id, status, since }),
            members: members(flagged.into_iter().map(member).collect()),
            invitations: invitations.into_iter().map(invitation).collect(),
            filters: filters.into_iter().map(filter).collect(),
            target: target(account, region),
            ..mutes
        }
    }
}

/// Whether an account is asked, by what it is to Macie. One of which that is not known is asked everything.
fn is_asked_of(api: Api, evidence: &Evidence) -> bool {
    let has_no_lists = evidence.target.region == "ap-northeast-3" && api.is_about_allow_lists();
    let administers = evidence.organization.is_some()
        || evidence.state_of(Api::DescribeOrganizationConfiguration) != ReadState::Complete;
    let is_for_it = match (api.row().audience, evidence.role()) {
        (Audience::Everyone, _) => true,
        (Audience::NotMembers | Audience::Administrators, Some(AccountRole::Member)) => false,
        (Audience::NotMembers, _) => true,
        (Audience::Administrators, role) if api != Api::ListAccounts => role != Some(AccountRole::Standalone),
        (Audience::Administrators, _) => administers,
    };
    !has_no_lists && is_for_it && !api.is_second_look()
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
    evidence.iter().for_each(|evidence| builder.add(evidence.clone(), Earlier::NotKept));
    let trigger = Trigger { source: text.to_owned(), ..Trigger::default() };
    let header = Header { report_id: text.to_owned(), generated_at: "2026-11-22T06:00:04Z".to_owned(), trigger };
    builder.build(header, Terms::default()).report
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
pub(crate) fn cases(usual: u32) -> ProptestConfig {
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
        let messages = Messages::of(&report, usize::MAX);
        let (mut held, mut known) = (Vec::new(), HashSet::new());
        for (index, message) in messages.iter().enumerate() {
            prop_assert!(message.size() <= LIMIT, "{} bytes", message.size());
            prop_assert!(envelope(&message).len() <= message.size(), "{} bytes", envelope(&message).len());
            prop_assert!(message.subject.len() + message.body.len() <= message.size());
            prop_assert!(known.insert(message.deduplication_id.clone()));
            let part: Value = serde_json::from_str(&message.report()).expect("each part is JSON");
            prop_assert_eq!(&part["part"], &json!({"number": index + 1, "of": messages.count()}));
            prop_assert_eq!(&part["verdict"], report.verdict.as_str());
            held.extend(ids(&part));
        }
        let expected: Vec<String> = report.violations.iter().map(|violation| violation.id.clone()).collect();
        prop_assert_eq!(held, expected);
    }

    #[test]
    fn no_text_makes_a_subject_a_mail_or_a_line_unsafe(run in run(), text in words()) {
        for message in Messages::of(&build(&run, &text), usize::MAX).iter() {
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
        let checks = checks();
        let asked = |evidence: &Evidence| {
            let mut needed = Api::ALL.iter().copied().filter(|api| checks.need(*api));
            needed.all(|api| match evidence.state_of(api) {
                ReadState::Complete => true,
                ReadState::Incomplete => false,
                ReadState::NotAsked => evidence.is_macie_off() || !is_asked_of(api, evidence),
            })
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
            for (check, outcome) in checks.iter().zip(judgement.results.iter().map(|result| result.outcome)) {
                let violated = report.violations.iter().any(|v| v.rule == check.id && v.target == evidence.target);
                prop_assert_eq!(outcome == Outcome::Failed, violated);
                let state = |api: &&Api| evidence.state_of(**api);
                let missing = check.needs.iter().filter(|api| is_asked_of(**api, evidence)).any(|api| state(&api) != ReadState::Complete)
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
    fn no_message_is_too_large_whatever_has_changed(
        flagged in 0_usize..1_500, listed in 0_usize..160, name in words(), times in 1_usize..40, max_parts in 1_usize..12,
        is_stored in any::<bool>(),
    ) {
        let name = text::clip(&name.repeat(times));
        let mut report = remembered(build(&many(40, flagged + 3 * listed, &name), "r"));
        let mut others = report.violations.split_off(flagged);
        let changes = report.changes.as_mut().expect("changes");
        changes.resolved = others.drain(..listed).map(|violation| gone(&violation)).collect();
        changes.unknown = others.drain(..listed).map(|violation| gone(&violation)).collect();
        let exempt = |violation| Exempted { violation, exemption: exemption(&name, "2026-11-30") };
        report.exempted = others.into_iter().map(exempt).collect();
        let entries = vec![name.clone(); listed];
        report.exemptions = Some(Exemptions { expiring_soon: entries.clone(), unused: entries, ..Exemptions::default() });
        if !is_stored {
            report.evidence = None;
        }
        let report = settled(report);
        let messages = Messages::of(&report, max_parts);
        let mut held = Vec::new();
        for message in messages.iter() {
            prop_assert!(message.size() <= LIMIT && envelope(&message).len() <= LIMIT, "{} bytes", message.size());
            let part: Value = serde_json::from_str(&message.report()).expect("each part is JSON");
            for list in [&part["exempted"], &part["changes"]["resolved"], &part["changes"]["unknown"]] {
                prop_assert!(list.as_array().expect("a list").len() <= 100);
            }
            prop_assert_eq!(&part["changes"]["unknownTotal"], listed);
            let (violations, targets) = (ids(&part), part["targets"].as_array().expect("a list").len());
            if !part["truncated"].is_null() {
                prop_assert!(is_stored && messages.count() == 1);
                prop_assert_eq!(&part["truncated"], &json!({"violations": violations.len(), "targets": targets}));
            }
            held.extend(violations);
        }
        let all: Vec<String> = report.violations.iter().map(|violation| violation.id.clone()).collect();
        let is_truncated = is_stored && Messages::of(&report, usize::MAX).count() > max_parts;
        prop_assert!(all.starts_with(&held));
        prop_assert_eq!(held.len() == all.len(), !is_truncated || all.is_empty());
    }

    #[test]
    fn thousands_of_violations_and_of_targets_split_and_none_is_lost(
        targets in 1_usize..1_500, flagged in 0_usize..5_000, text in words(),
    ) {
        let evidence = many(targets, flagged, &text::clip(&text));
        let report = build(&evidence, "r");
        let messages = Messages::of(&report, usize::MAX);
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
        prop_assert!(times == HashSet::from([1]) || times == HashSet::from([messages.count()]), "{times:?}");
    }
}
