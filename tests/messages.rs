//! What a report looks like as messages: their sizes, their parts, and the counts in them.

use std::collections::HashSet;

use macie_compliance::event::Trigger;
use macie_compliance::facts::{Api, Facts, Failure, Read, Resource, ResourceType, Status, Target};
use macie_compliance::report::v1::{self, Report, Severity, Verdict};
use macie_compliance::report::{self, Head, LIMIT, Message};
use macie_compliance::rules::Rules;
use serde_json::Value;

fn build(facts: &[Facts]) -> Report {
    let head = Head {
        report_id: "r".to_owned(),
        generated_at: "2026-11-22T06:00:04Z".to_owned(),
        trigger: Trigger::default(),
    };
    report::build(head, facts, &Rules::without(&[]))
}

fn facts(account: u64, region: &str) -> Facts {
    let target = Target { account_id: format!("{account:012}"), region: region.to_owned() };
    Facts { reads: vec![Read::new(Api::ListMembers)], ..Facts::new(target) }
}

fn failed(api: Api, code: &str, message: &str) -> Read {
    let failure = Failure { code: code.to_owned(), message: message.to_owned(), request_id: None };
    Read { failure: Some(failure), ..Read::new(api) }
}

fn resource(kind: ResourceType, id: usize, status: &str) -> Resource {
    Resource {
        kind,
        id: format!("{id:012}"),
        arn: None,
        name: None,
        email: None,
        status: Status::Is(status.to_owned()),
        since: None,
        confirmed: None,
    }
}

fn members(number: usize) -> Vec<Resource> {
    (0..number).map(|id| resource(ResourceType::Member, id, "Paused")).collect()
}

fn text(message: &Message, protocol: &str) -> String {
    let body: Value = serde_json::from_str(&message.body).expect("JSON");
    body[protocol].as_str().expect("a text").to_owned()
}

fn mail(facts: &[Facts]) -> String {
    text(&report::messages(&build(facts))[0], "email")
}

fn part(message: &Message) -> Value {
    serde_json::from_str(&message.report()).expect("JSON")
}

#[test]
fn violations_are_counted_by_severity_and_rule() {
    let mut bad = facts(1, "eu-west-1");
    bad.flagged = members(3);
    bad.flagged.push(resource(ResourceType::FindingsFilter, 1, "ARCHIVE"));
    let mut unread = facts(2, "us-east-1");
    unread.reads = vec![failed(Api::ListMembers, "x", "")];
    let report = build(&[bad, unread, facts(3, "us-east-1")]);
    let by_severity = |severity| report.summary.by_severity[&severity];
    assert_eq!([Severity::Critical, Severity::High, Severity::Medium, Severity::Low].map(by_severity), [0, 3, 1, 0]);
    let by_rule = &report.summary.by_rule;
    assert_eq!((by_rule["member-macie-paused"], by_rule["filter-archives-findings"]), (3, 1));
    assert_eq!((by_rule.values().sum::<u64>(), by_rule.len()), (4, Rules::without(&[]).iter().count()));
    assert_eq!((report.summary.targets, report.summary.targets_incomplete, report.summary.violations), (3, 1, 4));
    let verdicts: Vec<Verdict> = report.targets.iter().map(|target| target.verdict).collect();
    assert_eq!(verdicts, [Verdict::NonCompliant, Verdict::InsufficientData, Verdict::Compliant]);
}

#[test]
fn a_trigger_is_the_same_in_a_report_and_out_of_it() {
    let text = |text: &str| Some(text.to_owned());
    let trigger = Trigger { source: "s".to_owned(), detail_type: text("d"), id: text("i"), time: text("t") };
    assert_eq!(Trigger::from(v1::Trigger::from(trigger.clone())), trigger);
}

#[test]
fn attributes_tell_what_filter_policies_ask_for() {
    let attributes = |facts: &[Facts]| -> Vec<(&str, String)> {
        let messages = report::messages(&build(facts));
        messages[0].attributes.iter().map(|attribute| (attribute.name, attribute.value.clone())).collect()
    };
    let mut bad = facts(1, "eu-west-1");
    assert_eq!(attributes(&[bad.clone()])[2], ("maxSeverity", "NONE".to_owned()));
    bad.flagged = vec![resource(ResourceType::FindingsFilter, 1, "ARCHIVE")];
    let told: Vec<String> = attributes(&[bad]).into_iter().map(|(_, value)| value).collect();
    assert_eq!(told, ["NON_COMPLIANT", "true", "MEDIUM", "1", "r", "1", "1"]);
}

#[test]
fn the_size_of_a_message_is_that_of_everything_in_it() {
    let [message] = report::messages(&build(&[facts(1, "eu-west-1")])).try_into().expect("one message");
    let attributes: String = message.attributes.iter().flat_map(|a| [a.name, a.data_type, &a.value]).collect();
    assert_eq!(message.size(), format!("{}{}{attributes}", message.subject, message.body).len());
}

