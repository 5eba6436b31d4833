//! Every violation, those of one rule and severity together, so that what is the same for all of them is said once.

use std::collections::BTreeMap;

use maud::{Markup, html};
use time::Date;

use super::parts::Column::Text;
use super::parts::{
    anchor, change, class, count, day, fit, left_out, name, number, region, safe, severity, table, what,
};
use crate::checks::ArchivingFilter;
use crate::criteria::Breadth;
use crate::evidence::{FindingCounts, Matches};
use crate::render::words::{mutes, raised};
use crate::report::suggestion;
use crate::report::v1::{Change, Report, Violation};
use crate::severity::Severity;
use crate::text::{self, plain};

/// The bytes that the rows of all violations may have.
const ROWS: usize = 4_000_000;

/// Violations shown in full, with a link and an exemption each, and the bytes that they may have. Of the rest the long
/// texts are cut, so that ten thousand of them fit.
const IN_FULL: (usize, usize) = (250, 800_000);

/// A table with more rows is folded.
const OPEN: usize = 200;

/// Conditions of a filter that are shown, and the characters of each.
const CONDITIONS: (usize, usize) = (12, 300);

/// The characters of all conditions of a filter that is not shown in full.
const CUT: usize = 48;

/// The longest entry shown: one that names a longer resource id is not worth its place.
const ENTRY: usize = 4096;

pub(super) fn violations(report: &Report, today: Date) -> Markup {
    if report.violations.is_empty() {
        return html! { p.note { "Nothing that was read breaks a rule." } };
    }
    let groups = groups(&report.violations);
    let (mut bytes, (mut full, mut full_bytes)) = (ROWS, IN_FULL);
    let mut cards = Vec::new();
    for group in &groups {
        let (rows, shown) = fit(&group.violations, bytes, |violation| {
            let in_full = full > 0 && full_bytes > 0;
            let row = row(violation, in_full, today);
            if in_full {
                (full, full_bytes) = (full - 1, full_bytes.saturating_sub(row.0.len()));
            }
            row
        });
        bytes -= rows.0.len();
        cards.push(card(group, &rows, shown));
    }
    html! {
        (filters(&groups))
        p #matching role="status" hidden {}
        @if report.violations.iter().any(|violation| violation.filter.is_some()) {
            p.note { "A filter mutes as much as its narrowest condition lets through. What matches is counted over the findings of the last 90 days; filters overlap, so the numbers do not add up." }
        }
        @for card in &cards { (card) }
    }
}

/// Violations of which severity, rule and advice are the same.
struct Group<'a> {
    severity: Severity,
    rule: &'static str,
    title: &'static str,
    remediation: &'a str,
    violations: Vec<&'a Violation>,
}

/// The groups in the order in which the report comes to them: the worst first.
fn groups(violations: &[Violation]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places = BTreeMap::new();
    for violation in violations {
        let Violation { severity, rule, title, remediation, .. } = violation;
        let place = *places.entry((severity, rule, remediation)).or_insert_with(|| {
            groups.push(Group { severity: *severity, rule, title, remediation, violations: Vec::new() });
            groups.len() - 1
        });
        groups[place].violations.push(violation);
    }
    groups
}

