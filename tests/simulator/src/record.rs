//! What was asked of the simulator, and what was published to it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::Value;

/// One request, as it was understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// Its number in the order of arrival, from 1 and over the whole life of the simulator.
    pub order: u64,
    /// The service of the signature: `macie2`, `sns`, `sts`, `account`, `organizations` or `s3`.
    pub service: String,
    /// The operation, such as `ListMembers`, or empty when there is none such.
    pub operation: String,
    /// The account that the access key belongs to.
    pub account: String,
    /// The Region of the signature.
    pub region: String,
    /// The path, decoded.
    pub path: String,
    /// The query, decoded; for SNS and STS the form in the body, without `Message`.
    pub query: BTreeMap<String, String>,
    /// The headers of a request to S3 that are about the object, in small letters; of no other service.
    pub headers: BTreeMap<String, String>,
    /// The body of a request to a JSON service, null where it is empty or no JSON; of no other service.
    pub body: Value,
    /// Which attempt at the same call it is, as the SDK says in `amz-sdk-request`, else 1.
    pub attempt: u32,
    /// The HTTP status answered; none while, or because, there was no answer.
    pub status: Option<u16>,
}

/// One message that SNS accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// The ARN of the topic.
    pub topic: String,
    /// The account that published it.
    pub account: String,
    /// The subject.
    pub subject: Option<String>,
    /// `Message` as it was sent: with structure `json`, the JSON text of all its parts.
    pub body: String,
    /// `json`, or none.
    pub structure: Option<String>,
    /// The attributes: type and value by name.
    pub attributes: BTreeMap<String, (String, String)>,
    /// The message group, of a FIFO topic.
    pub group_id: Option<String>,
    /// The deduplication id, of a FIFO topic.
    pub deduplication_id: Option<String>,
    /// The id that was answered.
    pub message_id: String,
}

/// Everything that was seen.
#[derive(Debug, Default)]
pub(crate) struct Record {
    requests: Mutex<Vec<Request>>,
    messages: Mutex<Vec<Message>>,
    last: AtomicU64,
    gauge: Arc<Gauge>,
}

impl Record {
    pub(crate) fn requests(&self) -> Vec<Request> {
        held(&self.requests).clone()
    }

    pub(crate) fn messages(&self) -> Vec<Message> {
        held(&self.messages).clone()
    }

    pub(crate) fn most_in_flight(&self) -> usize {
        self.gauge.most.load(Ordering::SeqCst)
    }

    pub(crate) fn clear(&self) {
        held(&self.requests).clear();
        held(&self.messages).clear();
        let now = self.gauge.now.load(Ordering::SeqCst);
        self.gauge.most.store(now, Ordering::SeqCst);
    }

    /// A number for the next request, which also makes its request id.
    pub(crate) fn number(&self) -> u64 {
        self.last.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(crate) fn asked(&self, request: Request) {
        held(&self.requests).push(request);
    }

    pub(crate) fn answered(&self, order: u64, status: u16) {
        let mut requests = held(&self.requests);
        if let Some(request) = requests.iter_mut().rev().find(|seen| seen.order == order) {
            request.status = Some(status);
        }
    }

    pub(crate) fn published(&self, message: Message) {
        held(&self.messages).push(message);
    }

    /// Counts a request as being answered until the guard is dropped.
    pub(crate) fn enter(&self) -> InFlight {
        let now = self.gauge.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.gauge.most.fetch_max(now, Ordering::SeqCst);
        InFlight(self.gauge.clone())
    }
}

#[derive(Debug, Default)]
struct Gauge {
    now: AtomicUsize,
    most: AtomicUsize,
}

/// Held while a request is being answered.
pub(crate) struct InFlight(Arc<Gauge>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Locks, also after a panic elsewhere: what is behind these locks is never left half changed.
pub(crate) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
