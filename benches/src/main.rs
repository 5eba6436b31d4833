//! How long one function takes to start and to walk, side by side with what bounds it from below:
//! a function that does nothing, the bare chain of requests over one connection, and the least
//! that reads the same pages with the same SDK.
//!
//! Everything runs on this machine in one go, in turn, so that the ratios hold when its speed
//! drifts. Each figure is the median of the rounds, with the least and the most.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use simulator::lambda::{Invocation, Outcome, RuntimeApi};
use simulator::{Seed, Simulator, TargetSeed};
use tokio::process::{Child, Command};

const ROUNDS: usize = 7;
const STARTS: usize = 21;

/// Twenty of the Regions that offer Macie.
const REGIONS: [&str; 20] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "sa-east-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-south-1",
    "me-south-1",
    "il-central-1",
    "af-south-1",
    "ap-east-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
];

/// The median of some figures, with the least and the most.
#[derive(Clone, Copy)]
struct Spread {
    least: f64,
    median: f64,
    most: f64,
}

impl Spread {
    fn of(mut figures: Vec<f64>) -> Spread {
        figures.sort_by(f64::total_cmp);
        Spread { least: figures[0], median: figures[figures.len() / 2], most: figures[figures.len() - 1] }
    }

    fn ratio(of: &[f64], to: &[f64]) -> Spread {
        Spread::of(of.iter().zip(to).map(|(of, to)| of / to).collect())
    }
}

fn row(what: &str, spread: Spread, unit: &str) {
    let Spread { least, median, most } = spread;
    report(&format!("{what:<58} {median:>9.2} {unit:<6} ({least:.2} to {most:.2})"));
}

fn report(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").expect("standard output takes the table");
}

/// One of the programs that are measured, running.
struct Program {
    // Killed first, so that it does not complain that its Runtime API went away.
    child: Child,
    runtime: RuntimeApi,
}

impl Program {
    /// Starts a program and tells how many milliseconds it took to ask for its first invocation.
    async fn start(path: &PathBuf, aws: &Simulator, regions: &str) -> (Program, f64) {
        let runtime = RuntimeApi::start().await.expect("a free port");
        let begin = Instant::now();
        let child = Command::new(path)
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", runtime.address()),
                ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_LAMBDA_LOG_LEVEL", "ERROR"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
                ("AWS_SECRET_ACCESS_KEY", "secret"),
                ("AWS_ENDPOINT_URL", aws.url()),
                ("MACIE_REGIONS", regions),
                ("REPORT_TOPIC_ARN", "arn:aws:sns:us-east-1:999999999999:reports"),
            ])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        runtime.ready().await;
        let milliseconds = begin.elapsed().as_secs_f64() * 1e3;
        (Program { child, runtime }, milliseconds)
    }

    /// One invocation, in milliseconds.
    async fn run(&self) -> f64 {
        let begin = Instant::now();
        match self.runtime.invoke(Invocation::new(json!({"publish": false}))).await {
            Outcome::Answer(answer) => {
                assert!(answer.get("complete").is_none_or(|complete| *complete == Value::Bool(true)), "{answer}");
            }
            Outcome::Error { error_type, message } => panic!("{error_type}: {message}"),
        }
        begin.elapsed().as_secs_f64() * 1e3
    }

    fn status(&self, file: &str) -> String {
        let id = self.child.id().expect("it runs");
        fs::read_to_string(format!("/proc/{id}/{file}")).expect("Linux tells")
    }

    /// CPU time so far, in milliseconds, to a hundredth of a second.
    fn cpu(&self) -> f64 {
        let stat = self.status("stat");
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let ticks = |index: usize| fields[index].parse::<f64>().expect("a number");
        (ticks(11) + ticks(12)) * 10.0
    }

    /// The largest memory so far, in megabytes.
    fn peak(&self) -> f64 {
        let status = self.status("status");
        let line = status.lines().find(|line| line.starts_with("VmHWM")).expect("a line");
        line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<f64>().ok()).expect("a number") / 1024.0
    }
}

/// The pages of the members, one after the other over one connection, with nothing else done.
fn bare_chain(aws: &Simulator) -> f64 {
    let address = aws.url().trim_start_matches("http://").to_owned();
    let begin = Instant::now();
    let mut stream = TcpStream::connect(&address).expect("the simulator listens");
    stream.set_nodelay(true).expect("a socket option");
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut token = String::new();
    loop {
        let next = if token.is_empty() { String::new() } else { format!("&nextToken={}", encoded(&token)) };
        write!(
            stream,
            "GET /members?maxResults=25&onlyAssociated=false{next} HTTP/1.1\r\nHost: {address}\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/us-east-1/macie2/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n"
        )
        .expect("sent");
        let page: Value = serde_json::from_slice(&body(&mut reader)).expect("JSON");
        match page["nextToken"].as_str() {
            Some(next) => token = next.to_owned(),
            None => return begin.elapsed().as_secs_f64() * 1e3,
        }
    }
}

