//! The page: what it says, that what others wrote does nothing in it, and that it needs nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use macie_compliance_core::api::Api;
use macie_compliance_core::evidence::Evidence;
use macie_compliance_core::history::{History, RUNS};
use macie_compliance_core::names::Target;
use macie_compliance_core::render::page;
use macie_compliance_core::report::suggestion;
use macie_compliance_core::report::v1::{Change, Exempted, Exemptions, Gone, Report, Run, Verdict, Violation};
use macie_compliance_core::severity::Severity;
use macie_compliance_core::testing::{
    clean, filter, member, members, policy, remembered, report, target, with_failed_read,
};
use macie_compliance_core::text::is_unsafe;
use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};
use time::{Date, Duration};

use crate::program;
use crate::repository::repository;

/// A report with something of everything.
const EXAMPLE: &str = include_str!("../../../../examples/page/report.json");

/// The most that a page may have.
const LIMIT: usize = 5_000_000;

fn today() -> Date {
    policy().today
}

fn example() -> Report {
    serde_json::from_str(EXAMPLE).expect("a report")
}

fn history() -> History {
    History::parse(include_bytes!("../../../../examples/page/history.json")).expect("a history")
}

fn shown(report: &Report) -> String {
    page(report, &History::default(), today())
}

/// What stands between two texts.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("{start} is there"));
    rest.split_once(end).unwrap_or_else(|| panic!("{end} is there")).0
}

/// A section of the page, by its id.
fn section<'a>(html: &'a str, id: &str) -> Option<&'a str> {
    let (_, rest) = html.split_once(&format!("<section id=\"{id}\""))?;
    Some(rest.split_once("</section>").expect("an end").0)
}

