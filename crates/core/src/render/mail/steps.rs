//! What to do, the worst first and what is new before anything else.

use std::collections::HashMap;

use super::lists::{self, Standing, are_alike};
use super::paper::Mail;
use crate::render::words::{count, severities};
use crate::report::v1::{Change, Report, Violation};

/// A numbered list.
struct Steps<'a, 'b> {
    mail: &'a mut Mail,
    number: usize,
    /// What was told, and in which step.
    told: HashMap<&'b str, usize>,
}

impl<'b> Steps<'_, 'b> {
    fn step(&mut self, text: &str) {
        self.number += 1;
        self.mail.item(&format!("{}. ", self.number), text);
    }

    /// A step for each rule and severity. The last argument says how many there are of them.
    fn fix(&mut self, violations: &[&'b Violation], of: impl Fn(&[&Violation]) -> String) {
        for group in violations.chunk_by(|a, b| are_alike(*a, *b)) {
            let first = group[0];
            // The same rule in two severities is fixed in the same way.
            let fix = match self.told.get(&*first.remediation) {
                Some(step) => format!("See step {step}."),
                None => first.remediation.clone(),
            };
            self.step(&format!("{} ({}, {}). {fix}", first.title, of(group), first.severity.as_str()));
            self.told.entry(&first.remediation).or_insert(self.number);
        }
    }
}

pub(super) fn what_to_do(mail: &mut Mail, report: &Report) {
    mail.heading("WHAT TO DO");
    let known = match &report.changes {
        None => Vec::new(),
        Some(_) => lists::standing(report, Standing::Known),
    };
    let news = if report.changes.is_some() { lists::news(report) } else { Vec::new() };
    let not_compared = lists::standing(report, Standing::NotCompared);
    let is_nothing_new = !known.is_empty() && news.is_empty() && not_compared.is_empty();
    if is_nothing_new {
        mail.wrapped(
            "",
            if report.complete { "Nothing new was found." } else { "Nothing new was found in what was read." },
        );
    }
    let mut steps = Steps { mail, number: 0, told: HashMap::new() };
    steps.fix(&news, how_new);
    steps.fix(&not_compared, |group| group.len().to_string());
    look_after(&mut steps, report);
    let is_idle = steps.number == 0 && known.is_empty();
    if is_idle {
        mail.wrapped("", "Nothing.");
    }
    if !known.is_empty() {
        let open = count(known.len(), "violation");
        let (by_severity, them) =
            (severities(known.iter().map(|v| &v.severity)), if known.len() == 1 { "it" } else { "them" });
        mail.wrapped(
            "",
            &format!("Still open since earlier runs: {open} ({by_severity}). What to do about {them} stands below."),
        );
    }
}

/// What is to be done about the run itself.
fn look_after(steps: &mut Steps<'_, '_>, report: &Report) {
    if !report.complete {
        steps.step("Fix what kept the rest from being read, as shown below, and run again.");
    }
    if let Some(exemptions) = &report.exemptions {
        if exemptions.error.is_some() {
            steps.step(
                "Fix the exemptions document (EXEMPTIONS_URI), or let the function read it: until then nothing is exempted.",
            );
        }
        let (broken, ending) = (exemptions.malformed.len() + exemptions.changed.len(), exemptions.expiring_soon.len());
        if broken > 0 {
            steps.step(&format!("Look at the exemptions that do not hold ({broken}), listed below."));
        }
        if ending > 0 {
            steps.step(&format!("Renew or drop the exemptions that end within 14 days ({ending}), listed below."));
        }
    }
    if report.evidence.is_some() && report.stored().is_none() {
        steps.step("Let the function store its report again: of this run no evidence is kept.");
    }
}

/// How many of a group are new, and how many no longer exempted.
fn how_new(group: &[&Violation]) -> String {
    let ended = group.iter().filter(|violation| violation.change == Some(Change::ExemptionEnded)).count();
    match (group.len() - ended, ended) {
        (new, 0) => format!("{new} new"),
        (0, ended) => format!("{ended} no longer exempted"),
        (new, ended) => format!("{new} new, {ended} no longer exempted"),
    }
}
