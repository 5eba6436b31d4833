//! The memory of a process that runs again and again, as a function does that Lambda keeps warm.

use crate::Scale;
use crate::figures::{Figures, table};
use crate::fixture::{Cloud, REGIONS, Wire};
use crate::program::{Kind, Program};

/// How often a process runs.
pub(crate) const RUNS: usize = 5;

/// The peaks of one kind of program over as many pages, in megabytes.
pub(crate) struct Peaks {
    pub(crate) kind: Kind,
    pub(crate) wire: Wire,
    pub(crate) pages: u64,
    /// After the first run of each process.
    first: Figures,
    /// After its last.
    pub(crate) last: Figures,
}

/// Measures both over few pages of each of twenty Regions, and the function over many as well: a round of
/// boto3 would take ten minutes, and its memory hardly depends on them.
pub(crate) async fn measure(scale: Scale) -> Vec<Peaks> {
    let mut measured = Vec::new();
    for wire in [Wire::Http, Wire::Tls] {
        measured.extend(runs(scale, wire, 40, &[(Kind::Function, usize::MAX), (Kind::Boto3, 1)]).await);
        measured.extend(runs(scale, wire, 400, &[(Kind::Function, 3)]).await);
    }
    measured
}

async fn runs(scale: Scale, wire: Wire, pages: u64, kinds: &[(Kind, usize)]) -> Vec<Peaks> {
    let pages = scale.pages(pages);
    eprintln!("{RUNS} runs of a process over {pages} pages, {}", wire.name());
    let cloud = Cloud::start(pages, 10, wire).await;
    let mut measured = Vec::new();
    for &(kind, rounds) in kinds {
        // The first start of Python compiles its modules, which takes memory.
        Program::start(kind, &cloud, &REGIONS).await.0.end().await;
        let [mut first, mut last] = <[Figures; 2]>::default();
        for _ in 0..scale.at_most(rounds) {
            cloud.aws.clear();
            let (program, _) = Program::start(kind, &cloud, &REGIONS).await;
            program.run(true).await;
            first.push(program.peak());
            for _ in 1..RUNS {
                program.run(true).await;
            }
            last.push(program.peak());
            program.end().await;
        }
        measured.push(Peaks { kind, wire, pages, first, last });
    }
    measured
}

/// The table. Ratios are against the function over as many pages.
pub(crate) fn rendered(measured: &[Peaks]) -> String {
    let row = |peaks: &Peaks| {
        let Peaks { kind, wire, pages, first, last } = peaks;
        vec![wire.name().to_owned(), pages.to_string(), kind.name().to_owned(), first.rendered(), last.rendered()]
    };
    let last = format!("after {RUNS}, MB");
    let head = ["peak memory, 20 Regions", "pages in each", "", "after 1 run, MB", &last];
    table(&head, &measured.iter().map(row).collect::<Vec<_>>())
}
