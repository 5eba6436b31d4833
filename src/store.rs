//! Documents in a bucket: the evidence of runs, what steps of the state machine hand on, the exemptions.
//!
//! Two operations of Amazon S3, sent by the SDK's own orchestrator with its own signer, retries and
//! cache of credentials. The crate of the whole service is not linked: it would make the function a
//! third larger, for endpoint rules, checksums and session credentials that two requests do not need.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use aws_config::SdkConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::SigningName;
use aws_types::region::{SigningRegion, SigningRegionSet};
use aws_types::service_config::ServiceConfigKey;
use bytes::Bytes;
use http_body::Frame;

use macie_compliance_core::failure::Failure;
use macie_compliance_core::inlet::bucket::RetentionMode;
use sha2::{Digest, Sha256};

use crate::client::{Aws, MoreThrottling, OrFailure, without_retry_quota};

const ENCRYPTION: &str = "x-amz-server-side-encryption";
const ENCRYPTION_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";

/// The documents in one bucket.
#[derive(Clone, Debug)]
pub(crate) struct ObjectStore {
    operation: Operation<ObjectRequest, Object, S3Error>,
    invalid: Option<Failure>,
}

/// A document to store.
#[derive(Clone, Debug)]
pub(crate) struct Put {
    pub(crate) key: String,
    pub(crate) document: Document,
    pub(crate) content_type: &'static str,
    pub(crate) condition: Condition,
    pub(crate) lock: Option<Lock>,
}

impl Put {
    /// A JSON document, in the place of whatever is there.
    pub(crate) fn json(key: String, document: String) -> Put {
        let document = Document::Whole(document.into_bytes());
        Put { key, document, content_type: "application/json", condition: Condition::None, lock: None }
    }
}

/// What is stored.
#[derive(Clone)]
pub(crate) enum Document {
    Whole(Vec<u8>),
    /// A document that is too large to be held, with its number of bytes. Each part is written when it is sent, and
    /// again when the request is.
    Parts(Parts, u64),
}

/// The part of a document at a place, from 0; `None` after the last.
type Parts = Arc<dyn Fn(usize) -> Option<String> + Send + Sync>;

impl Document {
    /// A document that is written part by part.
    pub(crate) fn parts(part: impl Fn(usize) -> Option<String> + Send + Sync + 'static) -> Document {
        let length = (0..).map_while(&part).map(|part| part.len() as u64).sum();
        Document::Parts(Arc::new(part), length)
    }

    fn digest(&self) -> [u8; 32] {
        match self {
            Document::Whole(document) => Sha256::digest(document).into(),
            Document::Parts(parts, _) => {
                let mut digest = Sha256::new();
                (0..).map_while(|place| parts(place)).for_each(|part| digest.update(part));
                digest.finalize().into()
            }
        }
    }

    fn into_body(self) -> (SdkBody, u64) {
        match self {
            Document::Whole(document) => {
                let length = document.len() as u64;
                (SdkBody::from(document), length)
            }
            Document::Parts(parts, length) => {
                let body = move || SdkBody::from_body_1_x(Written { parts: parts.clone(), next: 0, left: length });
                (SdkBody::retryable(body), length)
            }
        }
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Document::Whole(document) => write!(f, "{} bytes", document.len()),
            Document::Parts(_, length) => write!(f, "{length} bytes in parts"),
        }
    }
}

/// The body of a document that is written part by part.
struct Written {
    parts: Parts,
    next: usize,
    left: u64,
}

impl http_body::Body for Written {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let part = (self.parts)(self.next);
        self.next += 1;
        self.left -= part.as_ref().map_or(0, |part| part.len() as u64).min(self.left);
        Poll::Ready(part.map(|part| Ok(Frame::data(Bytes::from(part)))))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.left)
    }
}

/// On what a document is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// On nothing: it replaces what is there.
    None,
    /// Only if there is nothing under the key.
    Absent,
    /// Only if what is there has this entity tag.
    Unchanged(String),
}

/// How long a stored document can be neither deleted nor changed.
#[derive(Clone, Debug)]
pub(crate) struct Lock {
    pub(crate) mode: RetentionMode,
    /// RFC 3339 in UTC.
    pub(crate) until: String,
}

/// A stored document.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object {
    pub(crate) document: Vec<u8>,
    pub(crate) entity_tag: Option<String>,
}

/// One request.
#[derive(Clone, Debug)]
enum ObjectRequest {
    Get(String),
    Put(Box<Put>),
}

/// S3's own error.
#[derive(Debug)]
struct S3Error(ErrorMetadata);

