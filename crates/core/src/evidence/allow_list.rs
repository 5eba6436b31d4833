//! Allow lists that are in use: ListAllowLists and GetAllowList.

use serde::{Deserialize, Serialize};

/// An allow list that is part of automated discovery or of a job that is not finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AllowList {
    /// Its id.
    pub id: String,
    /// Its Amazon Resource Name.
    pub arn: Option<String>,
    /// Its name, written by whoever made it.
    pub name: Option<String>,
    /// Its status code; `None` where it could not be read.
    pub status: Option<String>,
    /// The regular expression of text to leave out, if it has one. One that is too long is cut after
    /// [`AllowList::LONGEST_REGEX`] and one character more.
    pub regex: Option<String>,
}

impl AllowList {
    /// The longest regular expression that is judged, in characters: twice what Macie takes.
    pub const LONGEST_REGEX: usize = 1024;
}
