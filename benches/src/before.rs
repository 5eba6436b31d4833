//! This build beside another of the same function, most often one from before a change.

use crate::Scale;
use crate::figures::{Figures, table};
use crate::fixture::{Cloud, REGIONS, Wire};
use crate::program::{Kind, Program};
use crate::runs::{Entry, Group, Who, measure};
use crate::start::zipped;

const BOTH: [Kind; 2] = [Kind::Function, Kind::Before];

/// One figure of both builds.
struct Row {
    what: String,
    /// Of this build, and of the one before.
    figures: [Figures; 2],
}

/// The table, with this build as so many times the one before. In runs this build is always the first of a round.
pub(crate) async fn measured(scale: Scale) -> String {
    let mut rows = vec![starts(scale).await];
    for (pages, latency_ms, regions) in [(400, 10, 1), (40, 50, 20)] {
        for wire in [Wire::Http, Wire::Tls] {
            let entries = BOTH.map(|kind| Entry { who: Who::Program(kind), regions, rounds: scale.rounds });
            rows.extend(of_runs(&measure(scale.pages(pages), latency_ms, wire, &entries).await, regions));
        }
    }
    for wire in [Wire::Http, Wire::Tls] {
        rows.push(cpu(scale, wire).await);
    }
    rows.push(Row { what: "zipped, MB".to_owned(), figures: BOTH.map(|kind| Figures::from(zipped(kind) / 1e6)) });
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|Row { what, figures: [this, before] }| {
            vec![what.clone(), this.rendered(), before.rendered(), this.over(before).rendered()]
        })
        .collect();
    table(&["", "this build", "the build before", "times"], &rows)
}

async fn starts(scale: Scale) -> Row {
    let cloud = Cloud::start(1, 0, Wire::Http).await;
    let mut figures = <[Figures; 2]>::default();
    for round in 0..=scale.rounds * 8 {
        for at in in_turn(round) {
            let (program, start) = Program::start(BOTH[at], &cloud, &REGIONS[..1]).await;
            program.end().await;
            // The first reads the file from the disk.
            if round > 0 {
                figures[at].push(start);
            }
        }
    }
    Row { what: "start, ms".to_owned(), figures }
}

/// The order of both, so that neither always runs first.
fn in_turn(round: usize) -> [usize; 2] {
    if round.is_multiple_of(2) { [0, 1] } else { [1, 0] }
}

fn of_runs(group: &Group, regions: usize) -> [Row; 3] {
    let [this, before] = BOTH.map(|kind| group.line(Who::Program(kind), regions));
    let told = if regions == 1 { "1 Region".to_owned() } else { format!("{regions} Regions") };
    let run = format!("{told} of {} pages at {} ms, {}", group.pages, group.latency_ms, group.wire.name());
    let row = |what: &str, figures| Row { what: format!("{run}: {what}"), figures };
    [
        row("run, ms", [this.time.clone(), before.time.clone()]),
        row("CPU ms for 100 pages", [this.cpu.clone(), before.cpu.clone()]),
        row("peak memory, MB", [this.peak.clone(), before.peak.clone()]),
    ]
}

/// Dry runs in processes that have run before, as in the table of CPU time.
async fn cpu(scale: Scale, wire: Wire) -> Row {
    let pages = scale.pages(400);
    let cloud = Cloud::start(pages, 0, wire).await;
    let mut programs = Vec::new();
    for kind in BOTH {
        let (program, _) = Program::start(kind, &cloud, &REGIONS[..1]).await;
        program.run(false).await;
        programs.push(program);
    }
    let mut figures = <[Figures; 2]>::default();
    for round in 0..scale.rounds * 3 {
        for at in in_turn(round) {
            figures[at].push(programs[at].run(false).await.cpu / pages as f64 * 100.0);
        }
    }
    let what = format!("a warm dry run of {pages} pages, {}: CPU ms for 100 pages", wire.name());
    Row { what, figures }
}
