//! What every AWS client of the function shares: one configuration, one HTTP client, one way to
//! retry, one form of failure.

mod body;
mod failure;
mod http;
mod retry;
mod roles;

use std::time::{Duration, SystemTime};

use aws_config::identity::IdentityCache;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_types::timeout::TimeoutConfig;
use macie_compliance_core::failure::Failure;
use macie_compliance_core::inlet::settings::Settings;
use macie_compliance_core::names::Role;
use tokio::task::yield_now;

use http::BodyLimit;

pub(crate) use body::{KeepBody, SendBody};
pub use failure::OrFailure;
pub(crate) use retry::{MoreThrottling, UnknownHostIsFinal, retrying, without_retry_quota};

/// How long a connection may take to open. The SDK's own default.
const CONNECT: Duration = Duration::from_millis(3100);

/// For how many roles and renewals of them the SDK keeps credentials. Beyond its own 64 it would
/// forget some that are in use, and a run would ask STS for them again and again.
const MOST_CREDENTIALS: usize = 4096;

/// The shared configuration, loaded once at start.
#[derive(Clone, Debug)]
pub struct Aws {
    config: SdkConfig,
    http: http::Client,
    roles: roles::RoleCache,
}

impl Aws {
    /// Loads the SDK's configuration from the environment: credentials, endpoints, proxies.
    pub async fn load(settings: &Settings) -> Aws {
        let http = http::Client {
            pool: http::Pool::default(),
            concurrency: http::ConcurrencyLimit::new(settings.max_concurrency),
            attempt: http::LONGEST_ATTEMPT,
            body: BodyLimit::Pages,
        };
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(Region::new(settings.own_region.clone()))
            .http_client(http.clone())
            .retry_config(retry::reading())
            .identity_cache(IdentityCache::lazy().max_partitions(MOST_CREDENTIALS).build())
            // The HTTP client limits the time of each attempt, its body included.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT).build())
            .load()
            .await;
        Aws { config, http, roles: roles::RoleCache::default() }
    }

    /// Lets go of every idle connection and the memory that it takes.
    pub async fn drop_connections(&self) {
        self.http.pool.empty();
        // Each of them is closed by a task of its own.
        yield_now().await;
    }

    /// The configuration in which no attempt at a request takes longer than this, so that a
    /// connection that hangs is tried again while there is time.
    pub fn within(&self, attempt: Duration) -> Aws {
        let http = http::Client { attempt: attempt.min(http::LONGEST_ATTEMPT), ..self.http.clone() };
        Aws { config: self.config.to_builder().http_client(http).build(), ..self.clone() }
    }

    /// The configuration for a client of documents, which may be large, and of receipts without a
    /// body.
    pub fn for_documents(&self) -> SdkConfig {
        let http = http::Client { body: BodyLimit::Documents, ..self.http.clone() };
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
        let credentials = self.roles.credentials(&self.config, role, now).await?;
        Ok(self.config.to_builder().credentials_provider(credentials).build())
    }
}
