//! What the first run of a process pays over later ones, over TLS, and how much of it is for the
//! system's root certificates.

use crate::figures::{Figures, table};
use crate::fixture::{Cloud, REGIONS, Roots, Wire, seed};
use crate::program::{Kind, Program, Run};

/// The runs of one kind of program, over all rounds.
#[derive(Default)]
struct Runs {
    time: Figures,
    cpu: Figures,
}

impl Runs {
    fn push(&mut self, run: Run) {
        self.time.push(run.time);
        self.cpu.push(run.cpu);
    }
}

/// Measures with one page of members and no latency, so that there is little else than the cost.
pub(crate) async fn section(rounds: usize) -> String {
    eprintln!("first runs over TLS");
    let mut rows = Vec::new();
    for (kind, regions) in [(Kind::Function, 1), (Kind::Function, 20), (Kind::Boto3, 1)] {
        let authority = Cloud::with(seed(1, 0, Vec::new()), Wire::Tls, Roots::Authority).await;
        let system = Cloud::with(seed(1, 0, Vec::new()), Wire::Tls, Roots::System).await;
        let [mut first, mut later, mut first_alone] = <[Runs; 3]>::default();
        for _ in 0..rounds {
            let (program, _) = Program::start(kind, &system, &REGIONS[..regions]).await;
            first.push(program.run(true).await);
            later.push(program.run(true).await);
            program.end().await;
            let (program, _) = Program::start(kind, &authority, &REGIONS[..regions]).await;
            first_alone.push(program.run(true).await);
            program.end().await;
        }
        let what =
            |what: &str| format!("{}, {regions} Region{}: {what}", kind.name(), if regions > 1 { "s" } else { "" });
        let row = |name: &str, time: &Figures, cpu: &Figures| vec![what(name), time.rendered(), cpu.rendered()];
        rows.push(row("first run", &first.time, &first.cpu));
        rows.push(row("second run", &later.time, &later.cpu));
        let (time, cpu) = (first.time.less(&later.time), first.cpu.less(&later.cpu));
        rows.push(row("what the first pays more", &time, &cpu));
        let (time, cpu) = (first.time.less(&first_alone.time), first.cpu.less(&first_alone.cpu));
        rows.push(row("of which for the system's roots", &time, &cpu));
    }
    let table = table(&["over TLS, 1 page, no latency", "time, ms", "CPU time, ms"], &rows);
    format!(
        "The roots are the system's {} certificates and the simulator's authority; for the last row they are compared \
         with the authority alone.\n\n{table}",
        Roots::count()
    )
}
