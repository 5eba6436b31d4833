//! What a violation is about.

use schemars::JsonSchema;
use serde::Serialize;

/// What breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "deserialize", derive(serde::Deserialize))]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "deserialize", derive(serde::Deserialize))]
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

impl ResourceType {
    /// The type as the report spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            ResourceType::Member => "member",
            ResourceType::Invitation => "invitation",
            ResourceType::Administrator => "administrator",
            ResourceType::FindingsFilter => "findings-filter",
            ResourceType::Session => "session",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_spelled_one_way() {
        use ResourceType::{Administrator, FindingsFilter, Invitation, Member, Session};
        for kind in [Member, Invitation, Administrator, FindingsFilter, Session] {
            assert_eq!(serde_json::to_value(kind).expect("JSON"), kind.as_str());
        }
    }
}