/// The words of a page, a line for each row and paragraph.
fn words(html: &str) -> String {
    let body = between(html, "<body>", "<script>");
    let mut text = String::new();
    for part in body.split('<').skip(1) {
        let (tag, after) = part.split_once('>').expect("an end of the tag");
        match tag {
            "/td" | "/th" | "/dt" | "/label" | "/option" => text.push_str(" | "),
            "br" => text.push_str(" / "),
            "/tr" | "/p" | "/li" | "/div" | "/h1" | "/h2" | "/h3" | "/summary" | "/caption" | "/title" => {
                text.push('\n');
            }
            _ => {}
        }
        text.push_str(after);
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    let lines = text.lines().map(|line| line.trim().trim_end_matches('|').trim_end());
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_program_prints_the_page_of_a_report_that_it_reads() {
    let print = |arguments: &[&str]| program::run(env!("CARGO_BIN_EXE_page"), arguments, EXAMPLE);
    let (file, day) = (repository("examples/page/history.json"), today().to_string());
    let file = file.to_str().expect("a path");
    let printed = |page: String| (page, String::new(), true);
    assert_eq!(print(&["--history", file, "--today", &day]), printed(page(&example(), &history(), today())));
    assert_eq!(print(&["--today", &day]), printed(shown(&example())));
    for (arguments, complaint) in [
        (&["--history", file][..], "--today YYYY-MM-DD is needed"),
        (&["--today", "tomorrow"], "--today YYYY-MM-DD is needed"),
        (&["--today"], "--today needs a value"),
        (&["--tomorrow", &day], "--tomorrow is not known"),
    ] {
        let (page, told, is_content) = print(arguments);
        assert!(page.is_empty() && told.contains(complaint) && !is_content, "{arguments:?}: {told}");
    }
}

#[test]
fn the_words_of_the_example() {
    insta::assert_snapshot!(words(&page(&example(), &history(), today())));
}

#[test]
fn the_picture_of_the_last_runs() {
    let html = page(&example(), &history(), today());
    let svg = between(&html, "<svg class=\"chart\"", "</svg>").replace("><", ">\n<");
    insta::assert_snapshot!(svg);
}

#[test]
fn the_legend_of_the_picture_shows_each_severity_and_each_verdict() {
    let html = page(&example(), &history(), today());
    let legend = between(&html, "<figcaption>", "</figcaption>");
    for severity in ["critical", "high", "medium", "low"] {
        assert_eq!(legend.matches(&format!("<rect class=\"{severity}\"")).count(), 1, "{severity}");
    }
    assert_eq!(legend.matches("<svg class=\"swatch\"").count(), 4 + 3);
}

#[test]
fn of_what_there_is_none_the_page_says_nothing() {
    let mut report = remembered(report(&[clean(target(1, "eu-west-1"))]));
    assert!(section(&shown(&report), "exemptions").is_none());
    report.exemptions =
        Some(Exemptions { source: "s3://evidence/exemptions.json".to_owned(), ..Exemptions::default() });
    let words = words(&shown(&report));
    assert!(words.contains("Nothing is exempted."), "{words}");
    let (answer, figures) = words.split_once("\nOverview\nViolations | 0\n").expect("an overview");
    assert!(answer.lines().all(|line| !line.starts_with("0 ")), "{answer}");
    assert!(!figures.contains("Members watched"), "{figures}");
    assert!(answer.contains("Compared with the run of"), "{answer}");
}

#[test]
fn the_only_style_and_script_that_may_run_are_those_of_the_page() {
    let html = shown(&example());
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let policy = between(&html, "http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    let (style, script) = (between(&html, "<style>", "</style>"), between(&html, "<script>", "</script>"));
    assert_eq!(
        policy.split("; ").collect::<Vec<_>>(),
        [
            "default-src 'none'",
            "img-src data:",
            &format!("style-src {}", hash(style)),
            &format!("script-src {}", hash(script)),
            "base-uri 'none'",
            "form-action 'none'",
        ]
    );
    assert!(!html.contains(" style=") && !html.contains(" onclick="));
}

/// Whatever is loaded would be asked for at some address, and so would whatever is linked.
#[test]
fn every_address_is_one_of_the_console() {
    let html = page(&example(), &history(), today());
    for word in [" src=", "url(", "@import", "srcset", "<iframe", "<form", "fetch(", "XMLHttpRequest", "import("] {
        assert!(!html.contains(word), "{word}");
    }
    let addresses: Vec<&str> =
        html.split("href=\"").skip(1).map(|rest| rest.split('"').next().expect("text")).collect();
    for address in &addresses {
        let is_known =
            ["#", "data:,", "https://console.aws.amazon.com/"].iter().any(|start| address.starts_with(start));
        assert!(is_known, "{address}");
    }
    assert!(addresses.contains(&"https://console.aws.amazon.com/macie/home?region=eu-west-1#findings"));
    assert!(addresses.contains(&"https://console.aws.amazon.com/macie/home?region=eu-west-1"));
    for address in addresses.iter().filter_map(|address| address.strip_prefix('#')) {
        let id = address.split('#').next_back().expect("text");
        assert!(html.contains(&format!("id=\"{id}\"")), "{id} is on the page");
    }
    let mut places: Vec<&str> = html.split(" id=\"").skip(1).map(|rest| between(rest, "", "\"")).collect();
    places.sort_unstable();
    assert!(places.windows(2).all(|two| !two[0].is_empty() && two[0] != two[1]), "{places:?}");
}

/// A report in which everything that somebody else wrote is this text.
fn hostile(text: &str) -> Report {
    let mut report = example();
    let say = || text.to_owned();
    report.report_id = say();
    report.generated_at = say();
    report.trigger.source = say();
    report.trigger.detail_type = Some(say());
    report.summary.regions_without_macie = vec![say()];
    report.summary.members_by_status = Some([(say(), 3)].into());
    for target in &mut report.targets {
        target.target = Target { account_id: say(), region: say() };
        for error in target.reads.iter_mut().filter_map(|read| read.error.as_mut()) {
            (error.code, error.message, error.hint) = (say(), say(), Some(say()));
        }
    }
    let exempted = report.exempted.iter_mut().map(|exempted| &mut exempted.violation);
    for violation in report.violations.iter_mut().chain(exempted) {
        violation.id = say();
        violation.target = Target { account_id: say(), region: say() };
        violation.resource.id = say();
        (violation.resource.name, violation.resource.email) = (Some(say()), Some(say()));
        (violation.status, violation.since, violation.first_seen) = (Some(say()), Some(say()), Some(say()));
        if let Some(filter) = &mut violation.filter {
            (filter.description, filter.digest) = (Some(say()), Some(say()));
            filter.conditions = vec![say(); 20];
            filter.matches.iter_mut().flat_map(|matches| &mut matches.top_buckets).for_each(|one| one.name = say());
        }
    }
    for Exempted { exemption, .. } in &mut report.exempted {
        (exemption.id, exemption.reason, exemption.owner) = (say(), say(), say());
        (exemption.ticket, exemption.expires) = (Some(say()), say());
    }
    let exemptions = report.exemptions.as_mut().expect("exemptions");
    (exemptions.source, exemptions.digest, exemptions.error) = (say(), Some(say()), Some(say()));
    for ids in [&mut exemptions.expired, &mut exemptions.expiring_soon, &mut exemptions.unused, &mut exemptions.changed]
    {
        *ids = vec![say()];
    }
    for malformed in &mut exemptions.malformed {
        (malformed.entry, malformed.problem) = (say(), say());
    }
    let changes = report.changes.as_mut().expect("changes");
    changes.compared_with = Some(Run { report_id: say(), generated_at: say() });
    for gone in changes.resolved.iter_mut().chain(&mut changes.unknown) {
        (gone.id, gone.first_seen) = (say(), say());
        gone.target = Target { account_id: say(), region: say() };
        (gone.resource.id, gone.resource.name) = (say(), Some(say()));
    }
    let evidence = report.evidence.as_mut().expect("evidence");
    (evidence.bucket, evidence.key, evidence.html_key, evidence.error) = (say(), say(), say(), Some(say()));
    report
}

/// The tags of a page, without the texts between them and what their attributes hold.
fn tags(html: &str) -> Vec<String> {
    let without = |text: &str, start: &str, end: &str| text.replace(between(text, start, end), "");
    let html = without(&without(html, "<style>", "</style>"), "<script>", "</script>");
    let mut tags = Vec::new();
    for part in html.split('<').skip(1) {
        let tag = part.split('>').next().expect("text");
        tags.push(tag.split('"').step_by(2).collect::<Vec<_>>().join("\""));
    }
    tags
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    /// What others wrote makes no tag and no attribute, and shows no character that misleads.
    #[test]
    fn what_others_wrote_is_text(text in r#"([<>"'&=/a-z -]|\PC|\u{202e}|\u{0}|\n){1,40}"#) {
        let html = shown(&hostile(&text));
        let misleading = html.lines().find(|line| line.chars().any(is_unsafe));
        prop_assert!(misleading.is_none(), "{}", misleading.unwrap_or_default().escape_debug());
        prop_assert_eq!(tags(&html), tags(&shown(&hostile("x"))));
    }
}

#[test]
fn a_hostile_name_is_shown_as_it_is_written() {
    for name in
        ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "</style><script>", "javascript:alert(1)"]
    {
        let html = shown(&hostile(name));
        assert!(words(&html).contains(&format!("Filter {name} (")), "{name}");
        assert_eq!(html.matches("<script").count(), 1, "{name}");
        assert!(!html.contains("href=\"javascript"), "{name}");
    }
}

/// A report of so many violations, made of these.
fn many(number: usize, of: &[Violation]) -> Report {
    let mut report = example();
    let numbered = |index: usize, one: &Violation| Violation { id: format!("{index:032x}"), ..one.clone() };
    report.violations = of.iter().cycle().take(number).enumerate().map(|(index, one)| numbered(index, one)).collect();
    report.violations.sort_by_key(|violation| violation.severity);
    report.summary.violations = number as u64;
    report
}

#[test]
fn ten_thousand_violations_are_all_there() {
    let example = example().violations;
    let (filters, others): (Vec<Violation>, Vec<Violation>) = example.into_iter().partition(|one| one.filter.is_some());
    for of in [filters, others] {
        let html = shown(&many(10_000, &of));
        assert!(html.len() < LIMIT, "{}", html.len());
        let violations = section(&html, "violations").expect("violations");
        assert_eq!(violations.matches("<tr id=").count(), 10_000);
        assert!(!violations.contains("which the report as JSON holds"));
        assert_eq!(violations.matches("Exempt it").count(), 250);
        // What would fill the window many times over is folded.
        assert!(!violations.contains("<details class=\"group high\" open"));
    }
}

#[test]
fn those_that_are_long_take_what_is_for_those_in_full_and_the_others_are_told_in_short() {
    let mut long = example().violations.into_iter().find(|one| one.filter.is_some()).expect("a filter");
    long.filter.as_mut().expect("a filter").conditions = vec!["c".repeat(300); 12];
    let html = shown(&many(250, std::slice::from_ref(&long)));
    let rows: Vec<&str> = section(&html, "violations").expect("violations").split("<tr id=").skip(1).collect();
    let in_full = rows.iter().filter(|row| row.contains("Exempt it")).collect::<Vec<_>>();
    let size: usize = in_full.iter().map(|row| row.len()).sum();
    assert!((790_000..810_000).contains(&size) && in_full.len() < 250, "{} of {size}", in_full.len());
    let filter = long.filter.as_ref().expect("a filter");
    let archived = filter.matches.as_ref().expect("matches").archived.total;
    let breadth = filter.breadth.expect("a breadth").as_str();
    for row in &rows[in_full.len()..] {
        assert!(row.contains(breadth) && row.contains(&format!("{}…<br>", "c".repeat(47))), "{row}");
        assert!(row.contains(&format!("<br>Matches {archived} archived, ")), "{row}");
    }
}

#[test]
fn what_does_not_fit_is_counted() {
    let mut report = hostile(&"<\"&".repeat(100));
    let (violations, exempted) = (report.violations.clone(), report.exempted.clone());
    report.violations = violations.into_iter().cycle().take(6_000).collect();
    report.violations.sort_by_key(|violation| (violation.severity, violation.rule));
    report.exempted = exempted.into_iter().cycle().take(6_000).collect();
    let changes = report.changes.as_mut().expect("changes");
    changes.resolved = changes.resolved.iter().cycle().take(6_000).cloned().collect();
    changes.unknown = changes.unknown.iter().cycle().take(6_000).cloned().collect();
    let exemptions = report.exemptions.as_mut().expect("exemptions");
    exemptions.unused = vec!["<".repeat(64); 6_000];
    exemptions.malformed = exemptions.malformed.iter().cycle().take(6_000).cloned().collect();
    for (index, violation) in report.violations.iter_mut().enumerate() {
        violation.target.account_id = format!("{index:012}");
    }
    report.targets = (0..6_000)
        .map(|index| {
            let mut target = report.targets[0].clone();
            target.target.account_id = format!("{index:012}");
            target
                .reads
                .iter_mut()
                .filter_map(|read| read.error.as_mut())
                .for_each(|error| error.code = format!("E{index}"));
            target
        })
        .collect();
    let html = shown(&report);
    assert!(html.len() < LIMIT, "{}", html.len());
    for id in ["overview", "violations", "exemptions", "resolved", "unknown", "unread"] {
        let section = section(&html, id).expect(id);
        let rows = section.matches("<tr").count() + section.matches("<li").count();
        assert!(rows > 5 && section.contains(" more"), "{id}: {rows}");
    }
    let violations = section(&html, "violations").expect("violations");
    let left_out: usize = violations
        .split("<p class=\"note\">And ")
        .skip(1)
        .map(|rest| rest.split(' ').next().expect("a number").replace(',', "").parse::<usize>().expect("a number"))
        .sum();
    assert_eq!(violations.matches("<tr id=").count() + left_out, 6_000);
}

#[test]
fn a_run_that_found_nothing_says_so() {
    let html = shown(&report(&[clean(target(999_999_999_999, "us-east-1"))]));
    assert!(html.contains("<h1>Nothing to do today</h1>"));
    let violations = section(&html, "violations").expect("violations");
    assert!(violations.contains("Nothing that was read breaks a rule."));
    assert!(!violations.contains("<search") && !violations.contains("<table"));
    for id in ["unknown", "resolved", "exemptions", "unread"] {
        assert!(section(&html, id).is_none(), "{id}");
        assert!(!html.contains(&format!("href=\"#{id}\"")), "{id}");
    }
}

fn nothing_read() -> Evidence {
    with_failed_read(clean(target(999_999_999_999, "us-east-1")), Api::ListMembers, "AccessDeniedException", "no")
}

/// The example with its violations as the last run left them.
fn with_changes(change: Option<Change>) -> Report {
    let mut report = example();
    report.violations.iter_mut().for_each(|violation| violation.change = change);
    report
}

#[test]
fn the_first_line_says_whether_to_act_today() {
    let first = |report: &Report| between(&shown(report), "<h1>", "</h1>").to_owned();
    let suspended = || members(vec![member("111122223333", "AccountSuspended")]);
    let found = Evidence { members: suspended(), ..clean(target(999_999_999_999, "us-east-1")) };
    let below =
        Report { verdict: Verdict::Compliant, fail_on: Severity::Critical, ..report(std::slice::from_ref(&found)) };
    let mut minor = with_changes(Some(Change::Known));
    minor.fail_on = Severity::High;
    minor
        .violations
        .iter_mut()
        .filter(|one| one.severity > Severity::High)
        .for_each(|one| one.change = Some(Change::New));
    for (report, words) in [
        (example(), "Act today: 2 new violations, 1 exempted no longer"),
        (with_changes(Some(Change::New)), "Act today: 16 new violations"),
        (with_changes(Some(Change::ExemptionEnded)), "Act today: 16 exempted no longer"),
        (with_changes(Some(Change::Known)), "Nothing new to act on: 16 violations from before"),
        (minor, "Nothing new to act on: 12 violations from before"),
        (with_changes(None), "16 violations, and whether 16 of them are new is not known"),
        (report(&[found]), "Act: 1 violation"),
        (below, "Nothing to do today"),
        (report(&[nothing_read()]), "No all-clear: not everything could be read"),
        (report(&[]), "No all-clear: nothing could be read"),
    ] {
        assert_eq!(first(&report), words);
    }
}

#[test]
fn what_to_know_beside_the_verdict_comes_first() {
    let noted = |change: &dyn Fn(&mut Report)| {
        let mut report = with_changes(Some(Change::Known));
        change(&mut report);
        words(&format!("<body><p>{}<script>", between(&shown(&report), "<header>", "</header>")))
    };
    let plain = noted(&|_| {});
    assert!(!plain.contains("New since the last run") && !plain.contains("FAIL_ON") && !plain.contains("switched off"));
    let unreadable = Exemptions { error: Some("NoSuchKey".to_owned()), ..Exemptions::default() };
    for (line, change) in [
        (
            "The exemptions could not be read, so nothing is exempted: NoSuchKey",
            &(move |report: &mut Report| report.exemptions = Some(unreadable.clone())) as &dyn Fn(&mut Report),
        ),
        ("4 violations below HIGH do not count for the verdict (FAIL_ON).", &|report| report.fail_on = Severity::High),
        ("1 of 14 rules is switched off: macie-paused.", &|report| report.rules_disabled = vec!["macie-paused"]),
        ("Macie is not offered in xx-test-1, so nothing was read there.", &|report| {
            report.summary.regions_without_macie = vec!["xx-test-1".to_owned()];
        }),
        ("There is no run before this one to compare with.", &|report| {
            report.changes.as_mut().expect("changes").compared_with = None;
        }),
    ] {
        assert!(noted(change).lines().any(|shown| shown == line), "{line}: {}", noted(change));
        assert!(!plain.contains(line), "{line}");
    }
}

#[test]
fn days_are_counted_from_the_day_on_which_the_page_is_made() {
    let left = |days: i64| {
        let html = page(&example(), &History::default(), today() + Duration::days(days));
        let (_, rows) = section(&html, "exemptions").expect("exemptions").rsplit_once("<caption>").expect("a table");
        let row = rows.split("<tr").find(|row| row.contains("2026-12-01")).expect("a row");
        between(row.rsplit_once("<td class=\"n\">").expect("days").1, "", "</td>").to_owned()
    };
    assert_eq!(left(-6), "15");
    assert_eq!(left(-5), "<b class=\"chip doubt\">14</b>");
    assert_eq!(left(9), "<b class=\"chip doubt\">0</b>");
    assert_eq!(left(10), "<b class=\"chip doubt\">-1</b>");
}

/// A filter of which not everything is known is still told.
#[test]
fn a_filter_that_could_not_be_read_is_no_narrow_one() {
    let evidence =
        Evidence { filters: vec![filter("f-1", None, "ARCHIVE")], ..clean(target(999_999_999_999, "us-east-1")) };
    let text = words(&shown(&report(&[evidence])));
    assert!(text.contains("what it mutes could not be read"), "{text}");
    assert!(text.contains("What matches is not known."));
}

#[test]
fn a_region_that_is_none_is_no_link() {
    let mut report = example();
    report.violations.iter_mut().for_each(|violation| violation.target.region = "x&y=#z".to_owned());
    let html = shown(&report);
    assert!(section(&html, "violations").expect("violations").contains("<td>x&amp;y=#z</td>"));
}

#[test]
fn this_run_is_the_last_of_the_picture() {
    let html = page(&example(), &history(), today());
    assert_eq!(html.matches("<g><title>").count(), RUNS);
    // A page that is made again does not count its run twice.
    assert_eq!(page(&example(), &history().with(&example()), today()), html);
    let alone = shown(&example());
    assert_eq!(alone.matches("<g><title>").count(), 1);
    assert!(alone.contains("in the last run, at most 16"));
}

/// Bars stand on each other and none leaves the picture, whatever the numbers are.
#[test]
fn a_picture_of_any_numbers_can_be_drawn() {
    for number in [0, 1, 3, 10_000, u64::MAX / 4] {
        let mut report = example();
        report.summary.by_severity = Severity::ALL.map(|severity| (severity, number)).into();
        let html = shown(&report);
        let svg = between(&html, "<svg class=\"chart\"", "</svg>");
        let value = |bar: &str, name: &str| between(bar, &format!("{name}=\""), "\"").parse::<i64>().expect("a number");
        let bars = svg.split("<rect class=\"").skip(1).filter(|bar| !bar.starts_with("bad"));
        let mut base = 150;
        let mut drawn = 0;
        for bar in bars {
            assert_eq!(value(bar, " y") + value(bar, "height"), base, "{number}: {svg}");
            base = value(bar, " y");
            drawn += 1;
        }
        assert_eq!(drawn, if number == 0 { 0 } else { 4 });
        assert!((if number == 0 { 150..=150 } else { 0..=147 }).contains(&base), "{number}: {base}");
    }
}

#[test]
fn a_list_of_what_is_gone_links_its_region() {
    let mut report = example();
    let changes = report.changes.as_mut().expect("changes");
    let gone: Vec<Gone> = changes.resolved.drain(..).collect();
    changes.unknown = gone;
    let html = shown(&report);
    assert!(section(&html, "resolved").is_none());
    let unknown = section(&html, "unknown").expect("unknown");
    assert!(unknown.contains("Member account 100000000128") && unknown.contains("region=us-east-1\""));
}

#[test]
fn the_example_is_a_report_of_its_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../../../schema/report-1.1.schema.json")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let report: Value = serde_json::from_str(EXAMPLE).expect("JSON");
    let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

/// Whoever accepts a violation copies the entry, and fills in why and who. What is exempted already needs none.
#[test]
fn each_violation_comes_with_the_entry_that_would_exempt_it() {
    let html = shown(&example());
    let entries =
        html.split("<pre tabindex=\"0\">").skip(1).map(|rest| between(rest, "", "</pre>").replace("&quot;", "\""));
    let entries: Vec<Value> = entries.map(|entry| serde_json::from_str(&entry).expect("JSON")).collect();
    let expected: Vec<Value> =
        example().violations.iter().filter_map(|violation| suggestion(violation, today())).collect();
    assert_eq!(entries, expected);
    assert_eq!(entries.len(), 16);
}

#[test]
fn what_is_long_is_cut_where_it_says_so() {
    let example = example().violations;
    let member = example.iter().find(|one| one.rule == "member-account-suspended").expect("a member").clone();
    let is_open = |number| {
        let html = shown(&many(number, std::slice::from_ref(&member)));
        html.contains("<details class=\"group high\" open")
    };
    assert!(is_open(200) && !is_open(201));

    let mut report = with_changes(Some(Change::New));
    report.violations[7..].iter_mut().for_each(|violation| violation.change = Some(Change::Known));
    assert_eq!(words(&shown(&report)).matches("and 2 more").count(), 1);
    report.violations[5].change = Some(Change::Known);
    report.violations[6].change = Some(Change::Known);
    assert!(!words(&shown(&report)).contains("and 0 more"));

    let with_conditions = |number: usize| {
        let mut filter = example[0].clone();
        filter.filter.as_mut().expect("a filter").conditions = vec!["c".repeat(400); number];
        words(&shown(&many(1, &[filter])))
    };
    assert_eq!(with_conditions(12).lines().filter(|line| *line == format!("{}…", "c".repeat(299))).count(), 12);
    assert!(!with_conditions(12).contains("more conditions"));
    assert!(with_conditions(15).contains("and 3 more conditions"));

    let with_id = |length: usize| {
        let mut long = member.clone();
        long.resource.id = "i".repeat(length);
        shown(&many(1, &[long])).contains("Exempt it")
    };
    assert!(with_id(3000) && !with_id(5000));
}
