//! The report's JSON, version 1.1.
//!
//! These types are the published format and nothing else; the JSON Schema in `schema/` is
//! generated from them. Fields are added, never renamed or removed, while the version stays 1.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use time::{Date, Month};

use crate::api::Api;
use crate::checks::ArchivingFilter;
use crate::judge::Outcome;
use crate::names::Target;
use crate::order::Trigger;
use crate::resource::Resource;
use crate::severity::Severity;

/// The version of the format.
pub const SCHEMA_VERSION: &str = "1.1";

/// A compliance report of Amazon Macie, or one numbered part of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "deserialize", derive(serde::Deserialize))]
#[serde(rename_all = "camelCase")]
#[schemars(title = "macie-compliance report", inline)]
pub struct Report {
    /// The version of this format.
    #[schemars(regex(pattern = r"^1\.\d+$"))]
    pub schema_version: &'static str,
    /// The same for every part of a report, and for every delivery of one event.
    pub report_id: String,
    /// When the report was made, RFC 3339 in UTC.
    #[schemars(extend("format" = "date-time"))]
    pub generated_at: String,
    /// What started the run.
    pub trigger: Trigger,
    /// The verdict over all targets.
    pub verdict: Verdict,
    /// Whether every read of every target was finished.
    pub complete: bool,
    /// The least severity that makes a verdict `NON_COMPLIANT`. Lesser violations are listed and counted all the
    /// same.
    pub fail_on: Severity,
    /// The ids of the rules that are switched off.
    #[cfg_attr(feature = "deserialize", serde(borrow))]
    pub rules_disabled: Vec<&'static str>,
    /// Counts over the whole report, also in a part of it.
    pub summary: Summary,
    /// The targets. Every part has all of them, unless they alone would fill it: then each target
    /// is in one part.
    pub targets: Vec<TargetResult>,
    /// The violations of this part, the worst first. Over all parts each is there once.
    pub violations: Vec<Violation>,
    /// What an exemption covers, so that it is no violation: in part 1, and there at most the 100 worst. The stored
    /// report has all.
    pub exempted: Vec<Exempted>,
    /// What became of the exemptions document; null where there is none.
    pub exemptions: Option<Exemptions>,
    /// What changed since the last run; null without an evidence bucket.
    pub changes: Option<Changes>,
    /// Where the whole report is stored; null without an evidence bucket.
    pub evidence: Option<EvidenceObjects>,
    /// What is left of the lists in a message that points to the stored report; null where nothing is left out.
    pub truncated: Option<Truncated>,
    /// Which part of the report this is.
    pub part: Part,
}

impl Report {
    /// Whether there is something to tell that the last run did not: something is new, resolved or unknown, an
    /// exemption ended, or it cannot be told, since the exemptions, what the last run found or something else was not
    /// read. Of the unknown ones, as many as the last run told as unknown already are nothing new. Without states
    /// everything is new. Whether the verdict differs is not looked at.
    pub fn says_something_new(&self, unknown_before: u64) -> bool {
        let Some(changes) = &self.changes else { return true };
        let is_told = |violation: &Violation| matches!(violation.change, None | Some(Change::ExemptionEnded));
        changes.new + changes.resolved_total + changes.unknown_total.saturating_sub(unknown_before) > 0
            || self.violations.iter().any(is_told)
            || self.exempted.iter().any(|exempted| exempted.violation.change.is_none())
            || self.exemptions.as_ref().is_some_and(|exemptions| exemptions.error.is_some())
            || !self.complete
    }

    /// The objects that hold the whole report, where it was stored; its page may be missing.
    pub fn stored(&self) -> Option<&EvidenceObjects> {
        self.evidence.as_ref().filter(|evidence| evidence.error.is_none() || evidence.lacks_page)
    }
}

/// Whether Macie is as it should be, in AWS Config's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// Everything was read and nothing breaks a rule.
    Compliant,
    /// Something breaks a rule, whether everything was read or not.
    NonCompliant,
    /// Nothing that was read breaks a rule, but not everything was read.
    InsufficientData,
}

impl Verdict {
    /// The verdict over what was read: whether something there breaks a rule, and is as bad as what makes a verdict
    /// `NON_COMPLIANT`.
    pub fn of(fails: bool, complete: bool) -> Verdict {
        match (fails, complete) {
            (true, _) => Verdict::NonCompliant,
            (false, false) => Verdict::InsufficientData,
            (false, true) => Verdict::Compliant,
        }
    }

