//! S3: PutObject and GetObject, in memory. Every bucket exists, keeps what is put into it, and demands to
//! be told how to encrypt it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hyper::HeaderMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::record::held;
use crate::wire::{Answer, Call, ServiceError};

/// The operations, as faults may name them.
pub(crate) const OPERATIONS: [&str; 2] = ["GetObject", "PutObject"];

const ENCRYPTION: &str = "x-amz-server-side-encryption";
const CHECKSUM: &str = "x-amz-checksum-sha256";
const LOCK: [&str; 2] = ["x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date"];

/// What the headers begin with that say something about an object; the others are of every request.
const ABOUT_OBJECTS: [&str; 8] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-md5",
    "content-type",
    "if-",
    "x-amz-",
];

/// Those of them that belong to the signature or to the request alone.
const ABOUT_REQUESTS: [&str; 4] = ["x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-amz-user-agent"];

/// One object, as it was last stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Object {
    /// What it holds; in JSON as text.
    #[serde(serialize_with = "as_text")]
    pub body: Bytes,
    /// The headers of the request that stored it, but for those of the signature, in small letters; none for
    /// an object that a test put there.
    pub headers: BTreeMap<String, String>,
    /// The entity tag, with its quotes. The same content has the same.
    pub etag: String,
}

fn as_text<S: Serializer>(body: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(body))
}

impl Object {
    fn new(body: Bytes, headers: BTreeMap<String, String>) -> Object {
        // Not the MD5 sum that S3 has for most objects, which nobody may rely on.
        let hex: String = Sha256::digest(&body).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Object { body, headers, etag: format!("\"{hex}\"") }
    }

    /// The headers that tell of it in an answer.
    fn told(&self, call: &Call) -> BTreeMap<String, String> {
        let checksum = call.header("x-amz-checksum-mode") == Some("ENABLED");
        let kept = |name: &str| match name {
            CHECKSUM => checksum || call.operation == "PutObject",
            _ => name.starts_with(ENCRYPTION) || (LOCK.contains(&name) && call.operation == "GetObject"),
        };
        let kept = self.headers.iter().filter(|(name, _)| kept(name));
        let mut told: BTreeMap<_, _> = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
        told.insert("etag".to_owned(), self.etag.clone());
        told
    }
}

/// The headers of a request that are about an object.
pub(crate) fn headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let about =
        |name: &str| ABOUT_OBJECTS.iter().any(|start| name.starts_with(start)) && !ABOUT_REQUESTS.contains(&name);
    let text = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    text.filter(|(name, _)| about(name)).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The objects by `bucket/key`.
#[derive(Debug)]
pub(crate) struct S3(Mutex<BTreeMap<String, Object>>);

impl S3 {
    pub(crate) fn new(seed: &BTreeMap<String, Value>) -> S3 {
        let s3 = S3(Mutex::default());
        for (path, value) in seed {
            s3.put(path, crate::criteria::text(value).into());
        }
        s3
    }

    pub(crate) fn answer(&self, call: &Call) -> Result<Answer, ServiceError> {
        let path = name(&call.path);
        let mut objects = held(&self.0);
        match call.operation.as_str() {
            "PutObject" => {
                check(call)?;
                check_conditions(call, objects.get(path))?;
                let object = Object::new(call.body.clone(), call.headers.clone());
                let headers = object.told(call);
                objects.insert(path.to_owned(), object);
                Ok(Answer { headers, ..Answer::json(Bytes::new()) })
            }
            "GetObject" => {
                let object = objects.get(path).ok_or_else(no_such_key)?;
                let content_type = object.headers.get("content-type").cloned();
                Ok(Answer {
                    content_type: content_type.unwrap_or_else(|| "application/octet-stream".to_owned()),
                    headers: object.told(call),
                    ..Answer::json(object.body.clone())
                })
            }
            _ => Err(ServiceError::new(405, "MethodNotAllowed", "The simulator has no such operation of S3")),
        }
    }

    /// Puts an object under a path, as if it had been stored.
    pub(crate) fn put(&self, path: &str, body: Bytes) {
        held(&self.0).insert(name(path).to_owned(), Object::new(body, BTreeMap::new()));
    }

    /// Removes the objects whose path ends so, and tells how many there were.
    pub(crate) fn forget(&self, end: &str) -> usize {
        let mut objects = held(&self.0);
        let before = objects.len();
        objects.retain(|path, _| !path.ends_with(end));
        before - objects.len()
    }

    pub(crate) fn objects(&self) -> BTreeMap<String, Object> {
        held(&self.0).clone()
    }

    /// What an object holds whose path ends so.
    pub(crate) fn object(&self, end: &str) -> Option<Bytes> {
        held(&self.0).iter().find(|(path, _)| path.ends_with(end)).map(|(_, object)| object.body.clone())
    }
}

/// The bucket and the key of a path.
fn name(path: &str) -> &str {
    path.strip_prefix('/').unwrap_or(path)
}

fn no_such_key() -> ServiceError {
    ServiceError::new(404, "NoSuchKey", "The specified key does not exist.")
}

/// Refuses what S3 refuses whatever is there.
fn check(call: &Call) -> Result<(), ServiceError> {
    // Organizations deny such a request, though S3 encrypts what it stores anyway.
    if call.header(ENCRYPTION).is_none() {
        return Err(ServiceError::new(403, "AccessDenied", "Access Denied"));
    }
    if let Some(sent) = call.header(CHECKSUM) {
        let Some(sent) = BASE64_STANDARD.decode(sent).ok().filter(|sum| sum.len() == 32) else {
            let message = format!("Value for {CHECKSUM} header is invalid.");
            return Err(ServiceError::new(400, "InvalidRequest", message));
        };
        if sent != Sha256::digest(&call.body)[..] {
            let message = "The SHA256 you specified did not match the calculated checksum.";
            return Err(ServiceError::new(400, "BadDigest", message));
        }
    }
    match LOCK.map(|header| call.header(header)) {
        [None, None] => {}
        [Some(_), Some(_)] => {
            let is_checksum = |name: &String| name.starts_with("x-amz-checksum-") || name == "content-md5";
            if !call.headers.keys().any(is_checksum) {
                let message = "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with \
                               Object Lock parameters";
                return Err(ServiceError::new(400, "InvalidRequest", message));
            }
        }
        _ => {
            let message = format!("{} and {} must both be supplied", LOCK[1], LOCK[0]);
            return Err(ServiceError::new(400, "InvalidArgument", message));
        }
    }
    Ok(())
}

/// Refuses a write that depends on something else than what is there.
fn check_conditions(call: &Call, there: Option<&Object>) -> Result<(), ServiceError> {
    let failed = || {
        let message = "At least one of the pre-conditions you specified did not hold";
        Err(ServiceError::new(412, "PreconditionFailed", message))
    };
    match call.header("if-none-match") {
        None => {}
        Some("*") if there.is_some() => return failed(),
        Some("*") => {}
        Some(_) => {
            let message = "A header you provided implies functionality that is not implemented";
            return Err(ServiceError::new(501, "NotImplemented", message));
        }
    }
    let Some(expected) = call.header("if-match") else {
        return Ok(());
    };
    let etag = &there.ok_or_else(no_such_key)?.etag;
    if expected == "*" || expected.trim_matches('"') == etag.trim_matches('"') { Ok(()) } else { failed() }
}
