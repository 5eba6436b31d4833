//! The text for people: the mail and the one line of a short message.
//!
//! Most people will see nothing else of a run, many of them on a phone. So the verdict comes first and what is new,
//! then what to do, then why. Plain text, 72 columns.

mod exempted;
mod first;
mod lists;
mod paper;
mod steps;
mod unreadable;

use std::collections::BTreeSet;

pub(super) use self::first::{sentence, watched};
use self::lists::Standing;
use self::paper::Mail;
use super::words::{NAME, count};
use crate::report::v1::{Part, Report, Verdict};
use crate::text::{ascii, plain};

/// The scope of a report in a few words.
pub(super) fn scope(report: &Report) -> String {
    if let [target] = report.targets.as_slice() {
        return format!("{} {}", target.target.account_id, target.target.region);
    }
    let accounts: BTreeSet<&str> = report.targets.iter().map(|target| target.target.account_id.as_str()).collect();
    let regions: BTreeSet<&str> = report.targets.iter().map(|target| target.target.region.as_str()).collect();
    let account = match accounts.first() {
        Some(account) if accounts.len() == 1 => (*account).to_owned(),
        _ => count(accounts.len(), "account"),
    };
    format!("{account}, {}", count(regions.len(), "Region"))
}

/// Verdict, violations, what is new where there is room for it, and scope in one line of printable ASCII: the subject
/// and the short message.
pub(super) fn headline(report: &Report, scope: &str, max: usize) -> String {
    let incomplete = if report.complete { "" } else { ", incomplete" };
    let told = |news: &str| format!("Macie {}: {}{news}{incomplete}, {scope}", report.verdict.as_str(), found(report));
    let with_news = told(&news(report));
    let fits = with_news.chars().count() <= max;
    ascii(&if fits { with_news } else { told("") }, max)
}

/// How many violations there are, and whether the verdict passes over them.
fn found(report: &Report) -> String {
    let found = count(report.summary.violations, "violation");
    let is_passed_over = report.verdict != Verdict::NonCompliant && report.summary.violations > 0;
    if is_passed_over { format!("{found} below {}", report.fail_on.as_str()) } else { found }
}

fn news(report: &Report) -> String {
    let Some(changes) = &report.changes else { return String::new() };
    let ended = lists::standing(report, Standing::Ended).len();
    let is_compared = lists::standing(report, Standing::NotCompared).is_empty();
    match (changes.new, ended) {
        (0, 0) if is_compared && report.summary.violations > 0 => ", none new".to_owned(),
        (0, 0) => String::new(),
        (0, ended) => format!(", {ended} no longer exempted"),
        (new, _) => format!(", {new} new"),
    }
}

/// The short message of a part after the first, which has the verdict.
pub(super) fn short_note(report: &Report, scope: &str, max: usize) -> String {
    let Part { number, of } = report.part;
    ascii(&format!("Macie: part {number} of {of} of a report, see part 1 for the verdict, {scope}"), max)
}

/// How a report is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// In so many messages, which together hold all of it.
    Messages(usize),
    /// In one that points to the stored report.
    Truncated,
}

/// The mail of the whole report.
pub(super) fn text(report: &Report, delivery: Delivery) -> String {
    let mut mail = Mail::default();
    first::lines(&mut mail, report, delivery);
    steps::what_to_do(&mut mail, report);
    lists::violations(&mut mail, report);
    exempted::section(&mut mail, report);
    unreadable::section(&mut mail, &report.targets);
    counts(&mut mail, report);
    mail.into_text()
}

/// The mail of a part after the first: a note, since the first says everything.
pub(super) fn part_note(report: &Report) -> String {
    let mut mail = Mail::default();
    let (number, of) = (report.part.number, report.part.of);
    mail.wrapped("", &format!("{}: part {number} of {of}", report.verdict.as_str()));
    mail.blank();
    mail.wrapped("", "The report is too large for one message. The mail of part 1 says what to do; this part's JSON holds more of the violations.");
    mail.blank();
    mail.wrapped("", &format!("Report {}", plain(&report.report_id, NAME)));
    mail.into_text()
}

fn counts(mail: &mut Mail, report: &Report) {
    let summary = &report.summary;
    mail.heading("COUNTS");
    mail.wrapped("", &format!("Targets: {}, incomplete: {}", summary.targets, summary.targets_incomplete));
    let mut listed = |what: &str, number: Option<u64>| {
        let number =
            number.map_or_else(|| "not read, since their rules are switched off".to_owned(), |n| n.to_string());
        mail.wrapped("", &format!("{what}: {number}"));
    };
    listed("Invitations", summary.invitations);
    listed("Findings filters", summary.filters);
    listed("Members", summary.members);
    for (status, members) in summary.members_by_status.iter().flatten() {
        mail.item("  ", &format!("{}: {members}", plain(status, NAME)));
    }
    mail.blank();
    mail.wrapped("", &format!("Report {}", plain(&report.report_id, NAME)));
    mail.wrapped("", &format!("made {}, started by {}", report.generated_at, plain(&report.trigger.source, NAME)));
}
