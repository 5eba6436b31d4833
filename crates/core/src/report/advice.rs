//! What to do about a read that failed.

use std::collections::BTreeSet;

use crate::api::{Api, Service};
use crate::failure::Failure;
use crate::names::Target;
use crate::refusal::{Denial, Policy, Refusal};

/// How many accounts are named; of more the number is given.
const ACCOUNTS: usize = 5;

/// Advice for reads that failed for the same reason, where there is any to give. The operations are
/// of one service.
pub fn hint(apis: &[Api], failure: &Failure, targets: &[Target]) -> Option<String> {
    let first = *apis.first()?;
    let service = first.row().service;
    // S3 refuses a key that is not there, unless the role may list the bucket.
    if first == Api::GetObject && ["NoSuchKey", "AccessDenied"].contains(&failure.code.as_str()) {
        return Some(
            "look this target up in the map run of the state machine, where its audit failed; if it did not, allow s3:GetObject to the function's role".to_owned(),
        );
    }
    if let Some(refusal) = failure.refusal() {
        return refused(apis, &refusal, targets);
    }
    let advice = match failure.code.as_str() {
        "UnrecognizedClientException" | "InvalidClientTokenId" if service == Service::Macie => format!(
            "enable {} for {}, or take it out of MACIE_REGIONS (parameter MacieRegions); check the credentials",
            regions(targets),
            accounts(targets)
        ),
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "ExpiredTokenException"
        | "ExpiredToken"
        | "ConstructionFailure"
        | "CredentialsError" => match first {
            Api::AssumeRole | Api::GetObject => "check the credentials that the function has of its own".to_owned(),
            _ => format!("check the credentials that the function has for {}", accounts(targets)),
        },
        "ThrottlingException" | "TooManyRequestsException" | "Throttling" => {
            format!("lower MAX_CONCURRENCY (parameter MaxConcurrency), or run when less else calls {}", service.name())
        }
        Failure::UNKNOWN_HOST | "DispatchFailure" | "TimeoutError" if service == Service::Macie => format!(
            "check that the function can reach Macie in {}, which needs a route or a VPC endpoint, and that Macie is offered there",
            regions(targets)
        ),
        Failure::UNKNOWN_HOST | "DispatchFailure" | "TimeoutError" => {
            format!("check that the function can reach {}, which needs a route or a VPC endpoint", service.name())
        }
        Failure::DEADLINE_EXCEEDED => {
            "raise the function's timeout (parameter FunctionTimeout), or audit fewer Regions in one run".to_owned()
        }
        Failure::PAGINATION_LOOP | Failure::INVALID_RESPONSE => format!(
            "run again; if it happens again, check what answers in place of {}, then report it as a bug",
            service.name()
        ),
        _ => return None,
    };
    Some(advice)
}

/// Why something was refused, in a few words.
pub fn cause(refusal: &Refusal) -> String {
    match refusal {
        Refusal::MacieNotEnabled => "Macie is not enabled".to_owned(),
        Refusal::NotAdministrator => "the account is not the Macie administrator".to_owned(),
        Refusal::NoSuchMember => "Macie knows no such member".to_owned(),
        Refusal::Denied(Denial { by: Policy::Unknown, explicit: true }) => "denied by a policy".to_owned(),
        Refusal::Denied(Denial { by: Policy::Unknown, explicit: false }) => "not allowed".to_owned(),
        Refusal::Denied(Denial { by: by @ Policy::Identity, explicit: true }) => format!("denied by an {}", by.name()),
        Refusal::Denied(Denial { by, explicit: true }) => format!("denied by a {}", by.name()),
        Refusal::Denied(Denial { by, explicit: false }) => format!("not allowed by any {}", by.name()),
    }
}

