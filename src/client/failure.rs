//! From the SDK's errors to failures that a report can show.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use macie_compliance_core::failure::Failure;
use macie_compliance_core::text::{clip, clip_middle};

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
    Failure { code: clip(code), message: clip_middle(&message), request_id: request_id.map(clip) }
}

/// The SDK's name for what went wrong in the connection. Our own gate refuses an oversized
/// answer with the kind `user`.
fn connector_code(error: &ConnectorError) -> &'static str {
    if error.is_timeout() {
        "TimeoutError"
    } else if error.is_user() {
        Failure::INVALID_RESPONSE
    } else if causes_of(error).any(|cause| cause.is::<CredentialsError>()) {
        "CredentialsError"
    } else if is_unknown_host(error) {
        Failure::UNKNOWN_HOST
    } else {
        "DispatchFailure"
    }
}

/// Whether the name of the host does not exist, which is not the same as that it could not be
/// looked up: glibc's texts for `EAI_NONAME` and `EAI_NODATA`. The standard library keeps no more
/// than the text.
pub(super) fn is_unknown_host(error: &(dyn Error + 'static)) -> bool {
    let texts = ["Name or service not known", "No address associated with hostname"];
    causes_of(error)
        .any(|cause| cause.is::<std::io::Error>() && texts.iter().any(|text| cause.to_string().contains(text)))
}

/// An error and its causes, the outermost first, each said once.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut said: Vec<String> = Vec::new();
    for error in causes_of(error) {
        let text = error.to_string();
        if !said.iter().any(|known| known.contains(&text)) {
            said.push(text);
        }
    }
    said.join(": ")
}

fn causes_of<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn only_a_name_that_does_not_exist_is_an_unknown_host() {
        let told = |text: &str| {
            let cause = io::Error::other(format!("failed to lookup address information: {text}"));
            is_unknown_host(&ConnectorError::io(cause.into()))
        };
        assert!(told("Name or service not known") && told("No address associated with hostname"));
        for text in
            ["Temporary failure in name resolution", "Non-recoverable failure in name resolution", "System error"]
        {
            assert!(!told(text), "{text}");
        }
        assert!(
            !is_unknown_host(&ConnectorError::other("Name or service not known".into(), None)),
            "nobody looked it up"
        );
    }
}
