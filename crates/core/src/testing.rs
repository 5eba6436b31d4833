//! Builders of evidence and reports for tests and benches, and what SNS makes of a message.

use serde_json::{Value, json};
use time::{Date, Month};

use crate::api::{Api, Service};
use crate::checks::Checks;
use crate::evidence::{Discovery, Evidence, Filter, Invitation, Member, Members, Read, StatusCounts};
use crate::failure::Failure;
use crate::names::Target;
use crate::order::Trigger;
use crate::policy::Policy;
use crate::render::{Message, Messages};
use crate::report::v1::{Change, Changes, EvidenceObjects, Exemption, Gone, Report, Run, Verdict, Violation};
use crate::report::{Builder, Earlier, Header, Terms};

/// The account of most evidence.
pub const ACCOUNT: &str = "999999999999";

/// Every check.
pub fn checks() -> Checks {
    Checks::without(&[])
}

/// The policy of a day in November 2026.
pub fn policy() -> Policy {
    Policy {
        today: Date::from_calendar_date(2026, Month::November, 22).expect("a date"),
        expected_administrators: Vec::new(),
    }
}

/// The header of a report that a scheduled run made.
pub fn header() -> Header {
    let id = "17793124-05d4-b198-2fde-7ededc63b103";
    Header {
        report_id: id.to_owned(),
        generated_at: "2026-11-22T06:00:04Z".to_owned(),
        trigger: Trigger {
            source: "aws.scheduler".to_owned(),
            detail_type: Some("Scheduled Event".to_owned()),
            id: Some(id.to_owned()),
            time: Some("2026-11-22T06:00:00Z".to_owned()),
        },
    }
}

/// The report of this evidence, by every check.
pub fn report(evidence: &[Evidence]) -> Report {
    report_by(&checks(), evidence)
}

/// The report of this evidence, by these checks.
pub fn report_by(checks: &Checks, evidence: &[Evidence]) -> Report {
    let policy = policy();
    let mut builder = Builder::new(checks, &policy);
    evidence.iter().for_each(|evidence| builder.add(evidence.clone(), Earlier::NotKept));
    builder.build(header(), Terms::default()).report
}

/// An account, by its number, in a Region.
pub fn target(account: u64, region: &str) -> Target {
    Target { account_id: format!("{account:012}"), region: region.to_owned() }
}

/// A target of which everything was read, and in which there is nothing.
pub fn clean(target: Target) -> Evidence {
    let is_asked =
        |api: &&Api| api.row().service == Service::Macie && !api.is_second_look() && api.replaces().is_none();
    let read = |api: &Api| Read { pages: 1, ..Read::new(*api) };
    let discovery = Discovery { status: Some("ENABLED".to_owned()), ..Discovery::default() };
    Evidence { reads: Api::ALL.iter().filter(is_asked).map(read).collect(), discovery, ..Evidence::new(target) }
}

/// The evidence with one of its reads failed.
pub fn with_failed_read(mut evidence: Evidence, api: Api, code: &str, message: &str) -> Evidence {
    let failure = Some(Failure::own(code, message));
    match evidence.reads.iter_mut().find(|read| read.api == api) {
        Some(read) => read.failure = failure,
        None => evidence.reads.push(Read { failure, ..Read::new(api) }),
    }
    evidence
}

/// A member with this status, not confirmed.
pub fn member(id: impl ToString, status: &str) -> Member {
    Member {
        id: id.to_string(),
        arn: None,
        email: None,
        status: Some(status.to_owned()),
        since: None,
        confirmed: false,
    }
}

/// Members that are flagged, counted by their status.
pub fn members(flagged: Vec<Member>) -> Members {
    let mut by_status = StatusCounts::default();
    flagged.iter().for_each(|member| by_status.add(member.status.as_deref()));
    Members { flagged, by_status, ..Members::default() }
}

/// How many members have each status.
pub fn by_status(counts: &[(&str, u64)]) -> StatusCounts {
    let mut by_status = StatusCounts::default();
    for (status, members) in counts {
        (0..*members).for_each(|_| by_status.add(Some(status)));
    }
    by_status
}

/// An invitation with this status.
pub fn invitation(sender_id: &str, status: &str) -> Invitation {
    Invitation { sender_id: sender_id.to_owned(), status: Some(status.to_owned()), since: None }
}

/// A findings filter with this action.
pub fn filter(id: &str, name: Option<&str>, action: &str) -> Filter {
    Filter {
        id: id.to_owned(),
        arn: None,
        name: name.map(str::to_owned),
        action: Some(action.to_owned()),
        detail: None,
    }
}

/// What IAM answers to a role in this Region, with the reason at its end.
pub fn refusal(api: Api, region: &str, reason: &str) -> String {
    let action = api.row().action;
    format!(
        "User: arn:aws:sts::{ACCOUNT}:assumed-role/macie-compliance-FunctionRole-1QWERTY2ASDF/macie-compliance-Function-AbCdEfGhIjKl is not authorized to perform: {action} on resource: arn:aws:macie2:{region}:{ACCOUNT}:* {reason}"
    )
}

