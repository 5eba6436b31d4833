//! Roles in other accounts: assumed when they are first needed, kept over runs, renewed in time.
//!
//! The SDK's provider asks STS, and the SDK's cache keeps and renews what it gave. The provider's own
//! retries are switched off and it is asked again instead: they come out of a budget that an outage in
//! one run takes from the next, and a bare 429 is not among them, and neither can be set.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_sts::error::SdkError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use backon::Retryable;

use macie_compliance_core::failure::Failure;
use macie_compliance_core::names::Role;

use super::failure::failure;
use super::retry::{backoff, is_transient};

/// The name of the sessions in other accounts, as their CloudTrail shows it.
const SESSION_NAME: &str = "macie-compliance";

/// How long kept credentials must still be good to be used by a run, which is how long a run can
/// take. A role that may be assumed no longer is so found when a run begins, and not within it.
const LONGEST_RUN: Duration = Duration::from_secs(900);

/// The roles that were assumed. The same role with another external id may be refused.
#[derive(Clone, Debug, Default)]
pub(super) struct RoleCache(Arc<Mutex<HashMap<Role, Session>>>);

#[derive(Clone, Debug)]
struct Session {
    provider: SharedCredentialsProvider,
    good_until: Option<SystemTime>,
}

impl RoleCache {
    /// The credentials of a role, by a call to STS unless an earlier run left them.
    pub(super) async fn credentials(
        &self,
        config: &SdkConfig,
        role: &Role,
        now: SystemTime,
    ) -> Result<SharedCredentialsProvider, Failure> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(role).cloned();
        if let Some(session) = kept.filter(|session| session.good_until.is_some_and(|end| end > now + LONGEST_RUN)) {
            return Ok(session.provider);
        }
        let sts = RoleProvider::new(config, role).await;
        let first = sts.assume_role().await?;
        let good_until = first.expiry();
        let provider = SharedCredentialsProvider::new(PrimedProvider { first: Mutex::new(Some(first)), sts });
        let session = Session { provider: provider.clone(), good_until };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(role.clone(), session);
        Ok(provider)
    }
}

/// A provider whose first answer is there already: that a role can be assumed is asked before
/// anything is read, and what STS gave then is not asked for twice.
#[derive(Debug)]
struct PrimedProvider {
    first: Mutex<Option<Credentials>>,
    sts: RoleProvider,
}

impl ProvideCredentials for PrimedProvider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        match self.first.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(first) => future::ProvideCredentials::ready(Ok(first)),
            None => future::ProvideCredentials::new(self.sts.renew()),
        }
    }
}

/// Assumes one role.
#[derive(Debug)]
struct RoleProvider(AssumeRoleProvider);

impl RoleProvider {
    async fn new(config: &SdkConfig, role: &Role) -> RoleProvider {
        let config = config.to_builder().retry_config(RetryConfig::disabled()).build();
        let mut builder = AssumeRoleProvider::builder(&role.arn).session_name(SESSION_NAME).configure(&config);
        if let Some(external_id) = &role.external_id {
            builder = builder.external_id(external_id);
        }
        RoleProvider(builder.build().await)
    }

    async fn renew(&self) -> provider::Result {
        let told = |failure: Failure| format!("AssumeRole: {}: {}", failure.code, failure.message);
        self.assume_role().await.map_err(|failure| CredentialsError::provider_error(told(failure)))
    }

    async fn assume_role(&self) -> Result<Credentials, Failure> {
        let ask = || self.0.provide_credentials();
        let given = ask.retry(backoff()).when(|error| answer(error).is_some_and(is_transient)).await;
        let cut_off = || Failure::own(Failure::INVALID_RESPONSE, "the answer lacks a part of the credentials");
        let given = given.map_err(|error| answer(&error).map_or_else(cut_off, failure))?;
        // The SDK takes an answer that was cut off and fills in what it lacks.
        let texts = [given.access_key_id(), given.secret_access_key(), given.session_token().unwrap_or_default()];
        if texts.into_iter().any(str::is_empty) || given.expiry().is_none_or(|end| end <= UNIX_EPOCH) {
            return Err(cut_off());
        }
        Ok(given)
    }
}

/// What STS or the way to it answered, behind the error of the SDK's provider.
fn answer(error: &CredentialsError) -> Option<&SdkError<AssumeRoleError>> {
    error.source()?.downcast_ref()
}
