//! The programs that are measured, as processes behind a Runtime API of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use simulator::lambda::{Invocation, Outcome, RuntimeApi};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::fixture::Cloud;

/// The topic of the reports.
const TOPIC: &str = "arn:aws:sns:us-east-1:999999999999:reports";

/// Every rule but the first thirteen is switched off. What the others read, the programs beside the function do not.
pub(crate) const THE_FIRST_RULES: &str = "administrator-unexpected,invitation-unexpected,roster-*,discovery-*,allow-list-*,job-*,bucket-*,publication-*,results-*";

/// After this time something is wrong that no figure would tell.
const PATIENCE: Duration = Duration::from_secs(600);

/// A program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The function of this project.
    Function,
    /// Another build of it, in the file that `BEFORE` names.
    Before,
    /// The same job with boto3, one Region after another.
    Boto3,
    /// The same with a thread for each Region.
    Boto3Threads,
    /// The least that reads the same pages of members with the same SDK, in one Region.
    Minimal,
    /// A function that does nothing.
    Nothing,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Function => "this function",
            Kind::Before => "the build before",
            Kind::Boto3 => "boto3",
            Kind::Boto3Threads => "boto3, a thread for each Region",
            Kind::Minimal => "the least with the same SDK",
            Kind::Nothing => "a function that does nothing",
        }
    }

    fn command(self) -> Command {
        match self {
            Kind::Function => Command::new(beside("macie-compliance")),
            Kind::Before => Command::new(build_before()),
            Kind::Minimal => Command::new(beside("minimal")),
            Kind::Nothing => Command::new(beside("nothing")),
            Kind::Boto3 | Kind::Boto3Threads => {
                let mut command = Command::new(python());
                command.arg(root().join("benches/python/bootstrap.py"));
                command
            }
        }
    }
}

/// The folder of the project.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the bench is in a folder of the project")
}

/// The Python with boto3 that `make tools` installs.
pub(crate) fn python() -> PathBuf {
    let path = root().join(".tools/checks/bin/python");
    assert!(path.exists(), "{} is missing: run `make bench`", path.display());
    path
}

/// A program that was built into the same folder as this one.
pub(crate) fn beside(name: &str) -> PathBuf {
    let path = std::env::current_exe().expect("this program has a path").with_file_name(name);
    assert!(path.exists(), "{} is missing: run `make bench`", path.display());
    path
}

/// The other build that this one is held against.
pub(crate) fn build_before() -> PathBuf {
    let path = std::env::var_os("BEFORE").map(PathBuf::from).expect("BEFORE names a build");
    // A name alone would be looked for on the path.
    fs::canonicalize(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A program, running.
pub(crate) struct Program {
    // Killed first, so that it does not complain that its Runtime API went away.
    child: Child,
    runtime: RuntimeApi,
}

/// What one invocation took, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) time: f64,
    pub(crate) cpu: f64,
}

impl Program {
    /// Starts a program and tells how many milliseconds it took to ask for its first invocation.
    pub(crate) async fn start(kind: Kind, cloud: &Cloud, regions: &[&str]) -> (Program, f64) {
        let before = std::env::var("BEFORE_DISABLED_RULES").ok().filter(|_| kind == Kind::Before);
        let disabled = before.as_deref().unwrap_or(THE_FIRST_RULES);
        Program::start_with(kind, cloud, regions, &[("DISABLED_RULES", disabled)]).await
    }

    /// The same with settings of its own.
    pub(crate) async fn start_with(
        kind: Kind,
        cloud: &Cloud,
        regions: &[&str],
        settings: &[(&str, &str)],
    ) -> (Program, f64) {
        let runtime = RuntimeApi::start().await.expect("a free port");
        let mut command = kind.command();
        command
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", runtime.address()),
                ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_LAMBDA_LOG_LEVEL", "ERROR"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_DEFAULT_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
                ("AWS_SECRET_ACCESS_KEY", "secret"),
                ("AWS_ENDPOINT_URL", cloud.aws.url()),
                ("MACIE_REGIONS", &regions.join(",")),
                ("REPORT_TOPIC_ARN", TOPIC),
            ])
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        if kind == Kind::Boto3Threads {
            command.env("THREADS", regions.len().to_string());
        }
        if let Some(trusted) = cloud.trusted() {
            command.env("SSL_CERT_FILE", trusted).env("AWS_CA_BUNDLE", trusted);
        }
        let begin = Instant::now();
        let child = command.spawn().expect("the program starts");
        timeout(PATIENCE, runtime.ready()).await.expect("the program asks for an invocation");
        let milliseconds = begin.elapsed().as_secs_f64() * 1e3;
        (Program { child, runtime }, milliseconds)
    }

    /// Ends the program and waits until it is gone, so that its end takes no time from the next.
    pub(crate) async fn end(mut self) {
        self.child.kill().await.expect("it can be killed");
    }

    /// One invocation that publishes, or not.
    pub(crate) async fn run(&self, publish: bool) -> Run {
        let (answer, run) = self.invoke(Invocation::new(json!({"publish": publish}))).await;
        assert!(answer.get("complete").is_none_or(|complete| *complete == Value::Bool(true)), "{answer}");
        run
    }

    /// One invocation, with its answer. One that fails is no measurement.
    pub(crate) async fn invoke(&self, invocation: Invocation) -> (Value, Run) {
        let before = self.cpu();
        let begin = Instant::now();
        let outcome = timeout(PATIENCE, self.runtime.invoke(invocation)).await.expect("the invocation ends");
        let time = begin.elapsed().as_secs_f64() * 1e3;
        match outcome {
            Outcome::Answer(answer) => (answer, Run { time, cpu: self.cpu() - before }),
            Outcome::Error { error_type, message } => panic!("{error_type}: {message}"),
        }
    }

    fn proc(&self, file: &str) -> String {
        let id = self.child.id().expect("it runs");
        format!("/proc/{id}/{file}")
    }

    /// CPU time so far of all threads that are there, in milliseconds. None of the programs ends a
    /// thread whose time would matter.
    fn cpu(&self) -> f64 {
        let tasks = fs::read_dir(self.proc("task")).expect("Linux tells the threads");
        let nanoseconds = tasks.flatten().filter_map(|task| {
            let told = fs::read_to_string(task.path().join("schedstat")).ok()?;
            told.split_whitespace().next()?.parse::<f64>().ok()
        });
        nanoseconds.sum::<f64>() / 1e6
    }

    /// The largest memory so far, in megabytes (of a million bytes).
    pub(crate) fn peak(&self) -> f64 {
        let status = fs::read_to_string(self.proc("status")).expect("Linux tells");
        let line = status.lines().find(|line| line.starts_with("VmHWM")).expect("a line");
        line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<f64>().ok()).expect("a number") * 1024.0
            / 1e6
    }
}
