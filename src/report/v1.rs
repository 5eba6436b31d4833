//! The report's JSON, version 1.0.
//!
//! These types are the published format and nothing else; the JSON Schema in `schema/` is
//! generated from them. Fields are added, never renamed or removed, while the version stays 1.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version that [`Report::schema_version`] tells.
pub const SCHEMA_VERSION: &str = "1.0";

/// A compliance report of Amazon Macie, or one numbered part of it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "macie-compliance report", inline)]
pub struct Report {
    /// The version of this format.
    #[schemars(regex(pattern = r"^1\.\d+$"))]
    pub schema_version: String,
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
    /// Counts over the whole report, also in a part of it.
    pub summary: Summary,
    /// The targets. Every part has all of them, unless they alone would fill it: then each target
    /// is in one part.
    pub targets: Vec<Target>,
    /// The violations of this part, the worst first. Over all parts each is there once.
    pub violations: Vec<Violation>,
    /// Which part of the report this is.
    pub part: Part,
}

/// What started a run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Trigger {
    /// The EventBridge event's source, or `on-demand`.
    pub source: String,
    /// The EventBridge event's detail type.
    pub detail_type: Option<String>,
    /// The EventBridge event's id.
    pub id: Option<String>,
    /// The EventBridge event's time.
    pub time: Option<String>,
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
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Summary {
    /// Accounts in Regions that were to be read.
    pub targets: u64,
    /// Those of them of which something was not read.
    pub targets_incomplete: u64,
    /// Members that were read.
    pub members: u64,
    /// Invitations that were read.
    pub invitations: u64,
    /// Findings filters that were read.
    pub filters: u64,
    /// Violations found.
    pub violations: u64,
    /// Violations that an exemption covers.
    pub exempted: u64,
    /// Violations of each severity.
    pub by_severity: BTreeMap<Severity, u64>,
    /// Violations of each rule that was judged, by rule id.
    pub by_rule: BTreeMap<String, u64>,
    /// Members of each relationship status, `(absent)` where Macie gave none.
    pub members_by_status: BTreeMap<String, u64>,
}

/// How bad a violation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// Macie does not watch this target at all, or nobody administers it.
    Critical,
    /// An account that should be watched is not.
    High,
    /// Findings are suppressed, or may be missed.
    Medium,
    /// Worth a look.
    Low,
}

/// One account in one Region.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Target {
    /// The AWS account.
    pub account_id: String,
    /// The Region.
    pub region: String,
    /// The verdict over this target alone.
    pub verdict: Verdict,
    /// Whether every read of this target was finished.
    pub complete: bool,
    /// What was read.
    pub reads: Vec<Read>,
}

/// How far the walk of one API got.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Read {
    /// The operation, such as `ListMembers`.
    pub api: String,
    /// Whether it was read to its end.
    pub complete: bool,
    /// Answers received.
    pub pages: u64,
    /// Items in them.
    pub items: u64,
    /// Why it was not read to its end.
    pub error: Option<ReadError>,
}

/// Why something was not read.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct ReadError {
    /// The service's code, the SDK's name for an error without one, or `DeadlineExceeded`,
    /// `PaginationLoop` or `InvalidResponse`.
    pub code: String,
    /// The service's message.
    pub message: String,
    /// The service's request id, where it answered.
    pub request_id: Option<String>,
    /// What would mend it.
    pub hint: Option<String>,
}

/// Something that breaks a rule.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Violation {
    /// The same in every run for the same account, Region, rule and resource.
    pub id: String,
    /// The id of the rule.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// The account in which it was found.
    pub account_id: String,
    /// The Region in which it was found.
    pub region: String,
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
    pub title: String,
    /// What to do about it.
    pub remediation: String,
}

/// What breaks a rule.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Resource {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: ResourceType,
    /// The account id (for an invitation, the sender's), or the filter's id.
    pub id: String,
    /// Its Amazon Resource Name, where the service gives one.
    pub arn: Option<String>,
    /// Its name, to the letter as the service gives it.
    pub name: Option<String>,
    /// For members, and only if `INCLUDE_EMAILS` is `true`: the e-mail address of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// What kind of thing breaks a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResourceType {
    /// An account associated with the administrator account.
    Member,
    /// A membership invitation that the account received.
    Invitation,
    /// The account's relationship with its administrator.
    Administrator,
    /// A findings filter.
    FindingsFilter,
    /// The account's Macie session.
    Session,
}

/// Which part of a report a message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// The JSON Schema of the report, as `schema/report-1.0.schema.json` holds it.
pub fn schema() -> String {
    let schema = schemars::schema_for!(Report);
    let mut text = serde_json::to_string_pretty(&schema).expect("a JSON Schema is JSON");
    text.push('\n');
    text
}