    /// The worse, the higher: something that breaks a rule is worse than something that could not be read.
    pub(crate) fn rank(self) -> u8 {
        match self {
            Verdict::Compliant => 0,
            Verdict::InsufficientData => 1,
            Verdict::NonCompliant => 2,
        }
    }

    /// The verdict as the report spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Compliant => "COMPLIANT",
            Verdict::NonCompliant => "NON_COMPLIANT",
            Verdict::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

/// Counts over the whole report.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "deserialize", derive(serde::Deserialize))]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Summary {
    /// Accounts in Regions that were to be read.
    pub targets: u64,
    /// Those of them of which something was not read.
    pub targets_incomplete: u64,
    /// Regions that the account has enabled, that this version does not know, and whose names show
    /// that Macie is not offered there. They are no targets.
    pub regions_without_macie: Vec<String>,
    /// Members that were read; absent if no enabled rule needs them, so that they are not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<u64>,
    /// Invitations that were read; absent if no enabled rule needs them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitations: Option<u64>,
    /// Findings filters that were read; absent if no enabled rule needs them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<u64>,
    /// Violations found.
    pub violations: u64,
    /// Violations that an exemption covers.
    pub exempted: u64,
    /// Violations of each severity.
    pub by_severity: BTreeMap<Severity, u64>,
    /// Violations of each enabled rule, by rule id. That there are none does not say that the rule
    /// was evaluated: see `outcomes`.
    #[cfg_attr(feature = "deserialize", serde(borrow))]
    pub by_rule: BTreeMap<&'static str, u64>,
    /// In how many targets each enabled rule had each outcome, by rule id.
    #[cfg_attr(feature = "deserialize", serde(borrow))]
    pub outcomes: BTreeMap<&'static str, OutcomeCounts>,
    /// Members of each relationship status, `(absent)` where Macie gave none; absent if no enabled
    /// rule needs the members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members_by_status: Option<BTreeMap<String, u64>>,
}

/// In how many targets a rule had each outcome. Together they are all targets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "deserialize", derive(serde::Deserialize))]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct OutcomeCounts {
    /// Everything that the rule needs was read, and nothing breaks it.
    pub passed: u64,
    /// Something breaks it.
    pub failed: u64,
    /// Everything that breaks it is exempted.
    pub exempt: u64,
    /// It says nothing about the target.
    pub not_applicable: u64,
    /// Nothing breaks it in what was read, but a read that it needs was not finished.
    pub not_evaluated: u64,
}

/// One account in one Region.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "deserialize", derive(serde::Deserialize))]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct TargetResult {
    /// The account and the Region.
    #[serde(flatten)]
    pub target: Target,
    /// The verdict over this target alone.
    pub verdict: Verdict,
    /// Whether every read of this target was finished.
    pub complete: bool,
    /// What each enabled rule came to here, by rule id. Only the stored report has it, and where it has more than
    /// 1,000 targets only for those that are not `COMPLIANT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "deserialize", serde(borrow))]
    pub outcomes: Option<BTreeMap<&'static str, Outcome>>,
    /// What was read.
    pub reads: Vec<Read>,
}

/// How far the walk of one API got.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "deserialize", derive(serde::Deserialize))]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Read {
    /// The operation, such as `ListMembers`.
    #[schemars(with = "String")]
    #[serde(serialize_with = "operation")]
    pub api: Api,
    /// Whether it was read to its end.
    pub complete: bool,
    /// Answers received.
    pub pages: u64,
    /// Items in them.
    pub items: u64,
    /// Why it was not read to its end.
    pub error: Option<Box<ReadError>>,
}

/// Why something was not read.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "deserialize", derive(serde::Deserialize))]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct ReadError {
    /// The service's code, the SDK's name for an error without one, or `DeadlineExceeded`,
    /// `PaginationLoop`, `InvalidResponse` or `UnknownHost`.
    pub code: String,
    /// The service's message.
    pub message: String,
    /// The service's request id, where it answered.
    pub request_id: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Something that breaks a rule.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "deserialize", derive(serde::Deserialize))]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Violation {
    /// The same in every run for the same account, Region, rule and resource.
    pub id: String,
    /// The id of the rule.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The account and the Region in which it was found.
    #[serde(flatten)]
    pub target: Target,
    /// What breaks the rule.
    pub resource: Resource,
    /// What the service says of it, null where it says nothing.
    pub status: Option<String>,
    /// For members: whether the status was read twice and is as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<bool>,
    /// The service's own time for the status, RFC 3339 in UTC.
    pub since: Option<String>,
    /// What is wrong.
    pub title: &'static str,
    /// What is missed while it is so, and what to do about it.
    pub remediation: String,
    /// When a run first found it, RFC 3339 in UTC; null without an evidence bucket, and where the last run's state
    /// could not be read.
    pub first_seen: Option<String>,
    /// Whether the last run found it too; null where `firstSeen` is.
    pub change: Option<Change>,
    /// For a filter that archives findings: how much it mutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Box<ArchivingFilter>>,
}

