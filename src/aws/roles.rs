//! Roles in other accounts: assumed when they are first needed, kept over runs, renewed by the SDK.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::SdkConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};

use super::failure;
use crate::facts::Failure;
use crate::settings::Role;

/// The name of the sessions in other accounts, as their CloudTrail shows it.
const SESSION_NAME: &str = "macie-compliance";

/// How long kept credentials must still be good to be used by a run, which is how long a run can
/// take. A role that may be assumed no longer is so found when a run begins, and not within it.
const LONGEST_RUN: Duration = Duration::from_secs(900);

/// The roles that were assumed, by their ARN.
#[derive(Clone, Debug, Default)]
pub(super) struct Assumed(Arc<Mutex<HashMap<String, Session>>>);

#[derive(Clone, Debug)]
struct Session {
    provider: SharedCredentialsProvider,
    good_until: Option<SystemTime>,
}

impl Assumed {
    /// The credentials of a role, by a call to STS unless an earlier run left them.
    pub(super) async fn credentials(
        &self,
        config: &SdkConfig,
        role: &Role,
        now: SystemTime,
    ) -> Result<SharedCredentialsProvider, Failure> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&role.arn).cloned();
        if let Some(session) = kept.filter(|session| session.good_until.is_some_and(|end| end > now + LONGEST_RUN)) {
            return Ok(session.provider);
        }
        let mut renewing = AssumeRoleProvider::builder(&role.arn).session_name(SESSION_NAME).configure(config);
        if let Some(external_id) = &role.external_id {
            renewing = renewing.external_id(external_id);
        }
        let renewing = renewing.build().await;
        let first = renewing.provide_credentials().await.map_err(|error| failure::credentials(&error))?;
        // The SDK takes an answer that was cut off and fills in what it lacks.
        let whole = !first.access_key_id().is_empty()
            && !first.secret_access_key().is_empty()
            && first.session_token().is_some_and(|token| !token.is_empty())
            && first.expiry().is_some_and(|expiry| expiry > UNIX_EPOCH);
        if !whole {
            return Err(Failure::own(Failure::INVALID_RESPONSE, "the answer lacks a part of the credentials"));
        }
        let good_until = first.expiry();
        let provider = SharedCredentialsProvider::new(Begun { first: Mutex::new(Some(first)), renewing });
        let session = Session { provider: provider.clone(), good_until };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(role.arn.clone(), session);
        Ok(provider)
    }
}

/// The SDK's provider, whose first answer is there already: that a role can be assumed is asked
/// before anything is read, and what STS gave then is not asked for twice.
#[derive(Debug)]
struct Begun {
    first: Mutex<Option<Credentials>>,
    renewing: AssumeRoleProvider,
}

impl ProvideCredentials for Begun {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        match self.first.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(first) => future::ProvideCredentials::ready(Ok(first)),
            None => self.renewing.provide_credentials(),
        }
    }
}