#[test]
fn the_mail_tells_of_accounts_regions_and_what_may_be_missing() {
    let mut bad = facts(1, "eu-west-1");
    bad.flagged = members(1);
    let mut unread = facts(2, "eu-west-1");
    unread.reads = vec![failed(Api::ListMembers, "x", "")];
    let told = mail(&[bad, unread]);
    assert!(told.starts_with("NON_COMPLIANT: Amazon Macie, 2 accounts, 1 Region\n"), "{told}");
    assert!(told.contains("1 violation, and there may be more: in 1 of 2 targets not everything"), "{told}");
}

#[test]
fn failures_are_told_together_only_where_they_are_the_same() {
    let mut one = facts(1, "eu-west-1");
    one.reads = vec![
        failed(Api::ListMembers, "Code", "message"),
        failed(Api::ListInvitations, "Code", "message"),
        failed(Api::ListMembers, "Other", "message"),
        failed(Api::ListMembers, "Code", "another"),
    ];
    let mut two = facts(1, "eu-west-2");
    two.reads = vec![failed(Api::ListMembers, "Code", "message")];
    let told = mail(&[one, two]);
    let lines: Vec<&str> = told.lines().filter(|line| line.starts_with("- ")).collect();
    assert_eq!(
        lines,
        [
            "- ListMembers in 000000000001 eu-west-1 and 1 target more: Code",
            "- ListInvitations in 000000000001 eu-west-1: Code (message)",
            "- ListMembers in 000000000001 eu-west-1: Other (message)",
            "- ListMembers in 000000000001 eu-west-1: Code (another)",
        ]
    );
}

#[test]
fn twenty_failures_are_told_and_the_rest_are_counted() {
    let told = |number: usize| {
        let mut unread = facts(1, "eu-west-1");
        unread.reads = (0..number).map(|code| failed(Api::ListMembers, &format!("Code{code}"), "")).collect();
        mail(&[unread])
    };
    assert!(!told(20).contains(" more"), "{}", told(20));
    assert!(told(20).contains("Code19"));
    assert!(told(22).contains("And 2 more;") && !told(22).contains("Code20"), "{}", told(22));
}

#[test]
fn a_subject_keeps_its_part_however_long_the_rest() {
    let mut huge = facts(1, &format!("eu-{}-1", "a".repeat(27)));
    huge.flagged = members(6_000);
    huge.reads = vec![failed(Api::ListMembers, "x", "")];
    let messages = report::messages(&build(&[huge]));
    let of = messages.len();
    assert!(of > 9);
    for (index, message) in messages.iter().enumerate() {
        assert!(message.subject.len() <= 99 && message.subject.ends_with(&format!(" (part {} of {of})", index + 1)));
    }
    assert_eq!(messages[0].subject.len(), 99);
}

#[test]
fn every_part_tells_of_all_targets_while_they_leave_room() {
    let mut many: Vec<Facts> = (0..20).map(|account| facts(account, "eu-west-1")).collect();
    many[0].flagged = members(1_000);
    let messages = report::messages(&build(&many));
    assert!(messages.len() > 1);
    for message in &messages {
        assert_eq!(part(message)["targets"].as_array().expect("a list").len(), 20);
    }
}

#[test]
fn targets_that_leave_too_little_room_are_told_once_each() {
    let mut many: Vec<Facts> = (0..700).map(|account| facts(account, "eu-west-1")).collect();
    many[0].flagged = members(500);
    let messages = report::messages(&build(&many));
    let mut told = HashSet::new();
    for message in &messages {
        assert!(message.size() <= LIMIT);
        for target in part(message)["targets"].as_array().expect("a list") {
            assert!(told.insert(target["accountId"].as_str().expect("an id").to_owned()));
        }
    }
    assert_eq!(told.len(), 700);
}

/// A name is made longer by one character at a time, so that the first part is filled to the last byte that it may hold.
#[test]
fn a_part_is_filled_to_the_limit_and_not_beyond() {
    let first_part = |padding: usize| {
        let mut full = facts(1, "eu-west-1");
        full.flagged = members(600);
        full.flagged[0].name = Some("n".repeat(padding));
        let messages = report::messages(&build(&[full]));
        assert_eq!(messages.len(), 2);
        let violations = part(&messages[0])["violations"].as_array().expect("a list").len();
        (messages[0].size(), violations)
    };
    // Room is kept for part numbers of six digits, which take five bytes more in each of seven places, and for a comma
    // after the last violation.
    let reserved = 7 * 5 + 1;
    let (size, violations) = first_part(1);
    let fullest = 1 + LIMIT - reserved - size;
    assert_eq!(first_part(fullest), (LIMIT - reserved, violations));
    assert_eq!(first_part(fullest + 1).1, violations - 1);
}

#[test]
fn a_report_that_just_fits_is_one_message() {
    let padded = |padding: usize| {
        let mut facts = facts(1, "eu-west-1");
        facts.flagged = members(10);
        facts.flagged[0].arn = Some("a".repeat(padding));
        report::messages(&build(&[facts]))
    };
    let room = LIMIT - padded(0)[0].size();
    let fits = padded(room);
    assert_eq!((fits.len(), fits[0].size()), (1, LIMIT));
    assert_eq!(padded(room + 1).len(), 2);
}
