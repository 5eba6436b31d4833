//! The exemptions document: what of it can be used on a day, what its schema says of it, and the program that checks it.

use std::fs;

use macie_compliance_core::api::Api;
use macie_compliance_core::checks;
use macie_compliance_core::evidence::Evidence;
use macie_compliance_core::exemptions::{self, Document, MAX_BYTES, Malformed, Names, Standing};
use macie_compliance_core::report::v1::{Exempted, Exemption, Report};
use macie_compliance_core::testing::{clean, filter, member, members, policy, report, target, with_failed_read};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use time::{Date, Duration};

use crate::program;

/// The 22nd of November 2026.
fn today() -> Date {
    policy().today
}

fn after(days: i64) -> String {
    (today() + Duration::days(days)).to_string()
}

fn parse(document: &Value) -> Result<Document, String> {
    Document::parse(document.to_string().as_bytes(), today())
}

/// A sound entry with these fields in place of its own; null takes a field away.
fn entry(fields: Value) -> Value {
    let mut entry = json!({
        "id": "paused", "rule": "member-macie-paused", "accountId": "999999999999", "region": "eu-west-1",
        "resourceId": "111122223333", "reason": "migration", "owner": "team-data", "expires": after(100),
    });
    for (name, value) in fields.as_object().expect("fields") {
        match value {
            Value::Null => entry.as_object_mut().expect("an entry").remove(name),
            value => entry.as_object_mut().expect("an entry").insert(name.clone(), value.clone()),
        };
    }
    entry
}

/// A sound entry for filters, with these fields.
fn filter_entry(fields: Value) -> Value {
    let mut entry = entry(json!({"rule": "filter-archives-findings", "digest": "a".repeat(64)}));
    for (name, value) in fields.as_object().expect("fields") {
        entry[name] = value.clone();
    }
    entry
}

fn document(entries: &[Value]) -> Value {
    json!({"schemaVersion": "1.0", "exemptions": entries})
}

fn fits_schema(document: &Value) -> bool {
    let schema: Value = serde_json::from_str(&exemptions::schema()).expect("JSON");
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).expect("a JSON Schema");
    validator.is_valid(document)
}

