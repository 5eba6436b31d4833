//! The text for people: the mail and the one line of a short message.
//!
//! Most people will see nothing else of a run, many of them on a phone. So the verdict comes
//! first, then what to do, then why. Plain text, 72 columns.

use std::collections::BTreeSet;

use textwrap::Options;

use super::v1::{ReadError, Report, ResourceType, Severity, Target, Verdict, Violation};
use crate::text::{ascii, plain};

/// The width of every line.
const COLUMNS: usize = 72;

/// Violations shown one by one. The rest are in the JSON; a mail with thousands is not read.
const SHOWN: usize = 50;

/// Groups of failed reads shown one by one.
const FAILURES_SHOWN: usize = 20;

/// The longest name shown.
const NAME: usize = 64;

/// The longest time shown, which has no more characters than this.
const LONGEST_TIME: usize = 32;

/// The scope of a report in a few words.
pub(super) fn scope(report: &Report) -> String {
    if let [target] = report.targets.as_slice() {
        return format!("{} {}", target.account_id, target.region);
    }
    let accounts: BTreeSet<&str> = report.targets.iter().map(|target| target.account_id.as_str()).collect();
    let regions: BTreeSet<&str> = report.targets.iter().map(|target| target.region.as_str()).collect();
    let account = match accounts.first() {
        Some(account) if accounts.len() == 1 => (*account).to_owned(),
        _ => count(accounts.len(), "account"),
    };
    format!("{account}, {}", count(regions.len(), "Region"))
}

/// Verdict, violations and scope in one line of printable ASCII: the subject and the short
/// message.
pub(super) fn headline(report: &Report, scope: &str, max: usize) -> String {
    let incomplete = if report.complete { "" } else { ", incomplete" };
    let violations = count(report.summary.violations, "violation");
    ascii(&format!("Macie {}: {violations}{incomplete}, {scope}", report.verdict.as_str()), max)
}

/// The mail of the whole report.
pub(super) fn text(report: &Report) -> String {
    let mut mail = Mail::default();
    verdict(&mut mail, report);
    what_to_do(&mut mail, report);
    violations(&mut mail, &report.violations);
    not_read(&mut mail, &report.targets);
    counts(&mut mail, report);
    mail.0
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
    mail.0
}

fn verdict(mail: &mut Mail, report: &Report) {
    mail.wrapped("", &format!("{}: Amazon Macie, {}", report.verdict.as_str(), scope(report)));
    mail.blank();
    let found = count(report.summary.violations, "violation");
    let unread = report.summary.targets_incomplete;
    let of = count(report.summary.targets, "target");
    mail.wrapped("", &match report.verdict {
        Verdict::Compliant => "Everything was read, and nothing breaks a rule.".to_owned(),
        Verdict::NonCompliant if report.complete => format!("{found}. Everything was read."),
        Verdict::NonCompliant => format!("{found}, and there may be more: in {unread} of {of} not everything could be read."),
        Verdict::InsufficientData => format!(
            "This is not an all-clear. In {unread} of {of} not everything could be read; in what was read, nothing breaks a rule."
        ),
    });
    if report.part.of > 1 {
        mail.wrapped("", &format!("The report comes in {} messages; this is the first.", report.part.of));
    }
}

fn what_to_do(mail: &mut Mail, report: &Report) {
    mail.heading("WHAT TO DO");
    let mut steps = 0;
    for group in report.violations.chunk_by(|a, b| a.rule == b.rule) {
        steps += 1;
        let first = &group[0];
        mail.item(
            &format!("{steps}. "),
            &format!("{} ({}, {}). {}", first.title, group.len(), name(first.severity), first.remediation),
        );
    }
    if !report.complete {
        steps += 1;
        mail.item(&format!("{steps}. "), "Mend what could not be read, as told below, and run again.");
    }
    if steps == 0 {
        mail.wrapped("", "Nothing.");
    }
}

fn violations(mail: &mut Mail, violations: &[Violation]) {
    if violations.is_empty() {
        return;
    }
    mail.heading("VIOLATIONS");
    let shown = &violations[..violations.len().min(SHOWN)];
    for (index, rule) in shown.chunk_by(|a, b| a.rule == b.rule).enumerate() {
        if index > 0 {
            mail.blank();
        }
        let total = violations.iter().filter(|violation| violation.rule == rule[0].rule).count();
        mail.wrapped("", &format!("{} {} ({total})", name(rule[0].severity), rule[0].rule));
        for place in rule.chunk_by(|a, b| (&a.account_id, &a.region) == (&b.account_id, &b.region)) {
            mail.wrapped("", &format!("In {} {}", place[0].account_id, place[0].region));
            mail.wrapped("", &format!("https://console.aws.amazon.com/macie/home?region={}", place[0].region));
            for violation in place {
                mail.item("- ", &one(violation));
            }
        }
    }
    if violations.len() > shown.len() {
        mail.blank();
        mail.wrapped("", &format!("And {} more; the JSON report holds all of them.", violations.len() - shown.len()));
    }
}

