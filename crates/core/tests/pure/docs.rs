//! What the code knows stands in the documentation as the code knows it.
//!
//! A page holds generated text between `<!-- generated: NAME -->` and `<!-- end -->`. A test fails where
//! it is stale; with `UPDATE_DOCS=1` in the environment it is written anew instead.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use macie_compliance_core::api::Api;
use macie_compliance_core::checks::{self, Check};
use macie_compliance_core::evidence::{Filter, Member, Read};
use macie_compliance_core::exemptions;
use macie_compliance_core::inlet::settings::Settings;
use macie_compliance_core::inlet::variables::VARIABLES;
use macie_compliance_core::names::MACIE_REGIONS;
use macie_compliance_core::report::v1::{self, Report};
use macie_compliance_core::severity::Severity;
use macie_compliance_core::testing::{by_status, clean, filter, member, report, target};
use serde_json::{Value, json};

use crate::repository::{pages, read, repository};

const BEGIN: &str = "<!-- generated: ";

/// Holds a file to what it has to be, or writes it.
fn hold(path: &Path, expected: &str) {
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is there");
        fs::write(path, expected).expect("the file is written");
    }
    assert!(read(path) == expected, "{} is stale: run `make docs` and commit it", path.display());
}

/// The text that stands under a name, and nothing for a name that there is not.
fn generated(name: &str) -> Option<String> {
    Some(match name {
        "permissions" => permissions(),
        "checks" => table_of_checks(),
        "checks in full" => checks_in_full(),
        "settings" => settings(),
        "report" => fields(&schema()),
        "exemptions" => fields(&schema_of_exemptions()),
        "probes" => probes(),
        "number of rules" => number_of_rules(),
        "example" => format!("```json\n{}\n```\n", serde_json::to_string_pretty(&example()).expect("a report")),
        _ => mail(name.strip_prefix("mail of ")?)?,
    })
}

fn permissions() -> String {
    let mut table = "| action | resource | for |\n|---|---|---|\n".to_owned();
    for api in Api::ALL {
        let row = api.row();
        let purpose = match api.replaces() {
            Some(other) => format!("{}; instead of {}", row.purpose, other.operation()),
            None => row.purpose.to_owned(),
        };
        writeln!(table, "| `{}` | {} | {purpose} |", row.action, row.resource).expect("a text");
    }
    table
}

fn table_of_checks() -> String {
    let mut table = "| rule | severity | raised when |\n|---|---|---|\n".to_owned();
    for Check { id, severity, title, .. } in checks::all() {
        writeln!(table, "| [`{id}`](#{id}) | {} | {title} |", severity.as_str()).expect("a text");
    }
    table
}

fn checks_in_full() -> String {
    let section = |check: &Check| {
        let needs: Vec<String> = check.needs.iter().map(|api| format!("`{}`", api.operation())).collect();
        let Check { id, severity, title, risk, fix, .. } = check;
        let severity = severity.as_str();
        format!(
            "### {id}\n\n{severity}: {title}.\n\n- **Risk**: {risk}\n- **Fix**: {fix}\n- **Read**: {}\n",
            needs.join(", ")
        )
    };
    checks::all().map(section).collect::<Vec<_>>().join("\n")
}

fn settings() -> String {
    let mut table = "| variable | parameter | default | values | meaning |\n|---|---|---|---|---|\n".to_owned();
    for variable in VARIABLES {
        let parameter = variable.parameter.map_or("set by the template".to_owned(), |name| format!("`{name}`"));
        let (name, default, values, meaning) = (variable.name, variable.default, variable.values, variable.meaning);
        writeln!(table, "| `{name}` | {parameter} | {default} | {values} | {meaning} |").expect("a text");
    }
    table
}

fn schema() -> Value {
    serde_json::from_str(&v1::schema()).expect("the schema is JSON")
}

fn schema_of_exemptions() -> Value {
    serde_json::from_str(&exemptions::schema()).expect("the schema is JSON")
}

/// Every field of a document, from its schema.
fn fields(schema: &Value) -> String {
    let mut table = "| field | type | meaning |\n|---|---|---|\n".to_owned();
    table.push_str(&rows("", schema));
    table
}

/// The texts on which the regular expressions of allow lists are tried.
fn probes() -> String {
    let mut table = "| kind | text |\n|---|---|\n".to_owned();
    for (kind, text) in checks::PROBES {
        writeln!(table, "| {kind} | `{text}` |").expect("a text");
    }
    table
}

