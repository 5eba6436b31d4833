//! S3: PutObject and GetObject, in memory. Every bucket exists, keeps what is put into it, and demands to
//! be told how to encrypt it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use bytes::Bytes;

use crate::record::held;
use crate::wire::{Answer, Call, ServiceError};

/// The operations, as faults may name them.
pub(crate) const OPERATIONS: [&str; 2] = ["GetObject", "PutObject"];

/// The headers that say how an object is to be encrypted. They are recorded with the query.
pub(crate) const ENCRYPTION: [&str; 2] =
    ["x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id"];

/// The objects by their path, which is the bucket and the key.
#[derive(Debug, Default)]
pub(crate) struct S3(Mutex<BTreeMap<String, Bytes>>);

impl S3 {
    pub(crate) fn answer(&self, call: &Call) -> Result<Answer, ServiceError> {
        let mut objects = held(&self.0);
        let body = match call.operation.as_str() {
            // Organizations deny such a request, though S3 encrypts what it stores anyway.
            "PutObject" if call.parameter(ENCRYPTION[0]).is_none() => {
                return Err(ServiceError::new(403, "AccessDenied", "Access Denied"));
            }
            "PutObject" => {
                objects.insert(call.path.clone(), call.body.clone());
                Bytes::new()
            }
            "GetObject" => objects
                .get(&call.path)
                .cloned()
                .ok_or_else(|| ServiceError::new(404, "NoSuchKey", "The specified key does not exist."))?,
            _ => return Err(ServiceError::new(405, "MethodNotAllowed", "The simulator has no such operation of S3")),
        };
        Ok(Answer { content_type: "application/octet-stream".to_owned(), ..Answer::json(body) })
    }

    /// Puts an object under a path, as if it had been stored.
    pub(crate) fn put(&self, path: &str, body: Bytes) {
        held(&self.0).insert(path.to_owned(), body);
    }

    /// Removes the objects whose path ends so, and tells how many there were.
    pub(crate) fn forget(&self, end: &str) -> usize {
        let mut objects = held(&self.0);
        let before = objects.len();
        objects.retain(|path, _| !path.ends_with(end));
        before - objects.len()
    }

    /// What an object holds whose path ends so.
    pub(crate) fn object(&self, end: &str) -> Option<Bytes> {
        held(&self.0).iter().find(|(path, _)| path.ends_with(end)).map(|(_, body)| body.clone())
    }
}
