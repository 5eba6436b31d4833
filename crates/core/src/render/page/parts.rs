//! What the sections of the page share.

use maud::{Markup, PreEscaped, Render as _, html};

use crate::names::{self, Target};
use crate::render::words::{NAME, console, thousands};
use crate::report::v1::Change;
use crate::resource::{Resource, ResourceType};
use crate::severity::Severity;
use crate::text::plain;

/// The longest text shown: a message of a service, or a reason that somebody wrote.
const TEXT: usize = 1024;

/// A name or an id on one line, safe to show.
pub(super) fn name(text: &str) -> String {
    plain(text, NAME)
}

/// A text on one line, safe to show.
pub(super) fn safe(text: &str) -> String {
    plain(text, TEXT)
}

/// A number with its thousands apart.
pub(super) fn number(number: impl TryInto<u64>) -> String {
    thousands(number.try_into().unwrap_or(u64::MAX))
}

/// Where a violation stands on the page. That much of its id has no equal in a report.
pub(super) fn anchor(id: &str) -> String {
    format!("v{}", plain(id, NAME).chars().take(16).collect::<String>())
}

/// So many of a thing.
pub(super) fn count(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", self::number(number))
}

/// Numbers of each severity in words, without those that are none.
pub(super) fn severities<'a>(counts: impl IntoIterator<Item = (&'a Severity, &'a u64)>) -> String {
    let some = counts.into_iter().filter(|(_, number)| **number > 0);
    some.map(|(severity, number)| format!("{} {}", self::number(*number), severity.as_str()))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The day of a time.
pub(super) fn day(time: &str) -> String {
    plain(time.split('T').next().unwrap_or_default(), 16)
}

/// A severity, in its colour and in words.
pub(super) fn severity(severity: Severity) -> Markup {
    html! { span class={ "chip " (class(severity)) } { (severity.as_str()) } }
}

/// The class of a severity.
pub(super) fn class(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
    }
}

/// How a violation stands to the last run.
pub(super) fn change(change: Option<Change>) -> Markup {
    match change {
        Some(Change::New) => html! { b.chip.new { "NEW" } },
        Some(Change::ExemptionEnded) => html! { b.chip.new { "EXEMPTION ENDED" } },
        Some(Change::Known) => html! { "known" },
        None => html! { "–" },
    }
}

/// What a violation is about, in words.
pub(super) fn what(resource: &Resource) -> String {
    let id = name(&resource.id);
    let thing = match (resource.kind, &resource.name) {
        (ResourceType::Member, _) => format!("Member account {id}"),
        (ResourceType::Invitation, _) => format!("Invitation from account {id}"),
        (ResourceType::Session, _) => format!("Macie in account {id}"),
        (kind, Some(name)) if *name != resource.id => format!("{} “{}”", capitalized(kind.noun()), self::name(name)),
        (kind, _) => format!("{} {id}", capitalized(kind.noun())),
    };
    match &resource.email {
        Some(email) => format!("{thing} ({})", name(email)),
        None => thing,
    }
}

fn capitalized(noun: &str) -> String {
    let (first, rest) = noun.split_at_checked(1).unwrap_or_default();
    first.to_ascii_uppercase() + rest
}

/// The Region of a target, with the page of the Macie console that is about such a resource.
pub(super) fn region(target: &Target, kind: ResourceType) -> Markup {
    if !names::is_region(&target.region) {
        return html! { (name(&target.region)) };
    }
    html! { a href=(console(target, kind)) { (target.region) } }
}

/// As many items as fit into so many bytes, and how many they are.
pub(super) fn fit<T>(items: &[T], bytes: usize, mut render: impl FnMut(&T) -> Markup) -> (Markup, usize) {
    let mut text = String::new();
    for (index, item) in items.iter().enumerate() {
        let one = render(item).into_string();
        if text.len() + one.len() > bytes {
            return (PreEscaped(text), index);
        }
        text.push_str(&one);
    }
    (PreEscaped(text), items.len())
}

/// A table that can be wider than the window. The caption names it for those who do not see where it stands.
pub(super) fn table(class: &str, caption: &str, head: &[Column], rows: &Markup) -> Markup {
    html! {
        div.scroll role="group" aria-label=(caption) tabindex="0" {
            table class=(class) {
                caption { (caption) }
                thead { tr { @for column in head { (column.render()) } } }
                tbody { (rows) }
            }
        }
    }
}

/// The head of a column.
pub(super) enum Column {
    /// Of texts.
    Text(&'static str),
    /// Of numbers.
    Number(&'static str),
}

impl maud::Render for Column {
    fn render(&self) -> Markup {
        match self {
            Column::Text(title) => html! { th scope="col" { (title) } },
            Column::Number(title) => html! { th.n scope="col" { (title) } },
        }
    }
}

/// The note below a list of which some did not fit.
pub(super) fn left_out(number: usize) -> Markup {
    html! {
        @if number > 0 { p.note { "And " (self::number(number)) " more, which the report as JSON holds." } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_taken_until_one_does_not_fit() {
        let taken = |bytes| fit(&["ab", "cde", "f"], bytes, |text| PreEscaped((*text).to_owned()));
        for (bytes, text, items) in [(1, "", 0), (2, "ab", 1), (4, "ab", 1), (5, "abcde", 2), (6, "abcdef", 3)] {
            let (markup, taken) = taken(bytes);
            assert_eq!((markup.0.as_str(), taken), (text, items), "{bytes}");
        }
    }
}