fn number_of_rules() -> String {
    let of = |severity| checks::all().filter(|check| check.severity == severity).count();
    let counts: Vec<String> =
        Severity::ALL.iter().map(|severity| format!("{} {}", of(*severity), severity.as_str())).collect();
    format!("**{} rules**: {}.\n", checks::all().count(), counts.join(", "))
}

fn rows(path: &str, object: &Value) -> String {
    let mut rows = String::new();
    for (name, field) in object["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let optional = !object["required"].as_array().is_some_and(|names| names.contains(&json!(name)));
        rows.push_str(&row(&path, field, optional));
    }
    rows
}

fn row(path: &str, field: &Value, optional: bool) -> String {
    let meaning = field["description"].as_str().unwrap_or_default().replace('\n', " ");
    let mut row = format!("| `{path}` | {}{} | {meaning} |\n", kind(field), if optional { ", optional" } else { "" });
    // One of several forms is null or an object.
    let forms = field["anyOf"].as_array().cloned().unwrap_or_else(|| vec![field.clone()]);
    for form in &forms {
        row.push_str(&rows(path, form));
        row.push_str(&rows(&format!("{path}[]"), &form["items"]));
        row.push_str(&rows(&format!("{path}.*"), &form["additionalProperties"]));
    }
    row
}

fn kind(field: &Value) -> String {
    if let Some(forms) = field["anyOf"].as_array() {
        let mut kinds: Vec<String> = forms.iter().map(kind).collect();
        kinds.dedup();
        return kinds.join(" or ");
    }
    // A list that fills a page is elsewhere.
    if let Some(values) = field["enum"].as_array().filter(|values| values.len() < 10) {
        return values
            .iter()
            .map(|value| format!("`{}`", value.as_str().unwrap_or("null")))
            .collect::<Vec<_>>()
            .join(", ");
    }
    if let Some(name) = field["$ref"].as_str() {
        let schema = schema();
        let named = schema.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("{name} is defined"));
        let values = named["enum"].as_array().or(named["oneOf"].as_array()).expect("one of some texts");
        let text = |value: &Value| value["const"].as_str().or(value.as_str()).expect("a text").to_owned();
        return values.iter().map(|value| format!("`{}`", text(value))).collect::<Vec<_>>().join(", ");
    }
    if let Some(values) = field["oneOf"].as_array() {
        let values = values.iter().map(|value| format!("`{}`", value["const"].as_str().expect("a text")));
        return values.collect::<Vec<_>>().join(", ");
    }
    match &field["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        Value::String(kind) => kind.clone(),
        _ => panic!("a field without a type: {field}"),
    }
}

/// A report of a run that found a suspended member and a filter that archives.
fn example() -> Report {
    let mut evidence = clean(target(999_999_999_999, "us-east-1"));
    for Read { api, pages, items, .. } in &mut evidence.reads {
        (*pages, *items) = match api {
            Api::GetMacieSession => (1, 1),
            Api::ListMembers => (43, 1060),
            Api::ListFindingsFilters => (3, 60),
            _ => (1, 0),
        };
    }
    evidence.reads.push(Read { pages: 1, items: 1, ..Read::new(Api::GetMember) });
    evidence.members.by_status = by_status(&[("Enabled", 1059), ("AccountSuspended", 1)]);
    evidence.members.flagged = vec![Member {
        arn: Some("arn:aws:macie2:us-east-1:999999999999:member/100000000099".to_owned()),
        since: Some("2026-11-01T09:30:00Z".to_owned()),
        confirmed: true,
        ..member(100_000_000_099_u64, "AccountSuspended")
    }];
    let id = "7c1b2f4e-9d3a-4e57-8f60-21b5c8d9e0f3";
    let arn = Some(format!("arn:aws:macie2:us-east-1:999999999999:findings-filter/{id}"));
    evidence.filters = vec![Filter { arn, ..filter(id, Some("mute-low-severity"), "ARCHIVE") }];
    report(&[evidence])
}

/// A mail, as its golden file has it.
fn mail(name: &str) -> Option<String> {
    let path = repository(&format!(
        "crates/core/tests/pure/golden/snapshots/pure__golden__{}.snap",
        name.replace([' ', '-'], "_")
    ));
    let snapshot = fs::read_to_string(path).ok()?;
    let mail = snapshot.splitn(3, "---\n").nth(2)?.trim_end();
    Some(format!("```text\n{mail}\n```\n"))
}

