//! How long the function takes to start and to run, side by side with what bounds it from below (a
//! function that does nothing, the bare chain of requests over one connection, the least that reads
//! the same pages with the same SDK) and with the same job written for boto3.
//!
//! Everything runs on this machine in one go and in turn, so that the ratios hold when its speed
//! drifts. The tables are Markdown, on standard output; the plots go to `docs/`.
//!
//! `ROUNDS` is how often each is measured. `QUICK=1` takes a tenth of the pages and one round, to
//! see that the bench works; its plots stay beside the program. `ONLY=memory` measures the memory of
//! processes that run again and again, and nothing else; `ONLY=mutes` all rules, filters and the roster.
//! `BEFORE=FILE` measures this build beside another, in that file, and nothing else; `BEFORE_DISABLED_RULES` is
//! its `DISABLED_RULES`, where it does not know all rules of this one.

mod baseline;
mod before;
mod cold_start;
mod cpu;
mod figures;
mod fixture;
mod mutes;
mod plot;
mod program;
mod runs;
mod start;
mod thresholds;
mod warm;

use std::fs;
use std::io::Write as _;
use std::time::Instant;

use figures::number;
use fixture::{PAGE, Wire};
use plot::{Panel, Series};
use program::{Kind, beside, root};
use runs::{Entry, Group, Line, Who, measure};
use start::Start;
use thresholds::Bars;

/// How much is measured.
#[derive(Clone, Copy)]
struct Scale {
    rounds: usize,
    /// Pages are divided by this.
    divisor: u64,
}

impl Scale {
    fn read() -> Scale {
        let quick = std::env::var("QUICK").is_ok_and(|value| !value.is_empty());
        let rounds = std::env::var("ROUNDS").ok().filter(|value| !value.is_empty());
        let rounds = rounds.map(|value| value.parse().expect("ROUNDS is a number"));
        let (usual, divisor) = if quick { (1, 10) } else { (5, 1) };
        Scale { rounds: rounds.unwrap_or(usual).max(1), divisor }
    }

    fn pages(self, pages: u64) -> u64 {
        (pages / self.divisor).max(1)
    }

    /// Fewer rounds, of what takes long.
    fn at_most(self, rounds: usize) -> usize {
        self.rounds.min(rounds)
    }

    fn of(self, kind: Kind, regions: usize, rounds: usize) -> Entry {
        Entry { who: Who::Program(kind), regions, rounds: self.at_most(rounds) }
    }
}

fn report(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").expect("standard output takes the tables");
}

const FUNCTION: Who = Who::Program(Kind::Function);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let scale = Scale::read();
    let begin = Instant::now();
    if scale.divisor > 1 {
        report("QUICK: a tenth of the pages. These figures show that the bench works, and nothing else.\n");
    }
    if std::env::var_os("BEFORE").is_some() {
        report(&before::measured(scale).await);
        return;
    }
    match std::env::var("ONLY").as_deref() {
        Ok("memory") => {
            let mut bars = Bars::default();
            let warm = warm::measure(scale).await;
            bars.warm(&warm);
            report(&bars.rendered());
            report(&warm::rendered(&warm));
            return;
        }
        Ok("mutes") => {
            let mut bars = Bars::default();
            measure_mutes(scale, &mut bars).await;
            report(&bars.rendered());
            return;
        }
        _ => {}
    }
    let starts = start::measure(scale.rounds * 8 + 1).await;
    let few = few_pages(scale, Wire::Http).await;
    let many = many_pages(scale, Wire::Http).await;
    let few_tls = few_pages(scale, Wire::Tls).await;
    let many_tls = many_pages(scale, Wire::Tls).await;
    let mut by_members = fewer_members(scale).await;
    let warm = warm::measure(scale).await;
    let cpu = [cpu::measure(scale, Wire::Http).await, cpu::measure(scale, Wire::Tls).await];

    let mut bars = Bars::default();
    let start_of = |kind| starts.iter().find(|start: &&Start| start.kind == kind).expect("it was started");
    let [function, boto3, nothing] = [Kind::Function, Kind::Boto3, Kind::Nothing].map(start_of);
    bars.start(&function.one, &nothing.one);
    [&many, &many_tls].into_iter().for_each(|group| bars.chain(group));
    [&few, &few_tls].into_iter().for_each(|group| bars.regions(group));
    bars.growth(&many.line(FUNCTION, 1).peak, &by_members[0].line(FUNCTION, 1).peak);
    bars.boto3((&function.all, &boto3.all), &few);
    bars.warm(&warm);
    bars.size(function.zipped);
    cpu.iter().for_each(|cpu| bars.cpu(cpu));
    bars.deadline().await;
    measure_mutes(scale, &mut bars).await;

    report(&bars.rendered());
    report(&start::rendered(&starts));
    for group in [&few, &many, &few_tls, &many_tls] {
        report(&group.rendered());
    }
    report(&warm::rendered(&warm));
    report(&cpu::rendered(&cpu));
    report(&cold_start::section(scale.rounds * 2 + 1).await);
    by_members.push(many);
    draw(scale, &by_members, &few);
    report(&format!("Measured in {} minutes.", number(begin.elapsed().as_secs_f64() / 60.0)));
}

