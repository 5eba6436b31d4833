//! The first thing on the page: whether somebody has to act today, and why.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::parts::{anchor, count, day, name, number, safe, severity, what};
use crate::render::mail::{self, sentence};
use crate::render::words::{minute, mutes};
use crate::report::v1::{Change, Report, Verdict, Violation};

/// How many of what is new are named.
const NAMED: usize = 5;

pub(super) fn answer(report: &Report) -> Markup {
    let fresh: Vec<&Violation> = report.violations.iter().filter(|violation| is_fresh(violation)).collect();
    let class = match report.verdict {
        Verdict::Compliant => "good",
        Verdict::NonCompliant => "bad",
        Verdict::InsufficientData => "doubt",
    };
    html! {
        div.banner.(class) {
            p.kicker { "Amazon Macie, " (safe(&mail::scope(report))) ", " (day(&report.generated_at)) }
            h1 { (headline(report, fresh.len())) }
            p.verdict { span.chip.(class) { (report.verdict.as_str()) } " " (sentence(report)) }
            @if !fresh.is_empty() && fresh.len() < report.violations.len() { (named(&fresh)) }
            ul.notes { @for note in notes(report) { li.warning[note.is_warning] { (note.text) } } }
        }
    }
}

/// Whether nobody had to act on it in the last run.
fn is_fresh(violation: &Violation) -> bool {
    matches!(violation.change, Some(Change::New | Change::ExemptionEnded))
}

fn headline(report: &Report, fresh: usize) -> String {
    let found = report.summary.violations;
    let acting = report.violations.iter().filter(|one| is_fresh(one) && one.severity <= report.fail_on).count();
    let uncompared = report.violations.iter().filter(|one| one.change.is_none()).count();
    let is_compared = report.changes.as_ref().is_some_and(|changes| changes.compared_with.is_some());
    match report.verdict {
        Verdict::NonCompliant if is_compared && acting > 0 => format!("Act today: {}", fresh_in_words(report)),
        Verdict::NonCompliant if is_compared && uncompared > 0 => {
            format!("{}, and whether {} of them are new is not known", count(found, "violation"), number(uncompared))
        }
        Verdict::NonCompliant if is_compared => {
            format!("Nothing new to act on: {} from before", count(found - fresh as u64, "violation"))
        }
        Verdict::NonCompliant => format!("Act: {}", count(found, "violation")),
        Verdict::InsufficientData if report.targets.is_empty() => "No all-clear: nothing could be read".to_owned(),
        Verdict::InsufficientData => "No all-clear: not everything could be read".to_owned(),
        Verdict::Compliant => "Nothing to do today".to_owned(),
    }
}

/// What is new and what is no longer exempted, as far as it decides the verdict.
fn fresh_in_words(report: &Report) -> String {
    let of = |change| {
        let decides = |one: &&Violation| one.change == Some(change) && one.severity <= report.fail_on;
        report.violations.iter().filter(decides).count()
    };
    let (new, ended) = (of(Change::New), of(Change::ExemptionEnded));
    let words = [(new, count(new, "new violation")), (ended, format!("{} exempted no longer", number(ended)))];
    words.into_iter().filter(|(number, _)| *number > 0).map(|(_, words)| words).collect::<Vec<_>>().join(", ")
}

fn named(fresh: &[&Violation]) -> Markup {
    html! {
        p.label { "New since the last run" }
        ul.fresh {
            @for violation in fresh.iter().take(NAMED) {
                li {
                    (severity(violation.severity)) " "
                    a href={ "#" (anchor(&violation.id)) } { (what(&violation.resource)) }
                    " in " (name(&violation.target.account_id)) " " (name(&violation.target.region))
                    @if let Some(filter) = &violation.filter { ", " b { (mutes(filter.breadth)) } }
                    @if violation.change == Some(Change::ExemptionEnded) { ", its exemption ended" }
                }
            }
            @if fresh.len() > NAMED { li { "and " (number(fresh.len() - NAMED)) " more" } }
        }
    }
}

