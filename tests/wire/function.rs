//! The function under test: a process, its Runtime API, its AWS.

use std::env;
use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use simulator::lambda::{Invocation, Outcome, RuntimeApi};
use simulator::{Fault, FaultKind, Seed, Simulator, TargetSeed};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

pub(crate) const ACCOUNT: &str = "999999999999";
pub(crate) const TOPIC: &str = "arn:aws:sns:us-east-1:999999999999:reports";

/// A running function. It is killed when this is dropped.
pub(crate) struct Function {
    pub(crate) aws: Simulator,
    pub(crate) runtime: RuntimeApi,
    variables: Vec<(String, String)>,
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
}

/// Starts a process with the function's environment and `variables`, which come last and so win.
fn spawn(runtime: &RuntimeApi, aws: &Simulator, variables: &[(&str, &str)]) -> (Child, Arc<Mutex<Vec<String>>>) {
    let mut child = command(runtime, aws, variables).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let log = Arc::new(Mutex::new(Vec::new()));
    let mut lines = BufReader::new(child.stderr.take().expect("standard error is piped")).lines();
    let kept = Arc::clone(&log);
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            kept.lock().expect("no test panics while it holds the log").push(line);
        }
    });
    (child, log)
}

fn command(runtime: &RuntimeApi, aws: &Simulator, variables: &[(&str, &str)]) -> Command {
    // `make test` has the same tests pass with the binary that is deployed.
    let binary = env::var_os("FUNCTION_BINARY").unwrap_or(env!("CARGO_BIN_EXE_macie-compliance").into());
    let mut command = Command::new(binary);
    command
        .env_clear()
        .envs([
            ("AWS_LAMBDA_RUNTIME_API", runtime.address()),
            ("AWS_LAMBDA_FUNCTION_NAME", "macie-compliance"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_ENDPOINT_URL", aws.url()),
            ("REPORT_TOPIC_ARN", TOPIC),
        ])
        .envs(variables.iter().copied())
        // Where `make coverage` wants to have the counters.
        .envs(env::var_os("LLVM_PROFILE_FILE").map(|file| ("LLVM_PROFILE_FILE", file)))
        .stdin(Stdio::null())
        .stdout(Stdio::inherit())
        .kill_on_drop(true);
    command
}

impl Function {
    pub(crate) async fn start(seed: Seed) -> Function {
        Function::with(seed, &[]).await
    }

    pub(crate) async fn with(seed: Seed, variables: &[(&str, &str)]) -> Function {
        let aws = Simulator::start(seed).await.expect("a free port");
        let runtime = RuntimeApi::start().await.expect("a free port");
        let (child, log) = spawn(&runtime, &aws, variables);
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Function { aws, runtime, variables, child, log }
    }

    /// A function whose log can take nothing, as when the disk is full.
    pub(crate) async fn without_log(seed: Seed) -> Function {
        let aws = Simulator::start(seed).await.expect("a free port");
        let runtime = RuntimeApi::start().await.expect("a free port");
        let full = File::options().write(true).open("/dev/full").expect("Linux has it");
        let child = command(&runtime, &aws, &[]).stderr(full).spawn().expect("the binary starts");
        Function { aws, runtime, variables: Vec::new(), child, log: Arc::default() }
    }

    /// Kills the process, whatever it is doing, and starts another in its place.
    pub(crate) async fn kill_and_start_anew(&mut self) {
        self.child.kill().await.expect("it runs and can be killed");
        let variables: Vec<_> = self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        (self.child, self.log) = spawn(&self.runtime, &self.aws, &variables);
    }

    pub(crate) async fn invoke(&self, invocation: Invocation) -> Outcome {
        timeout(Duration::from_secs(100), self.runtime.invoke(invocation)).await.expect("the invocation ends")
    }

    /// The answer to an event.
    pub(crate) async fn answer(&self, event: Value) -> Value {
        match self.invoke(Invocation::new(event)).await {
            Outcome::Answer(answer) => answer,
            Outcome::Error { error_type, message } => panic!("{error_type}: {message}"),
        }
    }

    /// The kind and the message of the error that an event ends in.
    pub(crate) async fn error(&self, event: Value) -> (String, String) {
        match self.invoke(Invocation::new(event)).await {
            Outcome::Error { error_type, message } => (error_type, message),
            Outcome::Answer(answer) => panic!("answered {answer}"),
        }
    }

    /// The whole report of a dry run.
    pub(crate) async fn report(&self) -> Value {
        let report = self.answer(json!({"publish": false})).await["report"].take();
        assert_valid(&report);
        report
    }

    /// The published reports, each checked against the JSON Schema.
    pub(crate) fn published(&self) -> Vec<Value> {
        let reports: Vec<Value> = self.aws.messages().iter().map(|message| part(&message.body, "default")).collect();
        reports.iter().for_each(assert_valid);
        reports
    }

    /// The lines of the log so far, each a JSON object.
    pub(crate) async fn log(&self) -> Vec<Value> {
        // The log comes through another pipe than the answer; what was written before the answer
        // needs a moment to arrive.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let lines = self.log.lock().expect("no test panics while it holds the log").clone();
        lines.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"))).collect()
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.child.id().expect("the function runs")
    }
}

/// An invocation with this many seconds left.
#[expect(clippy::disallowed_methods, reason = "Lambda's deadlines are in real time")]
pub(crate) fn with_seconds(seconds: u64) -> Invocation {
    let deadline = SystemTime::now() + Duration::from_secs(seconds);
    let deadline = deadline.duration_since(UNIX_EPOCH).expect("now is after 1970");
    Invocation { deadline_ms: deadline.as_millis() as u64, ..Invocation::new(json!({})) }
}

/// How a start that cannot succeed ends: exit code, what Lambda was told, and the log.
pub(crate) async fn failed_start(variables: &[(&str, &str)]) -> (Option<i32>, Value, String) {
    let aws = Simulator::start(Seed::default()).await.expect("a free port");
    let runtime = RuntimeApi::start().await.expect("a free port");
    let (mut child, log) = spawn(&runtime, &aws, variables);
    let status = timeout(Duration::from_secs(20), child.wait()).await.expect("it ends").expect("it ran");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let log = log.lock().expect("no test panics while it holds the log").join("\n");
    (status.code(), runtime.init_error().unwrap_or_default(), log)
}

/// A JSON object out of the texts for each protocol that an SNS message holds.
pub(crate) fn part(body: &str, protocol: &str) -> Value {
    serde_json::from_str(&text(body, protocol)).expect("the report is JSON")
}

/// The text for one protocol.
pub(crate) fn text(body: &str, protocol: &str) -> String {
    let body: Value = serde_json::from_str(body).expect("the body is JSON");
    body[protocol].as_str().unwrap_or_else(|| panic!("a text for {protocol}")).to_owned()
}

/// The published schema, as anyone can read it in the repository.
static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schema/report-1.1.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(path).expect("the schema is there")).expect("JSON");
    jsonschema::validator_for(&schema).expect("a JSON Schema")
});

