//! The services behind one listener.

use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Request as HttpRequest, Response};
use serde_json::Value;
use tokio::time::sleep;

use crate::body::{Abort, Body};
use crate::faults::Faults;
use crate::macie::Macie;
use crate::organizations::Organizations;
use crate::paging::Pager;
use crate::record::{Message, Record, Request, held};
use crate::s3::{Object, S3};
use crate::seed::{Fault, FaultKind, Seed, TargetSeed};
use crate::server::{Handler, Server};
use crate::sns::Sns;
use crate::wire::{Answer, Call, Caller, Protocol, ServiceError, protocol, uuid};
use crate::{account, sts, tls};

/// Macie, SNS, STS, Account, Organizations and S3 on loopback, until it is dropped.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use simulator::{Seed, Simulator};
///
/// let simulator = Simulator::start(Seed::default()).await?;
/// assert!(simulator.url().starts_with("http://127.0.0.1:"));
/// assert!(simulator.requests().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Simulator {
    url: String,
    services: Arc<Services>,
    _server: Server,
}

impl Simulator {
    /// Starts on any free port of 127.0.0.1.
    pub async fn start(seed: Seed) -> io::Result<Simulator> {
        Simulator::start_on(seed, 0).await
    }

    /// Starts on a given port of 127.0.0.1.
    pub async fn start_on(seed: Seed, port: u16) -> io::Result<Simulator> {
        let services = Arc::new(Services::new(seed)?);
        let server = Server::start(port, None, services.clone())?;
        Ok(Simulator { url: format!("http://{}", server.address()), services, _server: server })
    }

    /// Starts with TLS, and gives the PEM text of the authority that a client has to trust.
    ///
    /// The certificate is for `127.0.0.1` and `localhost`, and made anew by each start.
    pub async fn start_tls(seed: Seed) -> io::Result<(Simulator, String)> {
        let services = Arc::new(Services::new(seed)?);
        let (acceptor, authority) = tls::acceptor()?;
        let server = Server::start(0, Some(acceptor), services.clone())?;
        let simulator = Simulator { url: format!("https://{}", server.address()), services, _server: server };
        Ok((simulator, authority))
    }

    /// What `AWS_ENDPOINT_URL` has to be, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Every request so far, in the order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.services.record.requests()
    }

    /// Every message that SNS accepted, in order; one that a FIFO topic had already is not here again.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.services.record.messages()
    }

    /// The largest number of requests that were being answered at once.
    #[must_use]
    pub fn most_in_flight(&self) -> usize {
        self.services.record.most_in_flight()
    }

    /// Forgets requests, messages and the most in flight.
    ///
    /// What the services themselves know stays: tokens, deduplication ids, and which faults are spent.
    pub fn clear(&self) {
        self.services.record.clear();
    }

    /// All objects, by `bucket/key`.
    #[must_use]
    pub fn objects(&self) -> BTreeMap<String, Object> {
        self.services.s3.objects()
    }

    /// What the object holds whose bucket and key end so.
    #[must_use]
    pub fn object(&self, end: &str) -> Option<Bytes> {
        self.services.s3.object(end)
    }

    /// Puts an object under `bucket/key`, in the place of one that is there.
    pub fn put_object(&self, path: &str, body: Bytes) {
        self.services.s3.put(path, body);
    }

    /// Removes the objects whose bucket and key end so, and tells how many there were.
    pub fn forget_objects(&self, end: &str) -> usize {
        self.services.s3.forget(end)
    }

    /// Puts other faults in the place of the present ones; counting begins anew.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.services.faults.replace(faults);
    }

    /// Puts other targets in the place of the present ones: somebody changed something.
    pub fn set_targets(&self, targets: Vec<TargetSeed>) {
        let seed = Seed { targets, ..self.services.seed.clone() };
        *held(&self.services.macie) = Arc::new(Macie::new(&seed));
    }
}

/// Everything that answers.
#[derive(Debug)]
struct Services {
    seed: Seed,
    macie: Mutex<Arc<Macie>>,
    organizations: Organizations,
    sns: Sns,
    s3: S3,
    pager: Pager,
    faults: Faults,
    record: Record,
}

impl Services {
    fn new(seed: Seed) -> io::Result<Services> {
        seed.check().map_err(|problem| io::Error::new(io::ErrorKind::InvalidInput, problem))?;
        Ok(Services {
            macie: Mutex::new(Arc::new(Macie::new(&seed))),
            organizations: Organizations::new(seed.organizations.clone()),
            sns: Sns::new(seed.topics.clone()),
            s3: S3::new(&seed.objects),
            pager: Pager::new(seed.paging.clone()),
            faults: Faults::new(seed.faults.clone()),
            record: Record::default(),
            seed,
        })
    }

    /// The right answer, but for its tokens when a fault is about those.
    fn answer(&self, call: &Call, fault: Option<&FaultKind>, request_id: &str) -> Answer {
        let service = call.caller.service.as_str();
        let macie = held(&self.macie).clone();
        let answer = match service {
            "macie2" => macie.answer(call, &self.pager, fault),
            "account" => account::answer(call, &self.seed.regions, &self.pager, fault),
            "organizations" => self.organizations.answer(call, &macie, &self.pager, fault),
            "sts" => sts::answer(call, &self.seed.roles, request_id),
            "sns" => self.sns.answer(call, &self.record, request_id),
            "s3" => self.s3.answer(call),
            _ => {
                let message = format!("The simulator has no service {service}");
                Err(ServiceError::new(400, "UnknownService", message))
            }
        };
        answer.unwrap_or_else(|error| Answer::error(service, request_id, &error))
    }