/// The rules that came after the first thirteen, and many violations.
async fn measure_mutes(scale: Scale, bars: &mut Bars) {
    let [filters, all] = [mutes::filters(scale).await, mutes::all_rules(scale).await];
    bars.mutes(&filters, &all, &mutes::roster(scale).await, &mutes::many(scale).await);
}

/// 40 pages and a latency as between an ordinary pair of Regions.
async fn few_pages(scale: Scale, wire: Wire) -> Group {
    let mut entries = vec![
        scale.of(Kind::Function, 1, usize::MAX),
        scale.of(Kind::Function, 20, usize::MAX),
        Entry { who: Who::Bare, regions: 1, rounds: scale.rounds },
        scale.of(Kind::Minimal, 1, 3),
        scale.of(Kind::Boto3, 1, 3),
        scale.of(Kind::Boto3Threads, 20, 2),
        // A minute.
        scale.of(Kind::Boto3, 20, 1),
    ];
    if wire == Wire::Http {
        // The plot's points between.
        for regions in [5, 10] {
            entries.push(scale.of(Kind::Function, regions, 3));
            entries.push(scale.of(Kind::Boto3Threads, regions, 1));
            entries.push(scale.of(Kind::Boto3, regions, 1));
        }
    }
    measure(scale.pages(40), 50, wire, &entries).await
}

/// 400 pages, the most that Macie's quotas allow, and little latency.
async fn many_pages(scale: Scale, wire: Wire) -> Group {
    let mut entries = vec![
        scale.of(Kind::Function, 1, usize::MAX),
        Entry { who: Who::Bare, regions: 1, rounds: scale.rounds },
        scale.of(Kind::Function, 20, 3),
        scale.of(Kind::Minimal, 1, 3),
        scale.of(Kind::Boto3, 1, 3),
    ];
    if wire == Wire::Http {
        // A minute, and three.
        entries.push(scale.of(Kind::Boto3Threads, 20, 1));
        entries.push(scale.of(Kind::Boto3, 20, 1));
    }
    measure(scale.pages(400), 10, wire, &entries).await
}

/// One Region with fewer members, for the plot and for how memory grows.
async fn fewer_members(scale: Scale) -> Vec<Group> {
    let entries = [
        scale.of(Kind::Function, 1, usize::MAX),
        Entry { who: Who::Bare, regions: 1, rounds: 1 },
        scale.of(Kind::Boto3, 1, 1),
    ];
    let mut groups = Vec::new();
    for pages in [4, 100, 200] {
        groups.push(measure(scale.pages(pages), 10, Wire::Http, &entries).await);
    }
    groups
}

/// One figure of a line, where it has it.
type Figure = fn(&Line) -> Option<f64>;

/// Draws time and memory against members and against Regions.
fn draw(scale: Scale, by_members: &[Group], by_regions: &Group) {
    let folder = if scale.divisor == 1 { root().join("docs") } else { beside("bench").with_file_name("") };
    let along_members = |who: Who, of: Figure| {
        let points = by_members.iter().filter_map(|group| {
            let line = group.lines.iter().find(|line| line.entry.who == who && line.entry.regions == 1)?;
            Some(((group.pages * PAGE) as f64, of(line)?))
        });
        Series::of(who, points)
    };
    let along_regions = |who: Who, of: Figure| {
        let lines = by_regions.lines.iter().filter(|line| line.entry.who == who);
        Series::of(who, lines.filter_map(|line| Some((line.entry.regions as f64, of(line)?))))
    };
    let seconds = |line: &Line| Some(line.time.median() / 1e3);
    let megabytes = |line: &Line| line.peak.some_median();
    let [boto3, threads] = [Kind::Boto3, Kind::Boto3Threads].map(Who::Program);
    let panels = |one: &dyn Fn(Who, Figure) -> Series, who: &[Who]| {
        [("time, s", seconds as Figure), ("peak memory, MB", megabytes)]
            .map(|(title, of)| Panel { title, series: who.iter().map(|&who| one(who, of)).collect() })
    };
    let members = plot::chart(
        "Time and memory against members",
        "One Region at 10 ms a request: this function beside boto3 and the bare chain of requests.",
        "members of one Region, 10 ms a request",
        &panels(&along_members, &[FUNCTION, boto3, Who::Bare]),
    );
    let axis = format!("Regions of {} members, 50 ms a request", plot::thousands((by_regions.pages * PAGE) as f64));
    let regions = plot::chart(
        "Time and memory against Regions",
        "This function beside boto3, one Region after another and with a thread for each.",
        &axis,
        &panels(&along_regions, &[FUNCTION, boto3, threads]),
    );
    for (name, svg) in [("bench-members.svg", members), ("bench-regions.svg", regions)] {
        let path = folder.join(name);
        fs::write(&path, svg).expect("the plot can be written");
        eprintln!("wrote {}", path.display());
    }
}
