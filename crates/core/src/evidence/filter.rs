//! A findings filter: ListFindingsFilters.

use serde::{Deserialize, Serialize};

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
}
