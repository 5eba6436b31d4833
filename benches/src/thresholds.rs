//! The bars: what was promised to be measured, beside what was.

use std::time::Duration;

use serde_json::Value;
use simulator::lambda::Invocation;
use simulator::{Fault, FaultKind};

use crate::cpu::Cpu;
use crate::figures::{Figures, number, table};
use crate::fixture::{Cloud, REGIONS, Roots, Wire, seed};
use crate::mutes::{Comparison, Runs};
use crate::program::{Kind, Program};
use crate::runs::{Group, Who};
use crate::warm::{Peaks, RUNS};

/// The rows so far.
#[derive(Default)]
pub(crate) struct Bars(Vec<Vec<String>>);

/// What a figure is held against.
#[derive(Clone, Copy)]
enum Bar {
    AtMost(f64),
    AtLeast(f64),
}

impl Bars {
    fn row(&mut self, what: &str, measured: String, bar: String, met: bool) {
        let met = if met { "met" } else { "**not met**" };
        self.0.push(vec![what.to_owned(), measured, bar, met.to_owned()]);
    }

    /// A row that is decided by the median.
    fn figures(&mut self, what: &str, figures: &Figures, unit: &str, bar: Bar) {
        let (word, limit, met) = match bar {
            Bar::AtMost(limit) => ("at most", limit, figures.median() <= limit),
            Bar::AtLeast(limit) => ("at least", limit, figures.median() >= limit),
        };
        self.row(what, format!("{} {unit}", figures.rendered()), format!("{word} {limit} {unit}"), met);
    }

    pub(crate) fn start(&mut self, function: &Figures, nothing: &Figures) {
        let what = "start, to the first `/next`, against a function that does nothing";
        self.figures(what, &function.over(nothing), "times", Bar::AtMost(2.0));
    }

    /// `group` has many pages and a small latency.
    pub(crate) fn chain(&mut self, group: &Group) {
        let function = group.line(Who::Program(Kind::Function), 1);
        let ratio = function.time.over(&group.line(Who::Bare, 1).time);
        let Group { pages, latency_ms, wire, .. } = group;
        let what = format!("{pages} pages at {latency_ms} ms against the bare chain, {}", wire.name());
        self.figures(&what, &ratio, "times", Bar::AtMost(1.05));
    }

    /// `group` has few pages and a large latency.
    pub(crate) fn regions(&mut self, group: &Group) {
        let (one, all) = (group.line(Who::Program(Kind::Function), 1), group.line(Who::Program(Kind::Function), 20));
        let Group { pages, latency_ms, wire, .. } = group;
        let what = format!("20 Regions against 1, {pages} pages each at {latency_ms} ms, {}", wire.name());
        self.figures(&what, &all.time.over(&one.time), "times", Bar::AtMost(1.3));
        let most = all.most_in_flight;
        let what = format!("most requests in flight there, {}", wire.name());
        self.row(&what, most.to_string(), "at most 64".to_owned(), most <= 64);
        let what = format!("peak memory there, 20 Regions, {}", wire.name());
        self.figures(&what, &all.peak, "MB", Bar::AtMost(24.0));
    }

    /// `group` has boto3 in 20 Regions.
    pub(crate) fn boto3(&mut self, start: (&Figures, &Figures), group: &Group) {
        let (ours, theirs) = (group.line(Who::Program(Kind::Function), 20), group.line(Who::Program(Kind::Boto3), 20));
        let wire = group.wire.name();
        self.figures("boto3, 20 Regions: start", &start.1.over(start.0), "times", Bar::AtLeast(50.0));
        let what = format!("boto3, 20 Regions: run, one after another, {wire}");
        self.figures(&what, &theirs.time.over(&ours.time), "times", Bar::AtLeast(20.0));
        let what = format!("boto3, 20 Regions: peak memory, {wire}");
        self.figures(&what, &theirs.peak.over(&ours.peak), "times", Bar::AtLeast(4.0));
    }

    /// The peak after the last run of a process. boto3 is measured over the fewest pages.
    pub(crate) fn warm(&mut self, measured: &[Peaks]) {
        for wire in [Wire::Http, Wire::Tls] {
            let of = |kind| measured.iter().filter(move |peaks| peaks.kind == kind && peaks.wire == wire);
            let boto3 = of(Kind::Boto3).next().expect("it was measured");
            for ours in of(Kind::Function) {
                let (pages, wire) = (ours.pages, wire.name());
                let what = format!("boto3, 20 Regions: peak memory of {RUNS} runs of a process, {pages} pages, {wire}");
                let ratio = boto3.last.median() / ours.last.median();
                self.figures(&what, &Figures::from(ratio), "times", Bar::AtLeast(4.0));
            }
        }
    }

