//! The CPU time of a page, where nothing waits.

use crate::Scale;
use crate::figures::{Figures, table};
use crate::fixture::{Cloud, REGIONS, Wire};
use crate::program::{Kind, Program};

/// CPU milliseconds for each 100 pages of members, by program.
pub(crate) struct Cpu {
    pub(crate) wire: Wire,
    pub(crate) figures: [(Kind, Figures); 3],
}

/// Dry runs over one Region, each figure over three in one process, after one that is not counted:
/// the least that reads the same pages publishes nothing either.
pub(crate) async fn measure(scale: Scale, wire: Wire) -> Cpu {
    eprintln!("CPU time over {}", wire.name());
    let pages = scale.pages(400);
    let cloud = Cloud::start(pages, 0, wire).await;
    let mut figures = [Kind::Function, Kind::Minimal, Kind::Boto3].map(|kind| (kind, Figures::default()));
    let mut programs = Vec::new();
    for (kind, _) in &figures {
        let (program, _) = Program::start(*kind, &cloud, &REGIONS[..1]).await;
        program.run(false).await;
        programs.push(program);
    }
    for round in 0..scale.rounds {
        for (program, (kind, figures)) in programs.iter().zip(&mut figures) {
            if *kind == Kind::Boto3 && round > 0 {
                continue;
            }
            let mut cpu = 0.0;
            for _ in 0..3 {
                cpu += program.run(false).await.cpu;
            }
            figures.push(cpu / (3.0 * pages as f64) * 100.0);
        }
    }
    Cpu { wire, figures }
}

/// The table.
pub(crate) fn rendered(measured: &[Cpu]) -> String {
    let mut rows = Vec::new();
    for Cpu { wire, figures } in measured {
        for (kind, cpu) in figures {
            let ratio = cpu.over(&figures[1].1).rendered();
            rows.push(vec![wire.name().to_owned(), kind.name().to_owned(), cpu.rendered(), ratio]);
        }
    }
    table(&["CPU time", "", "ms for 100 pages", "against the least"], &rows)
}
