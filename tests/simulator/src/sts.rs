//! STS: AssumeRole, so that later calls come from another account, and GetCallerIdentity.

use std::collections::BTreeMap;

use crate::seed::RoleSeed;
use crate::wire::{Answer, Call, ServiceError, assumed_key, escape, iso8601, now};

pub(crate) fn answer(
    call: &Call,
    roles: &BTreeMap<String, RoleSeed>,
    request_id: &str,
) -> Result<Answer, ServiceError> {
    let result = match call.operation.as_str() {
        "AssumeRole" => assume_role(call, roles)?,
        "GetCallerIdentity" => {
            let account = &call.caller.account;
            format!(
                "<Arn>arn:aws:iam::{account}:root</Arn><UserId>{account}</UserId>\
                 <Account>{account}</Account>"
            )
        }
        _ => return Err(ServiceError::new(400, "InvalidAction", "No such action")),
    };
    Ok(Answer::xml("sts", &call.operation, &result, request_id))
}

fn assume_role(call: &Call, roles: &BTreeMap<String, RoleSeed>) -> Result<String, ServiceError> {
    let invalid = |message: &str| ServiceError::new(400, "ValidationError", message);
    let arn = call.parameter("RoleArn").unwrap_or_default();
    let Some((account, name)) = read_role(arn) else {
        return Err(invalid(&format!("{arn} is invalid")));
    };
    let session = call.parameter("RoleSessionName").unwrap_or_default();
    if !(2..=64).contains(&session.len()) {
        return Err(invalid("roleSessionName must have 2 to 64 characters"));
    }
    let seconds = match call.parameter("DurationSeconds").map(str::parse::<u64>) {
        None => 3_600,
        Some(Ok(seconds @ 900..=43_200)) => seconds,
        Some(_) => return Err(invalid("durationSeconds must be from 900 to 43200")),
    };
    let external_id = call.parameter("ExternalId");
    let allowed = match roles.get(arn) {
        None => roles.is_empty(),
        Some(role) => role.external_id.is_none() || role.external_id.as_deref() == external_id,
    };
    if !allowed {
        let caller = &call.caller.account;
        let message =
            format!("User: arn:aws:iam::{caller}:root is not authorized to perform: sts:AssumeRole on resource: {arn}");
        return Err(ServiceError::new(403, "AccessDenied", message));
    }
    let seconds = roles.get(arn).and_then(|role| role.session_seconds).unwrap_or(seconds);
    let expiration = iso8601(now().as_secs() + seconds);
    let (key, session) = (assumed_key(account), escape(session));
    Ok(format!(
        "<Credentials><AccessKeyId>{key}</AccessKeyId>\
         <SecretAccessKey>simulated</SecretAccessKey><SessionToken>simulated</SessionToken>\
         <Expiration>{expiration}</Expiration></Credentials>\
         <AssumedRoleUser><AssumedRoleId>AROASIMULATED:{session}</AssumedRoleId>\
         <Arn>arn:aws:sts::{account}:assumed-role/{name}/{session}</Arn></AssumedRoleUser>"
    ))
}

/// The account and the name, without its path, of a role's ARN.
fn read_role(arn: &str) -> Option<(&str, &str)> {
    let (account, path) = arn.strip_prefix("arn:aws:iam::")?.split_once(":role/")?;
    let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let name = path.rsplit('/').next().filter(|name| !name.is_empty())?;
    digits.then_some((account, name))
}
