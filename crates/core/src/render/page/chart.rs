//! The picture of the last runs: a bar for each, its violations by severity on each other, and its verdict below.

use maud::{Markup, html};

use super::parts::Column::{Number, Text};
use super::parts::{class, count, day, number, safe, severities, table};
use crate::history::{History, PastRun, RUNS};
use crate::report::v1::Verdict;
use crate::severity::Severity;

const WIDTH: usize = 720;
const HEIGHT: usize = 210;
/// Where the bars begin, and where they stand.
const LEFT: usize = 48;
const BASE: usize = 150;
/// The height of the tallest bar.
const TALLEST: usize = 130;
const STEP: usize = (WIDTH - LEFT) / RUNS;
const BAR: usize = 14;
/// The least height of what is there at all.
const LEAST: usize = 3;
/// A date stands below each so many bars.
const DATES: usize = 5;

pub(super) fn chart(history: &History) -> Markup {
    let runs = history.runs();
    html! {
        figure {
            // The newest run is on the right, and that is where a narrow window begins.
            div.scroll.rtl role="group" aria-label="The picture of the last runs" tabindex="0" { (drawing(runs)) }
            figcaption {
                @for of in Severity::ALL { span { (swatch(of)) " " (of.as_str()) } " " }
                @for verdict in [Verdict::Compliant, Verdict::NonCompliant, Verdict::InsufficientData] {
                    span { svg.swatch viewBox="0 0 14 14" aria-hidden="true" { (mark(verdict, 7, 7)) } " " (verdict.as_str()) } " "
                }
            }
        }
        details { summary { "The same as a table" } (as_table(runs)) }
    }
}

fn swatch(severity: Severity) -> Markup {
    html! { svg.swatch viewBox="0 0 14 14" aria-hidden="true" { rect.(class(severity)) width="14" height="14" rx="2" {} } }
}

fn drawing(runs: &[PastRun]) -> Markup {
    let most = runs.iter().map(PastRun::violations).max().unwrap_or_default();
    let top = ceiling(most);
    let last = if runs.len() == 1 { "run".to_owned() } else { count(runs.len(), "run") };
    let summary = format!("Violations by severity in the last {last}, at most {}", number(most));
    // Where there are few, they stand on the right.
    let first = RUNS - runs.len();
    html! {
        svg.chart viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } width=(WIDTH) height=(HEIGHT) role="img" aria-labelledby="chart-title" {
            title #chart-title { (summary) }
            @for (value, y) in [(0, BASE), (top / 2, BASE - TALLEST / 2), (top, BASE - TALLEST)] {
                @if value > 0 || y == BASE {
                    line.grid x1=(LEFT) x2=(WIDTH) y1=(y) y2=(y) {}
                    text.axis x=(LEFT - 8) y=(y + 4) text-anchor="end" { (number(value)) }
                }
            }
            @for (index, run) in runs.iter().enumerate() {
                @let x = LEFT + (first + index) * STEP + (STEP - BAR) / 2;
                g {
                    title { (told(run)) }
                    @for bar in bars(run, top) {
                        rect.(class(bar.severity)) x=(x) y=(bar.y) width=(BAR) height=(bar.height) {}
                    }
                    (mark(run.verdict, x + BAR / 2, BASE + 16))
                }
                @if (runs.len() - 1 - index).is_multiple_of(DATES) {
                    text.axis x=(x + BAR / 2) y=(BASE + 42) text-anchor="middle" { (short_day(&run.generated_at)) }
                }
            }
        }
    }
}

/// A part of a bar.
struct Bar {
    severity: Severity,
    y: usize,
    height: usize,
}

/// The parts of a bar, the worst at the bottom, where bars can be compared.
fn bars(run: &PastRun, top: u64) -> Vec<Bar> {
    let mut y = BASE;
    let some = Severity::ALL.into_iter().filter_map(|severity| Some((severity, *run.by_severity.get(&severity)?)));
    some.filter(|(_, number)| *number > 0)
        .map(|(severity, number)| {
            let height = u128::from(number) * TALLEST as u128 / u128::from(top.max(1));
            let height = usize::try_from(height).unwrap_or(TALLEST).max(LEAST);
            y = y.saturating_sub(height);
            Bar { severity, y, height }
        })
        .collect()
}

/// The least of 2, 4, 10, 20, 40, 100 … that is not below the number.
fn ceiling(number: u64) -> u64 {
    let mut scale = 1_u64;
    loop {
        for step in [2, 4, 10] {
            let step = scale.saturating_mul(step);
            if step >= number {
                return step;
            }
        }
        scale = scale.saturating_mul(10);
    }
}

/// A verdict as a mark that differs in its form too.
fn mark(verdict: Verdict, x: usize, y: usize) -> Markup {
    let place = format!("translate({x} {y})");
    html! {
        g.mark transform=(place) {
            @match verdict {
                Verdict::Compliant => { circle.good r="6" {} path d="M-3 0l2 2l4 -4" {} }
                Verdict::NonCompliant => { rect.bad x="-6" y="-6" width="12" height="12" rx="2" {} path d="M-3 -3l6 6M3 -3l-6 6" {} }
                Verdict::InsufficientData => { path.doubt d="M0 -7L7 0L0 7L-7 0Z" {} path d="M0 -3v3M0 2.5v1" {} }
            }
        }
    }
}

fn told(run: &PastRun) -> String {
    let found = severities(&run.by_severity);
    let found = if found.is_empty() { "no violation".to_owned() } else { found };
    let incomplete = if run.complete { "" } else { ", incomplete" };
    format!("{}: {}{incomplete}, {found}", safe(&run.generated_at), run.verdict.as_str())
}

/// Month and day.
fn short_day(time: &str) -> String {
    let day = day(time);
    day.split_once('-').map_or(day.clone(), |(_, rest)| rest.to_owned())
}

fn as_table(runs: &[PastRun]) -> Markup {
    let known = |count: Option<u64>| count.map_or_else(|| "–".to_owned(), number);
    let rows = html! {
        @for run in runs.iter().rev() {
            tr {
                th scope="row" { (safe(&run.generated_at)) }
                td { (run.verdict.as_str()) @if !run.complete { ", incomplete" } }
                @for severity in Severity::ALL { td.n { (number(run.by_severity.get(&severity).copied().unwrap_or_default())) } }
                td.n { (number(run.exempted)) }
                td.n { (known(run.new)) }
                td.n { (known(run.resolved)) }
            }
        }
    };
    let head = [
        Text("Run"),
        Text("Verdict"),
        Number("Critical"),
        Number("High"),
        Number("Medium"),
        Number("Low"),
        Number("Exempted"),
        Number("New"),
        Number("Resolved"),
    ];
    table("counts", "The last runs, the newest first", &head, &rows)
}
