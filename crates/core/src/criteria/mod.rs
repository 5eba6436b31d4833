//! How much a findings filter mutes that archives what it matches.
//!
//! Everything here works on the JSON that Macie answered and not on the SDK's types, which drop every member and
//! operator that they do not know: a condition that was dropped would make a filter look wider than it is, and would
//! leave no trace in its digest.

mod breadth;
mod words;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::names::sha256;
use crate::severity::Severity;

/// How much an `ARCHIVE` filter can mute, the widest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(inline)]
pub enum Breadth {
    /// Every finding: no condition can be relied on to leave one out.
    Everything,
    /// A class of findings, such as all of a severity or a type.
    Class,
    /// The findings of some accounts.
    Account,
    /// The findings of some buckets.
    Bucket,
    /// The findings of some objects or jobs, or single findings.
    Object,
}

impl Breadth {
    /// Every breadth, the widest first.
    pub const ALL: [Breadth; 5] =
        [Breadth::Everything, Breadth::Class, Breadth::Account, Breadth::Bucket, Breadth::Object];

    /// The breadth as the report spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Breadth::Everything => "EVERYTHING",
            Breadth::Class => "CLASS",
            Breadth::Account => "ACCOUNT",
            Breadth::Bucket => "BUCKET",
            Breadth::Object => "OBJECT",
        }
    }

    /// How bad a filter of this breadth is, whatever it has archived.
    pub fn severity(self) -> Severity {
        match self {
            Breadth::Everything => Severity::Critical,
            Breadth::Class | Breadth::Account => Severity::High,
            Breadth::Bucket => Severity::Medium,
            Breadth::Object => Severity::Low,
        }
    }
}

/// Where a filter is, which decides whether a condition leaves anything out there.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The account that the filter is in.
    pub account_id: &'a str,
    /// The Region that the filter is in.
    pub region: &'a str,
    /// Whether the account has Macie members, whose findings its filters match too. False in a standalone account, in
    /// a member account, and where it is not known.
    pub has_members: bool,
}

/// What a findings filter matches: its `findingCriteria`, as Macie answered them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Option<Value>")]
pub struct Criteria(Value);

impl From<Option<Value>> for Criteria {
    fn from(answered: Option<Value>) -> Criteria {
        Criteria::new(answered)
    }
}

impl Criteria {
    /// The criteria of a filter. `findingCriteria` or their `criterion` that are absent or null are taken as a
    /// `criterion` without conditions, so that each of these answers shows and digests alike.
    pub fn new(answered: Option<Value>) -> Criteria {
        let mut criteria = answered.filter(|answered| !answered.is_null()).unwrap_or_else(|| json!({}));
        if let Value::Object(members) = &mut criteria
            && members.get("criterion").is_none_or(Value::is_null)
        {
            members.insert("criterion".to_owned(), json!({}));
        }
        Criteria(criteria)
    }

    /// The criteria as the report shows them: `{"criterion": {…}}`, with every member that Macie gave.
    pub fn as_json(&self) -> Value {
        self.0.clone()
    }

    /// The SHA-256 digest, in hexadecimal, of `{"action": …, "criteria": …}` in canonical JSON (RFC 8785), in which the
    /// criteria are those of [`Criteria::as_json`].
    ///
    /// Canonical JSON has no numbers but doubles, so integers beyond 2^53 that round to the same double digest alike.
    /// Times in milliseconds pass 2^53 in the year 287396.
    pub fn digest(&self, action: &str) -> String {
        let document = json!({"action": action, "criteria": self.0});
        let canonical =
            serde_json_canonicalizer::to_vec(&document).expect("a JSON value has no number but finite ones");
        sha256(&canonical)
    }

    /// How much a filter with these criteria can mute: the breadth of the narrowest condition, since conditions are
    /// joined by AND. It is never narrower than the truth, as far as that can be told without knowing what the account
    /// holds.
    pub fn breadth(&self, place: &Place<'_>) -> Breadth {
        let conditions = self.criterion().into_iter().flatten();
        let grades = conditions.map(|(field, condition)| breadth::grade(field, condition, place));
        grades.max().unwrap_or(Breadth::Everything)
    }

    /// The conditions in words, by field, such as `bucket is one of payroll, hr`. They are safe to show, and bounded:
    /// at most 20 conditions, of at most 512 characters each, and then how many more there are.
    pub fn words(&self) -> Vec<String> {
        words::words(self.criterion())
    }

    /// The criteria with which GetFindingStatistics counts the matches that are archived, or those that are not. A
    /// condition of the filter's own on `archived` is replaced, since a field may occur only once.
    pub fn with_archived(&self, archived: bool) -> Value {
        let mut criterion = self.criterion().cloned().unwrap_or_default();
        criterion.insert("archived".to_owned(), json!({"eq": [archived.to_string()]}));
        let mut criteria = self.0.as_object().cloned().unwrap_or_default();
        criteria.insert("criterion".to_owned(), Value::Object(criterion));
        Value::Object(criteria)
    }

    /// The conditions by field; `None` where Macie answered something that is no set of conditions.
    fn criterion(&self) -> Option<&Map<String, Value>> {
        self.0.get("criterion")?.as_object()
    }
}
