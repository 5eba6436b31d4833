//! The HTTP client: a pool of connections, and a limit on the requests that are in flight.
//!
//! The limit stands where a request goes out and not around an operation, so that an operation that
//! waits to be retried keeps nobody else from going. A request holds its place until the whole body
//! has come, since only then is it over.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
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

/// What a right answer can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyLimit {
    /// A page or the receipt of a message: never empty, and never large. A page of 25 members is
    /// about 12 KB.
    Pages,
    /// A document that the function wrote itself, or the empty receipt of one. The evidence of a target
    /// with 10,000 flagged members is about 3 MB.
    Documents,
}

impl BodyLimit {
    /// The largest that is read, in bytes.
    fn largest(self) -> usize {
        match self {
            BodyLimit::Pages => 4 * 1024 * 1024,
            BodyLimit::Documents => 32 * 1024 * 1024,
        }
    }
}

/// The connections that all clients share. The pool is emptied when an invocation begins: while the
/// function is frozen connections die without a word, and a request on a dead one only times out.
/// Likewise when an attempt times out, since others in the pool may be as dead, and when everything is read.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool(Arc<Mutex<Connections>>);

#[derive(Debug, Default)]
struct Connections {
    generation: u64,
    connector: Option<SharedHttpConnector>,
}

/// Idle connections that are kept to one host: as many as members are read again at a time. A Region is asked
/// for five lists, so this matters only where one host stands for many of them: the connections of lists that
/// have ended would keep their buffers.
const IDLE: usize = 16;

impl Pool {
    /// Lets go of every idle connection.
    pub(super) fn empty(&self) {
        let generation = self.connections().generation;
        self.distrust(generation);
    }

    /// Lets go of every idle connection, unless that was done since this generation.
    fn distrust(&self, generation: u64) {
        let mut connections = self.connections();
        if connections.generation == generation {
            *connections = Connections { generation: generation + 1, connector: None };
        }
    }

    /// What connects, with the pool's connections, and its generation. All clients have the same
    /// settings, so that the first of them makes it for all. Making it parses the system's root
    /// certificates.
    fn connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> (SharedHttpConnector, u64) {
        let mut connections = self.connections();
        let connector = connections.connector.get_or_insert_with(|| {
            let mut builder = Connector::builder()
                .tls_provider(Provider::Rustls(CryptoMode::Ring))
                .proxy_config(ProxyConfig::from_env())
                .pool_max_idle_per_host(IDLE)
                .connector_settings(settings.clone());
            builder.set_sleep_impl(components.sleep_impl());
            SharedHttpConnector::new(builder.build())
        });
        (connector.clone(), connections.generation)
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets a number of requests through at a time, in the order in which they came.
#[derive(Clone, Debug)]
pub(super) struct ConcurrencyLimit(Arc<Semaphore>);

impl ConcurrencyLimit {
    pub(super) fn new(places: usize) -> ConcurrencyLimit {
        ConcurrencyLimit(Arc::new(Semaphore::new(places)))
    }
}

/// The HTTP client of every AWS client: connections from the pool, so many requests at a time, and a
/// limit on the time and the answer of each attempt.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) pool: Pool,
    pub(super) concurrency: ConcurrencyLimit,
    pub(super) attempt: Duration,
    pub(super) body: BodyLimit,
}

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let (connector, generation) = self.pool.connector(settings, components);
        SharedHttpConnector::new(Attempts { client: self.clone(), connector, generation })
    }
}

#[derive(Clone, Debug)]
struct Attempts {
    client: Client,
    connector: SharedHttpConnector,
    generation: u64,
}

impl HttpConnector for Attempts {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Attempts { client, connector, generation } = self.clone();
        HttpConnectorFuture::new(async move {
            let place = client.concurrency.0.acquire().await;
            let _place = place.map_err(|closed| ConnectorError::other(closed.into(), None))?;
            match timeout(client.attempt, exchange(&connector, request, client.body)).await {
                Ok(result) => result,
                Err(elapsed) => {
                    client.pool.distrust(generation);
                    Err(ConnectorError::timeout(elapsed.into()))
                }
            }
        })
    }
}

/// One request and its whole answer.
async fn exchange(
    connector: &SharedHttpConnector,
    request: HttpRequest,
    limit: BodyLimit,
) -> Result<HttpResponse, ConnectorError> {
    let mut response = connector.call(request).await?;
    let body = std::mem::replace(response.body_mut(), SdkBody::taken());
    let whole = read(ByteStream::new(body), limit.largest()).await?;
    // The SDK takes an empty body for an empty document, and with that "no administrator".
    if limit == BodyLimit::Pages && whole.is_empty() && response.status().is_success() {
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
