//! Wiring: logs, settings, clients, the Lambda runtime.

use std::env;
use std::process::ExitCode;
use std::time::SystemTime;

use http::Request;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use lambda_runtime_api_client::body::Body;
use macie_compliance::client::Aws;
use macie_compliance::handler::Handler;
use macie_compliance::log;
use macie_compliance_core::inlet::settings::Settings;
use serde_json::Value;
use tracing::error;

fn variable(name: &str) -> Option<String> {
    env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

// A run waits for the network and hardly computes, and a small function has a fraction of one
// core, so one thread does it all.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    log::init(variable);
    let settings = match Settings::from_lookup(variable) {
        Ok(settings) => settings,
        Err(invalid) => return cannot_start("InvalidSettings", &invalid.to_string()).await,
    };
    let aws = Aws::load(&settings).await;
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    let handler = Handler::new(settings, aws, SystemTime::now);
    let serve = service_fn(|event: LambdaEvent<Value>| Box::pin(handler.handle(event)));
    match lambda_runtime::run(serve).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            error!(error = %failure, "the Lambda runtime ended");
            ExitCode::FAILURE
        }
    }
}

/// Logs why the function cannot start and tells Lambda, which shows it to whoever invokes it.
async fn cannot_start(error_type: &str, message: &str) -> ExitCode {
    error!(errorType = error_type, "{message}");
    if let Err(failure) = report_init_error(error_type, message).await {
        error!(error = %failure, "Lambda could not be told");
    }
    ExitCode::FAILURE
}

async fn report_init_error(error_type: &str, message: &str) -> Result<(), lambda_runtime::Error> {
    let diagnostic = Diagnostic { error_type: error_type.to_owned(), error_message: message.to_owned() };
    let request = Request::post("/2018-06-01/runtime/init/error")
        .header("lambda-runtime-function-error-type", error_type)
        .body(Body::from(serde_json::to_vec(&diagnostic)?))?;
    lambda_runtime_api_client::Client::builder().build()?.call(request).await?;
    Ok(())
}
