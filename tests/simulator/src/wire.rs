//! Requests as they come and answers as they go, in the two protocols that the services speak.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde_json::json;

/// Who calls which service, read from the signature's credential scope.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) service: String,
    pub(crate) region: String,
    pub(crate) account: String,
}

/// What access keys begin with that AssumeRole gave out; the account follows.
const ASSUMED: &str = "ASIASIMULATED";

/// An access key that tells later which account it was given out for.
pub(crate) fn assumed_key(account: &str) -> String {
    format!("{ASSUMED}{account}")
}

impl Caller {
    /// Reads the Authorization header. The signature itself is not verified.
    pub(crate) fn read(headers: &HeaderMap, own_account: &str) -> Option<Caller> {
        let header = headers.get("authorization")?.to_str().ok()?;
        let scope = header.split_once("Credential=")?.1.split(',').next()?;
        let mut parts = scope.trim().split('/');
        let (key, _date) = (parts.next()?, parts.next()?);
        let (region, service) = (parts.next()?, parts.next()?);
        let account = key.strip_prefix(ASSUMED).unwrap_or(own_account);
        (parts.next() == Some("aws4_request")).then(|| Caller {
            service: service.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
        })
    }
}

/// One request, read.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) caller: Caller,
    pub(crate) operation: String,
    pub(crate) path: String,
    /// The last part of the path, decoded, which is the resource in those that name one.
    pub(crate) resource: String,
    pub(crate) query: BTreeMap<String, String>,
    /// What a request to S3 says in headers; the other services have theirs in the body.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn read(caller: Caller, head: &Parts, body: Bytes) -> Call {
        // What is encoded may hold a slash, so that the path is told apart before it is decoded.
        let path = head.uri.path();
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let form = match protocol(&caller.service) {
            Protocol::Json | Protocol::Json11 | Protocol::S3 => head.uri.query().unwrap_or_default().as_bytes(),
            Protocol::Xml => &body[..],
        };
        let query: BTreeMap<String, String> = form_urlencoded::parse(form).into_owned().collect();
        let headers = match protocol(&caller.service) {
            Protocol::S3 => crate::s3::headers(&head.headers),
            Protocol::Json | Protocol::Json11 | Protocol::Xml => BTreeMap::new(),
        };
        let operation = match caller.service.as_str() {
            "macie2" => crate::routes::operation(&head.method, path),
            "account" if head.method == "POST" && path == "/listRegions" => "ListRegions",
            "organizations" => {
                let target = head.headers.get("x-amz-target");
                crate::organizations::operation(target.and_then(|target| target.to_str().ok()))
            }
            "s3" if head.method == "PUT" => "PutObject",
            "s3" if head.method == "GET" => "GetObject",
            "sns" | "sts" => query.get("Action").map_or("", String::as_str),
            _ => "",
        }
        .to_owned();
        Call {
            caller,
            operation,
            path: decode(path),
            resource: decode(path.rsplit('/').next().unwrap_or_default()),
            query,
            headers,
            body,
        }
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The body of a request to a JSON service.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, ServiceError> {
        serde_json::from_slice(&self.body).map_err(|err| ServiceError::validation(err.to_string()))
    }

    /// The same, where an empty body says nothing.
    pub(crate) fn json_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, ServiceError> {
        if self.body.is_empty() { Ok(T::default()) } else { self.json() }
    }
}

/// How a service writes its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Json,
    /// JSON whose errors name themselves in the body.
    Json11,
    Xml,
    /// Objects as they are, and errors in XML without an envelope.
    S3,
}

pub(crate) fn protocol(service: &str) -> Protocol {
    match service {
        "sns" | "sts" => Protocol::Xml,
        "organizations" => Protocol::Json11,
        "s3" => Protocol::S3,
        _ => Protocol::Json,
    }
}

fn namespace(service: &str) -> &'static str {
    match service {
        "sts" => "https://sts.amazonaws.com/doc/2011-06-15/",
        _ => "http://sns.amazonaws.com/doc/2010-03-31/",
    }
}