/// Something else to know, below the verdict.
struct Note {
    text: String,
    is_warning: bool,
}

fn warning(text: String) -> Note {
    Note { text, is_warning: true }
}

fn remark(text: String) -> Note {
    Note { text, is_warning: false }
}

fn notes(report: &Report) -> Vec<Note> {
    let mut notes = exemptions(report);
    if let Some(error) = report.evidence.as_ref().and_then(|evidence| evidence.error.as_deref()) {
        notes.push(warning(format!("This report could not be stored as evidence: {}", safe(error))));
    }
    notes.extend(changes(report));
    let below = report.violations.iter().filter(|violation| violation.severity > report.fail_on).count();
    if below > 0 {
        notes.push(remark(format!(
            "{} below {} {} not count for the verdict (FAIL_ON).",
            count(below, "violation"),
            report.fail_on.as_str(),
            if below == 1 { "does" } else { "do" }
        )));
    }
    if !report.rules_disabled.is_empty() {
        let (off, all) = (report.rules_disabled.len(), report.rules_disabled.len() + report.summary.by_rule.len());
        let are = if off == 1 { "is" } else { "are" };
        notes.push(remark(format!("{off} of {all} rules {are} switched off: {}.", report.rules_disabled.join(", "))));
    }
    if !report.summary.regions_without_macie.is_empty() {
        let regions = safe(&report.summary.regions_without_macie.join(", "));
        notes.push(remark(format!("Macie is not offered in {regions}, so nothing was read there.")));
    }
    notes.extend(mail::watched(report).map(remark));
    notes
}

fn exemptions(report: &Report) -> Vec<Note> {
    let mut notes = Vec::new();
    let Some(exemptions) = &report.exemptions else { return notes };
    if let Some(error) = &exemptions.error {
        notes.push(warning(format!("The exemptions could not be read, so nothing is exempted: {}", safe(error))));
    }
    for (number, what) in [
        (exemptions.changed.len(), "no longer in force: what was exempted has changed"),
        (exemptions.malformed.len(), "malformed, so without effect"),
    ] {
        if number > 0 {
            notes.push(warning(format!("{} {what}.", are(number as u64, "exemption"))));
        }
    }
    if !exemptions.expiring_soon.is_empty() {
        let ending = exemptions.expiring_soon.len() as u64;
        notes.push(remark(format!("{} within 14 days.", ends(ending, "exemption"))));
    }
    notes
}

fn changes(report: &Report) -> Vec<Note> {
    let mut notes = Vec::new();
    let Some(changes) = &report.changes else { return notes };
    if changes.unknown_total > 0 {
        notes.push(warning(format!(
            "{} of the last run may still be there: what would tell was not read.",
            count(changes.unknown_total, "violation")
        )));
    }
    if changes.resolved_total > 0 {
        notes.push(remark(format!("{} resolved since the last run.", are(changes.resolved_total, "violation"))));
    }
    notes.push(remark(match &changes.compared_with {
        Some(run) => format!("Compared with the run of {}.", minute(&run.generated_at)),
        None => "There is no run before this one to compare with.".to_owned(),
    }));
    notes
}

fn are(number: u64, noun: &str) -> String {
    format!("{} {}", count(number, noun), if number == 1 { "is" } else { "are" })
}

fn ends(number: u64, noun: &str) -> String {
    format!("{} {}", count(number, noun), if number == 1 { "ends" } else { "end" })
}

/// Members that Macie watches, and all members.
pub(super) fn watched(report: &Report) -> Option<(u64, u64)> {
    let by_status: &BTreeMap<String, u64> = report.summary.members_by_status.as_ref()?;
    let members = by_status.values().sum();
    (members > 0).then(|| (by_status.get("Enabled").copied().unwrap_or_default(), members))
}