/// The report as a run makes it that has an evidence bucket: everything that it found is known from the day before.
pub fn remembered(mut report: Report) -> Report {
    for violation in &mut report.violations {
        violation.first_seen = Some("2026-11-01T06:00:02Z".to_owned());
        violation.change = Some(Change::Known);
    }
    report.changes = Some(Changes {
        compared_with: Some(Run {
            report_id: "5a0c1f6e-2f7b-4a52-8d0e-0c4b6f2f8f11".to_owned(),
            generated_at: "2026-11-21T06:00:03Z".to_owned(),
        }),
        new: 0,
        resolved: Vec::new(),
        resolved_total: 0,
        unknown: Vec::new(),
        unknown_total: 0,
    });
    let key = format!("reports/2026/11/22/{}.20261122T060004Z", report.report_id);
    report.evidence = Some(EvidenceObjects {
        bucket: "macie-compliance-evidence-999999999999".to_owned(),
        key: format!("{key}.json"),
        html_key: format!("{key}.html"),
        error: None,
        lacks_page: false,
    });
    report
}

/// The report with its counts and its verdict as its lists are, which a test changed.
pub fn settled(mut report: Report) -> Report {
    report.violations.sort_by_key(|violation| (violation.severity, violation.rule));
    for (severity, number) in &mut report.summary.by_severity {
        *number = report.violations.iter().filter(|violation| violation.severity == *severity).count() as u64;
    }
    report.summary.violations = report.violations.len() as u64;
    report.summary.exempted = report.exempted.len() as u64;
    let fails = report.violations.iter().any(|violation| violation.severity <= report.fail_on);
    report.verdict = Verdict::of(fails, report.complete);
    let is_new = |violation: &&Violation| violation.change == Some(Change::New);
    let new = report.violations.iter().filter(is_new).count() as u64;
    if let Some(changes) = &mut report.changes {
        changes.new = new;
        changes.resolved_total = changes.resolved.len() as u64;
        changes.unknown_total = changes.unknown.len() as u64;
    }
    report
}

/// What became of a violation that the last run found, and that this one did not.
pub fn gone(violation: &Violation) -> Gone {
    Gone {
        id: violation.id.clone(),
        rule: violation.rule,
        severity: violation.severity,
        target: violation.target.clone(),
        resource: violation.resource.clone(),
        first_seen: "2026-11-01T06:00:02Z".to_owned(),
    }
}

/// An entry of the exemptions document with this id, in force to the end of this day.
pub fn exemption(id: &str, expires: &str) -> Exemption {
    Exemption {
        id: id.to_owned(),
        reason: "Agreed with the security team".to_owned(),
        owner: "team-data@example.com".to_owned(),
        ticket: Some("SEC-1234".to_owned()),
        expires: expires.to_owned(),
    }
}

/// The text of a message for this protocol.
pub fn text(message: &Message, protocol: &str) -> String {
    let body: Value = serde_json::from_str(&message.body).expect("the body is JSON");
    body[protocol].as_str().expect("a text").to_owned()
}

/// The mail of a report.
pub fn mail(report: &Report) -> String {
    text(&Messages::of(report, usize::MAX).get(0).expect("a first message"), "email")
}

/// A mail with every line break and indentation as one blank, to look for sentences in it.
pub fn flat(mail: &str) -> String {
    mail.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The event with which Lambda hands a message to a function: the longest form in which a subscriber
/// gets one, with the longest names, and everything that is not ASCII escaped.
pub fn envelope(message: &Message) -> String {
    let topic = format!("arn:aws:sns:ap-southeast-2:{ACCOUNT}:{}", "t".repeat(256));
    let subscription = format!("{topic}:{}", "0".repeat(36));
    let attributes: serde_json::Map<String, Value> = message
        .attributes
        .iter()
        .map(|attribute| (attribute.name.to_owned(), json!({"Type": attribute.data_type, "Value": attribute.value})))
        .collect();
    let sns = json!({
        "Type": "Notification",
        "MessageId": "0".repeat(36),
        "SequenceNumber": "1".repeat(20),
        "TopicArn": topic,
        "Subject": message.subject,
        "Message": message.report(),
        "Timestamp": "2026-11-22T06:00:04.123Z",
        "SignatureVersion": "1",
        "Signature": "s".repeat(344),
        "SigningCertURL": format!("https://sns.ap-southeast-2.amazonaws.com/SimpleNotificationService-{}.pem", "0".repeat(32)),
        "UnsubscribeURL": format!("https://sns.ap-southeast-2.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={subscription}"),
        "MessageAttributes": attributes,
    });
    let record =
        json!({"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription, "Sns": sns});
    let text = json!({"Records": [record]}).to_string();
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii() => escaped.push(c),
            c => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| escaped.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    escaped
}
