//! The start: from spawning a program to its first request for an invocation.

use std::process::Command;

use crate::figures::{Figures, number, table};
use crate::fixture::{Cloud, REGIONS, Wire};
use crate::program::{Kind, Program, beside, build_before, python, root};

/// What was measured of one program.
pub(crate) struct Start {
    pub(crate) kind: Kind,
    /// Milliseconds, with one Region.
    pub(crate) one: Figures,
    /// Milliseconds, with twenty.
    pub(crate) all: Figures,
    /// Bytes of its zip.
    pub(crate) zipped: f64,
}

const KINDS: [Kind; 4] = [Kind::Function, Kind::Nothing, Kind::Minimal, Kind::Boto3];

/// Starts every program in turn.
pub(crate) async fn measure(rounds: usize) -> Vec<Start> {
    eprintln!("starts");
    let cloud = Cloud::start(1, 0, Wire::Http).await;
    let new = |kind| Start { kind, one: Figures::default(), all: Figures::default(), zipped: zipped(kind) };
    let mut starts: Vec<Start> = KINDS.map(new).into();
    for round in 0..=rounds {
        // Python takes a hundred times as long, and its ratio is far from its bar.
        for start in starts.iter_mut().filter(|start| start.kind != Kind::Boto3 || round <= rounds / 4) {
            let (program, one) = Program::start(start.kind, &cloud, &REGIONS[..1]).await;
            program.end().await;
            let (program, all) = Program::start(start.kind, &cloud, &REGIONS).await;
            program.end().await;
            // The first reads the files from the disk, and Python compiles its modules.
            if round > 0 {
                start.one.push(one);
                start.all.push(all);
            }
        }
    }
    starts
}

/// The table.
pub(crate) fn rendered(starts: &[Start]) -> String {
    let nothing = starts.iter().find(|start| start.kind == Kind::Nothing).expect("it was started");
    let rows: Vec<Vec<String>> = starts
        .iter()
        .map(|start| {
            let size = number(start.zipped / 1e6);
            let ratio = start.one.over(&nothing.one).rendered();
            vec![start.kind.name().to_owned(), start.one.rendered(), ratio, start.all.rendered(), size]
        })
        .collect();
    let head = ["start", "1 Region, ms", "against nothing", "20 Regions, ms", "zipped, MB"];
    table(&head, &rows)
}

/// The bytes of a program in a zip with nothing else, as Lambda takes it. Of the boto3 function that
/// is its source alone, since Lambda's Python has a boto3.
pub(crate) fn zipped(kind: Kind) -> f64 {
    let (file, name) = match kind {
        Kind::Function => (beside("macie-compliance"), "bootstrap"),
        Kind::Before => (build_before(), "bootstrap"),
        Kind::Minimal => (beside("minimal"), "bootstrap"),
        Kind::Nothing => (beside("nothing"), "bootstrap"),
        Kind::Boto3 | Kind::Boto3Threads => (root().join("benches/python/handler.py"), "handler.py"),
    };
    let script = root().join("benches/python/zipped.py");
    let done = Command::new(python()).arg(script).arg(file).arg(name).output().expect("Python runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).trim().parse().expect("a number of bytes")
}
