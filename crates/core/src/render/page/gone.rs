//! What the last run found and this one did not.

use maud::{Markup, html};

use super::parts::Column::Text;
use super::parts::{day, fit, left_out, name, region, severity, table, what};
use crate::report::v1::{Gone, Report};

/// The bytes that each of the two lists may have.
const LIST: usize = 120_000;

/// What may still be there: `None` where nothing is.
pub(super) fn unknown(report: &Report) -> Option<Markup> {
    let changes = report.changes.as_ref().filter(|changes| !changes.unknown.is_empty())?;
    Some(html! {
        p { "The last run found these, and this one cannot tell: what would tell was not read, or the rule does not apply now. They are not resolved." }
        (list("Violations that may still be there", &changes.unknown))
    })
}

/// What is no more: `None` where nothing is.
pub(super) fn resolved(report: &Report) -> Option<Markup> {
    let changes = report.changes.as_ref().filter(|changes| !changes.resolved.is_empty())?;
    Some(html! {
        p { "The last run found these, and they are no more." }
        (list("Violations that are no more", &changes.resolved))
    })
}

fn list(caption: &str, gone: &[Gone]) -> Markup {
    let (rows, shown) = fit(gone, LIST, |one| {
        html! {
            tr {
                td { (severity(one.severity)) }
                th scope="row" { (what(&one.resource)) }
                td { (one.rule) }
                td.id { (name(&one.target.account_id)) }
                td.id { (region(&one.target, one.resource.kind)) }
                td.id { (day(&one.first_seen)) }
            }
        }
    });
    let head = [Text("Severity"), Text("Resource"), Text("Rule"), Text("Account"), Text("Region"), Text("First seen")];
    html! {
        (table("list sortable", caption, &head, &rows))
        (left_out(gone.len() - shown))
    }
}
