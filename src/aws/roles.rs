//! Roles in other accounts: assumed when they are first needed, kept over runs, renewed in time.
//!
//! The SDK has a provider for roles, but its retries come out of a budget that an outage in one run
//! takes from the next, and a bare 429 is not tried again. So STS is asked by a client like any other,
//! and the SDK keeps and renews what it gave.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_sts::Client;

use super::{MoreThrottling, OrFailure, unbudgeted};
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
        let sts = Sts::new(config, role);
        let first = sts.assume_role().await?;
        let good_until = first.expiry();
        let provider = SharedCredentialsProvider::new(Begun { first: Mutex::new(Some(first)), sts });
        let session = Session { provider: provider.clone(), good_until };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(role.arn.clone(), session);
        Ok(provider)
    }
}

/// A provider whose first answer is there already: that a role can be assumed is asked before
/// anything is read, and what STS gave then is not asked for twice.
#[derive(Debug)]
struct Begun {
    first: Mutex<Option<Credentials>>,
    sts: Sts,
}

impl ProvideCredentials for Begun {
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
struct Sts {
    client: Client,
    role: Role,
}

impl Sts {
    fn new(config: &SdkConfig, role: &Role) -> Sts {
        let config = aws_sdk_sts::config::Builder::from(config)
            .retry_classifier(MoreThrottling)
            .retry_partition(unbudgeted())
            .build();
        Sts { client: Client::from_conf(config), role: role.clone() }
    }

    async fn renew(&self) -> provider::Result {
        let told = |failure: Failure| format!("AssumeRole: {}: {}", failure.code, failure.message);
        self.assume_role().await.map_err(|failure| CredentialsError::provider_error(told(failure)))
    }

    async fn assume_role(&self) -> Result<Credentials, Failure> {
        let call = self.client.assume_role().role_arn(&self.role.arn).role_session_name(SESSION_NAME);
        let answer = call.set_external_id(self.role.external_id.clone()).send().await.or_failure()?;
        let cut_off = || Failure::own(Failure::INVALID_RESPONSE, "the answer lacks a part of the credentials");
        let given = answer.credentials.ok_or_else(cut_off)?;
        let expiry = SystemTime::try_from(given.expiration).map_err(|_| cut_off())?;
        // The SDK takes an answer that was cut off and fills in what it lacks.
        let texts = [&given.access_key_id, &given.secret_access_key, &given.session_token];
        if texts.into_iter().any(String::is_empty) || expiry <= UNIX_EPOCH {
            return Err(cut_off());
        }
        let token = Some(given.session_token);
        Ok(Credentials::new(given.access_key_id, given.secret_access_key, token, Some(expiry), "AssumeRole"))
    }
}