impl ObjectStore {
    /// The bucket of this name, in the Region of the configuration. What is written to it is encrypted
    /// with this KMS key, or without one with S3's own.
    pub(crate) fn new(aws: &Aws, bucket: &str, key_arn: Option<&str>) -> ObjectStore {
        let config = aws.for_documents();
        let (endpoint, invalid) = match endpoint(&config, bucket) {
            Ok(endpoint) => (endpoint, None),
            Err(failure) => (String::new(), Some(failure)),
        };
        let key_arn = key_arn.map(str::to_owned);
        let operation = Operation::builder()
            .service_name("S3")
            .operation_name("Object")
            .endpoint_url(&endpoint)
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(TransientErrorClassifier::<S3Error>::new())
            .retry_classifier(AwsErrorCodeClassifier::<S3Error>::new())
            .retry_classifier(MoreThrottling)
            .retry_classifier(ConflictIsTransient)
            .runtime_plugin(shared(&config))
            .serializer(move |request: ObjectRequest| http_request(request, key_arn.as_deref()))
            .deserializer(object);
        let retry = config.retry_config().cloned().unwrap_or_else(aws_smithy_types::retry::RetryConfig::standard);
        ObjectStore { operation: operation.standard_retry(&retry).build(), invalid }
    }

    /// Stores a document. That what lies there is this very document counts as stored: the answer to an earlier
    /// attempt was lost.
    ///
    /// # Errors
    /// S3's refusal, which is `PreconditionFailed` where the condition does not hold, or why it could not be
    /// reached, after the retries.
    pub(crate) async fn put(&self, put: Put) -> Result<(), Failure> {
        let (key, digest) = (put.key.clone(), put.document.digest());
        match self.send(ObjectRequest::Put(Box::new(put))).await {
            Err(failure) if failure.code == PRECONDITION_FAILED => match self.get(key).await {
                Ok(there) if Sha256::digest(&there.document)[..] == digest => Ok(()),
                _ => Err(failure),
            },
            result => result.map(drop),
        }
    }

    /// The document under a key.
    ///
    /// # Errors
    /// S3's refusal, which is `NoSuchKey` where there is none, or why it could not be reached.
    pub(crate) async fn get(&self, key: String) -> Result<Object, Failure> {
        self.send(ObjectRequest::Get(key)).await
    }

    async fn send(&self, request: ObjectRequest) -> Result<Object, Failure> {
        match &self.invalid {
            Some(failure) => Err(failure.clone()),
            None => self.operation.invoke(request).await.or_failure(),
        }
    }
}

/// S3's code for a condition that does not hold.
pub(crate) const PRECONDITION_FAILED: &str = "PreconditionFailed";

/// S3's code for an object that there is not.
pub(crate) const NO_SUCH_KEY: &str = "NoSuchKey";

fn http_request(request: ObjectRequest, key_arn: Option<&str>) -> Result<HttpRequest, BoxError> {
    let put = match request {
        ObjectRequest::Get(key) => {
            return Ok(HttpRequest::try_from(http::Request::get(format!("/{key}")).body(SdkBody::empty())?)?);
        }
        ObjectRequest::Put(put) => put,
    };
    let checksum = aws_smithy_types::base64::encode(put.document.digest());
    let (body, length) = put.document.into_body();
    let mut http = http::Request::put(format!("/{}", put.key))
        .header("content-type", put.content_type)
        .header("content-length", length)
        .header("x-amz-checksum-sha256", checksum)
        // Organizations deny what does not say how it is to be encrypted, though S3 encrypts everything.
        .header(ENCRYPTION, if key_arn.is_some() { "aws:kms" } else { "AES256" });
    if let Some(key_arn) = key_arn {
        http = http.header(ENCRYPTION_KEY, key_arn);
    }
    http = match put.condition {
        Condition::None => http,
        Condition::Absent => http.header("if-none-match", "*"),
        Condition::Unchanged(tag) => http.header("if-match", tag),
    };
    if let Some(Lock { mode, until }) = put.lock {
        http =
            http.header("x-amz-object-lock-mode", mode.as_str()).header("x-amz-object-lock-retain-until-date", until);
    }
    Ok(HttpRequest::try_from(http.body(body)?)?)
}

/// Two conditional requests for one object at the same time: S3 asks for a retry of the one that it did not take.
#[derive(Debug)]
struct ConflictIsTransient;

impl ClassifyRetry for ConflictIsTransient {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let is_conflict = context.response().is_some_and(|response| response.status().as_u16() == 409);
        if is_conflict { RetryAction::transient_error() } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "a conflict is transient"
    }
}

