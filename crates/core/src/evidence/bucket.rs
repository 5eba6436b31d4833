//! Buckets that Macie cannot look into: DescribeBuckets by error code.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Buckets that Macie cannot look into.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Buckets {
    /// Those that Macie may not read.
    pub unreadable: Vec<Bucket>,
    /// How many there are beyond what Macie monitors of an account, by the account that owns them.
    pub over_quota: BTreeMap<String, u64>,
}

/// A bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// Its Amazon Resource Name.
    pub arn: Option<String>,
    /// The account that owns it.
    pub account_id: Option<String>,
}