fn encoded(token: &str) -> String {
    token.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn body(reader: &mut impl BufRead) -> Vec<u8> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a header");
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a number");
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the whole body");
    body
}

async fn aws(pages: u64, latency_ms: u64) -> Simulator {
    let members = vec![json!({"count": pages * 25, "relationshipStatus": "Enabled"})];
    let seed = Seed { latency_ms, targets: vec![TargetSeed { members, ..TargetSeed::default() }], ..Seed::default() };
    Simulator::start(seed).await.expect("a free port")
}

/// A program that was built into the same folder as this one.
fn beside(name: &str) -> PathBuf {
    let path = std::env::current_exe().expect("this program has a path").with_file_name(name);
    assert!(path.exists(), "{} is missing: run `make bench`", path.display());
    path
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let [function, nothing, minimal] = ["macie-compliance", "nothing", "minimal"].map(beside);
    report(&format!("{STARTS} starts and {ROUNDS} rounds of each, in turn; median (least to most)\n"));
    start(&function, &nothing).await;
    chain(&function, 400, 10).await;
    regions(&function).await;
    cpu(&function, &minimal).await;
    memory(&function).await;
    let size = fs::metadata(&function).expect("the binary").len() as f64 / 1e6;
    report(&format!("{:<58} {size:>9.2} MB", "binary, not zipped"));
}

async fn start(function: &PathBuf, nothing: &PathBuf) {
    let aws = aws(1, 0).await;
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        ours.push(Program::start(function, &aws, "us-east-1").await.1);
        floor.push(Program::start(nothing, &aws, "us-east-1").await.1);
    }
    row("start, to the first /next", Spread::of(ours.clone()), "ms");
    row("  a function that does nothing", Spread::of(floor.clone()), "ms");
    row("  ratio", Spread::ratio(&ours, &floor), "x");
}

async fn chain(function: &PathBuf, pages: u64, latency_ms: u64) {
    let aws = aws(pages, latency_ms).await;
    let (program, _) = Program::start(function, &aws, "us-east-1").await;
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(program.run().await);
        floor.push(bare_chain(&aws));
    }
    row(&format!("run, {pages} pages at {latency_ms} ms"), Spread::of(ours.clone()), "ms");
    row("  the bare chain of requests", Spread::of(floor.clone()), "ms");
    row("  ratio", Spread::ratio(&ours, &floor), "x");
}

async fn regions(function: &PathBuf) {
    let aws = aws(40, 50).await;
    let (one, _) = Program::start(function, &aws, "us-east-1").await;
    let (twenty, _) = Program::start(function, &aws, &REGIONS.join(",")).await;
    let (mut ones, mut twenties) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ones.push(one.run().await);
        twenties.push(twenty.run().await);
    }
    row("run, 20 Regions of 40 pages at 50 ms", Spread::of(twenties.clone()), "ms");
    row("  1 Region", Spread::of(ones.clone()), "ms");
    row("  ratio", Spread::ratio(&twenties, &ones), "x");
    report(&format!("{:<58} {:>9}", "  most requests in flight", aws.most_in_flight()));
    row("  peak memory, 20 Regions of 1,000 members", Spread::of(vec![twenty.peak()]), "MB");
}

async fn cpu(function: &PathBuf, minimal: &PathBuf) {
    let aws = aws(400, 0).await;
    let (ours, _) = Program::start(function, &aws, "us-east-1").await;
    let (least, _) = Program::start(minimal, &aws, "us-east-1").await;
    let (mut of_ours, mut of_least) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for (program, figures) in [(&ours, &mut of_ours), (&least, &mut of_least)] {
            let before = program.cpu();
            for _ in 0..3 {
                program.run().await;
            }
            figures.push((program.cpu() - before) / 12.0);
        }
    }
    row("CPU time of 100 pages", Spread::of(of_ours.clone()), "ms");
    row("  the least with the same SDK", Spread::of(of_least.clone()), "ms");
    row("  ratio", Spread::ratio(&of_ours, &of_least), "x");
}

async fn memory(function: &PathBuf) {
    let mut peaks = Vec::new();
    for pages in [4, 400] {
        let aws = aws(pages, 0).await;
        let (program, _) = Program::start(function, &aws, "us-east-1").await;
        tokio::time::sleep(Duration::from_millis(10)).await;
        program.run().await;
        peaks.push(program.peak());
    }
    row("peak memory, 10,000 members in 1 Region", Spread::of(vec![peaks[1]]), "MB");
    row("  100 members", Spread::of(vec![peaks[0]]), "MB");
    row("  ratio", Spread::of(vec![peaks[1] / peaks[0]]), "x");
}