/// What the script filters by. Without it they are not shown.
fn filters(groups: &[Group<'_>]) -> Markup {
    let mut rules: Vec<&str> = groups.iter().map(|group| group.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    html! {
        search #filters aria-label="Violations" hidden {
            div { label for="search" { "Search" } input #search type="search" autocomplete="off" placeholder="account, name, Region …"; }
            (choice("severity", "Severity", &Severity::ALL.map(Severity::as_str)))
            (choice("change", "Change", &["NEW", "EXEMPTION ENDED", "known"]))
            (choice("rule", "Rule", &rules))
            button #clear type="button" { "Clear" }
        }
    }
}

fn choice(id: &str, label: &str, options: &[&str]) -> Markup {
    html! {
        div {
            label for=(id) { (label) }
            select id=(id) {
                option value="" { "all" }
                @for option in options { option { (option) } }
            }
        }
    }
}

fn card(group: &Group<'_>, rows: &Markup, shown: usize) -> Markup {
    let Group { severity: of, rule, title, remediation, violations } = group;
    let new = violations.iter().filter(|violation| violation.change == Some(Change::New)).count();
    let caption = format!("{title}, {}", of.as_str());
    html! {
        details.group.(class(*of)) open[violations.len() <= OPEN] data-severity=(of.as_str()) data-rule=(rule) {
            summary {
                (severity(*of)) " "
                h3 { (title) }
                " " code.soft { (rule) }
                span.soft { ", " (count(violations.len(), "violation")) }
                @if new > 0 { " " b.chip.new { (number(new)) " NEW" } }
            }
            p { (remediation) }
            @if shown > 0 {
                @let head = [Text("Change"), Text("Resource"), Text("Account"), Text("Region"), Text("Details"), Text("First seen")];
                (table("violations sortable", &caption, &head, rows))
            }
            (left_out(violations.len() - shown))
        }
    }
}

fn row(violation: &Violation, in_full: bool, today: Date) -> Markup {
    let Violation { id, target, resource, first_seen, .. } = violation;
    html! {
        tr id=(anchor(id)) {
            td { (change(violation.change)) }
            th scope="row" { (what(resource)) @if resource.name.is_some() { br; code { (name(&resource.id)) } } }
            td { (name(&target.account_id)) }
            td { @if in_full { (region(target, resource.kind)) } @else { (name(&target.region)) } }
            td {
                @match &violation.filter {
                    Some(filter) if in_full => (muted(filter, raised(violation))),
                    Some(filter) => (muted_in_short(filter)),
                    None => (status(violation)),
                }
                @if in_full { (exemption(violation, today)) }
            }
            td { @if let Some(time) = first_seen { (day(time)) } @else { "–" } }
        }
    }
}

/// What the service says, since when, and whether it was read twice.
fn status(violation: &Violation) -> Markup {
    html! {
        @if let Some(status) = &violation.status { (name(status)) }
        @if let Some(since) = &violation.since { " since " (day(since)) }
        @if violation.confirmed == Some(false) { ", not confirmed" }
    }
}

/// What a filter mutes: how much, by which conditions, and what matches them.
fn muted(filter: &ArchivingFilter, note: Option<&str>) -> Markup {
    html! {
        p {
            (breadth(filter.breadth)) " " (mutes(filter.breadth))
            @if let Some(position) = filter.position { ", position " (position) }
        }
        @if let Some(note) = note { p.soft { (note) } }
        @if let Some(text) = filter.description.as_deref().filter(|text| !text.is_empty()) {
            p.soft { "“" (safe(text)) "”" }
        }
        ul.plain {
            @for condition in filter.conditions.iter().take(CONDITIONS.0) { li { (plain(condition, CONDITIONS.1)) } }
            @if filter.conditions.len() > CONDITIONS.0 {
                li { "and " (number(filter.conditions.len() - CONDITIONS.0)) " more conditions" }
            }
        }
        @match &filter.matches {
            Some(matches) => (self::matches(matches)),
            None => p.soft { "What matches is not known." },
        }
    }
}

fn muted_in_short(filter: &ArchivingFilter) -> Markup {
    html! {
        (filter.breadth.map_or("breadth not known", Breadth::as_str)) br; (plain(&filter.conditions.join("; "), CUT))
        @if let Some(Matches { archived, current, .. }) = &filter.matches {
            br; "Matches " (number(archived.total)) " archived, " (number(current.total)) " current"
        }
    }
}

/// How much a filter mutes, in its colour and in words.
pub(super) fn breadth(breadth: Option<Breadth>) -> Markup {
    html! {
        @if let Some(breadth) = breadth {
            span class={ "chip " (class(breadth.severity())) } { (breadth.as_str()) }
        }
    }
}

fn matches(matches: &Matches) -> Markup {
    let Matches { archived, current, top_buckets } = matches;
    html! {
        p {
            "Matches " b { (number(archived.total)) } " archived" (by_severity(archived))
            " and " b { (number(current.total)) } " current" (by_severity(current))
        }
        @if !top_buckets.is_empty() {
            p {
                "Most archived in "
                @for (index, bucket) in top_buckets.iter().take(5).enumerate() {
                    @if index > 0 { ", " }
                    code { (name(&bucket.name)) } " (" (number(bucket.archived)) ")"
                }
            }
        }
    }
}

/// The counts of each severity, where there are any.
fn by_severity(counts: &FindingCounts) -> String {
    let some = [("High", counts.high), ("Medium", counts.medium), ("Low", counts.low)].into_iter();
    let some: Vec<String> =
        some.filter(|(_, count)| *count > 0).map(|(severity, count)| format!("{} {severity}", number(count))).collect();
    if some.is_empty() { String::new() } else { format!(" ({})", some.join(", ")) }
}

/// The entry of the exemptions document that would exempt it.
fn exemption(violation: &Violation, today: Date) -> Markup {
    let entry = suggestion(violation, today).map(|entry| text::json(&entry)).filter(|entry| entry.len() <= ENTRY);
    html! {
        @if let Some(entry) = entry {
            details.entry { summary { "Exempt it" } pre tabindex="0" { (entry) } }
        }
    }
}
