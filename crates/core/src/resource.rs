//! What a violation is about.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// Its name, exactly as the service gives it.
    pub name: Option<String>,
    /// For members, and only if `INCLUDE_EMAILS` is `true`: the e-mail address of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

impl Resource {
    /// A resource of which no more than its id is known.
    pub fn new(kind: ResourceType, id: impl Into<String>) -> Resource {
        Resource { kind, id: id.into(), arn: None, name: None, email: None }
    }
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
    /// An account of the organization, or the owner of buckets.
    Account,
    /// The settings of Macie for the organization.
    Organization,
    /// The account's automated sensitive data discovery.
    Discovery,
    /// An S3 bucket.
    Bucket,
    /// A managed data identifier.
    ManagedDataIdentifier,
    /// An allow list.
    AllowList,
    /// A classification job.
    ClassificationJob,
    /// The account's settings for publishing findings to Security Hub.
    Publication,
    /// The account's settings for keeping discovery results.
    Results,
}

impl ResourceType {
    /// Every type.
    pub const ALL: [ResourceType; 14] = [
        ResourceType::Member,
        ResourceType::Invitation,
        ResourceType::Administrator,
        ResourceType::FindingsFilter,
        ResourceType::Session,
        ResourceType::Account,
        ResourceType::Organization,
        ResourceType::Discovery,
        ResourceType::Bucket,
        ResourceType::ManagedDataIdentifier,
        ResourceType::AllowList,
        ResourceType::ClassificationJob,
        ResourceType::Publication,
        ResourceType::Results,
    ];

    /// What stands before the id or the name of such a resource, in a sentence.
    pub fn noun(self) -> &'static str {
        match self {
            ResourceType::Invitation => "from account",
            ResourceType::Administrator => "administrator account",
            ResourceType::FindingsFilter => "filter",
            ResourceType::Bucket => "bucket",
            ResourceType::ManagedDataIdentifier => "managed data identifier",
            ResourceType::AllowList => "allow list",
            ResourceType::ClassificationJob => "job",
            ResourceType::Member
            | ResourceType::Session
            | ResourceType::Account
            | ResourceType::Organization
            | ResourceType::Discovery
            | ResourceType::Publication
            | ResourceType::Results => "account",
        }
    }

    /// The type as the report spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            ResourceType::Member => "member",
            ResourceType::Invitation => "invitation",
            ResourceType::Administrator => "administrator",
            ResourceType::FindingsFilter => "findings-filter",
            ResourceType::Session => "session",
            ResourceType::Account => "account",
            ResourceType::Organization => "organization",
            ResourceType::Discovery => "discovery",
            ResourceType::Bucket => "bucket",
            ResourceType::ManagedDataIdentifier => "managed-data-identifier",
            ResourceType::AllowList => "allow-list",
            ResourceType::ClassificationJob => "classification-job",
            ResourceType::Publication => "publication",
            ResourceType::Results => "results",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_spelled_one_way() {
        for kind in ResourceType::ALL {
            assert_eq!(serde_json::to_value(kind).expect("JSON"), kind.as_str());
        }
    }
}
