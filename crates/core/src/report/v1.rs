//! The report's JSON, version 1.1.
//!
//! These types are the published format and nothing else; the JSON Schema in `schema/` is
//! generated from them. Fields are added, never renamed or removed, while the version stays 1.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::api::Api;
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
    /// Which part of the report this is.
    pub part: Part,
}

/// Whether Macie is as it should be, in AWS Config's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "deserialize", derive(serde::Deserialize))]
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
    /// The verdict over what was read.
    pub fn of(has_violation: bool, complete: bool) -> Verdict {
        match (has_violation, complete) {
            (true, _) => Verdict::NonCompliant,
            (false, false) => Verdict::InsufficientData,
            (false, true) => Verdict::Compliant,
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