    async fn respond(&self, call: &Call, order: u64, abort: Abort) -> Response<Body> {
        let request_id = uuid(0, order);
        let fault = self.faults.pick(call);
        if self.seed.latency_ms > 0 {
            sleep(Duration::from_millis(self.seed.latency_ms)).await;
        }
        let right = || self.answer(call, fault.as_ref(), &request_id);
        let respond = |answer: &Answer, body: Body| {
            self.record.answered(order, answer.status);
            response(answer, &request_id, body)
        };
        let whole = |answer: Answer| respond(&answer, Body::whole(answer.body.clone()));
        match fault.clone() {
            Some(FaultKind::Error { status, code, message }) => {
                let error = ServiceError::new(status, &code, message);
                whole(Answer::error(&call.caller.service, &request_id, &error))
            }
            Some(FaultKind::Respond { status, content_type, body }) => {
                whole(Answer { status, content_type, ..Answer::json(body) })
            }
            Some(FaultKind::Truncate) => {
                let mut answer = right();
                answer.body.truncate(answer.body.len() / 2);
                whole(answer)
            }
            Some(FaultKind::Hang) => pending().await,
            Some(FaultKind::Reset) => {
                abort.now();
                pending().await
            }
            Some(FaultKind::AfterAccept) => {
                right();
                abort.now();
                pending().await
            }
            Some(FaultKind::ResetMidBody) => {
                let answer = right();
                respond(&answer, Body::half_then_reset(&answer.body, abort))
            }
            Some(FaultKind::HangMidBody) => {
                let answer = right();
                respond(&answer, Body::half_then_hang(&answer.body))
            }
            Some(FaultKind::BigBody { bytes }) => {
                let answer = right();
                respond(&answer, Body::padded(answer.body.clone(), bytes))
            }
            Some(FaultKind::Drip { bytes }) => {
                let answer = right();
                respond(&answer, Body::dripping(&answer.body, bytes))
            }
            Some(FaultKind::Slow { ms }) => {
                sleep(Duration::from_millis(ms)).await;
                whole(right())
            }
            Some(FaultKind::Overwritten { body }) => {
                self.s3.put(&call.path, body.into());
                whole(right())
            }
            Some(FaultKind::RepeatToken | FaultKind::CycleTokens | FaultKind::EndlessEmpty) | None => whole(right()),
        }
    }

    /// What the simulator tells about itself, without a signature.
    fn about(&self, path: &str) -> Response<Body> {
        let (status, told) = match path {
            "/_simulator/messages" => (200, serde_json::to_vec(&self.record.messages())),
            "/_simulator/objects" => (200, serde_json::to_vec(&self.s3.objects())),
            "/_simulator/requests" => (200, serde_json::to_vec(&self.record.requests())),
            _ => (404, Ok(b"null".to_vec())),
        };
        let answer = Answer { status, ..Answer::json(told.unwrap_or_default()) };
        let body = Body::whole(answer.body.clone());
        response(&answer, "", body)
    }

    fn asked(&self, call: &Call, head: &Parts, order: u64) {
        let mut query = call.query.clone();
        query.remove("Message");
        let body = match protocol(&call.caller.service) {
            Protocol::Json | Protocol::Json11 => serde_json::from_slice(&call.body).unwrap_or_default(),
            Protocol::Xml | Protocol::S3 => Value::Null,
        };
        self.record.asked(Request {
            order,
            service: call.caller.service.clone(),
            operation: call.operation.clone(),
            account: call.caller.account.clone(),
            region: call.caller.region.clone(),
            path: call.path.clone(),
            query,
            headers: call.headers.clone(),
            body,
            attempt: attempt(head).unwrap_or(1),
            status: None,
        });
    }
}

impl Handler for Services {
    async fn handle(self: Arc<Self>, request: HttpRequest<Incoming>, abort: Abort) -> Response<Body> {
        if request.uri().path().starts_with("/_simulator/") {
            return self.about(request.uri().path());
        }
        let in_flight = self.record.enter();
        let (head, body) = request.into_parts();
        // A client that breaks off its own body does not wait for an answer either.
        let body: Bytes = match body.collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => pending().await,
        };
        let order = self.record.number();
        let Some(caller) = Caller::read(&head.headers, &self.seed.account) else {
            let message = "Missing Authentication Token";
            let error = ServiceError::new(403, "MissingAuthenticationTokenException", message);
            let request_id = uuid(0, order);
            let answer = Answer::error("", &request_id, &error);
            let body = Body::whole(answer.body.clone());
            return response(&answer, &request_id, body).map(|body| body.counted(in_flight));
        };
        let call = Call::read(caller, &head, body);
        self.asked(&call, &head, order);
        let response = self.respond(&call, order, abort).await;
        response.map(|body| body.counted(in_flight))
    }
}

/// Reads `attempt=2; max=3`.
fn attempt(head: &Parts) -> Option<u32> {
    let header = head.headers.get("amz-sdk-request")?.to_str().ok()?;
    let number = header.split(';').find_map(|part| part.trim().strip_prefix("attempt="))?;
    number.parse().ok()
}

fn response(answer: &Answer, request_id: &str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    if let Ok(status) = answer.status.try_into() {
        *response.status_mut() = status;
    }
    let mut set = |name: &str, value: &str| {
        // A seed may hold what no header can; such a header is left out.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    };
    set("content-type", &answer.content_type);
    set("x-amzn-requestid", request_id);
    answer.headers.iter().for_each(|(name, value)| set(name, value));
    response
}
