//! From the SDK's errors to failures that a report can show.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::facts::Failure;
use crate::text::clip;

/// Turns the result of any operation of any client into one with a failure.
pub trait OrFailure<T> {
    /// The value, or the failure behind the SDK's error.
    ///
    /// # Errors
    /// The failure.
    fn or_failure(self) -> Result<T, Failure>;
}

impl<T, E> OrFailure<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    fn or_failure(self) -> Result<T, Failure> {
        self.map_err(|error| failure(&error))
    }
}

/// The service's code, message and request id, or what went wrong before there was an answer.
/// The SDK's error itself is not kept, since its debug text holds response bodies.
pub(super) fn failure<E>(error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let response = error.raw_response();
    let status = response.map_or(0, |response| response.status().as_u16());
    let (code, message) = match error {
        SdkError::ServiceError(answer) => match answer.err().code() {
            Some(code) => (code, answer.err().message().unwrap_or_default().to_owned()),
            None => (Failure::INVALID_RESPONSE, format!("HTTP {status} without an error code")),
        },
        SdkError::ResponseError(_) => {
            (Failure::INVALID_RESPONSE, format!("HTTP {status} with a body that the API does not define"))
        }
        SdkError::DispatchFailure(dispatch) => match dispatch.as_connector_error() {
            Some(error) => (connector_code(error), causes(error)),
            None => ("DispatchFailure", "the request was not sent".to_owned()),
        },
        SdkError::TimeoutError(_) => ("TimeoutError", "no answer in time".to_owned()),
        other => ("ConstructionFailure", causes(other)),
    };
    let request_id = response.and_then(|response| {
        let headers = response.headers();
        headers.get("x-amzn-requestid").or_else(|| headers.get("x-amz-request-id"))
    });
    Failure { code: clip(code), message: clip(&message), request_id: request_id.map(clip) }
}

/// The SDK's name for what went wrong in the connection. Our own gate refuses an oversized
/// answer with the kind `user`.
fn connector_code(error: &ConnectorError) -> &'static str {
    if error.is_timeout() {
        "TimeoutError"
    } else if error.is_user() {
        Failure::INVALID_RESPONSE
    } else if chain(error).any(|cause| cause.is::<CredentialsError>()) {
        "CredentialsError"
    } else {
        "DispatchFailure"
    }
}

/// An error and its causes, the outermost first, each said once.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut said: Vec<String> = Vec::new();
    for error in chain(error) {
        let text = error.to_string();
        if !said.iter().any(|known| known.contains(&text)) {
            said.push(text);
        }
    }
    said.join(": ")
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}
