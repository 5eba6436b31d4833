//! When a request is tried again, and how often.

use std::time::Duration;

use aws_sdk_sts::config::retry::{RetryPartition, TokenBucket};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_types::retry::RetryConfig;

/// Retries while reading: Macie's quotas are low, and a run has minutes. The SDK adds jitter.
pub(super) fn reading() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(6)
        .with_initial_backoff(Duration::from_millis(500))
        .with_max_backoff(Duration::from_secs(10))
}

/// A partition without the SDK's budget of retries, which lasts for the life of the process and
/// is hardly refilled: an outage in one run would take the retries from the next. The attempts,
/// the gate and the deadline bound the retries already.
pub fn unbudgeted() -> RetryPartition {
    RetryPartition::custom("macie-compliance").token_bucket(TokenBucket::unlimited()).build()
}

/// Throttling that the SDK's own classifiers do not know: SNS's `Throttled` and `KMSThrottling`,
/// and status 429 with any code or none.
#[derive(Debug)]
pub struct MoreThrottling;

impl ClassifyRetry for MoreThrottling {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(response) = context.response() else { return RetryAction::NoActionIndicated };
        let body = response.body().bytes().unwrap_or_default();
        let says = |code: &[u8]| body.windows(code.len()).any(|part| part == code);
        let failed = response.status().is_client_error();
        let throttled = response.status().as_u16() == 429
            || failed && (says(b"<Code>Throttled</Code>") || says(b"<Code>KMSThrottling</Code>"));
        if throttled { RetryAction::throttling_error() } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "more throttling"
    }
}
