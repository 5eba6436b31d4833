//! The first lines: whether something is to be done today.

use super::lists::{Standing, standing};
use super::paper::Mail;
use super::unreadable::MESSAGE;
use super::{Delivery, found, scope};
use crate::api::Api;
use crate::render::words::{count, minute, thousands};
use crate::report::v1::{Changes, Report, Verdict};
use crate::text::plain;

/// The status of a member that Macie watches.
const WATCHED: &str = "Enabled";

pub(super) fn lines(mail: &mut Mail, report: &Report, delivery: Delivery) {
    mail.wrapped("", &format!("{}: Amazon Macie, {}", report.verdict.as_str(), scope(report)));
    mail.blank();
    mail.wrapped("", &sentence(report));
    for line in [compared(report), exempted(report), watched(report)].into_iter().flatten() {
        mail.wrapped("", &line);
    }
    if let Some(error) = report.exemptions.as_ref().and_then(|exemptions| exemptions.error.as_deref()) {
        let error = plain(error, MESSAGE);
        mail.wrapped("", &format!("The exemptions could not be read, so nothing is exempted: {error}"));
    }
    if let Some(evidence) = &report.evidence
        && let Some(error) = &evidence.error
    {
        let what = if evidence.lacks_page { "The page of this report" } else { "This report" };
        mail.wrapped("", &format!("{what} could not be stored as evidence: {}", plain(error, MESSAGE)));
    }
    if !report.rules_disabled.is_empty() {
        let (off, all) = (report.rules_disabled.len(), report.rules_disabled.len() + report.summary.by_rule.len());
        let are = if off == 1 { "is" } else { "are" };
        mail.wrapped("", &format!("{off} of {all} rules {are} switched off: {}.", report.rules_disabled.join(", ")));
    }
    if !report.summary.regions_without_macie.is_empty() {
        let regions = report.summary.regions_without_macie.join(", ");
        mail.wrapped("", &format!("Macie is not offered in {regions}, so nothing was read there."));
    }
    match delivery {
        Delivery::Messages(1) => {}
        Delivery::Messages(messages) => {
            mail.wrapped("", &format!("The report comes in {messages} messages; this is the first."));
        }
        Delivery::Truncated => {
            mail.wrapped(
                "",
                "The report is too large to be sent. This message holds the worst of it, and the stored report all.",
            );
        }
    }
    if let Some(stored) = report.stored() {
        if stored.lacks_page {
            mail.heading("The report as JSON:");
        } else {
            mail.heading("The report as a page, and as JSON:");
            mail.address(&stored.console());
        }
        mail.address(&stored.address());
    }
}

/// What the verdict rests on.
pub(in crate::render) fn sentence(report: &Report) -> String {
    let found = found(report);
    let unread = report.summary.targets_incomplete;
    let of = count(report.summary.targets, "target");
    let nothing_found = report.summary.violations == 0;
    let but = if report.summary.exempted > 0 { " that is not exempted" } else { "" };
    match report.verdict {
        Verdict::InsufficientData if report.targets.is_empty() => {
            "This is not an all-clear. There was no account and Region in which anything could be read.".to_owned()
        }
        Verdict::Compliant if nothing_found && report.rules_disabled.is_empty() => {
            format!("Everything was read, and nothing{but} breaks a rule.")
        }
        Verdict::Compliant if nothing_found => {
            format!("Everything that the enabled rules need was read, and nothing{but} breaks one of them.")
        }
        Verdict::Compliant => format!("{found}, which FAIL_ON (parameter FailOn) lets pass. Everything was read."),
        Verdict::NonCompliant if report.complete => format!("{found}. Everything was read."),
        Verdict::NonCompliant => {
            format!("{found}, and there may be more: in {unread} of {of} not everything could be read.")
        }
        Verdict::InsufficientData if nothing_found => format!(
            "This is not an all-clear. In {unread} of {of} not everything could be read; in what was read, nothing{but} breaks a rule."
        ),
        Verdict::InsufficientData => format!(
            "This is not an all-clear. In {unread} of {of} not everything could be read; in what was read, there {} {found}, which FAIL_ON (parameter FailOn) lets pass.",
            if report.summary.violations == 1 { "is" } else { "are" },
        ),
    }
}

/// How the run stands to the last one.
fn compared(report: &Report) -> Option<String> {
    let Changes { compared_with, new, resolved_total, unknown_total, .. } = report.changes.as_ref()?;
    let not_compared = standing(report, Standing::NotCompared).len();
    let mut told = vec![format!("{new} new"), format!("{unknown_total} unknown"), format!("{resolved_total} resolved")];
    match standing(report, Standing::Ended).len() {
        0 => {}
        ended => told.insert(1, format!("{ended} no longer exempted")),
    }
    if not_compared > 0 {
        told.push(format!("{not_compared} of which nobody knows, since what the last run found could not be read"));
    }
    let told = told.join(", ");
    Some(match compared_with {
        Some(run) => format!("Since the run of {}: {told}.", minute(&run.generated_at)),
        None if not_compared > 0 => format!("Since the last run: {told}."),
        None if *new > 0 => "There is no earlier run to compare with, so everything is new.".to_owned(),
        None => "There is no earlier run to compare with.".to_owned(),
    })
}

fn exempted(report: &Report) -> Option<String> {
    match report.summary.exempted {
        0 => None,
        1 => Some("1 violation is exempted.".to_owned()),
        many => Some(format!("{many} violations are exempted.")),
    }
}

/// How many of the members Macie watches.
pub(in crate::render) fn watched(report: &Report) -> Option<String> {
    let by_status = report.summary.members_by_status.as_ref()?;
    let (all, watched): (u64, u64) = (by_status.values().sum(), by_status.get(WATCHED).copied().unwrap_or_default());
    let mut reads = report.targets.iter().flat_map(|target| &target.reads);
    let is_whole = reads.all(|read| read.api != Api::ListMembers || read.complete);
    let were_read = if is_whole { "" } else { " that were read" };
    match all {
        0 => None,
        1 => Some(format!("{watched} of 1 member is watched.")),
        _ => Some(format!("{} of {} members{were_read} are watched.", thousands(watched), thousands(all))),
    }
}
