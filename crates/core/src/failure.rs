//! Why a request did not succeed.

use serde::{Deserialize, Serialize};

use crate::refusal::{self, Refusal};

/// Why a request did not succeed: a read that did not finish, or a report that was not delivered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The service's error code, the SDK's name for an error without one, or one of our own.
    pub code: String,
    /// The service's message, or our explanation.
    pub message: String,
    /// The service's request id, where there was an answer.
    pub request_id: Option<String>,
}

impl Failure {
    /// The Lambda deadline came near before the read was finished.
    pub const DEADLINE_EXCEEDED: &str = "DeadlineExceeded";
    /// A page token came back that had been followed before.
    pub const PAGINATION_LOOP: &str = "PaginationLoop";
    /// The answer lacks what the API promises, so it cannot count as read.
    pub const INVALID_RESPONSE: &str = "InvalidResponse";
    /// The host name of the service does not exist.
    pub const UNKNOWN_HOST: &str = "UnknownHost";

    /// The failure of a read that the deadline cut short.
    pub fn deadline_exceeded() -> Failure {
        Failure::own(Failure::DEADLINE_EXCEEDED, "the Lambda deadline came near before this was read")
    }

    /// An answer that does not hold what it should.
    pub fn invalid_response(message: impl Into<String>) -> Failure {
        Failure::own(Failure::INVALID_RESPONSE, message)
    }

    /// A failure that this product found by itself.
    pub fn own(code: &str, message: impl Into<String>) -> Failure {
        Failure { code: code.to_owned(), message: message.into(), request_id: None }
    }

    /// What the service's refusal means, if it is one.
    pub fn refusal(&self) -> Option<Refusal> {
        refusal::classify(&self.code, &self.message)
    }
}
