//! What was read, and what could not be.

use maud::{Markup, html};

use super::parts::Column::{Number, Text};
use super::parts::{fit, left_out, name, number, safe, table};
use crate::failure::Failure;
use crate::render::unread::{self, Unread};
use crate::report::advice;
use crate::report::v1::Report;

/// The bytes that the list of failed reads may have.
const FAILURES: usize = 100_000;

/// What could not be read, put together by the reason: `None` where everything was.
pub(super) fn unread(report: &Report) -> Option<Markup> {
    let groups = unread::unread(&report.targets);
    if groups.is_empty() {
        return None;
    }
    let (items, shown) = fit(&groups, FAILURES, |group| failure(group));
    Some(html! {
        p { "What failed for the same reason stands together. Nothing is resolved or passed by what was not read." }
        ul.cards { (items) }
        (left_out(groups.len() - shown))
    })
}

fn failure(Unread { apis, targets, error, refusal }: &Unread<'_>) -> Markup {
    let (code, message) = (name(&error.code), safe(&error.message));
    let failure = Failure { code: error.code.clone(), message: error.message.clone(), request_id: None };
    html! {
        li {
            p.lead {
                b { (apis.iter().map(|api| api.operation()).collect::<Vec<_>>().join(", ")) }
                " in " (safe(&advice::accounts(targets))) ", " (safe(&advice::regions(targets))) ": "
                @match refusal {
                    Some(refusal) => { (advice::cause(refusal)) " (" code { (code) } ")" }
                    None => code { (code) }
                }
            }
            @if let Some(hint) = advice::hint(apis, &failure, targets) { p { b { "Fix: " } (safe(&hint)) "." } }
            @if !message.is_empty() { p.soft { "AWS says: " (message) } }
        }
    }
}

/// How much was read.
pub(super) fn counts(report: &Report) -> Markup {
    let summary = &report.summary;
    let listed = |count: Option<u64>| match count {
        Some(count) => html! { td.n { (number(count)) } },
        None => html! { td.n { "not read" } },
    };
    let rows = html! {
        tr { th scope="row" { "Targets" } td.n { (number(summary.targets)) } }
        tr { th scope="row" { "Targets of which something was not read" } td.n { (number(summary.targets_incomplete)) } }
        tr { th scope="row" { "Members" } (listed(summary.members)) }
        @for (status, members) in summary.members_by_status.iter().flatten() {
            tr { th.in scope="row" { (name(status)) } td.n { (number(*members)) } }
        }
        tr { th scope="row" { "Invitations" } (listed(summary.invitations)) }
        tr { th scope="row" { "Findings filters" } (listed(summary.filters)) }
    };
    html! { (table("counts", "Numbers of what was read", &[Text("What"), Number("Number")], &rows)) }
}