/// One violation in a line or two.
fn one(violation: &Violation) -> String {
    let id = plain(&violation.resource.id, NAME);
    let mut text = match violation.resource.kind {
        ResourceType::Member => match &violation.resource.email {
            Some(email) => format!("account {id} ({})", plain(email, NAME)),
            None => format!("account {id}"),
        },
        ResourceType::Invitation => format!("from account {id}"),
        ResourceType::Administrator => format!("administrator account {id}"),
        ResourceType::Session => format!("account {id}"),
        ResourceType::FindingsFilter => match &violation.resource.name {
            Some(name) => format!("filter \"{}\" ({id})", plain(name, NAME)),
            None => format!("filter {id}"),
        },
    };
    if let Some(status) = &violation.status {
        text.push_str(&format!(", {}", plain(status, NAME)));
    }
    if let Some(since) = &violation.since {
        text.push_str(&format!(" since {}", plain(since, LONGEST_TIME).split('T').next().unwrap_or_default()));
    }
    if violation.confirmed == Some(false) {
        text.push_str(", not confirmed");
    }
    text
}

fn not_read(mail: &mut Mail, targets: &[Target]) {
    let mut failures: Vec<(&str, &ReadError, Vec<&Target>)> = Vec::new();
    for target in targets {
        for read in &target.reads {
            let Some(error) = &read.error else { continue };
            let same = |(api, other, _): &&mut (&str, &ReadError, Vec<&Target>)| {
                *api == read.api && other.code == error.code && other.message == error.message
            };
            match failures.iter_mut().find(same) {
                Some((_, _, places)) => places.push(target),
                None => failures.push((&read.api, error, vec![target])),
            }
        }
    }
    if failures.is_empty() {
        return;
    }
    mail.heading("COULD NOT BE READ");
    for (api, error, places) in failures.iter().take(FAILURES_SHOWN) {
        let more =
            if places.len() > 1 { format!(" and {} more", count(places.len() - 1, "target")) } else { String::new() };
        let message =
            if error.message.is_empty() { String::new() } else { format!(" ({})", plain(&error.message, 200)) };
        let place = format!("{} {}", places[0].account_id, places[0].region);
        mail.item("- ", &format!("{api} in {place}{more}: {}{message}", plain(&error.code, NAME)));
        if let Some(hint) = &error.hint {
            mail.wrapped("  ", &format!("To mend it: {}.", plain(hint, 300)));
        }
    }
    if failures.len() > FAILURES_SHOWN {
        mail.wrapped("", &format!("And {} more; the JSON report holds all of them.", failures.len() - FAILURES_SHOWN));
    }
}

fn counts(mail: &mut Mail, report: &Report) {
    let summary = &report.summary;
    mail.heading("COUNTS");
    mail.wrapped("", &format!("Targets: {}, incomplete: {}", summary.targets, summary.targets_incomplete));
    mail.wrapped("", &format!("Members: {}", summary.members));
    for (status, members) in &summary.members_by_status {
        mail.item("  ", &format!("{}: {members}", plain(status, NAME)));
    }
    mail.wrapped("", &format!("Invitations: {}", summary.invitations));
    mail.wrapped("", &format!("Findings filters: {}", summary.filters));
    mail.blank();
    mail.wrapped("", &format!("Report {}", plain(&report.report_id, NAME)));
    mail.wrapped("", &format!("made {}, started by {}", report.generated_at, plain(&report.trigger.source, NAME)));
}

fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "CRITICAL",
        Severity::High => "HIGH",
        Severity::Medium => "MEDIUM",
        Severity::Low => "LOW",
    }
}

fn count(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A text that is written line by line.
#[derive(Default)]
struct Mail(String);

impl Mail {
    fn blank(&mut self) {
        self.0.push('\n');
    }

    fn heading(&mut self, text: &str) {
        self.blank();
        self.wrapped("", text);
    }

    /// A paragraph, every line of it indented.
    fn wrapped(&mut self, indent: &str, text: &str) {
        self.fill(Options::new(COLUMNS).initial_indent(indent).subsequent_indent(indent), text);
    }

    /// An item of a list: a mark, and the lines after the first below the text.
    fn item(&mut self, mark: &str, text: &str) {
        let below = " ".repeat(mark.len());
        self.fill(Options::new(COLUMNS).initial_indent(mark).subsequent_indent(&below), text);
    }

    fn fill(&mut self, options: Options<'_>, text: &str) {
        // Every text of a mail goes through here, so nothing unsafe can be missed.
        let text = plain(text, usize::MAX);
        self.0.push_str(&textwrap::fill(&text, options.word_splitter(textwrap::WordSplitter::NoHyphenation)));
        self.0.push('\n');
    }
}
