//! The numbers: of the whole report, by severity and by account.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::answer::watched;
use super::parts::Column::{Number, Text};
use super::parts::{fit, left_out, name, number, severity, table};
use crate::report::v1::{Change, Report};
use crate::severity::Severity;

/// The bytes that the table of accounts may have.
const ACCOUNTS: usize = 100_000;

pub(super) fn overview(report: &Report) -> Markup {
    html! {
        dl.tiles { @for tile in tiles(report) { (tile) } }
        div.columns {
            (by_severity(report))
            (by_account(report))
        }
    }
}

fn tiles(report: &Report) -> Vec<Markup> {
    let summary = &report.summary;
    let tile = |label: &str, value: String, note: &str| {
        html! { div { dt { (label) } dd { b { (value) } @if !note.is_empty() { " " span { (note) } } } } }
    };
    let mut tiles = vec![tile("Violations", number(summary.violations), "")];
    if let Some(changes) = &report.changes {
        tiles.push(tile("New", number(changes.new), ""));
        tiles.push(tile("Resolved", number(changes.resolved_total), ""));
        tiles.push(tile("Unknown", number(changes.unknown_total), ""));
    }
    tiles.push(tile("Exempted", number(summary.exempted), ""));
    if let Some((watched, members)) = watched(report) {
        tiles.push(tile("Members watched", number(watched), &format!("of {}", number(members))));
    }
    let whole = summary.targets - summary.targets_incomplete.min(summary.targets);
    tiles.push(tile("Targets read", number(whole), &format!("of {}", number(summary.targets))));
    tiles
}

/// Numbers of violations, of those that are new, and of exempted ones, for each severity.
#[derive(Default)]
struct Counts {
    violations: BTreeMap<Severity, u64>,
    new: BTreeMap<Severity, u64>,
    exempted: BTreeMap<Severity, u64>,
}

impl Counts {
    fn row(&self) -> [u64; 4] {
        Severity::ALL.map(|severity| self.violations.get(&severity).copied().unwrap_or_default())
    }

    fn sum(counts: &BTreeMap<Severity, u64>) -> u64 {
        counts.values().sum()
    }
}

/// The counts of each account that has any, the worst first, and of all of them.
fn counts(report: &Report) -> (Vec<(&str, Counts)>, Counts) {
    let mut accounts: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut all = Counts::default();
    for violation in &report.violations {
        let account = accounts.entry(&violation.target.account_id).or_default();
        for counts in [account, &mut all] {
            *counts.violations.entry(violation.severity).or_default() += 1;
            if violation.change == Some(Change::New) {
                *counts.new.entry(violation.severity).or_default() += 1;
            }
        }
    }
    for exempted in &report.exempted {
        let account = accounts.entry(&exempted.violation.target.account_id).or_default();
        for counts in [account, &mut all] {
            *counts.exempted.entry(exempted.violation.severity).or_default() += 1;
        }
    }
    let mut accounts: Vec<(&str, Counts)> = accounts.into_iter().collect();
    accounts.sort_by_key(|(account, counts)| (std::cmp::Reverse(counts.row()), *account));
    (accounts, all)
}

fn by_severity(report: &Report) -> Markup {
    let (_, all) = counts(report);
    let cell = |counts: &BTreeMap<Severity, u64>, severity| number(counts.get(&severity).copied().unwrap_or_default());
    let rows = html! {
        @for of in Severity::ALL {
            tr {
                th scope="row" { (severity(of)) }
                td.n { (cell(&all.violations, of)) }
                td.n { @if report.changes.is_some() { (cell(&all.new, of)) } @else { "–" } }
                td.n { (cell(&all.exempted, of)) }
            }
        }
    };
    let head = [Text("Severity"), Number("All"), Number("New"), Number("Exempted")];
    html! { div { (table("counts", "Violations by severity", &head, &rows)) } }
}

fn by_account(report: &Report) -> Markup {
    let (accounts, _) = counts(report);
    let incomplete = report.targets.iter().filter(|target| !target.complete);
    let incomplete: BTreeSet<&str> = incomplete.map(|target| target.target.account_id.as_str()).collect();
    let (rows, shown) = fit(&accounts, ACCOUNTS, |(account, counts)| {
        html! {
            tr {
                th.id scope="row" { (name(account)) @if incomplete.contains(account) { " " span.chip.doubt { "incomplete" } } }
                td.n { b { (number(Counts::sum(&counts.violations))) } }
                @for number in counts.row() { td.n { (self::number(number)) } }
                td.n { @if report.changes.is_some() { (number(Counts::sum(&counts.new))) } @else { "–" } }
                td.n { (number(Counts::sum(&counts.exempted))) }
            }
        }
    });
    let named: BTreeSet<&str> = accounts.iter().map(|(account, _)| *account).collect();
    let all: BTreeSet<&str> = report.targets.iter().map(|target| target.target.account_id.as_str()).collect();
    let others = all.difference(&named).count();
    let head = [
        Text("Account"),
        Number("All"),
        Number("Critical"),
        Number("High"),
        Number("Medium"),
        Number("Low"),
        Number("New"),
        Number("Exempted"),
    ];
    html! {
        div {
            @if accounts.is_empty() {
                p.note { "No account has a violation." }
            } @else {
                (table("counts sortable", "Violations by account", &head, &rows))
                (left_out(accounts.len() - shown))
                @if others > 0 { p.note { "Accounts without any: " (number(others)) "." } }
            }
        }
    }
}
