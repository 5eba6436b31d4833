//! What a check may know beside the evidence.

use time::Date;

/// The settings that concern checks, and the date. Which checks are in force is not among them: that
/// is [`crate::checks::Checks`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The date in UTC on which is judged.
    pub today: Date,
    /// The Macie administrators that are expected (`EXPECTED_ADMINISTRATOR`); none where it is not set.
    pub expected_administrators: Vec<String>,
}
