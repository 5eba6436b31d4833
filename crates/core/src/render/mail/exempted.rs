//! What is exempted, and what is to be known of the exemptions.

use std::collections::BTreeMap;

use super::paper::Mail;
use crate::render::words::{NAME, count, severities};
use crate::report::v1::{Exemption, Exemptions, Report};
use crate::text::plain;

/// Entries of each kind that are named.
const SHOWN: usize = 20;

/// The longest address shown, which is that of a bucket with 63 characters and a key with 1,024.
const SOURCE: usize = 1_100;

/// The longest text about an entry.
const PROBLEM: usize = 200;

pub(super) fn section(mail: &mut Mail, report: &Report) {
    let Some(exemptions) = &report.exemptions else { return };
    let Exemptions { expired, expiring_soon, unused, malformed, changed, .. } = exemptions;
    let is_quiet = [expired, expiring_soon, unused, changed].iter().all(|ids| ids.is_empty()) && malformed.is_empty();
    if is_quiet && report.summary.exempted == 0 {
        return;
    }
    mail.heading("EXEMPTED");
    // A message can hold fewer of them than there are.
    let is_all = report.exempted.len() as u64 == report.summary.exempted;
    let by_severity = severities(report.exempted.iter().map(|exempted| &exempted.violation.severity));
    let by_severity = if is_all && !by_severity.is_empty() { format!(" ({by_severity})") } else { String::new() };
    mail.wrapped("", &format!("{}{by_severity}, by the entries of", count(report.summary.exempted, "violation")));
    mail.address(&plain(&exemptions.source, SOURCE));

    let is_stored = report.stored().is_some();
    let entries: BTreeMap<&str, &Exemption> =
        report.exempted.iter().map(|exempted| (exempted.exemption.id.as_str(), &exempted.exemption)).collect();
    let ends = |id: &String| ends(id, entries.get(id.as_str()).copied(), &report.generated_at);
    list(mail, is_stored, "End within 14 days:", expiring_soon, ends);
    list(mail, is_stored, "Expired:", expired, |id| plain(id, NAME));
    list(mail, is_stored, "No longer hold, since the filter was changed:", changed, |id| plain(id, NAME));
    list(mail, is_stored, "Cannot be used:", malformed, |entry| {
        format!("{}: {}", plain(&entry.entry, NAME), plain(&entry.problem, PROBLEM))
    });
    list(mail, is_stored, "Unused:", unused, |id| plain(id, NAME));
}

/// An entry that ends soon.
fn ends(id: &str, entry: Option<&Exemption>, now: &str) -> String {
    let id = plain(id, NAME);
    let Some(entry) = entry else { return id };
    let left = match entry.days_left(now) {
        Some(0) => ", today".to_owned(),
        Some(1) => ", 1 day left".to_owned(),
        Some(days) => format!(", {days} days left"),
        None => String::new(),
    };
    let ticket = entry.ticket.as_ref().map(|ticket| format!(", {}", plain(ticket, NAME))).unwrap_or_default();
    format!("{id}: {}{left}, {}{ticket}", plain(&entry.expires, NAME), plain(&entry.owner, NAME))
}

fn list<T>(mail: &mut Mail, is_stored: bool, title: &str, entries: &[T], text: impl Fn(&T) -> String) {
    if entries.is_empty() {
        return;
    }
    mail.wrapped("", title);
    let mut shown = 0;
    for entry in entries.iter().take(SHOWN) {
        if mail.is_full() {
            break;
        }
        mail.item("- ", &text(entry));
        shown += 1;
    }
    if entries.len() > shown {
        let rest = if is_stored { "the stored report holds all" } else { "the JSON report holds more" };
        mail.wrapped("", &format!("And {} more; {rest} of them.", entries.len() - shown));
    }
}