/// An answer before it is put on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(body: impl Into<Bytes>) -> Answer {
        Answer { status: 200, content_type: "application/json".to_owned(), headers: BTreeMap::new(), body: body.into() }
    }

    pub(crate) fn json_1_1(body: impl Into<Bytes>) -> Answer {
        Answer { content_type: "application/x-amz-json-1.1".to_owned(), ..Answer::json(body) }
    }

    /// The result of an operation of the Query protocol; `result` is XML already.
    pub(crate) fn xml(service: &str, operation: &str, result: &str, request_id: &str) -> Answer {
        let namespace = namespace(service);
        let body = format!(
            "<{operation}Response xmlns=\"{namespace}\">\
             <{operation}Result>{result}</{operation}Result>\
             <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>\
             </{operation}Response>"
        );
        Answer { status: 200, content_type: "text/xml".to_owned(), ..Answer::json(body) }
    }

    /// An error in the protocol of the service.
    pub(crate) fn error(service: &str, request_id: &str, error: &ServiceError) -> Answer {
        let ServiceError { status, code, message } = error;
        if protocol(service) == Protocol::Json {
            return Answer {
                status: *status,
                // By this clients of the JSON services tell errors apart.
                headers: [("x-amzn-errortype".to_owned(), code.clone())].into(),
                ..Answer::json(json!({ "message": message }).to_string())
            };
        }
        if protocol(service) == Protocol::Json11 {
            let body = json!({"__type": code, "Message": message}).to_string();
            return Answer { status: *status, ..Answer::json_1_1(body) };
        }
        let xml = |body: String| Answer { status: *status, content_type: "text/xml".to_owned(), ..Answer::json(body) };
        let (code, message) = (escape(code), escape(message));
        if protocol(service) == Protocol::S3 {
            return xml(format!(
                "<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{request_id}</RequestId></Error>"
            ));
        }
        let namespace = namespace(service);
        let kind = if *status < 500 { "Sender" } else { "Receiver" };
        xml(format!(
            "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{kind}</Type><Code>{code}</Code>\
             <Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        ))
    }
}

/// An error that a service answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceError {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl ServiceError {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> ServiceError {
        ServiceError { status, code: code.to_owned(), message: message.into() }
    }

    /// What the JSON services call a request that does not fit their model.
    pub(crate) fn validation(message: impl Into<String>) -> ServiceError {
        ServiceError::new(400, "ValidationException", message)
    }
}

/// The resource, or the error of one that is not there.
pub(crate) fn found(resource: Option<String>) -> Result<String, ServiceError> {
    let message = "The specified resource does not exist";
    resource.ok_or_else(|| ServiceError::new(404, "ResourceNotFoundException", message))
}

/// Writes text so that it can stand between XML tags.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// An id in the shape of a UUID, the same for the same number.
pub(crate) fn uuid(kind: u16, number: u64) -> String {
    let (high, low) = (number >> 48, number & 0xffff_ffff_ffff);
    format!("51b0{kind:04x}-0000-4000-8{high:03x}-{low:012x}")
}

/// The time since 1970.
#[expect(clippy::disallowed_methods, reason = "a service has a clock of its own; this is the only place that reads it")]
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A time in seconds since 1970 in ISO 8601, as the services write it.
pub(crate) fn iso8601(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Counting from 1 March of the year 0 puts the leap day at the end of its year.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_services_write_them() {
        assert_eq!(iso8601(0), "1970-01-01T00:00:00Z");
        assert_eq!(iso8601(951_827_696), "2000-02-29T12:34:56Z");
        assert_eq!(iso8601(1_795_327_204), "2026-11-22T06:00:04Z");
    }

    #[test]
    fn the_scope_names_service_region_and_account() {
        let read = |header: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("authorization", header.parse().expect("a header"));
            Caller::read(&headers, "999999999999")
        };
        let plain = read("AWS4-HMAC-SHA256 Credential=AKID/20261122/eu-west-1/sns/aws4_request, SignedHeaders=host");
        let expected = |service: &str, account: &str| Caller {
            service: service.to_owned(),
            region: "eu-west-1".to_owned(),
            account: account.to_owned(),
        };
        assert_eq!(plain, Some(expected("sns", "999999999999")));
        let key = assumed_key("111111111111");
        let assumed = read(&format!("AWS4-HMAC-SHA256 Credential={key}/20261122/eu-west-1/macie2/aws4_request"));
        assert_eq!(assumed, Some(expected("macie2", "111111111111")));
        assert_eq!(read("Bearer x"), None);
        assert_eq!(read("AWS4-HMAC-SHA256 Credential=AKID/20261122"), None);
    }
}
