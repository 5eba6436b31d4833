//! A findings filter: ListFindingsFilters, and for one that archives findings GetFindingsFilter and
//! GetFindingStatistics.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A findings filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    /// Its id.
    pub id: String,
    /// Its Amazon Resource Name.
    pub arn: Option<String>,
    /// Its name, written by whoever made it.
    pub name: Option<String>,
    /// What happens to findings that match it; `None` where the service gave nothing.
    pub action: Option<String>,
    /// What it does, where it archives findings and was read by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Box<FilterDetail>>,
}

/// What a findings filter does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FilterDetail {
    /// What whoever made it wrote about it.
    pub description: Option<String>,
    /// Its place in the order in which filters are applied, from 1.
    pub position: Option<i64>,
    /// Its `findingCriteria` as Macie answered them; `None` where there are none.
    pub criteria: Option<Value>,
    /// How many findings match it; `None` where that could not be read.
    pub matches: Option<Matches>,
}

/// How many findings of the last 90 days match the criteria of a filter. Filters overlap, so these numbers do not
/// add up, and a match is not always archived by this filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Matches {
    /// Those that are archived.
    pub archived: FindingCounts,
    /// Those that are not.
    pub current: FindingCounts,
    /// The buckets with most archived ones, at most five.
    pub top_buckets: Vec<BucketMatches>,
}

/// Findings by severity, in Macie's own words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct FindingCounts {
    /// All of them, those of a severity that this version does not know included.
    pub total: u64,
    /// Those of severity High.
    #[serde(rename = "High")]
    pub high: u64,
    /// Those of severity Medium.
    #[serde(rename = "Medium")]
    pub medium: u64,
    /// Those of severity Low.
    #[serde(rename = "Low")]
    pub low: u64,
}

/// How many archived findings of a bucket match the criteria of a filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct BucketMatches {
    /// The name of the bucket.
    pub name: String,
    /// How many there are.
    pub archived: u64,
}
