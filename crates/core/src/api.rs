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
    /// AWS Organizations.
    Organizations,
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
            Service::Organizations => "AWS Organizations",
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
            Service::Organizations => "organizations",
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
    /// Which accounts are asked, by what they are to Macie.
    pub audience: Audience,
}

/// Which accounts an operation is for, by what they are to Macie. What is known to be for others is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Every account has an answer of its own.
    Everyone,
    /// Accounts without an administrator: a member account has no such settings of its own.
    NotMembers,
    /// Accounts with members.
    Administrators,
}

macro_rules! apis {
    ($($name:ident, $service:ident, $audience:ident, $action:literal, $resource:literal, $purpose:literal;)*) => {
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
                        audience: Audience::$audience,
                    },)*
                }
            }
        }
    };
}

apis! {
    GetMacieSession, Macie, Everyone, "macie2:GetMacieSession", "*", "whether Macie is enabled or paused";
    GetAdministratorAccount, Macie, Everyone, "macie2:GetAdministratorAccount", "*", "the administrator of the account";
    GetMasterAccount, Macie, Everyone, "macie2:GetMasterAccount", "*", "the administrator, under the deprecated name of the operation";
    ListMembers, Macie, Everyone, "macie2:ListMembers", "*", "the accounts associated with an administrator account";
    GetMember, Macie, Everyone, "macie2:GetMember", "arn:aws:macie2:*:ACCOUNT:member/*", "a flagged member, read once more";
    ListInvitations, Macie, Everyone, "macie2:ListInvitations", "*", "the invitations that the account received";
    ListFindingsFilters, Macie, Everyone, "macie2:ListFindingsFilters", "*", "the findings filters of the account";
    GetFindingsFilter, Macie, Everyone, "macie2:GetFindingsFilter", "arn:aws:macie2:*:ACCOUNT:findings-filter/*", "the criteria of a filter that archives findings";
    GetFindingStatistics, Macie, Everyone, "macie2:GetFindingStatistics", "*", "how many findings match a filter that archives them";
    DescribeOrganizationConfiguration, Macie, NotMembers, "macie2:DescribeOrganizationConfiguration", "*", "whether new accounts of the organization are enabled";
    GetAutomatedDiscoveryConfiguration, Macie, NotMembers, "macie2:GetAutomatedDiscoveryConfiguration", "*", "whether automated sensitive data discovery is on";
    ListAutomatedDiscoveryAccounts, Macie, Administrators, "macie2:ListAutomatedDiscoveryAccounts", "*", "the members for which automated discovery is off";
    ListClassificationScopes, Macie, NotMembers, "macie2:ListClassificationScopes", "*", "the scope of automated discovery";
    GetClassificationScope, Macie, NotMembers, "macie2:GetClassificationScope", "*", "the buckets that are excluded from automated discovery";
    ListSensitivityInspectionTemplates, Macie, NotMembers, "macie2:ListSensitivityInspectionTemplates", "*", "the settings of automated discovery";
    GetSensitivityInspectionTemplate, Macie, NotMembers, "macie2:GetSensitivityInspectionTemplate", "*", "the allow lists and excluded detectors of automated discovery";
    ListManagedDataIdentifiers, Macie, NotMembers, "macie2:ListManagedDataIdentifiers", "*", "the category of an excluded managed data identifier";
    ListClassificationJobs, Macie, Everyone, "macie2:ListClassificationJobs", "*", "the classification jobs that are stopped or that fail";
    DescribeClassificationJob, Macie, Everyone, "macie2:DescribeClassificationJob", "arn:aws:macie2:*:ACCOUNT:classification-job/*", "the allow lists of a job";
    ListAllowLists, Macie, Everyone, "macie2:ListAllowLists", "*", "the allow lists of the account";
    GetAllowList, Macie, Everyone, "macie2:GetAllowList", "arn:aws:macie2:*:ACCOUNT:allow-list/*", "what an allow list that is in use lets pass";
    DescribeBuckets, Macie, Everyone, "macie2:DescribeBuckets", "*", "the buckets that Macie cannot read or does not monitor";
    GetFindingsPublicationConfiguration, Macie, Everyone, "macie2:GetFindingsPublicationConfiguration", "*", "whether findings go to Security Hub";
    GetClassificationExportConfiguration, Macie, Everyone, "macie2:GetClassificationExportConfiguration", "*", "whether discovery results are kept";
    ListAccounts, Organizations, Administrators, "organizations:ListAccounts", "*", "the accounts of the organization";
    AssumeRole, Sts, Everyone, "sts:AssumeRole", "the role", "the role in another Macie administrator account";
    ListRegions, Account, Everyone, "account:ListRegions", "arn:aws:account::ACCOUNT:account", "the Regions that the account has not disabled";
    GetObject, S3, Everyone, "s3:GetObject", "arn:aws:s3:::BUCKET/*", "the state of a target, the exemptions, a document of a divided run";
    PutObject, S3, Everyone, "s3:PutObject", "arn:aws:s3:::BUCKET/*", "a report, the state of a target, a document of a divided run";
    Publish, Sns, Everyone, "sns:Publish", "the topic", "the report";
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

    /// Whether it is about allow lists, which not every Region has.
    pub fn is_about_allow_lists(self) -> bool {
        matches!(self, Api::ListAllowLists | Api::GetAllowList)
    }

    /// Whether it looks once more at what another operation listed or flagged, so that it is not called where
    /// there is nothing of the kind.
    pub fn is_second_look(self) -> bool {
        matches!(
            self,
            Api::GetMember
                | Api::GetFindingsFilter
                | Api::GetFindingStatistics
                | Api::GetClassificationScope
                | Api::GetSensitivityInspectionTemplate
                | Api::ListManagedDataIdentifiers
                | Api::DescribeClassificationJob
                | Api::GetAllowList
        )
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
    fn some_operations_depend_on_another() {
        let replacing: Vec<_> = Api::ALL.iter().filter_map(|api| api.replaces().map(|other| (*api, other))).collect();
        assert_eq!(replacing, [(Api::GetMasterAccount, Api::GetAdministratorAccount)]);
        let looking: Vec<_> = Api::ALL.iter().filter(|api| api.is_second_look()).map(|api| api.operation()).collect();
        assert_eq!(
            looking,
            [
                "GetMember",
                "GetFindingsFilter",
                "GetFindingStatistics",
                "GetClassificationScope",
                "GetSensitivityInspectionTemplate",
                "ListManagedDataIdentifiers",
                "DescribeClassificationJob",
                "GetAllowList"
            ]
        );
    }
}
