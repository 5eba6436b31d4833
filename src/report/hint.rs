//! What would mend a read that failed.

use crate::facts::{Api, Failure, Target};

/// The service that all other reads are of.
const MACIE: &str = "Macie";

/// Advice for whoever reads the report, where there is any to give.
pub(super) fn hint(api: Api, failure: &Failure, target: &Target) -> Option<String> {
    let Target { account_id, region } = target;
    let service = match api {
        Api::AssumeRole => "AWS STS",
        Api::GetObject => "Amazon S3",
        Api::ListRegions => "AWS Account Management",
        _ => MACIE,
    };
    let denied = ["AccessDeniedException", "AccessDenied", "AuthorizationError"].contains(&failure.code.as_str());
    let advice = match failure.code.as_str() {
        // S3 refuses a key that is not there, unless the role may list the bucket.
        "NoSuchKey" | "AccessDenied" if api == Api::GetObject => {
            "look this target up in the map run of the state machine, where its audit failed; if it did not, allow s3:GetObject to the function's role".to_owned()
        }
        _ if denied && api == Api::AssumeRole => {
            format!("allow {} to the function's role, and let the role in account {account_id} trust it", api.action())
        }
        _ if denied => format!("allow {} in account {account_id}, for the role that reads it", api.action()),
        "UnrecognizedClientException" | "InvalidClientTokenId" if service == MACIE => {
            format!("enable {region} for account {account_id}, or take it out of MACIE_REGIONS; check the credentials")
        }
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "ExpiredTokenException"
        | "ExpiredToken"
        | "ConstructionFailure"
        | "CredentialsError" => match api {
            Api::AssumeRole | Api::GetObject => "check the credentials that the function has of its own".to_owned(),
            _ => format!("check the credentials that the function has for account {account_id}"),
        },
        "ThrottlingException" | "TooManyRequestsException" | "Throttling" => {
            format!("lower MAX_CONCURRENCY, or run when less else calls {service}")
        }
        "DispatchFailure" | "TimeoutError" if service == MACIE => {
            format!(
                "check that the function can reach Macie in {region}, which needs a route or a VPC endpoint, and that Macie is offered there"
            )
        }
        "DispatchFailure" | "TimeoutError" => {
            format!("check that the function can reach {service}, which needs a route or a VPC endpoint")
        }
        Failure::DEADLINE_EXCEEDED => "raise the function's timeout, or audit fewer Regions in one run".to_owned(),
        Failure::PAGINATION_LOOP | Failure::INVALID_RESPONSE => {
            format!("run again; if it stays, check what answers in place of {service}, then report it as a bug")
        }
        _ => return None,
    };
    Some(advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_that_can_be_mended_has_its_advice() {
        let target = Target { account_id: "111122223333".to_owned(), region: "eu-west-1".to_owned() };
        for (api, codes, advice) in [
            (
                Api::ListMembers,
                &["AccessDeniedException", "AccessDenied", "AuthorizationError"][..],
                "allow macie2:ListMembers in account 111122223333",
            ),
            (Api::AssumeRole, &["AccessDenied"], "allow sts:AssumeRole to the function's role"),
            (Api::GetObject, &["NoSuchKey", "AccessDenied"], "look this target up in the map run"),
            (
                Api::ListMembers,
                &["UnrecognizedClientException", "InvalidClientTokenId"],
                "enable eu-west-1 for account 111122223333",
            ),
            (
                Api::ListMembers,
                &["ExpiredTokenException", "ExpiredToken", "ConstructionFailure", "CredentialsError"],
                "check the credentials that the function has for account 111122223333",
            ),
            (
                Api::ListMembers,
                &["ThrottlingException", "TooManyRequestsException", "Throttling"],
                "lower MAX_CONCURRENCY",
            ),
            (
                Api::ListMembers,
                &["DispatchFailure", "TimeoutError"],
                "check that the function can reach Macie in eu-west-1",
            ),
            (
                Api::AssumeRole,
                &["InvalidClientTokenId", "ExpiredToken", "ConstructionFailure"],
                "check the credentials that the function has of its own",
            ),
            (Api::AssumeRole, &["DispatchFailure"], "check that the function can reach AWS STS, which"),
            (Api::ListRegions, &["TimeoutError"], "check that the function can reach AWS Account Management, which"),
            (Api::GetObject, &["DispatchFailure"], "check that the function can reach Amazon S3, which"),
            (Api::AssumeRole, &["Throttling"], "lower MAX_CONCURRENCY, or run when less else calls AWS STS"),
            (
                Api::AssumeRole,
                &[Failure::INVALID_RESPONSE],
                "run again; if it stays, check what answers in place of AWS STS",
            ),
            (Api::ListMembers, &[Failure::DEADLINE_EXCEEDED], "raise the function's timeout"),
            (Api::ListMembers, &[Failure::PAGINATION_LOOP, Failure::INVALID_RESPONSE], "run again"),
        ] {
            for code in codes {
                let given = hint(api, &Failure::own(code, ""), &target).unwrap_or_default();
                assert!(given.starts_with(advice), "{api} {code}: {given}");
            }
        }
        for (api, code) in [(Api::ListMembers, "InternalServerException"), (Api::ListMembers, "NoSuchKey")] {
            assert_eq!(hint(api, &Failure::own(code, ""), &target), None, "{code}");
        }
    }
}
