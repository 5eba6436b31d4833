//! The lists of violations: what is new, what is unknown, what is still there and what is gone.

use std::collections::HashSet;

use super::paper::Mail;
use crate::names::Target;
use crate::render::words::{NAME, console, matches, mutes, raised};
use crate::report::v1::{Change, Changes, Gone, Report, Violation};
use crate::resource::Resource;
use crate::severity::Severity;
use crate::text::plain;

/// Violations of a list shown one by one. A mail with thousands is not read.
const SHOWN: usize = 50;

/// What is no more, or unknown, shown one by one.
const GONE_SHOWN: usize = 20;

/// Digits of a violation's id that are shown.
const SHORT_ID: usize = 8;

/// The longest time shown, which has no more characters than this.
const LONGEST_TIME: usize = 32;

/// The longest text about a filter's conditions.
const CONDITIONS: usize = 200;

/// How a violation stands to what the last run found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The last run did not find it.
    New,
    /// The last run found it exempted.
    Ended,
    /// What the last run found could not be read.
    NotCompared,
    /// The last run found it.
    Known,
}

impl Standing {
    fn of(violation: &Violation) -> Standing {
        match violation.change {
            Some(Change::New) => Standing::New,
            Some(Change::ExemptionEnded) => Standing::Ended,
            Some(Change::Known) => Standing::Known,
            None => Standing::NotCompared,
        }
    }
}

/// The violations that stand so to what the last run found, the worst first.
pub(super) fn standing(report: &Report, standing: Standing) -> Vec<&Violation> {
    report.violations.iter().filter(|violation| Standing::of(violation) == standing).collect()
}

/// What is new, or no longer exempted.
pub(super) fn news(report: &Report) -> Vec<&Violation> {
    let is_new = |violation: &&Violation| matches!(Standing::of(violation), Standing::New | Standing::Ended);
    report.violations.iter().filter(is_new).collect()
}

/// Whether two violations stand under one heading: a rule can have violations of different severities.
pub(super) fn are_alike<T: Listed>(a: &T, b: &T) -> bool {
    a.rule() == b.rule() && a.severity() == b.severity()
}

/// Every list of violations.
pub(super) fn violations(mail: &mut Mail, report: &Report) {
    let is_stored = report.stored().is_some();
    let list = |heading, intro| List { heading, intro, is_stored, most: SHOWN, gone: None };
    let Some(changes) = &report.changes else {
        list("VIOLATIONS", "").write(mail, &report.violations.iter().collect::<Vec<_>>(), |_| None);
        return;
    };
    let Changes { resolved, resolved_total, unknown, unknown_total, .. } = changes;
    let new = news(report);
    list("NEW", "").write(mail, &new, |_| None);
    let not_compared = standing(report, Standing::NotCompared);
    list("NEW OR NOT", "What the last run found in these places could not be read.")
        .write(mail, &not_compared, |_| None);
    let gone = |heading, intro, total: &u64| List { most: GONE_SHOWN, gone: Some(*total), ..list(heading, intro) };
    let why = "The last run found these. This one could not tell: not everything was read, or the rule does not apply there now.";
    gone("UNKNOWN", why, unknown_total).write(mail, &unknown.iter().collect::<Vec<_>>(), |_| None);
    // What to do about what is new, or may be, stands among the steps, and the same is said once.
    let mut told: HashSet<String> =
        new.iter().chain(&not_compared).map(|violation| violation.remediation.clone()).collect();
    let advice = |first: &Violation| told.insert(first.remediation.clone()).then(|| first.remediation.clone());
    list("STILL THERE", "").write(mail, &standing(report, Standing::Known), advice);
    gone("RESOLVED", "", resolved_total).write(mail, &resolved.iter().collect::<Vec<_>>(), |_| None);
}

/// A list of the mail.
struct List<'a> {
    heading: &'a str,
    intro: &'a str,
    /// Whether the whole report is stored.
    is_stored: bool,
    /// The most that are shown.
    most: usize,
    /// How many there are where the report itself may hold fewer.
    gone: Option<u64>,
}

impl List<'_> {
    fn write<T: Listed>(&self, mail: &mut Mail, items: &[&T], advice: impl FnMut(&T) -> Option<String>) {
        if items.is_empty() {
            return;
        }
        mail.heading(self.heading);
        if !self.intro.is_empty() {
            mail.wrapped("", self.intro);
            mail.blank();
        }
        let shown = groups(mail, &items[..items.len().min(self.most)], items, advice);
        let total = self.gone.unwrap_or_default().max(items.len() as u64);
        if total > shown as u64 {
            mail.blank();
            let all = if self.is_stored || self.gone.is_none() { "all" } else { "more" };
            let holder = if self.is_stored { "the stored report" } else { "the JSON report" };
            mail.wrapped("", &format!("And {} more; {holder} holds {all} of them.", total - shown as u64));
        }
    }
}

