//! What every AWS client of the function shares: one configuration, one HTTP client, one way to
//! tell of a failure.

mod failure;
mod http;
mod pages;
mod retry;
mod roles;

use std::time::{Duration, SystemTime};

use aws_config::identity::IdentityCache;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::timeout::TimeoutConfig;

use crate::facts::Failure;
use crate::settings::{Role, Settings};
use http::Answers;

pub use failure::OrFailure;
pub use pages::Trail;
pub use retry::{MoreThrottling, unbudgeted};

/// How long a connection may take to open. The SDK's own default.
const CONNECT: Duration = Duration::from_millis(3100);

/// For how many roles and renewals of them the SDK keeps credentials. Beyond its own 64 it would
/// forget some that are in use, and a run would ask STS for them again and again.
const MOST_CREDENTIALS: usize = 4096;

/// The shared configuration, loaded once at start.
#[derive(Clone, Debug)]
pub struct Aws {
    config: SdkConfig,
    http: SharedHttpClient,
    gate: http::Gate,
    assumed: roles::Assumed,
}

impl Aws {
    /// Loads the SDK's configuration from the environment: credentials, endpoints, proxies.
    pub async fn load(settings: &Settings) -> Aws {
        let http = http::client();
        let gate = http::Gate::new(settings.max_concurrency);
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(Region::new(settings.own_region.clone()))
            .http_client(gate.guard(http.clone(), http::LONGEST_ATTEMPT, Answers::Pages))
            .retry_config(retry::reading())
            .identity_cache(IdentityCache::lazy().max_partitions(MOST_CREDENTIALS).build())
            // The gate limits the time of each attempt, its body included.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT).build())
            .load()
            .await;
        Aws { config, http, gate, assumed: roles::Assumed::default() }
    }

    /// The configuration in which no attempt at a request takes longer than this, so that a
    /// connection that hangs is tried again while there is time.
    pub fn within(&self, attempt: Duration) -> Aws {
        let http = self.gate.guard(self.http.clone(), attempt.min(http::LONGEST_ATTEMPT), Answers::Pages);
        Aws { config: self.config.to_builder().http_client(http).build(), ..self.clone() }
    }

    /// The configuration for a client of documents, which may be large, and of receipts without a
    /// body.
    pub fn for_documents(&self) -> SdkConfig {
        let http = self.gate.guard(self.http.clone(), http::LONGEST_ATTEMPT, Answers::Documents);
        self.config.to_builder().http_client(http).build()
    }

    /// The configuration for a client in the function's own account.
    pub fn own(&self) -> &SdkConfig {
        &self.config
    }

    /// The configuration for a client in the account of a role, after the role was assumed, in
    /// this run or in an earlier one whose credentials are good for the whole of this. The SDK
    /// renews them.
    ///
    /// # Errors
    /// STS's refusal, or why it could not be asked, or that its answer is not whole.
    pub async fn assuming(&self, role: &Role, now: SystemTime) -> Result<SdkConfig, Failure> {
        let credentials = self.assumed.credentials(&self.config, role, now).await?;
        Ok(self.config.to_builder().credentials_provider(credentials).build())
    }
}
