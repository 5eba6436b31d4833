//! What an exemption covers, for how long, and what is wrong with the document.

use maud::{Markup, html};
use time::Date;

use super::parts::Column::{Number, Text};
use super::parts::{anchor, count, fit, left_out, name, number, region, safe, severity, table, what};
use super::violations::breadth;
use crate::report::v1::{Exempted, Exemptions, Report};

/// The bytes that the list of what is exempted may have.
const LIST: usize = 250_000;

/// The bytes that each list of entries may have.
const ENTRIES: usize = 10_000;

/// Days within which an exemption ends soon.
const SOON: i64 = 14;

/// `None` where there is no document and nothing is exempted.
pub(super) fn exemptions(report: &Report, today: Date) -> Option<Markup> {
    if report.exemptions.is_none() && report.exempted.is_empty() {
        return None;
    }
    Some(html! {
        @if let Some(document) = &report.exemptions { (self::document(document)) }
        @if report.exempted.is_empty() {
            p.note { "Nothing is exempted." }
        } @else {
            (covered(&report.exempted, today))
        }
    })
}

fn document(document: &Exemptions) -> Markup {
    html! {
        @if let Some(error) = &document.error {
            p.warning { b { "The document could not be read, so it exempts nothing: " } (safe(error)) }
        }
        p {
            "From " code { (safe(&document.source)) } ", which covers " (count(document.applied, "violation")) "."
            @if let Some(digest) = &document.digest { " SHA-256 " code.hash { (safe(digest)) } }
        }
        @let lists = [
            ("Expired", &document.expired, "no longer in force; take the entry out or agree on it anew"),
            ("Ends within 14 days", &document.expiring_soon, "agree on it anew, or undo what it covers"),
            ("Changed", &document.changed, "what it covered was changed, so it is not covered any more; look at it anew"),
            ("Unused", &document.unused, "covers nothing, though everything that it names was read; take it out"),
        ];
        @if lists.iter().any(|(_, entries, _)| !entries.is_empty()) {
            (table("list", "Entries to look at", &[Text("State"), Text("Entries"), Text("What to do")], &html! {
                @for (state, entries, advice) in lists.iter().filter(|(_, entries, _)| !entries.is_empty()) {
                    tr { th scope="row" { (state) " (" (number(entries.len())) ")" } td { (self::entries(entries)) } td { (advice) } }
                }
            }))
        }
        @if !document.malformed.is_empty() {
            @let (rows, shown) = fit(&document.malformed, ENTRIES, |one| html! {
                tr { th scope="row" { code { (safe(&one.entry)) } } td { (safe(&one.problem)) } }
            });
            (table("list", "Entries that cannot be used", &[Text("Entry"), Text("Problem")], &rows))
            (left_out(document.malformed.len() - shown))
        }
    }
}

fn entries(ids: &[String]) -> Markup {
    let (listed, shown) = fit(ids, ENTRIES, |id| html! { li { code { (safe(id)) } } });
    html! {
        ul.inline { (listed) @if shown < ids.len() { li { "and " (number(ids.len() - shown)) " more" } } }
    }
}

fn covered(exempted: &[Exempted], today: Date) -> Markup {
    let (rows, shown) = fit(exempted, LIST, |one| row(one, today));
    let head = [
        Text("Severity"),
        Text("Resource"),
        Text("Account"),
        Text("Region"),
        Text("Exemption and owner"),
        Text("Reason and ticket"),
        Text("Last day"),
        Number("Days left"),
    ];
    html! {
        (table("list sortable", "What is exempted", &head, &rows))
        (left_out(exempted.len() - shown))
    }
}

fn row(Exempted { violation, exemption }: &Exempted, today: Date) -> Markup {
    let left = exemption.days_left(&today.to_string());
    html! {
        tr id=(anchor(&violation.id)) {
            td { (severity(violation.severity)) }
            th scope="row" {
                (what(&violation.resource)) br; code.soft { (violation.rule) }
                @if let Some(filter) = &violation.filter { " " (breadth(filter.breadth)) }
            }
            td.id { (name(&violation.target.account_id)) }
            td.id { (region(&violation.target, violation.resource.kind)) }
            td { code { (safe(&exemption.id)) } br; (safe(&exemption.owner)) }
            td.long { (safe(&exemption.reason)) @if let Some(ticket) = &exemption.ticket { br; code { (safe(ticket)) } } }
            td.id { (name(&exemption.expires)) }
            td.n {
                @match left {
                    Some(days) if days <= SOON => b.chip.doubt { (days) },
                    Some(days) => (days),
                    None => "?",
                }
            }
        }
    }
}
