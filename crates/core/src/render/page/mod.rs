//! The report as a page: one HTML file that needs nothing else and asks nobody for anything.
//!
//! The answer comes first, then the numbers, then every violation. The script only sorts, filters and divides long
//! tables: without it everything can be read. What other accounts wrote is escaped by the templates, and what they
//! could do beyond text is forbidden by the page's own Content-Security-Policy.

mod answer;
mod chart;
mod exemptions;
mod gone;
mod overview;
mod parts;
mod reads;
mod rules;
mod violations;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};
use time::Date;

use crate::history::History;
use crate::report::v1::{EvidenceObjects, Report};
use parts::{count, safe};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page of a whole report, with the runs before it. `today` is the date in UTC from which the days of an exemption
/// are counted. It is shorter than 5 MB, whatever the report holds: what does not fit is counted and left to the JSON.
pub fn page(report: &Report, history: &History, today: Date) -> String {
    let history = history.clone().with(report);
    let title = format!("{}: Amazon Macie, {}", report.verdict.as_str(), super::mail::scope(report));
    let sections = [
        Section::new("overview", "Overview", overview::overview(report)),
        Section::new("runs", "Last runs", chart::chart(&history)),
        Section::new("violations", "Violations", violations::violations(report, today)),
        Section::maybe("unknown", "Unknown", gone::unknown(report)),
        Section::maybe("resolved", "Resolved", gone::resolved(report)),
        Section::maybe("exemptions", "Exemptions", exemptions::exemptions(report, today)),
        Section::maybe("unread", "Could not be read", reads::unread(report)),
        Section::new("rules", "Rules", rules::rules(report)),
        Section::new("read", "What was read", reads::counts(report)),
    ];
    let sections: Vec<Section> = sections.into_iter().flatten().collect();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                meta name="color-scheme" content="light dark";
                // Without one, a browser asks the server for it.
                link rel="icon" href="data:,";
                title { (safe(&title)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the report" }
                header { (answer::answer(report)) }
                nav aria-label="Sections" {
                    ul { @for section in &sections { li { a href={ "#" (section.id) } { (section.title) } } } }
                }
                main #main tabindex="-1" {
                    @for Section { id, title, body } in &sections {
                        section id=(id) aria-labelledby={ (id) "-title" } {
                            h2 id={ (id) "-title" } { (title) }
                            (body)
                        }
                    }
                }
                footer { (foot(report)) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
    .into_string()
}

/// A section of the page.
struct Section {
    id: &'static str,
    title: &'static str,
    body: Markup,
}

impl Section {
    fn new(id: &'static str, title: &'static str, body: Markup) -> Option<Section> {
        Some(Section { id, title, body })
    }

    /// A section that is left out where it has nothing to say.
    fn maybe(id: &'static str, title: &'static str, body: Option<Markup>) -> Option<Section> {
        Some(Section { id, title, body: body? })
    }
}

/// Nothing may be loaded, sent or run but the style and the script that this build put there.
fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; img-src data:; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

fn foot(report: &Report) -> Markup {
    html! {
        dl.facts {
            div { dt { "Report" } dd { code { (safe(&report.report_id)) } } }
            div { dt { "Made" } dd { (safe(&report.generated_at)) } }
            div {
                dt { "Started by" }
                dd {
                    (safe(&report.trigger.source))
                    @if let Some(kind) = &report.trigger.detail_type { ", " (safe(kind)) }
                }
            }
            @if let Some(evidence) = &report.evidence { (stored(evidence)) }
        }
        p { "Version " (report.schema_version) " of the report. " (count(report.summary.targets, "target")) ": a target is one account in one Region. Names and texts of other accounts are shown as they wrote them; \u{fffd} stands for a character that could mislead." }
    }
}

fn stored(evidence: &EvidenceObjects) -> Markup {
    html! {
        div { dt { "Bucket" } dd { code { (safe(&evidence.bucket)) } } }
        div { dt { "Report as JSON" } dd { code { (safe(&evidence.key)) } } }
        div { dt { "This page" } dd { a href=(safe(&evidence.console())) { code { (safe(&evidence.html_key)) } } } }
        @if let Some(error) = &evidence.error {
            div { dt { "Not stored" } dd.bad { (safe(error)) } }
        }
    }
}
