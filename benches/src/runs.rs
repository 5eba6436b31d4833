//! Whole runs, by every program in turn, against one simulator.

use crate::baseline;
use crate::figures::{Figures, number, table};
use crate::fixture::{Cloud, REGIONS, Wire};
use crate::program::{Kind, Program};

/// Who walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Program(Kind),
    /// The bare chain of requests for the members of one Region.
    Bare,
}

impl Who {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Who::Program(kind) => kind.name(),
            Who::Bare => "the bare chain, one Region",
        }
    }
}

/// Who walks how many Regions, and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) who: Who,
    pub(crate) regions: usize,
    pub(crate) rounds: usize,
}

/// What was measured of an entry.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) entry: Entry,
    /// Milliseconds.
    pub(crate) time: Figures,
    /// Milliseconds for each 100 pages of members. The bare chain runs in this process, which does
    /// more, so it has none.
    pub(crate) cpu: Figures,
    /// Megabytes.
    pub(crate) peak: Figures,
    /// Requests that the simulator was answering at once, in any round.
    pub(crate) most_in_flight: usize,
}

impl Line {
    fn new(entry: Entry) -> Line {
        let [time, cpu, peak] = Default::default();
        Line { entry, time, cpu, peak, most_in_flight: 0 }
    }

    async fn round(&mut self, cloud: &Cloud, pages: u64) {
        let regions = self.entry.regions;
        let kind = match self.entry.who {
            Who::Bare => return self.time.push(baseline::chain(cloud)),
            Who::Program(kind) => kind,
        };
        let (program, _) = Program::start(kind, cloud, &REGIONS[..regions]).await;
        let run = program.run(true).await;
        self.time.push(run.time);
        self.cpu.push(run.cpu / (regions as f64 * pages as f64) * 100.0);
        self.peak.push(program.peak());
        self.most_in_flight = self.most_in_flight.max(cloud.aws.most_in_flight());
        program.end().await;
    }
}

/// What was measured against one simulator.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) pages: u64,
    pub(crate) latency_ms: u64,
    pub(crate) wire: Wire,
    pub(crate) lines: Vec<Line>,
}

impl Group {
    pub(crate) fn line(&self, who: Who, regions: usize) -> &Line {
        let wanted = |line: &&Line| line.entry.who == who && line.entry.regions == regions;
        self.lines.iter().find(wanted).expect("it was measured")
    }

    /// The table. Ratios are against this function over as many Regions.
    pub(crate) fn rendered(&self) -> String {
        let times = |line: &Line, of: fn(&Line) -> &Figures| {
            let ours = self.line(Who::Program(Kind::Function), line.entry.regions);
            of(line).over(of(ours)).some_median().map_or_else(|| "–".to_owned(), number)
        };
        let row = |line: &Line| {
            let Line { entry: Entry { who, regions, .. }, time, cpu, peak, .. } = line;
            vec![
                regions.to_string(),
                who.name().to_owned(),
                time.rendered(),
                times(line, |line| &line.time),
                peak.rendered(),
                times(line, |line| &line.peak),
                cpu.rendered(),
                time.len().to_string(),
            ]
        };
        let mut lines: Vec<&Line> = self.lines.iter().collect();
        lines.sort_by_key(|line| line.entry.regions);
        let rows: Vec<Vec<String>> = lines.into_iter().map(row).collect();
        let head = ["Regions", "", "run, ms", "times", "peak, MB", "times", "CPU ms for 100 pages", "runs"];
        let Group { pages, latency_ms, wire, .. } = self;
        format!(
            "{pages} pages of members in each Region, {latency_ms} ms a request, {}:\n\n{}",
            wire.name(),
            table(&head, &rows)
        )
    }
}

/// Lets every program run in turn, round by round, so that the ratios of a round hold when the
/// machine's speed drifts. Each run is the first of a new process, which is what a daily schedule
/// gives.
pub(crate) async fn measure(pages: u64, latency_ms: u64, wire: Wire, entries: &[Entry]) -> Group {
    eprintln!("runs over {pages} pages at {latency_ms} ms, {}", wire.name());
    let cloud = Cloud::start(pages, latency_ms, wire).await;
    let mut lines: Vec<Line> = entries.iter().map(|&entry| Line::new(entry)).collect();
    let rounds = entries.iter().map(|entry| entry.rounds).max().unwrap_or_default();
    for round in 0..rounds {
        for line in lines.iter_mut().filter(|line| round < line.entry.rounds) {
            cloud.aws.clear();
            line.round(&cloud, pages).await;
        }
    }
    Group { pages, latency_ms, wire, lines }
}
