//! Documents in the bucket through which the steps of the state machine hand on what they read.
//!
//! Two operations of Amazon S3, sent by the SDK's own orchestrator with its own signer, retries and
//! cache of credentials. The crate of the whole service is not linked: it would make the function a
//! third larger, for endpoint rules, checksums and session credentials that two requests do not need.

use std::fmt;

use aws_config::SdkConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::SigningName;
use aws_types::region::{SigningRegion, SigningRegionSet};
use aws_types::service_config::ServiceConfigKey;

use crate::aws::{Aws, MoreThrottling, OrFailure, unbudgeted};
use crate::facts::Failure;

/// The documents in one bucket.
#[derive(Clone, Debug)]
pub struct Store(Operation<Ask, Vec<u8>, Refusal>);

/// One request: a GET without and a PUT with a document.
#[derive(Clone, Debug)]
struct Ask {
    key: String,
    document: Option<Vec<u8>>,
}

/// S3's own error.
#[derive(Debug)]
struct Refusal(ErrorMetadata);

impl Store {
    /// The bucket of this name, in the Region of the configuration.
    pub fn new(aws: &Aws, bucket: &str) -> Store {
        let config = aws.for_documents();
        let endpoint = endpoint(&config, bucket);
        let operation = Operation::builder()
            .service_name("S3")
            .operation_name("Object")
            .endpoint_url(&endpoint)
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(TransientErrorClassifier::<Refusal>::new())
            .retry_classifier(AwsErrorCodeClassifier::<Refusal>::new())
            .retry_classifier(MoreThrottling)
            .runtime_plugin(shared(&config))
            .serializer(|ask: Ask| {
                let method = if ask.document.is_some() { "PUT" } else { "GET" };
                let request = http::Request::builder().method(method).uri(format!("/{}", ask.key));
                let body = ask.document.map_or_else(SdkBody::empty, SdkBody::from);
                Ok(HttpRequest::try_from(request.body(body)?)?)
            })
            .deserializer(document);
        let retry = config.retry_config().cloned().unwrap_or_else(aws_smithy_types::retry::RetryConfig::standard);
        Store(operation.standard_retry(&retry).build())
    }

    /// Stores a document, in the place of one that was there under the key.
    ///
    /// # Errors
    /// S3's refusal, or why it could not be reached, after the retries.
    pub async fn put(&self, key: String, document: Vec<u8>) -> Result<(), Failure> {
        self.0.invoke(Ask { key, document: Some(document) }).await.or_failure().map(drop)
    }

    /// The document under a key.
    ///
    /// # Errors
    /// S3's refusal, which is `NoSuchKey` where there is none, or why it could not be reached.
    pub async fn get(&self, key: String) -> Result<Vec<u8>, Failure> {
        self.0.invoke(Ask { key, document: None }).await.or_failure()
    }
}

/// Where the bucket is: the SDK's own setting of another endpoint, or the bucket's host name.
fn endpoint(config: &SdkConfig, bucket: &str) -> String {
    let key = ServiceConfigKey::builder().service_id("S3").env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let of_s3 = config.service_config().zip(key.ok()).and_then(|(settings, key)| settings.load_config(key));
    match of_s3.or_else(|| config.endpoint_url().map(str::to_owned)) {
        Some(url) => format!("{}/{bucket}", url.trim_end_matches('/')),
        None => format!("https://{bucket}.s3.{}.amazonaws.com", region(config)),
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
    layer.store_put(unbudgeted());
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

fn document(response: &HttpResponse) -> Result<Vec<u8>, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        return Ok(body.to_vec());
    }
    let text = String::from_utf8_lossy(body);
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(value, _)| value.to_owned())
    };
    let mut refusal = ErrorMetadata::builder();
    refusal = element("Code").into_iter().fold(refusal, |refusal, code| refusal.code(code));
    refusal = element("Message").into_iter().fold(refusal, |refusal, message| refusal.message(message));
    Err(OrchestratorError::operation(Refusal(refusal.build())))
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Refusal {}

impl ProvideErrorMetadata for Refusal {
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
        let there = || SdkConfig::builder().region(Region::new("eu-west-1"));
        assert_eq!(endpoint(&there().build(), "results"), "https://results.s3.eu-west-1.amazonaws.com");
        let local = there().endpoint_url("http://127.0.0.1:9000/").build();
        assert_eq!(endpoint(&local, "results"), "http://127.0.0.1:9000/results");
    }
}