/// Where the bucket is: the SDK's own setting of another endpoint, or the bucket's host name, as the
/// settings for FIPS and dual-stack endpoints want it.
///
/// # Errors
/// FIPS or dual-stack beside another endpoint, which the SDK's clients refuse too.
fn endpoint(config: &SdkConfig, bucket: &str) -> Result<String, Failure> {
    let key = ServiceConfigKey::builder().service_id("S3").env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let of_s3 = config.service_config().zip(key.ok()).and_then(|(settings, key)| settings.load_config(key));
    let (fips, dual_stack) = (config.use_fips().unwrap_or(false), config.use_dual_stack().unwrap_or(false));
    match of_s3.or_else(|| config.endpoint_url().map(str::to_owned)) {
        Some(_) if fips || dual_stack => Err(Failure::own(
            "ConstructionFailure",
            "an endpoint of your own cannot be combined with AWS_USE_FIPS_ENDPOINT or AWS_USE_DUALSTACK_ENDPOINT",
        )),
        Some(url) => Ok(format!("{}/{bucket}", url.trim_end_matches('/'))),
        None => {
            let service = if fips { "s3-fips" } else { "s3" };
            let stack = if dual_stack { ".dualstack" } else { "" };
            Ok(format!("https://{bucket}.{service}{stack}.{}.amazonaws.com", region(config)))
        }
    }
}

fn region(config: &SdkConfig) -> String {
    config.region().map(ToString::to_string).unwrap_or_default()
}

/// What every client of the SDK takes from the configuration by itself.
fn shared(config: &SdkConfig) -> StaticRuntimePlugin {
    let mut signing = SigningOptions::default();
    // S3 alone takes a path as it is, and wants the digest of the body in a header.
    signing.double_uri_encode = false;
    signing.normalize_uri_path = false;
    signing.content_sha256_header = true;
    let mut layer = Layer::new("s3");
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(without_retry_quota());
    layer.store_put(SigV4OperationSigningConfig {
        region: Some(SigningRegion::from(aws_config::Region::new(region(config)))),
        region_set: None::<SigningRegionSet>,
        name: Some(SigningName::from_static("s3")),
        signing_options: signing,
    });
    if let Some(timeouts) = config.timeout_config() {
        layer.store_put(timeouts.clone());
    }
    let resolver = SharedAuthSchemeOptionResolver::new(StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]));
    let mut components = RuntimeComponentsBuilder::new("s3")
        .with_http_client(config.http_client())
        .with_sleep_impl(config.sleep_impl())
        .with_time_source(config.time_source())
        .with_identity_cache(config.identity_cache())
        .with_auth_scheme_option_resolver(Some(resolver))
        .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()));
    if let Some(credentials) = config.credentials_provider() {
        components.set_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(credentials));
    }
    StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
}

fn object(response: &HttpResponse) -> Result<Object, OrchestratorError<S3Error>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        let entity_tag = response.headers().get("etag").map(str::to_owned);
        return Ok(Object { document: body.to_vec(), entity_tag });
    }
    let text = String::from_utf8_lossy(body);
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(value, _)| value.to_owned())
    };
    let mut refusal = ErrorMetadata::builder();
    refusal = element("Code").into_iter().fold(refusal, |refusal, code| refusal.code(code));
    refusal = element("Message").into_iter().fold(refusal, |refusal, message| refusal.message(message));
    Err(OrchestratorError::operation(S3Error(refusal.build())))
}

impl fmt::Display for S3Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for S3Error {}

impl ProvideErrorMetadata for S3Error {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use aws_config::Region;

    use super::*;

    #[test]
    fn a_bucket_has_a_host_of_its_own_unless_the_endpoint_is_set() {
        for (fips, dual_stack, host) in [
            (false, false, "https://results.s3.eu-west-1.amazonaws.com"),
            (true, false, "https://results.s3-fips.eu-west-1.amazonaws.com"),
            (false, true, "https://results.s3.dualstack.eu-west-1.amazonaws.com"),
            (true, true, "https://results.s3-fips.dualstack.eu-west-1.amazonaws.com"),
        ] {
            let region = Region::new("eu-west-1");
            let config = SdkConfig::builder().region(region).use_fips(fips).use_dual_stack(dual_stack).build();
            assert_eq!(endpoint(&config, "results").as_deref(), Ok(host));
            let local = config.to_builder().endpoint_url("http://127.0.0.1:9000/").build();
            let local = endpoint(&local, "results");
            assert_eq!(local.ok().as_deref(), (!fips && !dual_stack).then_some("http://127.0.0.1:9000/results"));
        }
    }
}
