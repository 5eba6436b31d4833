//! A Lambda Runtime API, so that a function's binary can be run as Lambda runs it.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::http::HeaderValue;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::Value;
use tokio::sync::{Notify, oneshot, watch};

use crate::body::{Abort, Body};
use crate::record::held;
use crate::server::{Handler, Server};
use crate::wire::{now, uuid};

/// What the paths of the Runtime API begin with.
const PREFIX: &str = "/2018-06-01/runtime/";

/// One invocation as Lambda hands it to a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The event, as bytes, so that it may also be no JSON.
    pub event: Vec<u8>,
    /// The id, which Lambda keeps when it tries an asynchronous invocation again.
    pub request_id: String,
    /// When the function has to be done, in milliseconds since 1970.
    pub deadline_ms: u64,
    /// The ARN that was invoked.
    pub function_arn: String,
}

impl Invocation {
    /// An invocation with an id of its own and a minute of time.
    #[must_use]
    pub fn new(event: Value) -> Invocation {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let deadline = now() + Duration::from_secs(60);
        Invocation {
            event: event.to_string().into_bytes(),
            request_id: uuid(4, LAST.fetch_add(1, Ordering::SeqCst) + 1),
            deadline_ms: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX),
            function_arn: "arn:aws:lambda:us-east-1:999999999999:function:macie-compliance".to_owned(),
        }
    }
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The function's answer.
    Answer(Value),
    /// The function failed.
    Error {
        /// The kind of failure, as the runtime calls it.
        error_type: String,
        /// What it says.
        message: String,
    },
}

/// A Runtime API on loopback, until it is dropped.
#[derive(Debug)]
pub struct RuntimeApi {
    address: String,
    state: Arc<State>,
    _server: Server,
}

#[derive(Debug)]
struct State {
    queue: Mutex<VecDeque<(Invocation, oneshot::Sender<Outcome>)>>,
    queued: Notify,
    running: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
    ready: watch::Sender<bool>,
    init_error: Mutex<Option<Value>>,
}

impl RuntimeApi {
    /// Starts on any free port of 127.0.0.1.
    pub async fn start() -> io::Result<RuntimeApi> {
        let state = Arc::new(State {
            queue: Mutex::default(),
            queued: Notify::new(),
            running: Mutex::default(),
            ready: watch::Sender::new(false),
            init_error: Mutex::default(),
        });
        let server = Server::start(0, None, state.clone())?;
        Ok(RuntimeApi { address: server.address().to_string(), state, _server: server })
    }

    /// What `AWS_LAMBDA_RUNTIME_API` has to be: host and port.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Gives an invocation to the next function that asks for one, and waits for how it ends.
    ///
    /// An invocation whose waiting is given up before a function asked is never handed out.
    pub async fn invoke(&self, invocation: Invocation) -> Outcome {
        let (sender, receiver) = oneshot::channel();
        held(&self.state.queue).push_back((invocation, sender));
        self.state.queued.notify_one();
        receiver.await.unwrap_or_else(|_| Outcome::Error {
            error_type: "Simulator.Superseded".to_owned(),
            message: "another invocation with the same request id was handed out".to_owned(),
        })
    }

    /// Waits until a function asked for its first invocation, so that its start is over.
    pub async fn ready(&self) {
        let mut ready = self.state.ready.subscribe();
        // The sender lives as long as the API, so that waiting cannot fail.
        let _ = ready.wait_for(|ready| *ready).await;
    }

    /// What a function reported when its start failed.
    #[must_use]
    pub fn init_error(&self) -> Option<Value> {
        held(&self.state.init_error).clone()
    }
}

impl State {
    async fn next(&self) -> Response<Body> {
        self.ready.send_replace(true);
        let invocation = loop {
            if let Some(invocation) = self.take() {
                break invocation;
            }
            self.queued.notified().await;
        };
        let mut response = Response::new(Body::whole(invocation.event.into()));
        let deadline = invocation.deadline_ms.to_string();
        let headers = [
            ("content-type", "application/json"),
            ("lambda-runtime-aws-request-id", &invocation.request_id),
            ("lambda-runtime-deadline-ms", &deadline),
            ("lambda-runtime-invoked-function-arn", &invocation.function_arn),
            ("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0"),
        ];
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    fn take(&self) -> Option<Invocation> {
        let mut queue = held(&self.queue);
        while let Some((invocation, sender)) = queue.pop_front() {
            if sender.is_closed() {
                continue;
            }
            held(&self.running).insert(invocation.request_id.clone(), sender);
            return Some(invocation);
        }
        None
    }

    fn finish(&self, request_id: &str, outcome: Outcome) -> Response<Body> {
        match held(&self.running).remove(request_id) {
            Some(sender) => {
                // Nobody waits any more when the caller gave up, which is its right.
                let _ = sender.send(outcome);
                answer(StatusCode::ACCEPTED, r#"{"status":"OK"}"#)
            }
            None => answer(
                StatusCode::BAD_REQUEST,
                r#"{"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}"#,
            ),
        }
    }
}

impl Handler for State {
    async fn handle(self: Arc<Self>, request: Request<Incoming>, _: Abort) -> Response<Body> {
        let (head, body) = request.into_parts();
        let body = match body.collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => Bytes::new(),
        };
        let path = head.uri.path().strip_prefix(PREFIX).unwrap_or_default();
        match (&head.method, &path.split('/').collect::<Vec<_>>()[..]) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => {
                let outcome = match serde_json::from_slice(&body) {
                    Ok(value) => Outcome::Answer(value),
                    Err(err) => {
                        Outcome::Error { error_type: "Simulator.InvalidAnswer".to_owned(), message: err.to_string() }
                    }
                };
                self.finish(id, outcome)
            }
            (&Method::POST, ["invocation", id, "error"]) => self.finish(id, read_error(&body)),
            (&Method::POST, ["init", "error"]) => {
                let reported = serde_json::from_slice(&body)
                    .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned()));
                *held(&self.init_error) = Some(reported);
                answer(StatusCode::ACCEPTED, r#"{"status":"OK"}"#)
            }
            _ => answer(StatusCode::NOT_FOUND, "{}"),
        }
    }
}

fn read_error(body: &[u8]) -> Outcome {
    let reported: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| reported[name].as_str().unwrap_or_default().to_owned();
    Outcome::Error { error_type: text("errorType"), message: text("errorMessage") }
}

fn answer(status: StatusCode, body: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::whole(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert("content-type", json);
    response
}
