//! Why an invocation failed, as Lambda tells it.

use std::fmt;

use lambda_runtime::Diagnostic;

use crate::event::InvalidEvent;
use crate::facts::Failure;
use crate::text::plain;

/// Why an invocation failed. Reads that fail are not here: they are part of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The event is neither an EventBridge event nor an on-demand request.
    InvalidEvent(InvalidEvent),
    /// A step of the state machine lacks what it needs, so that its retry has to try again.
    StepFailed {
        /// What could not be done.
        what: String,
        /// Why.
        failure: Failure,
    },
    /// The report, or a part of it, could not be published. Lambda's retry tries the whole again.
    PublishFailed {
        /// The report that is only in the log now.
        report_id: String,
        /// The messages that were published before.
        published: usize,
        /// The messages that there are.
        messages: usize,
        /// SNS's refusal, or why it could not be reached.
        failure: Failure,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::InvalidEvent(error) => error.fmt(f),
            Error::StepFailed { what, failure } => {
                write!(f, "{}: {}: {}", plain(what, 256), plain(&failure.code, 64), plain(&failure.message, 500))
            }
            Error::PublishFailed { report_id, published, messages, failure } => write!(
                f,
                "report {}: {published} of {messages} messages published, then {}: {}",
                plain(report_id, 256),
                plain(&failure.code, 64),
                plain(&failure.message, 500)
            ),
        }
    }
}

impl std::error::Error for Error {}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Diagnostic {
        let error_type = match error {
            Error::InvalidEvent(_) => "InvalidEvent",
            Error::StepFailed { .. } => "StepFailed",
            Error::PublishFailed { .. } => "PublishFailed",
        };
        Diagnostic { error_type: error_type.to_owned(), error_message: error.to_string() }
    }
}