#[test]
fn what_is_generated_in_a_page_is_not_stale() {
    let mut found = BTreeSet::new();
    for path in pages() {
        let page = read(&path);
        let mut parts = page.split(BEGIN);
        let mut expected = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once(" -->\n").unwrap_or_else(|| panic!("{}: {part}", path.display()));
            let (_, rest) =
                rest.split_once("<!-- end -->").unwrap_or_else(|| panic!("{}: {name} has no end", path.display()));
            let text = generated(name).unwrap_or_else(|| panic!("{}: nothing is generated as {name}", path.display()));
            write!(expected, "{BEGIN}{name} -->\n\n{text}\n<!-- end -->{rest}").expect("a text");
            found.insert(name.to_owned());
        }
        hold(&path, &expected);
    }
    for name in [
        "permissions",
        "checks",
        "checks in full",
        "settings",
        "report",
        "exemptions",
        "probes",
        "number of rules",
        "example",
    ] {
        assert!(found.contains(name), "{name} is in no page");
    }
}

#[test]
fn the_guide_for_a_new_organization_decides_about_every_rule() {
    let guide = read(&repository("docs/guides/new-organization.md"));
    for Check { id, .. } in checks::all() {
        let lines = guide.lines().filter(|line| line.starts_with(&format!("| [`{id}`]"))).count();
        assert_eq!(lines, 1, "{id}");
    }
}

#[test]
fn the_table_of_operations_in_the_repository_is_not_stale() {
    let row = |api: &Api| {
        let row = api.row();
        json!({
            "operation": row.operation,
            "prefix": row.service.prefix(),
            "action": row.action,
            "resource": row.resource,
            "replaces": api.replaces().map(Api::operation),
        })
    };
    let rows: Vec<Value> = Api::ALL.iter().map(row).collect();
    let text = serde_json::to_string_pretty(&rows).expect("plain values");
    hold(&repository("docs/reference/apis.json"), &format!("{text}\n"));
}

#[test]
fn the_names_that_parameters_may_hold_are_not_stale() {
    let names = json!({"rules": checks::all().map(|check| check.id).collect::<Vec<_>>(), "regions": MACIE_REGIONS});
    hold(
        &repository("docs/reference/names.json"),
        &format!("{}\n", serde_json::to_string_pretty(&names).expect("names")),
    );
}

#[test]
fn the_schema_in_the_repository_is_not_stale() {
    hold(&repository("schema/report-1.1.schema.json"), &v1::schema());
}

#[test]
fn the_schema_of_exemptions_in_the_repository_is_not_stale() {
    hold(&repository("schema/exemptions-1.0.schema.json"), &exemptions::schema());
}

#[test]
fn the_example_of_a_report_is_valid() {
    let report = serde_json::to_value(example()).expect("a report");
    let validator = jsonschema::validator_for(&schema()).expect("a JSON Schema");
    let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn the_variables_of_the_documentation_are_those_that_are_read() {
    let asked = std::cell::RefCell::new(BTreeSet::new());
    let _problems = Settings::from_lookup(|name| {
        asked.borrow_mut().insert(name.to_owned());
        // With the value of one role every variable is looked at.
        (name == "MACIE_ROLE_ARNS").then(|| "arn:aws:iam::111122223333:role/audit".to_owned())
    });
    let own: BTreeSet<String> = VARIABLES.iter().map(|variable| variable.name.to_owned()).collect();
    let asked = asked.into_inner();
    assert!(own.is_subset(&asked), "{own:?} of {asked:?}");
    // The rest is the SDK's, and stands in the page as text.
    let page = read(&repository("docs/reference/settings.md"));
    for name in asked.difference(&own) {
        let shown = name
            .strip_prefix("AWS_ENDPOINT_URL_")
            .map_or(name.to_uppercase(), |_| "AWS_ENDPOINT_URL_MACIE2".to_owned());
        assert!(page.contains(&shown), "{name}");
    }
}

#[test]
fn the_parameters_of_the_documentation_set_their_variables_in_the_template() {
    let template = read(&repository("template.yaml"));
    let line = |name: &str| {
        let lines: Vec<&str> =
            template.lines().filter(|line| line.trim_start().starts_with(&format!("{name}: "))).collect();
        assert_eq!(lines.len(), 1, "{name} stands once in the template");
        lines[0]
    };
    for variable in VARIABLES {
        let line = line(variable.name);
        let parameter = variable.parameter.expect("the template sets it by a parameter");
        assert!(line.contains(parameter), "{line} is of {parameter}");
    }
}