fn refused(apis: &[Api], refusal: &Refusal, targets: &[Target]) -> Option<String> {
    let Refusal::Denied(Denial { by, explicit }) = *refusal else { return None };
    let (actions, accounts, regions) = (actions(apis), accounts(targets), regions(targets));
    let role = match apis {
        [Api::AssumeRole | Api::GetObject | Api::PutObject | Api::Publish, ..] => "the function's role".to_owned(),
        _ => format!("the role that reads {accounts}"),
    };
    let advice = match (by, explicit) {
        (Policy::ServiceControl, true) if apis.iter().all(|api| api.row().service == Service::Macie) => format!(
            "take {regions} out of MACIE_REGIONS (parameter MacieRegions) if the organization keeps {} closed; else have the service control policy make an exception of {role} for {actions}",
            if targets.iter().any(|target| target.region != targets[0].region) {
                "these Regions"
            } else {
                "this Region"
            }
        ),
        (Policy::ServiceControl | Policy::ResourceControl, true) => {
            format!("have the organization's {} make an exception of {role} for {actions}", by.name())
        }
        (Policy::ServiceControl | Policy::ResourceControl, false) => {
            format!("have a {} of the organization allow {actions} in {accounts}", by.name())
        }
        (Policy::PermissionsBoundary | Policy::Session | Policy::VpcEndpoint | Policy::Resource, true) => format!(
            "find the {} that denies {actions} to {role}, and take the statement out: to allow it elsewhere changes nothing",
            by.name()
        ),
        (Policy::PermissionsBoundary, _) => format!("allow {actions} in the permissions boundary of {role}"),
        (Policy::Session, _) => format!("allow {actions} in the session policy with which {role} is assumed"),
        (Policy::VpcEndpoint, _) => {
            format!(
                "allow {actions} in the policy of the VPC endpoint that the function uses for {}",
                service_name(apis)
            )
        }
        (Policy::Resource, _) if apis == [Api::AssumeRole] => {
            format!("let the trust policy of the role in {accounts} name the function's role")
        }
        (Policy::Resource, _) => format!("allow {actions} to {role} in the policy of the resource"),
        (Policy::Identity, true) => format!("take the statement that denies {actions} out of the policies of {role}"),
        (Policy::Unknown, true) => {
            format!("find the policy that denies {actions} to {role}, and take the statement out")
        }
        (Policy::Identity | Policy::Unknown, false) if apis == [Api::AssumeRole] => {
            format!("allow {actions} to the function's role, and let the role in {accounts} trust it")
        }
        (Policy::Identity | Policy::Unknown, false) => {
            format!("allow {actions} in {accounts}, for the role that reads it")
        }
    };
    Some(advice)
}

fn actions(apis: &[Api]) -> String {
    list(&apis.iter().map(|api| api.row().action).collect())
}

fn service_name(apis: &[Api]) -> &'static str {
    apis.first().map_or("AWS", |api| api.row().service.name())
}

/// The accounts of these targets: as many by id as are read at a glance.
pub(crate) fn accounts(targets: &[Target]) -> String {
    let ids: BTreeSet<&str> = targets.iter().map(|target| target.account_id.as_str()).collect();
    match ids.len() {
        1 => format!("account {}", list(&ids)),
        few if few <= ACCOUNTS => format!("accounts {}", list(&ids)),
        many => {
            let first: Vec<&str> = ids.into_iter().take(ACCOUNTS).collect();
            format!("accounts {} and {} more", first.join(", "), many - ACCOUNTS)
        }
    }
}

/// The Regions of these targets, every one.
pub(crate) fn regions(targets: &[Target]) -> String {
    list(&targets.iter().map(|target| target.region.as_str()).collect())
}

