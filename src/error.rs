//! Why an invocation failed, as Lambda tells it.

use std::fmt;

use lambda_runtime::Diagnostic;

use macie_compliance_core::failure::Failure;
use macie_compliance_core::inlet::event::InvalidEvent;
use macie_compliance_core::report::v1::Report;
use macie_compliance_core::text::plain;

use crate::outlets::Undelivered;

/// The longest message of a service shown. A refusal names the policy that it comes from at its end.
const MESSAGE: usize = 1024;

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

impl Error {
    /// The error of a report that was not delivered.
    pub(crate) fn publish_failed(failed: Box<(Report, Undelivered)>) -> Error {
        let (report, Undelivered { delivered, of, failure }) = *failed;
        Error::PublishFailed { report_id: report.report_id, published: delivered, messages: of, failure }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::InvalidEvent(error) => error.fmt(f),
            Error::StepFailed { what, failure } => {
                write!(f, "{}: {}: {}", plain(what, 256), plain(&failure.code, 64), plain(&failure.message, MESSAGE))
            }
            Error::PublishFailed { report_id, published, messages, failure } => write!(
                f,
                "report {}: {published} of {messages} messages published, then {}: {}",
                plain(report_id, 256),
                plain(&failure.code, 64),
                plain(&failure.message, MESSAGE)
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