    /// Peaks of many and of few members in one Region.
    pub(crate) fn growth(&mut self, many: &Figures, few: &Figures) {
        let what = "peak memory of 10,000 members in one Region against 100";
        self.figures(what, &many.over(few), "times", Bar::AtMost(1.2));
    }

    pub(crate) fn cpu(&mut self, cpu: &Cpu) {
        let [(_, function), (_, minimal), _] = &cpu.figures;
        let what = format!("CPU time of a run against the least with the same SDK, {}", cpu.wire.name());
        self.figures(&what, &function.over(minimal), "times", Bar::AtMost(1.5));
    }

    pub(crate) fn size(&mut self, bytes: f64) {
        self.figures("zipped size, x86_64", &Figures::from(bytes / 1e6), "MB", Bar::AtMost(4.5));
    }

    /// A call that hangs in one Region, and an invocation of 12 s.
    pub(crate) async fn deadline(&mut self) {
        eprintln!("a call that hangs");
        let given = Duration::from_secs(12);
        let hang = Fault { region: Some(REGIONS[0].to_owned()), ..Fault::of("macie2", "ListMembers", FaultKind::Hang) };
        let cloud = Cloud::with(seed(4, 10, vec![hang]), Wire::Http, Roots::Authority).await;
        let (program, _) = Program::start(Kind::Function, &cloud, &REGIONS).await;
        let minute = Invocation::new(serde_json::json!({}));
        // An invocation comes with a minute.
        let deadline_ms = minute.deadline_ms - 60_000 + given.as_millis() as u64;
        let (_, run) = program.invoke(Invocation { deadline_ms, ..minute }).await;
        let messages = cloud.aws.messages();
        let named = messages.iter().any(|message| names_what_is_missing(&message.body));
        let in_time = run.time < given.as_secs_f64() * 1e3;
        let published = if messages.is_empty() { "nothing published" } else { "published" };
        let missing = if named { "and what is missing named" } else { "and what is missing not named" };
        let measured = format!("{published} after {} s, {missing}", number(run.time / 1e3));
        let bar = "published before the deadline, what is missing named".to_owned();
        self.row("ListMembers hangs in 1 of 20 Regions, 12 s left", measured, bar, in_time && named);
    }

    /// What more to look at costs.
    fn comparison(&mut self, Comparison { what, more, less }: &Comparison, bar: f64) {
        self.figures(&format!("{what}: run"), &more.time.over(&less.time), "times", Bar::AtMost(bar));
    }

    pub(crate) fn mutes(
        &mut self,
        filters: &Comparison,
        all: &Comparison,
        [roster, bare]: &[Comparison; 2],
        many: &[(&str, Runs); 2],
    ) {
        for (comparison, bar) in [(filters, 1.2), (all, 1.35), (roster, 1.05)] {
            self.comparison(comparison, bar);
            let most = comparison.more.most_in_flight;
            self.row("most requests in flight there", most.to_string(), "at most 64".to_owned(), most <= 64);
        }
        self.comparison(bare, 1.05);
        self.figures("peak memory of all rules over 20 Regions", &all.more.peak, "MB", Bar::AtMost(24.0));
        let [(filters, of_filters), (violations, of_violations)] = many;
        let seconds = Figures::from(of_filters.time.median() / 1e3);
        self.figures(&format!("{filters}, 50 ms a request: run"), &seconds, "s", Bar::AtMost(50.0));
        self.figures(&format!("{violations}: peak memory"), &of_violations.peak, "MB", Bar::AtMost(64.0));
    }

    pub(crate) fn rendered(&self) -> String {
        table(&["what", "measured", "bar", ""], &self.0)
    }
}

/// Whether a message tells that one read, and no other, came to the deadline.
fn names_what_is_missing(body: &str) -> bool {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let report: Value = serde_json::from_str(body["default"].as_str().unwrap_or_default()).unwrap_or_default();
    let targets = report["targets"].as_array().into_iter().flatten();
    let failed = targets.flat_map(|target| {
        let reads = target["reads"].as_array().into_iter().flatten().filter(|read| !read["error"].is_null());
        reads.map(|read| (target["region"].as_str(), read["api"].as_str(), read["error"]["code"].as_str()))
    });
    failed.eq([(Some(REGIONS[0]), Some("ListMembers"), Some("DeadlineExceeded"))])
}