/// Writes what is to be shown of all items by severity and rule, then by place, and gives how many were written.
fn groups<T: Listed>(mail: &mut Mail, items: &[&T], all: &[&T], mut advice: impl FnMut(&T) -> Option<String>) -> usize {
    let mut before: Option<&T> = None;
    for (index, item) in items.iter().copied().enumerate() {
        if mail.is_full() {
            return index;
        }
        let opens_group = before.is_none_or(|before| !are_alike(before, item));
        if opens_group {
            if index > 0 {
                mail.blank();
            }
            let total = all[index..].iter().take_while(|other| are_alike(**other, item)).count();
            mail.wrapped("", &format!("{} {} ({total})", item.severity().as_str(), item.rule()));
            if let Some(advice) = advice(item) {
                mail.wrapped("", &advice);
            }
        }
        if opens_group || before.is_none_or(|before| before.target() != item.target()) {
            let Target { account_id, region } = item.target();
            mail.wrapped("", &format!("In {account_id} {region}"));
            mail.wrapped("", &console(item.target(), item.resource().kind));
        }
        mail.item("- ", &item.line());
        for detail in item.details() {
            mail.wrapped("  ", &detail);
        }
        before = Some(item);
    }
    items.len()
}

/// What stands in a list of the mail.
pub(super) trait Listed {
    fn rule(&self) -> &'static str;
    fn severity(&self) -> Severity;
    fn target(&self) -> &Target;
    fn resource(&self) -> &Resource;
    /// It in a line or two.
    fn line(&self) -> String;
    /// What stands below the line.
    fn details(&self) -> Vec<String>;
}

impl Listed for Violation {
    fn rule(&self) -> &'static str {
        self.rule
    }

    fn severity(&self) -> Severity {
        self.severity
    }

    fn target(&self) -> &Target {
        &self.target
    }

    fn resource(&self) -> &Resource {
        &self.resource
    }

    fn line(&self) -> String {
        let mut text = name(&self.resource);
        match (&self.filter, &self.status) {
            (Some(filter), _) if filter.breadth.is_some() => {
                text.push_str(&format!(": {}; {}", mutes(filter.breadth), matches(filter.matches.as_ref())));
            }
            (Some(_), _) => text.push_str(&format!(": {}", mutes(None))),
            (None, Some(status)) => text.push_str(&format!(", {}", plain(status, NAME))),
            (None, None) => {}
        }
        if let Some(since) = &self.since {
            text.push_str(&format!(" since {}", day(since)));
        }
        if self.confirmed == Some(false) {
            text.push_str(", not confirmed");
        }
        if self.change == Some(Change::ExemptionEnded) {
            text.push_str(", exemption ended");
        }
        format!("{text} {}", short(&self.id))
    }

    fn details(&self) -> Vec<String> {
        let Some(filter) = self.filter.as_deref() else { return Vec::new() };
        let conditions = plain(&filter.conditions.join("; "), CONDITIONS);
        // That there are none is said by the breadth.
        let says_more = !conditions.is_empty() && !conditions.starts_with("every finding");
        let conditions = says_more.then(|| format!("Where {conditions}."));
        conditions.into_iter().chain(raised(self).map(str::to_owned)).collect()
    }
}

impl Listed for Gone {
    fn rule(&self) -> &'static str {
        self.rule
    }

    fn severity(&self) -> Severity {
        self.severity
    }

    fn target(&self) -> &Target {
        &self.target
    }

    fn resource(&self) -> &Resource {
        &self.resource
    }

    fn line(&self) -> String {
        format!("{}, first seen {} {}", name(&self.resource), day(&self.first_seen), short(&self.id))
    }

    fn details(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What a resource is called.
fn name(resource: &Resource) -> String {
    let (noun, id) = (resource.kind.noun(), plain(&resource.id, NAME));
    match (&resource.email, &resource.name) {
        (Some(email), _) => format!("{noun} {id} ({})", plain(email, NAME)),
        (None, Some(name)) if *name != resource.id => format!("{noun} \"{}\" ({id})", plain(name, NAME)),
        _ => format!("{noun} {id}"),
    }
}

fn day(time: &str) -> String {
    plain(time, LONGEST_TIME).split('T').next().unwrap_or_default().to_owned()
}

/// Enough of a violation's id to find it in the JSON report and in the log.
fn short(id: &str) -> String {
    format!("#{}", id.chars().take(SHORT_ID).collect::<String>())
}
