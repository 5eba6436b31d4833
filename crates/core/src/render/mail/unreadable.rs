//! What could not be read, and what would fix that.

use super::super::unread::{Unread, unread};
use super::paper::Mail;
use crate::failure::Failure;
use crate::render::words::NAME;
use crate::report::advice;
use crate::report::v1::TargetResult;
use crate::text::plain;

/// Groups of failed reads shown one by one.
const SHOWN: usize = 20;

/// The longest message of a service shown. A refusal names the policy that it comes from at its end.
pub(super) const MESSAGE: usize = 1024;

pub(super) fn section(mail: &mut Mail, targets: &[TargetResult]) {
    let groups = unread(targets);
    if groups.is_empty() {
        return;
    }
    mail.heading("COULD NOT BE READ");
    let mut shown = 0;
    for group in groups.iter().take(SHOWN) {
        if mail.is_full() {
            break;
        }
        one(mail, group);
        shown += 1;
    }
    if groups.len() > shown {
        mail.wrapped("", &format!("And {} more; the JSON report holds all of them.", groups.len() - shown));
    }
}

fn one(mail: &mut Mail, group: &Unread<'_>) {
    let Unread { apis, targets, error, refusal } = group;
    let names: Vec<&str> = apis.iter().map(|api| api.operation()).collect();
    let place = format!("{} in {}, {}", names.join(", "), advice::accounts(targets), advice::regions(targets));
    let (code, message) = (plain(&error.code, NAME), plain(&error.message, MESSAGE));
    match refusal {
        Some(refusal) => mail.item("- ", &format!("{place}: {} ({code})", advice::cause(refusal))),
        None if message.is_empty() => mail.item("- ", &format!("{place}: {code}")),
        None => mail.item("- ", &format!("{place}: {code} ({message})")),
    }
    let failure = Failure { code: error.code.clone(), message: error.message.clone(), request_id: None };
    if let Some(hint) = advice::hint(apis, &failure, targets) {
        mail.wrapped("  ", &format!("Fix: {}.", plain(&hint, usize::MAX)));
    }
    if refusal.is_some() && !message.is_empty() {
        mail.wrapped("  ", &format!("AWS says: {message}"));
    }
}