fn assert_valid(report: &Value) {
    let errors: Vec<String> = SCHEMA.iter_errors(report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?} in {report}");
}

/// A seed with one target, in every Region of the account.
pub(crate) fn seed(target: TargetSeed) -> Seed {
    Seed { targets: vec![target], ..Seed::default() }
}

/// Macie as one would like it: members, an invitation, a filter, an administrator, all fine.
pub(crate) fn healthy() -> TargetSeed {
    TargetSeed {
        members: vec![json!({"count": 30, "relationshipStatus": "Enabled"})],
        invitations: vec![json!({"accountId": "222222222222", "relationshipStatus": "Invited"})],
        findings_filters: vec![json!({"name": "watch", "action": "NOOP"})],
        administrator: Some(json!({"accountId": "333333333333", "relationshipStatus": "Enabled"})),
        ..TargetSeed::default()
    }
}

pub(crate) fn error(status: u16, code: &str, message: &str) -> FaultKind {
    FaultKind::Error { status, code: code.to_owned(), message: message.to_owned() }
}

/// A seed in which one of Macie's operations goes wrong, for ever.
pub(crate) fn faulty(api: &str, kind: FaultKind) -> Seed {
    Seed { faults: vec![Fault::of("macie2", api, kind)], ..seed(healthy()) }
}

/// The rules of the violations, with the ids of their resources.
pub(crate) fn violations(report: &Value) -> Vec<(String, String)> {
    let of =
        |violation: &Value, path: &str| violation.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = report["violations"].as_array().expect("a list of violations");
    list.iter().map(|violation| (of(violation, "/rule"), of(violation, "/resource/id"))).collect()
}

/// The read of one API in the first target.
pub(crate) fn read<'a>(report: &'a Value, api: &str) -> &'a Value {
    let reads = report["targets"][0]["reads"].as_array().expect("a list of reads");
    reads.iter().find(|read| read["api"] == api).unwrap_or_else(|| panic!("no read of {api} in {reads:?}"))
}
