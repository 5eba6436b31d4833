//! The meanings of Macie's AccessDeniedException.

use crate::discovery::Discovery;
use crate::items::Role;
use crate::seed::Refusal;
use crate::wire::{Call, ServiceError};

/// The error that means so.
pub(crate) fn refusal(how: Refusal, call: &Call) -> ServiceError {
    let message = match how {
        Refusal::NotEnabled => "Macie is not enabled".to_owned(),
        Refusal::NotAdministrator => "The request failed because you must be the Macie administrator for an \
                                      organization to perform this operation"
            .to_owned(),
        Refusal::Permission => {
            let (account, region, operation) = (&call.caller.account, &call.caller.region, &call.operation);
            format!(
                "User: arn:aws:sts::{account}:assumed-role/audit/session is not authorized to perform: \
                 macie2:{operation} on resource: arn:aws:macie2:{region}:{account}:* because no identity-based policy \
                 allows the macie2:{operation} action"
            )
        }
    };
    denied(message)
}

/// Refuses what only an administrator, or no member account, may ask.
pub(crate) fn check_role(role: Role, call: &Call) -> Result<(), ServiceError> {
    let operation = call.operation.as_str();
    match role {
        Role::Administrator => Ok(()),
        // The words are not known; they are neither of the two that are.
        Role::Member if Discovery::answers(operation) => {
            Err(denied("The request was denied because a member account can't access these settings".to_owned()))
        }
        Role::Member | Role::Standalone
            if ["DescribeOrganizationConfiguration", "ListAutomatedDiscoveryAccounts"].contains(&operation) =>
        {
            Err(refusal(Refusal::NotAdministrator, call))
        }
        Role::Member | Role::Standalone => Ok(()),
    }
}

fn denied(message: String) -> ServiceError {
    ServiceError::new(403, "AccessDeniedException", message)
}