#[test]
fn what_is_written_in_an_entry_is_read() {
    let text = json!({"$schema": "https://example.com/schema", "schemaVersion": "1.0", "exemptions": [
        filter_entry(json!({"id": "vendor-logs", "accountId": "*", "region": ["us-east-1", "eu-west-1"],
            "resourceId": ["f-1"], "digest": ["A".repeat(64), "b".repeat(64)], "ticket": "SEC-1", "expires": "2027-03-31"})),
        entry(json!({"ticket": " "})),
    ]})
    .to_string();
    let read = Document::parse(text.as_bytes(), today()).expect("sound");
    let names = |names: &[&str]| Names::These(names.iter().map(|name| (*name).to_owned()).collect());
    let [first, second] = &read.entries[..] else { panic!("{read:?}") };
    assert_eq!(read.malformed, []);
    assert_eq!((first.id.as_str(), first.rule), ("vendor-logs", "filter-archives-findings"));
    assert_eq!((&first.accounts, &first.resources), (&Names::Any, &names(&["f-1"])));
    assert_eq!(first.regions, names(&["eu-west-1", "us-east-1"]));
    assert_eq!(first.digests, Some(["a".repeat(64), "b".repeat(64)].into()), "in lower case, as the report has them");
    assert_eq!((first.reason.as_str(), first.owner.as_str()), ("migration", "team-data"));
    assert_eq!((first.ticket.as_deref(), first.expires.to_string().as_str()), (Some("SEC-1"), "2027-03-31"));
    assert_eq!((&second.digests, &second.ticket), (&None, &None));
    // By sha256sum.
    let empty = Document::parse(br#"{"schemaVersion": "1.0", "exemptions": []}"#, today()).expect("sound");
    assert_eq!(empty.digest, "d6d755c329a7f03d42df2f67ca6396fa087a1950e33c14e531677a9c48743276");
}

/// What is wrong with an entry, and whether the schema can tell.
fn malformed_entries() -> Vec<(Value, &'static str, bool)> {
    let long = "x".repeat(100);
    vec![
        (json!("text"), "it is not an object", true),
        (json!(["id", "member-macie-paused"]), "it is not an object", true),
        (json!(null), "it is not an object", true),
        (
            entry(json!({"acountId": "*"})),
            "unknown field `acountId`, expected one of `id`, `rule`, `accountId`, `region`, `resourceId`, `digest`, `reason`, `owner`, `ticket`, `expires`",
            true,
        ),
        (entry(json!({"id": null})), "`id` is missing", true),
        (entry(json!({"id": "\t"})), "`id` is empty", true),
        (entry(json!({"id": 7})), "`id` is 7, which is no text", true),
        (entry(json!({"rule": null})), "`rule` is missing", true),
        (entry(json!({"rule": "member-*"})), "`rule` is \"member-*\", which is no rule of this version", true),
        (entry(json!({"rule": ["macie-paused"]})), "`rule` is [\"macie-paused\"], which is no text", true),
        (
            entry(json!({"rule": long})),
            "`rule` is \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…, which is no rule of this version",
            true,
        ),
        (entry(json!({"accountId": null})), "`accountId` is missing", true),
        (
            entry(json!({"accountId": "12345678901"})),
            "`accountId` has \"12345678901\", which is not an account id of twelve digits",
            true,
        ),
        (
            entry(json!({"accountId": 999_999_999_999_u64})),
            "`accountId` has 999999999999, which is not an account id of twelve digits",
            true,
        ),
        (entry(json!({"accountId": []})), "`accountId` is an empty list", true),
        (
            entry(json!({"accountId": ["999999999999", "*"]})),
            "`accountId` has \"*\", which is not an account id of twelve digits",
            true,
        ),
        (entry(json!({"region": null})), "`region` is missing", true),
        (
            entry(json!({"region": "eu-*"})),
            "`region` has \"eu-*\", which is not the code of a Region, such as eu-west-1",
            true,
        ),
        (
            entry(json!({"region": ["*"]})),
            "`region` has \"*\", which is not the code of a Region, such as eu-west-1",
            true,
        ),
        (
            entry(json!({"region": format!("eu-{}-1", "a".repeat(28))})),
            "`region` has \"eu-aaaaaaaaaaaaaaaaaaaaaaaaaaaa-1\", which is not the code of a Region, such as eu-west-1",
            true,
        ),
        (entry(json!({"resourceId": null})), "`resourceId` is missing", true),
        (entry(json!({"resourceId": ""})), "`resourceId` has \"\", which is not the id of a resource", true),
        (entry(json!({"resourceId": ["1", "*"]})), "`resourceId` has \"*\", which is not the id of a resource", true),
        (
            entry(json!({"resourceId": {"id": "1"}})),
            "`resourceId` has {\"id\":\"1\"}, which is not the id of a resource",
            true,
        ),
        (entry(json!({"digest": "a".repeat(64)})), "`digest` is only for the rule filter-archives-findings", true),
        (filter_entry(json!({"digest": null})), "`digest` is missing", true),
        (filter_entry(json!({"digest": null, "resourceId": "*"})), "`digest` is missing", true),
        (
            filter_entry(json!({"digest": "*"})),
            "`digest` has \"*\", which is not a digest of 64 hexadecimal digits",
            true,
        ),
        (filter_entry(json!({"digest": []})), "`digest` is an empty list", true),
        (
            filter_entry(json!({"digest": ["a".repeat(64), "a".repeat(63)]})),
            "`digest` has \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", which is not a digest of 64 hexadecimal digits",
            true,
        ),
        (
            filter_entry(json!({"digest": format!("{}g", "a".repeat(63))})),
            "`digest` has \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaag\", which is not a digest of 64 hexadecimal digits",
            true,
        ),
        (entry(json!({"reason": null})), "`reason` is missing", true),
        (entry(json!({"reason": ""})), "`reason` is empty", true),
        (entry(json!({"owner": null})), "`owner` is missing", true),
        (entry(json!({"owner": " \n"})), "`owner` is empty", true),
        (entry(json!({"owner": true})), "`owner` is true, which is no text", true),
        (entry(json!({"ticket": 1234})), "`ticket` is 1234, which is no text", true),
        (entry(json!({"expires": null})), "`expires` is missing", true),
        (
            entry(json!({"expires": "2027-02-29"})),
            "`expires` is \"2027-02-29\", which is no date of the form YYYY-MM-DD",
            true,
        ),
        (
            entry(json!({"expires": "2027-3-31"})),
            "`expires` is \"2027-3-31\", which is no date of the form YYYY-MM-DD",
            true,
        ),
        (
            entry(json!({"expires": "\u{202e}never\n"})),
            "`expires` is \"\u{fffd}never\\n\", which is no date of the form YYYY-MM-DD",
            true,
        ),
        (entry(json!({"expires": after(367)})), "`expires` is 2027-11-24, which is more than 366 days ahead", false),
    ]
}

#[test]
fn an_entry_with_a_mistake_is_malformed_and_stops_no_other() {
    for (wrong, problem, schema_tells) in malformed_entries() {
        let document = document(&[entry(json!({"id": "before"})), wrong.clone(), entry(json!({"id": "after"}))]);
        let read = parse(&document).expect("a document");
        let ids: Vec<&str> = read.entries.iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!(ids, ["before", "after"], "{wrong}");
        let id = wrong.get("id").and_then(Value::as_str).filter(|id| !id.trim().is_empty());
        let expected = Malformed { entry: id.unwrap_or("1").to_owned(), problem: problem.to_owned() };
        assert_eq!(read.malformed, [expected], "{wrong}");
        assert_eq!(fits_schema(&document), !schema_tells, "{wrong}");
    }
}

#[test]
fn what_is_sound_in_an_entry_is_so_by_the_schema_too() {
    let mut entries = vec![
        entry(json!({"accountId": "*", "region": "*", "resourceId": "*"})),
        entry(
            json!({"accountId": ["111122223333", "111122223333"], "region": ["us-gov-west-1"], "resourceId": ["a", "b*"]}),
        ),
        entry(json!({"ticket": ""})),
        entry(json!({"expires": "2020-02-29"})),
        entry(json!({"expires": after(366)})),
        filter_entry(json!({"digest": "0123456789abcdefABCDEF".repeat(3)[..64].to_owned()})),
        filter_entry(json!({"digest": ["a".repeat(64)], "resourceId": "*"})),
    ];
    // A null stands for a field that is not there.
    let mut with_nulls = entry(json!({}));
    (with_nulls["ticket"], with_nulls["digest"]) = (Value::Null, Value::Null);
    entries.push(with_nulls);
    entries.extend(
        checks::all().filter(|check| check.id != exemptions::RULE_WITH_DIGEST).map(|c| entry(json!({"rule": c.id}))),
    );
    for entry in entries {
        let document = document(&[entry]);
        let read = parse(&document).expect("a document");
        assert_eq!((read.malformed, read.entries.len()), (Vec::new(), 1), "{document}");
        assert!(fits_schema(&document), "{document}");
    }
}

#[test]
fn a_field_that_is_there_twice_is_a_mistake() {
    let twice = entry(json!({})).to_string().replace("\"region\":", "\"region\": \"*\", \"region\":");
    let text = format!(r#"{{"schemaVersion": "1.0", "exemptions": [{twice}]}}"#);
    let read = Document::parse(text.as_bytes(), today()).expect("a document");
    let problem = "duplicate field `region`".to_owned();
    assert_eq!((read.entries, read.malformed), (vec![], vec![Malformed { entry: "paused".to_owned(), problem }]));
}

/// The name of a field is whatever somebody wrote.
#[test]
fn the_name_of_a_field_is_shown_safely_and_not_at_any_length() {
    let name = format!("\u{202e}\u{1b}[2J{}", "x".repeat(1_000));
    let mut document = document(&[entry(json!({name.clone(): "*"}))]);
    let problem = parse(&document).expect("a document").malformed.remove(0).problem;
    document[name] = json!(1);
    for problem in [problem, parse(&document).expect_err("a field that nobody knows")] {
        assert!(problem.contains("unknown field `\u{fffd}\u{fffd}[2Jxxx"), "{problem}");
        assert!(!problem.chars().any(macie_compliance_core::text::is_unsafe), "{problem}");
        assert!(problem.chars().count() < 400, "{problem}");
    }
}

#[test]
fn only_the_first_entry_with_an_id_counts() {
    let wider = entry(json!({"region": "*"}));
    let read = parse(&document(&[entry(json!({})), wider.clone(), entry(json!({"id": "other"}))])).expect("a document");
    let problem = "another entry before it has the same id".to_owned();
    assert_eq!(read.malformed, [Malformed { entry: "paused".to_owned(), problem }]);
    assert_eq!(read.entries.iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), ["paused", "other"]);
    // One that is malformed does not take the id away.
    let read = parse(&document(&[entry(json!({"owner": ""})), wider])).expect("a document");
    assert_eq!((read.entries.len(), read.entries[0].regions.clone()), (1, Names::Any));
}

#[test]
fn an_entry_is_in_force_to_the_end_of_its_last_day() {
    for (days, standing) in [
        (-400, Standing::Expired),
        (-1, Standing::Expired),
        (0, Standing::ExpiringSoon),
        (14, Standing::ExpiringSoon),
        (15, Standing::InForce),
        (366, Standing::InForce),
    ] {
        let read = parse(&document(&[entry(json!({"expires": after(days)}))])).expect("a document");
        assert_eq!(read.entries[0].standing, standing, "{days}");
        assert_eq!(read.entries[0].is_in_force(), days >= 0, "{days}");
    }
}

#[test]
fn a_date_is_a_day_that_exists() {
    let day = exemptions::date("2028-02-29").expect("a leap day");
    assert_eq!((day.year(), u8::from(day.month()), day.day()), (2028, 2, 29));
    for text in [
        "",
        "2027-02-29",
        "2027-13-01",
        "2027-00-01",
        "2027-01-00",
        "2027-01-32",
        "27-01-01",
        "+027-01-01",
        "2027-1-01",
        "2027-01-1",
        "2027-01-+1",
        "2027-01-01T",
        "2027-01-01-",
        "2027/01/01",
        "20270101",
        "٢٠٢٧-01-01",
    ] {
        assert_eq!(exemptions::date(text), None, "{text}");
    }
}

#[test]
fn a_document_that_cannot_be_read_says_why() {
    for (text, problem, is_json) in [
        ("", "the document is not JSON: EOF while parsing a value at line 1 column 0", false),
        ("exemptions:\n- id: a", "the document is not JSON: expected value at line 1 column 1", false),
        (
            "{\"schemaVersion\": \"1.0\", \"exemptions\": []} {}",
            "the document is not JSON: trailing characters at line 1 column 44",
            false,
        ),
        ("[]", "the document is not an object", true),
        (r#"["https://example.com", "1.0", []]"#, "the document is not an object", true),
        ("{}", "`schemaVersion` is missing", true),
        (r#"{"exemptions": []}"#, "`schemaVersion` is missing", true),
        (
            r#"{"schemaVersion": "2.0", "accepted": []}"#,
            "`schemaVersion` is \"2.0\", and this build knows \"1.0\"",
            true,
        ),
        (r#"{"schemaVersion": "1", "exemptions": []}"#, "`schemaVersion` is \"1\", and this build knows \"1.0\"", true),
        (
            r#"{"schemaVersion": "1.", "exemptions": []}"#,
            "`schemaVersion` is \"1.\", and this build knows \"1.0\"",
            true,
        ),
        (
            r#"{"schemaVersion": "1.x", "exemptions": []}"#,
            "`schemaVersion` is \"1.x\", and this build knows \"1.0\"",
            true,
        ),
        (r#"{"schemaVersion": 1.0, "exemptions": []}"#, "`schemaVersion` is 1.0, and this build knows \"1.0\"", true),
        (
            r#"{"schemaVersion": "1.0"}"#,
            "the document is malformed: missing field `exemptions` at line 1 column 24",
            true,
        ),
        (
            r#"{"schemaVersion": "1.0", "exemptions": {}}"#,
            "the document is malformed: invalid type: map, expected a sequence at line 1 column 39",
            true,
        ),
        (
            r#"{"schemaVersion": "1.0", "exemptions": [], "$schema": 1}"#,
            "the document is malformed: invalid type: integer `1`, expected a string at line 1 column 55",
            true,
        ),
        (
            r#"{"schemaVersion": "1.0", "exemptions": [], "exemption": []}"#,
            "the document is malformed: unknown field `exemption`, expected one of `$schema`, `schemaVersion`, `exemptions` at line 1 column 54",
            true,
        ),
    ] {
        assert_eq!(Document::parse(text.as_bytes(), today()), Err(problem.to_owned()), "{text}");
        assert_eq!(serde_json::from_str::<Value>(text).is_ok_and(|value| !fits_schema(&value)), is_json, "{text}");
    }
    assert_eq!(Document::parse(b"\"\xff\"", today()), Err("the document is not UTF-8".to_owned()));
    for text in
        [r#"{"schemaVersion": "1.27", "exemptions": []}"#, " \n{\"schemaVersion\": \"1.0\", \"exemptions\": []}\n"]
    {
        assert!(Document::parse(text.as_bytes(), today()).is_ok(), "{text}");
        assert!(fits_schema(&serde_json::from_str(text).expect("JSON")), "{text}");
    }
}

#[test]
fn a_document_has_at_most_a_mebibyte() {
    let mut text = document(&[]).to_string();
    text.push_str(&" ".repeat(MAX_BYTES - text.len()));
    assert!(Document::parse(text.as_bytes(), today()).is_ok());
    text.push(' ');
    let error = "the document has 1048577 bytes, and may have 1048576".to_owned();
    assert_eq!(Document::parse(text.as_bytes(), today()), Err(error));
}

/// What the program prints for these arguments, what it complains of, and whether it is content.
fn run(arguments: &[&str]) -> (String, String, bool) {
    program::run(env!("CARGO_BIN_EXE_exemptions"), arguments, "")
}

/// A file that is gone with its handle.
fn file(text: &str) -> NamedTempFile {
    let file = NamedTempFile::new().expect("a file");
    fs::write(&file, text).expect("the file is written");
    file
}

fn path(file: &NamedTempFile) -> &str {
    file.path().to_str().expect("a path")
}

fn check(document: &Value, report: Option<&Report>) -> (String, bool) {
    let document = file(&document.to_string());
    let report = report.map(|report| file(&serde_json::to_string(report).expect("JSON")));
    let arguments = ["--today", "2026-11-22", path(&document)].into_iter().chain(report.as_ref().map(path));
    let (told, complaint, is_content) = run(&arguments.collect::<Vec<_>>());
    assert_eq!(complaint, "");
    (told, is_content)
}

#[test]
fn the_program_tells_how_each_entry_is() {
    let entries = [
        entry(json!({"id": "far", "expires": "2026-12-07"})),
        entry(json!({"id": "near", "expires": "2026-12-06"})),
        entry(json!({"id": "last\u{202e}", "expires": "2026-11-23"})),
        entry(json!({"id": "today", "expires": "2026-11-22"})),
        entry(json!({"id": "old", "expires": "2026-11-21"})),
    ];
    let sound = document(&entries);
    let digest = parse(&sound).expect("a document").digest;
    let lines = "
  far: in force until 2026-12-07
  near: in force until 2026-12-06, EXPIRES IN 14 DAYS
  last\u{fffd}: in force until 2026-11-23, EXPIRES IN 1 DAY
  today: in force until 2026-11-22, EXPIRES TODAY
  old: EXPIRED, was in force until 2026-11-21
";
    let expected = format!("The document has 5 entries and SHA-256 {digest}.{lines}");
    assert_eq!(check(&sound, None), (expected, true));
    let wrong = document(&[entry(json!({"owner": null}))]);
    let digest = parse(&wrong).expect("a document").digest;
    let expected = format!("The document has 1 entry and SHA-256 {digest}.\n  paused: MALFORMED, `owner` is missing\n");
    assert_eq!(check(&wrong, None), (expected, false));
}

#[test]
fn the_program_refuses_what_it_cannot_read() {
    let (sound, broken) = (file(&document(&[]).to_string()), file("{"));
    let (sound, broken) = (path(&sound), path(&broken));
    let usage = "usage: exemptions --today YYYY-MM-DD DOCUMENT [REPORT]\n";
    for arguments in [
        &[][..],
        &[sound],
        &["--today", "2026-11-22"],
        &["--today", "2026-11-31", sound],
        &["--date", "2026-11-22", sound],
        &["--today", "2026-11-22", sound, broken, broken],
    ] {
        assert_eq!(run(arguments), (String::new(), usage.to_owned(), false), "{arguments:?}");
    }
    let (told, complaint, is_content) = run(&["--today", "2026-11-22", broken]);
    assert_eq!((told.as_str(), is_content), ("", false));
    assert!(complaint.starts_with(&format!("{broken}: the document is not JSON: ")), "{complaint}");
    let (_, complaint, is_content) = run(&["--today", "2026-11-22", "no-such-file"]);
    assert!(complaint.starts_with("no-such-file: ") && !is_content, "{complaint}");
    let (_, complaint, is_content) = run(&["--today", "2026-11-22", sound, broken]);
    assert!(complaint.starts_with(&format!("{broken}: ")) && !is_content, "{complaint}");
}

/// Two paused members and a filter in one target, and nothing in another.
fn found() -> Vec<Evidence> {
    let mut evidence = clean(target(999_999_999_999, "eu-west-1"));
    evidence.members = members(vec![member(111_122_223_333_u64, "Paused"), member(222_233_334_444_u64, "Paused")]);
    evidence.filters = vec![filter("f-1", Some("mute"), "ARCHIVE")];
    vec![evidence, clean(target(999_999_999_999, "us-east-1"))]
}

/// What the program says of a report, without what it says of the document.
fn told_of(entries: &[Value], report: &Report) -> String {
    let (told, is_content) = check(&document(entries), Some(report));
    assert!(is_content, "{told}");
    told.split_once("\n\n").expect("a part about the report").1.to_owned()
}

#[test]
fn the_program_tells_what_would_be_exempted_in_a_report() {
    let mut report = report(&found());
    for violation in &mut report.violations {
        if let Some(filter) = &mut violation.filter {
            filter.digest = Some("c".repeat(64));
        }
    }
    // What the report has exempted is looked at again.
    let at = report.violations.iter().position(|violation| violation.resource.id == "222233334444").expect("a member");
    let violation = report.violations.remove(at);
    let text = String::new;
    let exemption = Exemption { id: text(), reason: text(), owner: text(), ticket: None, expires: after(1) };
    report.exempted.push(Exempted { violation, exemption });
    (report.summary.violations, report.summary.exempted) = (2, 1);

    let entries = [
        entry(json!({})),
        entry(json!({"id": "second", "region": "*", "resourceId": ["222233334444"]})),
        entry(json!({"id": "gone", "region": ["eu-west-1", "us-east-1"], "resourceId": "333344445555"})),
        entry(json!({"id": "elsewhere", "accountId": "444455556666", "resourceId": "*"})),
        filter_entry(json!({"id": "changed", "resourceId": "f-1"})),
    ];
    let expected = "2 of 3 violations would be exempted:
  member-macie-paused 999999999999 eu-west-1 111122223333 by paused
  member-macie-paused 999999999999 eu-west-1 222233334444 by second

These entries no longer hold, since the filter was changed:
  changed

These entries cover nothing in this report:
  gone

These entries name an account or a Region that is not in this report:
  elsewhere
";
    assert_eq!(told_of(&entries, &report), expected);

    // There is no heading without anything below it.
    let told = told_of(&[entry(json!({}))], &report);
    assert_eq!(
        told,
        "1 of 3 violations would be exempted:\n  member-macie-paused 999999999999 eu-west-1 111122223333 by paused\n"
    );

    let told = told_of(&[entry(json!({"region": ["eu-west-1", "sa-east-1"], "resourceId": "1"}))], &report);
    assert_eq!(
        told,
        "0 of 3 violations would be exempted.\n\nThese entries name an account or a Region that is not in this report:\n  paused\n"
    );

    // A part of a report, or a message that holds only the worst, tells of no entry that it is of no use.
    report.summary.violations = 3;
    let told = told_of(&entries, &report);
    assert!(told.contains("not the whole report") && !told.contains("gone"), "{told}");
    assert!(told.contains("no longer hold"), "{told}");
}

#[test]
fn the_program_calls_nothing_unused_that_was_not_read() {
    let entries = [entry(json!({"id": "gone", "resourceId": "333344445555"}))];
    let is_unused = |report: &Report| told_of(&entries, report).contains("gone");
    assert!(is_unused(&report(&found())));

    let failed = with_failed_read(found().remove(0), Api::ListMembers, "AccessDeniedException", "no");
    assert!(!is_unused(&report(&[failed])));

    let mut off = found().remove(0);
    off.reads.retain(|read| read.api == Api::GetMacieSession);
    let mut off = report(&[off]);
    off.targets[0].complete = true;
    assert!(!is_unused(&off));

    let mut disabled = report(&found());
    disabled.summary.by_rule.remove("member-macie-paused");
    assert!(!is_unused(&disabled));
}

#[test]
fn the_program_takes_what_was_read_by_the_older_operation() {
    let rule = "administrator-account-suspended";
    let entries = [entry(json!({"id": "gone", "rule": rule, "resourceId": "333344445555"}))];
    let mut evidence = found().remove(0);
    let asked = evidence.reads.iter_mut().find(|read| read.api == Api::GetAdministratorAccount).expect("a read");
    asked.api = Api::GetMasterAccount;
    assert!(told_of(&entries, &report(&[evidence.clone()])).contains("gone"));
    evidence.reads.retain(|read| read.api != Api::GetMasterAccount);
    let mut report = report(&[evidence]);
    report.targets[0].complete = true;
    assert!(!told_of(&entries, &report).contains("gone"));
}