/// How a violation stands to what the last run found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[cfg_attr(feature = "deserialize", derive(serde::Deserialize))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Change {
    /// The last run did not find it.
    New,
    /// The last run found it, and it was exempted then.
    ExemptionEnded,
    /// The last run found it.
    Known,
}

impl Change {
    /// The change as the report spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Change::New => "NEW",
            Change::ExemptionEnded => "EXEMPTION_ENDED",
            Change::Known => "KNOWN",
        }
    }
}

/// Something that breaks a rule and that an exemption covers.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "deserialize", derive(serde::Deserialize), serde(bound(deserialize = "'de: 'static")))]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Exempted {
    /// What would be a violation without the exemption.
    #[serde(flatten)]
    pub violation: Violation,
    /// The entry of the exemptions document that covers it.
    pub exemption: Exemption,
}

/// An entry of the exemptions document, as far as a report shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "deserialize", derive(serde::Deserialize))]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Exemption {
    /// Its id.
    pub id: String,
    /// Why this is accepted.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Where it was agreed on.
    pub ticket: Option<String>,
    /// The last day on which it is in force, in UTC.
    #[schemars(extend("format" = "date"))]
    pub expires: String,
}

impl Exemption {
    /// The days for which it is in force after the day of this time, RFC 3339 in UTC; 0 on its last day. `None` where
    /// one of the two is no date.
    pub fn days_left(&self, now: &str) -> Option<i64> {
        Some((date(&self.expires)? - date(now)?).whole_days())
    }
}

/// The date with which a text begins.
fn date(text: &str) -> Option<Date> {
    let mut numbers = text.get(..10)?.split('-');
    let mut next = || numbers.next();
    let (year, month, day) = (next()?.parse().ok()?, next()?.parse::<u8>().ok()?, next()?.parse().ok()?);
    Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()
}

/// What became of the exemptions document. In messages each list has at most 100 ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "deserialize", derive(serde::Deserialize))]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Exemptions {
    /// The address of the document.
    pub source: String,
    /// The SHA-256 of its bytes, in hexadecimal; null where it could not be read.
    pub digest: Option<String>,
    /// How many violations it covers.
    pub applied: u64,
    /// Entries that are no longer in force.
    pub expired: Vec<String>,
    /// Entries that end within 14 days.
    pub expiring_soon: Vec<String>,
    /// Entries that cover nothing, though everything that they name was read.
    pub unused: Vec<String>,
    /// Entries that cannot be used.
    pub malformed: Vec<MalformedEntry>,
    /// Entries that no longer cover a filter, since it was changed.
    pub changed: Vec<String>,
    /// Why the document could not be read; then it exempts nothing.
    pub error: Option<String>,
}

/// An entry of the exemptions document that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "deserialize", derive(serde::Deserialize))]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct MalformedEntry {
    /// Its id or, without one, its place in the list, from 0.
    pub entry: String,
    /// What is wrong with it.
    pub problem: String,
}

/// What changed since the last run. In a split report the lists stand in part 1.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "deserialize", derive(serde::Deserialize), serde(bound(deserialize = "'de: 'static")))]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Changes {
    /// The newest run that this one is compared with; null where there was none.
    pub compared_with: Option<Run>,
    /// Violations that the last run did not find. Those that are exempted do not count.
    pub new: u64,
    /// What the last run found and is no more, the worst first; at most 100 in messages.
    pub resolved: Vec<Gone>,
    /// How many of them there are.
    pub resolved_total: u64,
    /// What the last run found and of which nobody knows whether it is still there, since something was not read
    /// or the rule does not apply now; the worst first, at most 100 in messages.
    pub unknown: Vec<Gone>,
    /// How many of them there are.
    pub unknown_total: u64,
}

/// A run that was concluded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Run {
    /// The id of its report.
    pub report_id: String,
    /// When its report was made, RFC 3339 in UTC.
    pub generated_at: String,
}

