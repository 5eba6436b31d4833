//! Runs a function's binary once, as Lambda would, against a simulator of its own: `run-once BINARY SEED EVENT…`.
//!
//! The function gets the environment of this program, and one event after the other until one fails.
//! What it answered to the last, and what it asked, published, stored and logged, is printed as one JSON object.

use std::io::{self, Write};
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use simulator::lambda::{Invocation, Outcome, RuntimeApi};
use simulator::{Seed, Simulator};
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::time::timeout;

/// The longest that a run may take: the time that an invocation is given.
const LONGEST: Duration = Duration::from_secs(60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("run-once: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> io::Result<()> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [binary, seed, first, more @ ..] = &given[..] else {
        return Err(io::Error::other("usage: run-once BINARY SEED EVENT…"));
    };
    let simulator = Simulator::start(Seed::read(Path::new(seed))?).await?;
    let runtime = RuntimeApi::start().await?;
    let mut function = Command::new(binary)
        .env("AWS_LAMBDA_RUNTIME_API", runtime.address())
        .env("AWS_ENDPOINT_URL", simulator.url())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    // Read all along, since a function whose log nobody reads stands still when the pipe is full.
    let mut pipe = function.stderr.take().ok_or_else(|| io::Error::other("the function has no log"))?;
    let log = tokio::spawn(async move {
        let mut text = Vec::new();
        pipe.read_to_end(&mut text).await.map(|_| text)
    });

    let mut outcome = Outcome::Answer(Value::Null);
    for event in std::iter::once(first).chain(more) {
        let event: Value = serde_json::from_slice(&std::fs::read(event)?)?;
        outcome = tokio::select! {
            outcome = timeout(LONGEST, runtime.invoke(Invocation::new(event))) => outcome?,
            ended = function.wait() => {
                let told = runtime.init_error().unwrap_or_default();
                return Err(io::Error::other(format!("the function ended with {}: {told}", ended?)));
            }
        };
        if matches!(outcome, Outcome::Error { .. }) {
            break;
        }
    }
    function.kill().await?;
    let log = log.await??;
    let lines = log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let lines: Vec<Value> = lines.map(serde_json::from_slice).collect::<Result<_, _>>()?;
    let outcome = match outcome {
        Outcome::Answer(answer) => json!({ "answer": answer }),
        Outcome::Error { error_type, message } => json!({"errorType": error_type, "errorMessage": message}),
    };
    let told = json!({
        "outcome": outcome,
        "requests": simulator.requests(),
        "messages": simulator.messages(),
        "objects": simulator.objects(),
        "log": lines,
    });
    io::stdout().write_all(told.to_string().as_bytes())
}
