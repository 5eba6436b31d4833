//! The accounts of an organization: ListAccounts of AWS Organizations.

/// The accounts of an organization that Macie is to watch. It is read once for each Macie administrator account, and
/// is evidence for every Region in which that account administers Macie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    /// Whether the account belongs to an organization.
    pub is_in_use: bool,
    /// Whether the list was read to its end. Of a part of it nothing can be said.
    pub is_complete: bool,
    /// The accounts that are active and that joined more than a day ago, in the order of the list.
    pub accounts: Vec<RosterAccount>,
}

/// An account of the organization.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RosterAccount {
    /// Its account id.
    pub id: String,
    /// Its name, written by whoever made it.
    pub name: Option<String>,
    /// Whether it is the organization's management account, which no administrator can enable Macie for.
    pub is_management: bool,
}
