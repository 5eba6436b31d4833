//! What the documentation points to is there: tests, files, headings and commands.

use std::collections::BTreeSet;
use std::path::Path;

use crate::repository::{pages, read, repository};

/// A page, divided into what is code and what is not.
#[derive(Default)]
struct Page {
    /// The headings and paragraphs, with their code left out.
    prose: String,
    /// The headings, as they are written.
    headings: Vec<String>,
    /// Code within a sentence, on one line each.
    spans: Vec<String>,
    /// The lines of blocks of code.
    lines: Vec<String>,
}

fn page(path: &Path) -> Page {
    let mut page = Page::default();
    let (mut text, mut is_block) = (String::new(), false);
    for line in read(path).lines() {
        if line.trim_start().starts_with("```") {
            is_block = !is_block;
            // No sentence goes on behind a block.
            text.push_str("\n\n");
        } else if is_block {
            page.lines.push(line.trim().to_owned());
        } else {
            page.headings.extend(line.starts_with('#').then(|| line.trim_start_matches('#').trim().to_owned()));
            text.push_str(line);
            text.push('\n');
        }
    }
    for paragraph in text.split("\n\n") {
        for (index, part) in paragraph.split('`').enumerate() {
            match index % 2 {
                0 => page.prose.push_str(part),
                _ => page.spans.push(part.split_whitespace().collect::<Vec<_>>().join(" ")),
            }
        }
        page.prose.push_str("\n\n");
    }
    page
}

/// What a page links to and shows: `](target)` and `[name]: target` of Markdown, and what HTML has for it.
fn links(page: &Page) -> Vec<String> {
    let mut links = Vec::new();
    for (start, ends) in [("](", ")"), ("]: ", " \n"), ("href=\"", "\""), ("src=\"", "\""), ("srcset=\"", "\" ")] {
        for rest in page.prose.split(start).skip(1) {
            links.extend(rest.split(|c| ends.contains(c)).next().map(str::to_owned));
        }
    }
    links
}

/// The anchors that GitHub gives to the headings of a page.
fn anchors(page: &Page) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for heading in &page.headings {
        let text = heading.split('[').map(|part| match part.split_once("](") {
            Some((text, rest)) => text.to_owned() + rest.split_once(')').map_or("", |(_, after)| after),
            None => part.to_owned(),
        });
        let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
        let slug: String = text.collect::<String>().to_lowercase().chars().filter(kept).collect();
        let slug = slug.replace(' ', "-");
        let again = (1..).map(|number| format!("{slug}-{number}"));
        let free = std::iter::once(slug.clone()).chain(again).find(|anchor| !anchors.contains(anchor));
        anchors.extend(free);
    }
    anchors
}

/// What `make` is asked for in a line of code, if it is.
fn target(line: &str) -> Option<&str> {
    let mut words = line.trim_start_matches("$ ").split([' ', ';', '&', '|']).filter(|word| !word.contains('='));
    (words.next() == Some("make")).then(|| words.next().unwrap_or("help"))
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn every_test_that_holds_a_promise_is_there() {
    let mut problems = Vec::new();
    let (mut tests, mut file) = (0, String::new());
    for span in page(&repository("docs/reliability.md")).spans {
        let (path, name) = match span.split_once("::") {
            Some((path, name)) => (path, Some(name)),
            // A test of the Python file that was named last.
            None if span.starts_with("test_") => (file.as_str(), Some(span.as_str())),
            None => (span.as_str(), None),
        };
        if !path.starts_with("tests/") && !path.starts_with("crates/") {
            continue;
        }
        let path = path.to_owned();
        if !repository(&path).exists() {
            problems.push(format!("{path}: there is no such file"));
        } else if let Some(name) = name {
            tests += 1;
            let code = read(&repository(&path));
            if ![format!("fn {name}("), format!("def {name}(")].iter().any(|head| code.contains(head)) {
                problems.push(format!("{path}: there is no {name}"));
            }
        }
        file = path;
    }
    assert!(tests > 50, "the tests were found: {tests}");
    assert_none(&problems);
}

#[test]
fn every_path_that_the_papers_about_the_code_name_is_there() {
    let mut problems = Vec::new();
    let mut paths = 0;
    for name in ["docs/architecture.md", "docs/decisions.md", "docs/threat-model.md"] {
        for span in page(&repository(name)).spans {
            let is_path = ["src/", "crates/", "tests/", "statemachine/", "docs/"].map(|top| span.starts_with(top));
            if is_path.contains(&true) {
                paths += 1;
                problems.extend((!repository(&span).exists()).then(|| format!("{name}: {span}")));
            }
        }
    }
    assert!(paths > 20, "the paths were found: {paths}");
    assert_none(&problems);
}

#[test]
fn every_link_leads_somewhere() {
    let mut problems = Vec::new();
    let mut relative = 0;
    for path in pages() {
        for link in links(&page(&path)) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            relative += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let to = if file.is_empty() { path.clone() } else { path.with_file_name(file) };
            if !to.exists() {
                problems.push(format!("{}: there is no {file}", path.display()));
            } else if !anchor.is_empty() && !anchors(&page(&to)).contains(anchor) {
                problems.push(format!("{}: {file} has no #{anchor}", path.display()));
            }
        }
    }
    assert!(relative > 30, "the links were found: {relative}");
    assert_none(&problems);
}

#[test]
fn every_command_is_a_target_of_the_makefile() {
    let makefile = read(&repository("Makefile"));
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter(|line| !line.starts_with(['\t', '#']))
        .filter_map(|line| Some(line.split_once(':')?.0))
        .collect();
    let mut problems = Vec::new();
    let mut commands = 0;
    for path in pages() {
        let page = page(&path);
        for target in page.spans.iter().chain(&page.lines).filter_map(|line| target(line)) {
            commands += 1;
            problems.extend((!targets.contains(target)).then(|| format!("{}: make {target}", path.display())));
        }
    }
    assert!(commands > 15, "the commands were found: {commands}");
    assert_none(&problems);
}

#[test]
fn an_anchor_is_what_github_makes_of_a_heading() {
    let headings = ["What is it?", "`MACIE_REGIONS` and [roles](roles.md)", "What is it?", "A, b & c"];
    let page = Page { headings: headings.map(str::to_owned).into(), ..Page::default() };
    let expected = ["what-is-it", "macie_regions-and-roles", "what-is-it-1", "a-b--c"];
    assert_eq!(anchors(&page), expected.map(str::to_owned).into());
}

#[test]
fn a_command_is_found_where_a_line_begins_with_it() {
    assert_eq!(target("make deploy PARAMETERS=FILE CHECK=1"), Some("deploy"));
    assert_eq!(target("$ QUICK=1 make bench"), Some("bench"));
    assert_eq!(target("make"), Some("help"));
    assert_eq!(target("sam deploy"), None);
    assert_eq!(target("# make sure"), None);
}
