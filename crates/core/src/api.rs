//! The one table of the operations that the function calls.
//!
//! Hints, the permissions page, the policy tests and the fault matrix are made from it. A new
//! operation is one row.

use serde::{Deserialize, Serialize};

/// An AWS service that the function calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Amazon Macie.
    Macie,
    /// AWS Security Token Service.
    Sts,
    /// AWS Account Management.
    Account,
    /// Amazon S3.
    S3,
    /// Amazon SNS.
    Sns,
}

impl Service {
    /// The name that advice and documentation use.
    pub fn name(self) -> &'static str {
        match self {
            Service::Macie => "Macie",
            Service::Sts => "AWS STS",
            Service::Account => "AWS Account Management",
            Service::S3 => "Amazon S3",
            Service::Sns => "Amazon SNS",
        }
    }

    /// The prefix of the service's IAM actions and endpoints.
    pub fn prefix(self) -> &'static str {
        match self {
            Service::Macie => "macie2",
            Service::Sts => "sts",
            Service::Account => "account",
            Service::S3 => "s3",
            Service::Sns => "sns",
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The operation, as the service and CloudTrail spell it.
    pub operation: &'static str,
    /// The service that has it.
    pub service: Service,
    /// The IAM action that allows it.
    pub action: &'static str,
    /// The narrowest resource that IAM can limit the action to (service authorization reference).
    pub resource: &'static str,
    /// What it is called for.
    pub purpose: &'static str,
}

macro_rules! apis {
    ($($name:ident, $service:ident, $action:literal, $resource:literal, $purpose:literal;)*) => {
        /// An operation that the function calls.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Api {
            $(#[doc = $purpose] $name,)*
        }

        impl Api {
            /// Every operation, in the order of the table.
            pub const ALL: &'static [Api] = &[$(Api::$name),*];

            /// The row of this operation.
            pub const fn row(self) -> Row {
                match self {
                    $(Api::$name => Row {
                        operation: stringify!($name),
                        service: Service::$service,
                        action: $action,
                        resource: $resource,
                        purpose: $purpose,
                    },)*
                }
            }
        }
    };
}

apis! {
    GetMacieSession, Macie, "macie2:GetMacieSession", "*", "whether Macie is enabled or paused";
    GetAdministratorAccount, Macie, "macie2:GetAdministratorAccount", "*", "the administrator of the account";
    GetMasterAccount, Macie, "macie2:GetMasterAccount", "*", "the administrator, under the deprecated name of the operation";
    ListMembers, Macie, "macie2:ListMembers", "*", "the accounts associated with an administrator account";
    GetMember, Macie, "macie2:GetMember", "arn:aws:macie2:*:ACCOUNT:member/*", "a flagged member, read once more";
    ListInvitations, Macie, "macie2:ListInvitations", "*", "the invitations that the account received";
    ListFindingsFilters, Macie, "macie2:ListFindingsFilters", "*", "the findings filters of the account";
    AssumeRole, Sts, "sts:AssumeRole", "the role", "the role in another Macie administrator account";
    ListRegions, Account, "account:ListRegions", "arn:aws:account::ACCOUNT:account", "the Regions that the account has not disabled";
    GetObject, S3, "s3:GetObject", "arn:aws:s3:::BUCKET/runs/*", "a document of a divided run";
    PutObject, S3, "s3:PutObject", "arn:aws:s3:::BUCKET/runs/*", "a document of a divided run";
    Publish, Sns, "sns:Publish", "the topic", "the report";
}

impl Api {
    /// The operation, as the service and CloudTrail spell it.
    pub const fn operation(self) -> &'static str {
        self.row().operation
    }

    /// The operation that may be answered by this one instead.
    pub fn replaces(self) -> Option<Api> {
        (self == Api::GetMasterAccount).then_some(Api::GetAdministratorAccount)
    }

    /// Whether it looks once more at what another operation flagged, so that it is not called where
    /// nothing was flagged.
    pub fn is_second_look(self) -> bool {
        self == Api::GetMember
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_allowed_by_an_action_of_its_service() {
        for api in Api::ALL {
            let row = api.row();
            assert_eq!(row.action, format!("{}:{}", row.service.prefix(), row.operation));
            assert_eq!(api.operation(), row.operation);
            assert!(!row.service.name().is_empty() && !row.purpose.is_empty() && !row.resource.is_empty());
        }
        assert_eq!(Api::ListRegions.row().service.name(), "AWS Account Management");
    }

    #[test]
    fn two_operations_depend_on_another() {
        let replacing: Vec<_> = Api::ALL.iter().filter_map(|api| api.replaces().map(|other| (*api, other))).collect();
        assert_eq!(replacing, [(Api::GetMasterAccount, Api::GetAdministratorAccount)]);
        let looking: Vec<_> = Api::ALL.iter().filter(|api| api.is_second_look()).collect();
        assert_eq!(looking, [&Api::GetMember]);
    }
}
