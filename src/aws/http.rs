//! The HTTP client: one pool of connections, and a gate in front of it.
//!
//! The gate stands where a request goes out and not around an operation, so that an operation
//! that waits to be tried again keeps nobody else from going. It holds its place until the whole
//! body has come, since only then is the request over.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// The longest that one attempt at a request may take, from its first byte to the last of the
/// answer. Macie answers a page in well under a second.
pub(super) const LONGEST_ATTEMPT: Duration = Duration::from_secs(10);

/// What a right answer can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    /// A page or the receipt of a message: never empty, and never large. A page of 25 members is
    /// about 12 KB.
    Pages,
    /// A document that the function wrote itself, or the empty receipt of one. 10,000 violations of
    /// one target are about 8 MB.
    Documents,
}

impl Answers {
    /// The largest that is read, in bytes.
    fn largest(self) -> usize {
        match self {
            Answers::Pages => 4 * 1024 * 1024,
            Answers::Documents => 32 * 1024 * 1024,
        }
    }
}

/// The one HTTP client. Building it parses the system's root certificates, so it is shared.
pub(super) fn client() -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// Lets a number of requests through at a time, in the order in which they came.
#[derive(Clone, Debug)]
pub(super) struct Gate(Arc<Semaphore>);

impl Gate {
    pub(super) fn new(places: usize) -> Gate {
        Gate(Arc::new(Semaphore::new(places)))
    }

    /// The client behind this gate, with a limit on the time and the answer of each attempt.
    pub(super) fn guard(&self, client: SharedHttpClient, attempt: Duration, answers: Answers) -> SharedHttpClient {
        SharedHttpClient::new(Guarded { client, gate: self.clone(), attempt, answers })
    }
}

#[derive(Debug)]
struct Guarded {
    client: SharedHttpClient,
    gate: Gate,
    attempt: Duration,
    answers: Answers,
}

impl HttpClient for Guarded {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(GuardedConnector {
            connector: self.client.http_connector(settings, components),
            gate: self.gate.clone(),
            attempt: self.attempt,
            answers: self.answers,
        })
    }
}

#[derive(Clone, Debug)]
struct GuardedConnector {
    connector: SharedHttpConnector,
    gate: Gate,
    attempt: Duration,
    answers: Answers,
}

impl HttpConnector for GuardedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move {
            let _place = this.gate.0.acquire().await.map_err(|closed| ConnectorError::other(closed.into(), None))?;
            match timeout(this.attempt, exchange(&this.connector, request, this.answers)).await {
                Ok(result) => result,
                Err(elapsed) => Err(ConnectorError::timeout(elapsed.into())),
            }
        })
    }
}

/// One request and its whole answer.
async fn exchange(
    connector: &SharedHttpConnector,
    request: HttpRequest,
    answers: Answers,
) -> Result<HttpResponse, ConnectorError> {
    let mut response = connector.call(request).await?;
    let body = std::mem::replace(response.body_mut(), SdkBody::taken());
    let whole = read(ByteStream::new(body), answers.largest()).await?;
    // The SDK takes an empty body for an empty document, and with that "no administrator".
    if answers == Answers::Pages && whole.is_empty() && response.status().is_success() {
        return Err(ConnectorError::user("the answer is empty".into()));
    }
    *response.body_mut() = SdkBody::from(whole);
    Ok(response)
}

/// Reads a body of at most so many bytes. One that says that it is longer is not begun: what a
/// buffer of megabytes leaves behind, the allocator keeps for the life of the process.
///
/// The parts are copied, since each of them holds the whole buffer that the connection was read
/// into, and a body may come byte by byte.
async fn read(mut body: ByteStream, largest: usize) -> Result<Vec<u8>, ConnectorError> {
    let too_large = || ConnectorError::user(format!("the answer is larger than {largest} bytes").into());
    let promised = usize::try_from(body.size_hint().0).unwrap_or(usize::MAX);
    if promised > largest {
        return Err(too_large());
    }
    let mut whole = Vec::with_capacity(promised);
    while let Some(part) = body.next().await {
        whole.extend_from_slice(&part.map_err(|error| ConnectorError::io(error.into()))?);
        if whole.len() > largest {
            return Err(too_large());
        }
    }
    Ok(whole)
}
