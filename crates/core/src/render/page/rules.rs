//! The rules, and in how many targets each had which outcome.

use maud::{Markup, html};

use super::parts::Column::{Number, Text};
use super::parts::{number, table};
use crate::checks;
use crate::report::v1::Report;

pub(super) fn rules(report: &Report) -> Markup {
    let rows = html! {
        @for (rule, outcomes) in &report.summary.outcomes {
            tr {
                th scope="row" { code { (rule) } @if let Some(title) = title(rule) { br; span.soft { (title) } } }
                td.n { (number(report.summary.by_rule.get(rule).copied().unwrap_or_default())) }
                @for outcome in [
                    outcomes.failed,
                    outcomes.not_evaluated,
                    outcomes.exempt,
                    outcomes.not_applicable,
                    outcomes.passed,
                ] { td.n { (number(outcome)) } }
            }
        }
    };
    let head = [
        Text("Rule"),
        Number("Violations"),
        Number("Failed"),
        Number("Not evaluated"),
        Number("Exempt"),
        Number("Not applicable"),
        Number("Passed"),
    ];
    html! {
        p { "In how many targets each rule had each outcome. A rule is not evaluated where something that it needs was not read." }
        (table("counts sortable", "Outcomes of each rule", &head, &rows))
        @if report.rules_disabled.is_empty() {
            p.note { "No rule is switched off." }
        } @else {
            h3 { "Switched off" }
            ul.plain {
                @for rule in &report.rules_disabled {
                    li { code { (rule) } @if let Some(title) = title(rule) { " " span.soft { (title) } } }
                }
            }
        }
    }
}

/// What a violation of a rule says, where this build has the rule.
fn title(rule: &str) -> Option<&'static str> {
    checks::all().find(|check| check.id == rule).map(|check| check.title)
}