fn list(items: &BTreeSet<&str>) -> String {
    let items: Vec<&str> = items.iter().copied().collect();
    match items.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(account: u64, region: &str) -> Target {
        Target { account_id: format!("{account:012}"), region: region.to_owned() }
    }

    fn given(apis: &[Api], code: &str, message: &str) -> String {
        hint(apis, &Failure::own(code, message), &[target(111_122_223_333, "eu-west-1")]).unwrap_or_default()
    }

    #[test]
    fn every_failure_that_something_can_be_done_about_has_its_advice() {
        for (api, codes, advice) in [
            (
                Api::ListMembers,
                &["AccessDeniedException", "AccessDenied", "AuthorizationError"][..],
                "allow macie2:ListMembers in account 111122223333, for the role that reads it",
            ),
            (
                Api::AssumeRole,
                &["AccessDenied"],
                "allow sts:AssumeRole to the function's role, and let the role in account 111122223333 trust it",
            ),
            (Api::GetObject, &["NoSuchKey", "AccessDenied"], "look this target up in the map run"),
            (Api::PutObject, &["AccessDenied"], "allow s3:PutObject in account 111122223333"),
            (
                Api::ListMembers,
                &["UnrecognizedClientException", "InvalidClientTokenId"],
                "enable eu-west-1 for account 111122223333, or take it out of MACIE_REGIONS (parameter MacieRegions)",
            ),
            (
                Api::ListMembers,
                &["ExpiredTokenException", "ExpiredToken", "ConstructionFailure", "CredentialsError"],
                "check the credentials that the function has for account 111122223333",
            ),
            (
                Api::ListMembers,
                &["ThrottlingException", "TooManyRequestsException", "Throttling"],
                "lower MAX_CONCURRENCY (parameter MaxConcurrency), or run when less else calls Macie",
            ),
            (
                Api::ListMembers,
                &["DispatchFailure", "TimeoutError", "UnknownHost"],
                "check that the function can reach Macie in eu-west-1",
            ),
            (
                Api::AssumeRole,
                &["InvalidClientTokenId", "ExpiredToken", "ConstructionFailure"],
                "check the credentials that the function has of its own",
            ),
            (Api::GetObject, &["ExpiredToken"], "check the credentials that the function has of its own"),
            (Api::AssumeRole, &["DispatchFailure"], "check that the function can reach AWS STS, which"),
            (
                Api::ListRegions,
                &["TimeoutError", "UnknownHost"],
                "check that the function can reach AWS Account Management, which",
            ),
            (Api::GetObject, &["DispatchFailure"], "check that the function can reach Amazon S3, which"),
            (
                Api::AssumeRole,
                &["Throttling"],
                "lower MAX_CONCURRENCY (parameter MaxConcurrency), or run when less else calls AWS STS",
            ),
            (
                Api::AssumeRole,
                &[Failure::INVALID_RESPONSE],
                "run again; if it happens again, check what answers in place of AWS STS",
            ),
            (
                Api::ListMembers,
                &[Failure::DEADLINE_EXCEEDED],
                "raise the function's timeout (parameter FunctionTimeout)",
            ),
            (Api::ListMembers, &[Failure::PAGINATION_LOOP], "run again"),
        ] {
            for code in codes {
                assert!(given(&[api], code, "").starts_with(advice), "{api:?} {code}: {}", given(&[api], code, ""));
            }
        }
        for code in ["InternalServerException", "NoSuchKey"] {
            assert_eq!(given(&[Api::ListMembers], code, ""), "", "{code}");
        }
        assert_eq!(given(&[Api::GetMacieSession], "AccessDeniedException", "Macie is not enabled"), "");
        assert_eq!(given(&[], "AccessDeniedException", ""), "");
    }

    #[test]
    fn what_helps_depends_on_the_policy_that_refuses() {
        let denied = |api: Api, clause: &str| {
            let action = api.row().action;
            let message = format!(
                "User: arn:aws:sts::111122223333:assumed-role/x/y is not authorized to perform: {action} on resource: * {clause}"
            );
            given(&[api], "AccessDeniedException", &message)
        };
        let members = Api::ListMembers;
        for (api, clause, advice) in [
            (
                members,
                "with an explicit deny in a service control policy",
                "take eu-west-1 out of MACIE_REGIONS (parameter MacieRegions) if the organization keeps this Region closed; else have the service control policy make an exception of the role that reads account 111122223333 for macie2:ListMembers",
            ),
            (
                members,
                "because no service control policy allows the macie2:ListMembers action",
                "have a service control policy of the organization allow macie2:ListMembers in account 111122223333",
            ),
            (
                members,
                "with an explicit deny in a resource control policy",
                "have the organization's resource control policy make an exception of the role that reads",
            ),
            (
                members,
                "with an explicit deny in a permissions boundary",
                "find the permissions boundary that denies macie2:ListMembers to the role that reads account 111122223333",
            ),
            (
                members,
                "with an explicit deny in a session policy",
                "find the session policy that denies macie2:ListMembers to the role that reads account 111122223333",
            ),
            (
                members,
                "with an explicit deny in a VPC endpoint policy",
                "find the VPC endpoint policy that denies macie2:ListMembers to the role that reads account",
            ),
            (
                Api::Publish,
                "with an explicit deny in a resource-based policy",
                "find the resource-based policy that denies sns:Publish to the function's role",
            ),
            (
                members,
                "because no permissions boundary allows the macie2:ListMembers action",
                "allow macie2:ListMembers in the permissions boundary of the role that reads account 111122223333",
            ),
            (
                members,
                "because no session policy allows the macie2:ListMembers action",
                "allow macie2:ListMembers in the session policy with which the role that reads",
            ),
            (
                members,
                "because no VPC endpoint policy allows the macie2:ListMembers action",
                "allow macie2:ListMembers in the policy of the VPC endpoint that the function uses for Macie",
            ),
            (
                members,
                "with an explicit deny in an identity-based policy",
                "take the statement that denies macie2:ListMembers out of the policies of the role that reads account",
            ),
            (
                members,
                "with an explicit deny",
                "find the policy that denies macie2:ListMembers to the role that reads account",
            ),
            (
                members,
                "because no identity-based policy allows the macie2:ListMembers action",
                "allow macie2:ListMembers in account 111122223333, for the role that reads it",
            ),
            (
                Api::AssumeRole,
                "with an explicit deny in a service control policy",
                "have the organization's service control policy make an exception of the function's role for sts:AssumeRole",
            ),
            (
                Api::AssumeRole,
                "because no resource-based policy allows the sts:AssumeRole action",
                "let the trust policy of the role in account 111122223333 name the function's role",
            ),
            (
                Api::Publish,
                "because no resource-based policy allows the SNS:Publish action",
                "allow sns:Publish to the function's role in the policy of the resource",
            ),
        ] {
            let given = denied(api, clause);
            assert!(given.starts_with(advice), "{clause}: {given}");
        }
    }

    #[test]
    fn what_is_wrong_in_many_places_is_told_once_with_every_region() {
        let failure = Failure::own(
            "AccessDeniedException",
            "x is not authorized to perform: y on resource: z with an explicit deny in a service control policy",
        );
        let targets: Vec<Target> =
            (1..=7).flat_map(|account| ["us-east-1", "eu-west-1"].map(|region| target(account, region))).collect();
        let given = hint(&[Api::ListMembers, Api::ListInvitations], &failure, &targets).expect("advice");
        assert!(
            given.starts_with(
                "take eu-west-1 and us-east-1 out of MACIE_REGIONS (parameter MacieRegions) if the organization keeps these Regions closed"
            ),
            "{given}"
        );
        assert!(
            given.contains("accounts 000000000001, 000000000002, 000000000003, 000000000004, 000000000005 and 2 more"),
            "{given}"
        );
        assert!(given.ends_with("for macie2:ListInvitations and macie2:ListMembers"), "{given}");
        let [one, two, three] = ["a", "b", "c"].map(|region| target(1, region));
        assert_eq!(regions(&[three, one, two.clone(), two]), "a, b and c");
        assert_eq!(
            accounts(&targets[..10]),
            "accounts 000000000001, 000000000002, 000000000003, 000000000004 and 000000000005"
        );
    }

    #[test]
    fn a_cause_is_told_in_words() {
        let denied = |by, explicit| cause(&Refusal::Denied(Denial { by, explicit }));
        assert_eq!(denied(Policy::ServiceControl, true), "denied by a service control policy");
        assert_eq!(denied(Policy::Identity, true), "denied by an identity-based policy");
        assert_eq!(denied(Policy::VpcEndpoint, false), "not allowed by any VPC endpoint policy");
        assert_eq!(denied(Policy::Unknown, true), "denied by a policy");
        assert_eq!(denied(Policy::Unknown, false), "not allowed");
        assert_eq!(cause(&Refusal::NotAdministrator), "the account is not the Macie administrator");
    }
}
