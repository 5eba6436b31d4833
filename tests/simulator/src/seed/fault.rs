//! What goes wrong.

use serde::Deserialize;

/// Something that goes wrong, and for which requests.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// `macie2`, `sns`, `sts`, `account`, `organizations` or `s3`; every service when absent.
    #[serde(default)]
    pub service: Option<String>,
    /// The operation, such as `ListMembers`; every operation when absent.
    #[serde(default)]
    pub api: Option<String>,
    /// The Region; every Region when absent.
    #[serde(default)]
    pub region: Option<String>,
    /// The calling account; every account when absent.
    #[serde(default)]
    pub account_id: Option<String>,
    /// A part of the decoded path, such as an object's key; every path when absent.
    #[serde(default)]
    pub path: Option<String>,
    /// The first matching request that it happens to, counted from 1.
    #[serde(default = "first")]
    pub from: u64,
    /// To how many matching requests it happens; to all that follow when absent.
    #[serde(default)]
    pub times: Option<u64>,
    /// What happens.
    pub kind: FaultKind,
}

fn first() -> u64 {
    1
}

impl Fault {
    /// A fault of every request of one API, to be narrowed by struct update.
    #[must_use]
    pub fn of(service: &str, api: &str, kind: FaultKind) -> Fault {
        Fault {
            service: Some(service.to_owned()),
            api: Some(api.to_owned()),
            region: None,
            account_id: None,
            path: None,
            from: first(),
            times: None,
            kind,
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let known = |service: &str, api: &str| match service {
            "macie2" => Some(crate::routes::exists(api)),
            "sns" => Some(api == "Publish"),
            "sts" => Some(["AssumeRole", "GetCallerIdentity"].contains(&api)),
            "account" => Some(api == "ListRegions"),
            "organizations" => Some(api == "ListAccounts"),
            "s3" => Some(crate::s3::OPERATIONS.contains(&api)),
            _ => None,
        };
        let Some(service) = &self.service else {
            return Ok(());
        };
        match (&self.api, known(service, self.api.as_deref().unwrap_or_default())) {
            (_, None) => Err(format!("a fault names the unknown service {service:?}")),
            (Some(api), Some(false)) => Err(format!("a fault names the unknown API {service}:{api}")),
            _ => Ok(()),
        }
    }
}

/// What happens instead of a right answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum FaultKind {
    /// An error in the protocol of the service.
    Error {
        /// The HTTP status.
        status: u16,
        /// The error code, such as `ThrottlingException`.
        code: String,
        /// The message.
        #[serde(default)]
        message: String,
    },
    /// Any answer at all.
    Respond {
        /// The HTTP status.
        status: u16,
        /// The content type.
        content_type: String,
        /// The body, sent as it is.
        body: String,
    },
    /// A right answer cut in half, with a length that agrees.
    Truncate,
    /// The connection is reset before the first byte of an answer.
    Reset,
    /// A right answer is begun and the connection reset in the middle of its body.
    ResetMidBody,
    /// No answer, for as long as the client holds the connection.
    Hang,
    /// A right answer is begun and never finished.
    HangMidBody,
    /// A right answer, late.
    Slow {
        /// How late.
        ms: u64,
    },
    /// A right answer followed by white space up to a size; still valid JSON, or XML.
    BigBody {
        /// The size of the whole body.
        bytes: u64,
    },
    /// The same, up to 65,536 bytes, which come one by one.
    Drip {
        /// The size of the whole body.
        bytes: u64,
    },
    /// The next token is the token that was sent.
    RepeatToken,
    /// The next tokens are A, B, A, B and so on.
    CycleTokens,
    /// Every page is empty and has a fresh token.
    EndlessEmpty,
    /// The request takes effect, and the connection is reset instead of an answer: a lost acknowledgement.
    AfterAccept,
    /// Somebody else writes the object that a request to S3 is for, just before it is answered.
    Overwritten {
        /// What is written.
        body: String,
    },
}