/// A violation of the last run that this one did not find.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "deserialize", derive(serde::Deserialize))]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Gone {
    /// The id of the violation.
    pub id: String,
    /// The id of the rule.
    pub rule: &'static str,
    /// How bad it was.
    pub severity: Severity,
    /// The account and the Region in which it was found.
    #[serde(flatten)]
    pub target: Target,
    /// What broke the rule.
    pub resource: Resource,
    /// When a run first found it, RFC 3339 in UTC.
    pub first_seen: String,
}

/// The objects that hold the whole report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "deserialize", derive(serde::Deserialize))]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct EvidenceObjects {
    /// The bucket.
    pub bucket: String,
    /// The key of the report as JSON.
    pub key: String,
    /// The key of the report as a page.
    pub html_key: String,
    /// Why one of the two could not be stored.
    pub error: Option<String>,
    /// Whether it is the page alone that could not be.
    #[serde(skip)]
    pub lacks_page: bool,
}

impl EvidenceObjects {
    /// Where the report lies as JSON.
    pub fn address(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }

    /// The page of the S3 console that shows the report's own page. The console finds the bucket's Region by itself.
    pub fn console(&self) -> String {
        let key = utf8_percent_encode(&self.html_key, KEY);
        format!("https://console.aws.amazon.com/s3/object/{}?prefix={key}", self.bucket)
    }
}

/// What is escaped of a key in an address: all but the unreserved characters of RFC 3986, and slashes.
const KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// How much a message that points to the stored report has of its lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "deserialize", derive(serde::Deserialize))]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Truncated {
    /// Violations shown, the worst of them.
    pub violations: usize,
    /// Targets shown, those that are not `COMPLIANT` first.
    pub targets: usize,
}

/// Which part of a report a message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "deserialize", derive(serde::Deserialize))]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Part {
    /// From 1.
    #[schemars(range(min = 1))]
    pub number: usize,
    /// How many there are.
    #[schemars(range(min = 1))]
    pub of: usize,
}

fn operation<S: Serializer>(api: &Api, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(api.operation())
}

/// The JSON Schema of the report, as `schema/report-1.1.schema.json` holds it.
pub fn schema() -> String {
    let schema = schemars::schema_for!(Report);
    let mut text = serde_json::to_string_pretty(&schema).expect("a JSON Schema is JSON");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(expires: &str, now: &str) -> Option<i64> {
        let empty = String::new;
        let exemption =
            Exemption { id: empty(), reason: empty(), owner: empty(), ticket: None, expires: expires.to_owned() };
        exemption.days_left(now)
    }

    #[test]
    fn days_are_counted_to_the_end_of_the_last_one() {
        for (expires, days) in [("2026-11-22", 0), ("2026-11-23", 1), ("2027-02-28", 98), ("2026-11-20", -2)] {
            assert_eq!(left(expires, "2026-11-22T23:59:59Z"), Some(days), "{expires}");
        }
        for no_date in ["", "2026-02-30", "2026-13-01", "2026-1-1", "é026-11-22", "2026-11", "20261122xx"] {
            assert_eq!(left(no_date, "2026-11-22T06:00:04Z"), None, "{no_date}");
            assert_eq!(left("2026-11-22", no_date), None, "{no_date}");
        }
    }

    #[test]
    fn a_change_and_a_verdict_are_spelled_one_way() {
        for change in [Change::New, Change::ExemptionEnded, Change::Known] {
            assert_eq!(serde_json::to_value(change).expect("JSON"), change.as_str());
        }
        for verdict in [Verdict::Compliant, Verdict::NonCompliant, Verdict::InsufficientData] {
            assert_eq!(serde_json::to_value(verdict).expect("JSON"), verdict.as_str());
        }
    }

    #[test]
    fn a_key_of_any_letters_is_one_address() {
        let evidence = EvidenceObjects {
            bucket: "evidence".to_owned(),
            key: "reports/2026/11/22/a.json".to_owned(),
            html_key: "reports/2026/11/22/a b&é~1.html".to_owned(),
            error: None,
            lacks_page: false,
        };
        assert_eq!(evidence.address(), "s3://evidence/reports/2026/11/22/a.json");
        let console =
            "https://console.aws.amazon.com/s3/object/evidence?prefix=reports/2026/11/22/a%20b%26%C3%A9~1.html";
        assert_eq!(evidence.console(), console);
    }
}
