//! The simulator as a program: `simulator [--seed FILE] [--port N]`.

use std::future::pending;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use simulator::{Seed, Simulator};

const USAGE: &str = "usage: simulator [--seed FILE] [--port N]";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(never) => match never {},
        Err(problem) => {
            eprintln!("simulator: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<std::convert::Infallible, String> {
    let arguments = Arguments::read(std::env::args().skip(1))?;
    let seed = match &arguments.seed {
        Some(path) => Seed::read(path).map_err(|err| err.to_string())?,
        None => Seed::default(),
    };
    let simulator = Simulator::start_on(seed, arguments.port).await.map_err(|err| match err.kind() {
        io::ErrorKind::AddrInUse => format!("port {} is in use", arguments.port),
        io::ErrorKind::InvalidInput => format!("the seed is wrong: {err}"),
        _ => format!("cannot listen on port {}: {err}", arguments.port),
    })?;
    eprintln!("{}", simulator.url());
    // It answers on a thread of its own until the process is stopped.
    pending().await
}

struct Arguments {
    seed: Option<PathBuf>,
    port: u16,
}

impl Arguments {
    fn read(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
        let mut arguments = Arguments { seed: None, port: 0 };
        while let Some(name) = given.next() {
            let value = given.next().ok_or_else(|| USAGE.to_owned())?;
            match name.as_str() {
                "--seed" => arguments.seed = Some(value.into()),
                "--port" => {
                    arguments.port = value.parse().map_err(|_| format!("--port {value} is not a port"))?;
                }
                _ => return Err(USAGE.to_owned()),
            }
        }
        Ok(arguments)
    }
}
