//! Classification jobs: ListClassificationJobs and DescribeClassificationJob.

use serde::{Deserialize, Serialize};

/// A classification job that is neither complete nor cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Its id.
    pub id: String,
    /// Its name, written by whoever made it.
    pub name: Option<String>,
    /// Its status.
    pub status: Option<String>,
    /// Whether it runs on a schedule.
    pub is_scheduled: bool,
    /// Whether its last run ended with an error.
    pub has_failed: bool,
    /// When it was paused by a user, RFC 3339 in UTC.
    pub since: Option<String>,
    /// The ids of its allow lists.
    pub allow_lists: Vec<String>,
}
