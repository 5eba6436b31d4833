//! The least that reads pages of Macie with the AWS SDK: the generated paginator, the SDK's own
//! HTTP client, nothing judged. `make bench` measures the CPU time of a run against it.

use aws_config::BehaviorVersion;
use aws_sdk_macie2::Client;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(aws_smithy_http_client::tls::Provider::Rustls(
            aws_smithy_http_client::tls::rustls_provider::CryptoMode::Ring,
        ))
        .build_https();
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http).load().await;
    let client = Client::new(&config);
    let serve = service_fn(async |_: LambdaEvent<Value>| {
        let mut pages = client.list_members().only_associated("false").max_results(25).into_paginator().send();
        let mut members = 0;
        while let Some(page) = pages.next().await {
            members += page?.members().len();
        }
        Ok::<_, Error>(json!({"members": members}))
    });
    lambda_runtime::run(serve).await
}
