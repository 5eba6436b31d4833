//! Builders of evidence and reports for tests and benches, and what SNS makes of a message.

use serde_json::{Value, json};
use time::{Date, Month};

use crate::api::Api;
use crate::checks::Checks;
use crate::evidence::{Evidence, Filter, Invitation, Member, Members, Read, StatusCounts};
use crate::failure::Failure;
use crate::names::Target;
use crate::order::Trigger;
use crate::policy::Policy;
use crate::render::Message;
use crate::report::v1::Report;
use crate::report::{Builder, Header};

/// The account of most evidence.
pub const ACCOUNT: &str = "999999999999";

/// Every check.
pub fn checks() -> Checks {
    Checks::without(&[])
}

/// The policy of a day in November 2026.
pub fn policy() -> Policy {
    Policy { today: Date::from_calendar_date(2026, Month::November, 22).expect("a date") }
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
    evidence.iter().for_each(|evidence| builder.add(evidence.clone()));
    builder.report(header())
}

/// An account, by its number, in a Region.
pub fn target(account: u64, region: &str) -> Target {
    Target { account_id: format!("{account:012}"), region: region.to_owned() }
}

/// A target of which everything was read, and in which there is nothing.
pub fn clean(target: Target) -> Evidence {
    let apis = [
        Api::GetMacieSession,
        Api::GetAdministratorAccount,
        Api::ListMembers,
        Api::ListInvitations,
        Api::ListFindingsFilters,
    ];
    let read = |api| Read { pages: 1, ..Read::new(api) };
    Evidence { reads: apis.map(read).into(), ..Evidence::new(target) }
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
    Filter { id: id.to_owned(), arn: None, name: name.map(str::to_owned), action: Some(action.to_owned()) }
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
