//! When a request is tried again, and how often.

use std::time::Duration;

use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use aws_sdk_sts::config::retry::{RetryPartition, TokenBucket};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use backon::ExponentialBuilder;

use super::failure::is_unknown_host;

/// How often a request is sent at most. Macie's quotas are low, and a run has minutes.
const ATTEMPTS: u32 = 6;
/// The longest wait before the second attempt. It doubles with each one more, up to the longest of
/// all.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Retries while reading. The SDK's jitter makes each wait a part of what it can be.
pub(super) fn reading() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(FIRST_WAIT).with_max_backoff(LONGEST_WAIT)
}

/// The same for what is asked again outside of the SDK's retries. This jitter adds to a wait up to
/// as much again.
pub(super) fn backoff() -> ExponentialBuilder {
    ExponentialBuilder::new()
        .with_max_times(ATTEMPTS as usize - 1)
        .with_min_delay(FIRST_WAIT / 2)
        .with_max_delay(LONGEST_WAIT / 2)
        .with_jitter()
}

/// Whether what failed outside of the SDK's retries may succeed when it is asked for again: where
/// the SDK's classifiers say so, and at any 429.
pub(super) fn is_transient<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        SdkError::ServiceError(_) => {
            let status = error.raw_response().map_or(0, |response| response.status().as_u16());
            let code = error.code().unwrap_or_default();
            matches!(status, 429 | 500 | 502 | 503 | 504)
                || THROTTLING_ERRORS.contains(&code)
                || TRANSIENT_ERRORS.contains(&code)
        }
        SdkError::DispatchFailure(failure) => failure.is_timeout() || failure.is_io() || failure.as_other().is_some(),
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        _ => false,
    }
}

/// Gives the builder of a client's configuration what every client retries by.
///
/// It is a macro since the builders of the SDK's crates have no type in common.
macro_rules! retrying {
    ($builder:expr) => {
        $builder.retry_classifier($crate::client::MoreThrottling).retry_partition($crate::client::without_retry_quota())
    };
}
pub(crate) use retrying;

/// A partition without the SDK's quota of retries, which lasts for the life of the process and
/// is hardly refilled: an outage in one run would take the retries from the next. The attempts
/// and the deadline bound the retries already.
pub(crate) fn without_retry_quota() -> RetryPartition {
    RetryPartition::custom("macie-compliance").token_bucket(TokenBucket::unlimited()).build()
}

/// Throttling that the SDK's own classifiers do not know: SNS's `Throttled` and `KMSThrottling`,
/// and status 429 with any code or none.
#[derive(Debug)]
pub(crate) struct MoreThrottling;

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

/// For a Region of which nobody knows whether it offers the service: that the host name does not
/// exist is the answer, and is not asked for again.
#[derive(Debug)]
pub(crate) struct UnknownHostIsFinal;

impl ClassifyRetry for UnknownHostIsFinal {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err).and_then(OrchestratorError::as_connector_error);
        let unknown = error.is_some_and(|error| is_unknown_host(error));
        if unknown { RetryAction::RetryForbidden } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "an unknown host is final"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}
