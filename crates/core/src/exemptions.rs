//! The exemptions document: what breaks a rule and is accepted, by whom and until when.
//!
//! Whoever writes it decides what a report is silent about. So a field that is misspelt, a date that does not exist or
//! a rule that nobody knows makes an entry malformed: it exempts nothing, and the others are not touched by it.

use std::collections::{BTreeSet, HashSet};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::{Date, Month};

use crate::checks;
use crate::names::{is_account_id, is_region};
use crate::text;

/// The rule whose exemptions name the digest of what they exempt: a filter that was changed is exempted no longer.
pub const RULE_WITH_DIGEST: &str = "filter-archives-findings";

/// The most bytes that a document may have.
pub const MAX_BYTES: usize = 1024 * 1024;

/// The most days from today on which an entry may end.
const MAX_DAYS: i64 = 366;

/// An entry that ends in this many days or fewer ends soon.
const SOON_DAYS: i64 = 14;

/// An exemptions document, read on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The SHA-256 of its bytes, in hexadecimal.
    pub digest: String,
    /// The entries that are sound, in the document's order.
    pub entries: Vec<Entry>,
    /// The entries that are not, in the document's order.
    pub malformed: Vec<Malformed>,
}

/// An entry of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id. No other entry has it.
    pub id: String,
    /// The id of the rule that may be broken.
    pub rule: &'static str,
    /// In which accounts.
    pub accounts: Names,
    /// In which Regions.
    pub regions: Names,
    /// By which resources, by their ids.
    pub resources: Names,
    /// What a filter has to be for the entry to hold, as lower-case hexadecimal; `None` for the rules that are not
    /// about a filter's content.
    pub digests: Option<BTreeSet<String>>,
    /// Why this is accepted.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Where it was agreed on.
    pub ticket: Option<String>,
    /// The last day on which it is in force, in UTC.
    pub expires: Date,
    /// How it stands on the day on which the document was read.
    pub standing: Standing,
}

/// Some names, or all that there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names {
    /// `*`: all.
    Any,
    /// These, at least one.
    These(BTreeSet<String>),
}

impl Names {
    /// Whether a name is one of them.
    pub fn fit(&self, name: &str) -> bool {
        match self {
            Names::Any => true,
            Names::These(names) => names.contains(name),
        }
    }
}

/// How an entry stands to a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is in force, for more than 14 days to come.
    InForce,
    /// It is in force, and ends within 14 days.
    ExpiringSoon,
    /// Its last day is over.
    Expired,
}

impl Standing {
    fn on(today: Date, expires: Date) -> Standing {
        match (expires - today).whole_days() {
            ..0 => Standing::Expired,
            0..=SOON_DAYS => Standing::ExpiringSoon,
            _ => Standing::InForce,
        }
    }
}

/// An entry that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Its id or, without one, its place in the list, from 0.
    pub entry: String,
    /// What is wrong with it, safe to show.
    pub problem: String,
}

/// Accepted violations of the rules of macie-compliance: by whom, why and until when.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "macie-compliance exemptions", inline)]
struct DocumentForm<'a> {
    /// The address of this schema, for editors.
    #[serde(rename = "$schema")]
    #[expect(dead_code, reason = "it is there for editors")]
    schema: Option<String>,
    /// The version of this format.
    #[expect(dead_code, reason = "it was looked at before the rest")]
    #[schemars(regex(pattern = r"^1\.[0-9]+$"))]
    schema_version: String,
    /// What is accepted. An entry that is malformed stops no other.
    #[serde(borrow)]
    #[schemars(with = "Vec<EntryForm>")]
    exemptions: Vec<&'a RawValue>,
}

/// The version, which tells whether the rest can be understood.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VersionForm {
    schema_version: Option<Value>,
}

/// One exemption. It covers every violation that all of its fields fit.
// The values are looked at one by one, since serde does not name the field that holds a wrong one.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline, transform = digest_where_it_belongs)]
struct EntryForm {
    /// A name for it that no other entry has.
    #[schemars(schema_with = "text_schema")]
    id: Option<Value>,
    /// The id of the rule.
    #[schemars(schema_with = "rule_schema")]
    rule: Option<Value>,
    /// The account in which the violation is found: an account id, a list of them, or `*` for every account.
    #[schemars(schema_with = "accounts_schema")]
    account_id: Option<Value>,
    /// The Region in which the violation is found: a Region's code, a list of them, or `*` for every Region.
    #[schemars(schema_with = "regions_schema")]
    region: Option<Value>,
    /// The id of what breaks the rule, as the report gives it: one, a list of them, or `*` for every resource.
    #[schemars(schema_with = "resources_schema")]
    resource_id: Option<Value>,
    /// For `filter-archives-findings`, and for no other rule: the digest of the filter as the report gives it, or a
    /// list of them. A filter that is changed is no longer exempted.
    #[serde(default)]
    #[schemars(schema_with = "digests_schema")]
    digest: Option<Value>,
    /// Why this is accepted.
    #[schemars(schema_with = "text_schema")]
    reason: Option<Value>,
    /// Who answers for it.
    #[schemars(schema_with = "text_schema")]
    owner: Option<Value>,
    /// Where it was agreed on.
    #[serde(default)]
    #[schemars(schema_with = "ticket_schema")]
    ticket: Option<Value>,
    /// The last day on which it is in force, in UTC: YYYY-MM-DD, at most 366 days ahead.
    #[schemars(schema_with = "date_schema")]
    expires: Option<Value>,
}

impl Document {
    /// Reads a document as it is on this day.
    ///
    /// # Errors
    ///
    /// Says in plain words why nothing of it can be used. What is wrong with one entry is no error: see
    /// [`Document::malformed`].
    pub fn parse(bytes: &[u8], today: Date) -> Result<Document, String> {
        if bytes.len() > MAX_BYTES {
            return Err(format!("the document has {} bytes, and may have {MAX_BYTES}", bytes.len()));
        }
        let text = str::from_utf8(bytes).map_err(|_| "the document is not UTF-8")?;
        let _: IgnoredAny = from_json(text).map_err(|problem| format!("the document is not JSON: {problem}"))?;
        if !is_object(text) {
            return Err("the document is not an object".to_owned());
        }
        let malformed = |problem| format!("the document is malformed: {problem}");
        let version: VersionForm = from_json(text).map_err(malformed)?;
        is_known(version.schema_version.as_ref())?;
        let form: DocumentForm = from_json(text).map_err(malformed)?;

        let digest = hex(&Sha256::digest(bytes));
        let mut document = Document { digest, entries: Vec::new(), malformed: Vec::new() };
        let mut ids = HashSet::new();
        for (place, raw) in form.exemptions.into_iter().enumerate() {
            let entry = Entry::parse(raw.get(), today).and_then(|entry| match ids.insert(entry.id.clone()) {
                true => Ok(entry),
                false => Err("another entry before it has the same id".to_owned()),
            });
            match entry {
                Ok(entry) => document.entries.push(entry),
                Err(problem) => {
                    let entry = id_of(raw.get()).unwrap_or_else(|| place.to_string());
                    document.malformed.push(Malformed { entry, problem });
                }
            }
        }
        Ok(document)
    }
}

impl Entry {
    /// Whether it covers what it names on the day on which the document was read.
    pub fn is_in_force(&self) -> bool {
        self.standing != Standing::Expired
    }

    fn parse(json: &str, today: Date) -> Result<Entry, String> {
        if !is_object(json) {
            return Err("it is not an object".to_owned());
        }
        // The place in the entry is none in the document.
        let form: EntryForm = from_json(json).map_err(|problem| match problem.rsplit_once(" at line ") {
            Some((problem, _)) => problem.to_owned(),
            None => problem,
        })?;
        let rule = rule(&required("rule", form.rule)?)?;
        let resource = |id: &str| !is_blank(id);
        let expires = required("expires", form.expires)?;
        let no_date =
            || format!("`expires` is {}, which is no date of the form YYYY-MM-DD", shown(&expires.as_str().into()));
        let expires = date(&expires).ok_or_else(no_date)?;
        if (expires - today).whole_days() > MAX_DAYS {
            return Err(format!("`expires` is {expires}, which is more than {MAX_DAYS} days ahead"));
        }
        Ok(Entry {
            id: required("id", form.id)?,
            rule,
            accounts: names("accountId", form.account_id, is_account_id, "an account id of twelve digits")?,
            regions: names("region", form.region, is_region, "the code of a Region, such as eu-west-1")?,
            resources: names("resourceId", form.resource_id, resource, "the id of a resource")?,
            digests: digests(rule, form.digest)?,
            reason: required("reason", form.reason)?,
            owner: required("owner", form.owner)?,
            ticket: form.ticket.map(|ticket| text("ticket", ticket)).transpose()?.filter(|ticket| !is_blank(ticket)),
            expires,
            standing: Standing::on(today, expires),
        })
    }
}

/// The date of a text of the form `YYYY-MM-DD`; `None` where there is no such day.
pub fn date(text: &str) -> Option<Date> {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return None };
    let digits = |part: &str, number| part.len() == number && part.bytes().all(|b| b.is_ascii_digit());
    if !(digits(year, 4) && digits(month, 2) && digits(day, 2)) {
        return None;
    }
    let (year, month, day) = (year.parse().ok()?, month.parse::<u8>().ok()?, day.parse().ok()?);
    Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()
}

fn from_json<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, String> {
    serde_json::from_str(json).map_err(|error| text::plain(&error.to_string(), 300))
}

/// Whether JSON is of an object. serde also takes a list for one, field by field.
fn is_object(json: &str) -> bool {
    json.trim_start().starts_with('{')
}

fn is_known(version: Option<&Value>) -> Result<(), String> {
    let Some(version) = version else { return Err("`schemaVersion` is missing".to_owned()) };
    let minor = version.as_str().and_then(|version| version.strip_prefix("1."));
    match minor {
        Some(minor) if !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit()) => Ok(()),
        _ => Err(format!("`schemaVersion` is {}, and this build knows \"1.0\"", shown(version))),
    }
}

/// The id that a malformed entry has all the same.
fn id_of(json: &str) -> Option<String> {
    let entry: Value = serde_json::from_str(json).ok()?;
    let id = entry["id"].as_str()?;
    (!is_blank(id)).then(|| id.to_owned())
}

/// A value, safe to show in a sentence.
fn shown(value: &Value) -> String {
    text::plain(&value.to_string(), 72)
}

/// The text of a field that has to say something.
fn required(field: &str, value: Option<Value>) -> Result<String, String> {
    let text = text(field, value.ok_or_else(|| format!("`{field}` is missing"))?)?;
    if is_blank(&text) { Err(format!("`{field}` is empty")) } else { Ok(text) }
}

fn text(field: &str, value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(format!("`{field}` is {}, which is no text", shown(&other))),
    }
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn rule(id: &str) -> Result<&'static str, String> {
    let known = checks::all().find(|check| check.id == id);
    known
        .map(|check| check.id)
        .ok_or_else(|| format!("`rule` is {}, which is no rule of this version", shown(&id.into())))
}

/// A value, a list of values without `*`, or `*`.
fn names(field: &str, value: Option<Value>, is_sound: impl Fn(&str) -> bool, expected: &str) -> Result<Names, String> {
    match value {
        Some(Value::String(any)) if any == "*" => Ok(Names::Any),
        value => values(field, value, |value| value != "*" && is_sound(value), expected).map(Names::These),
    }
}

/// A value or a list of values.
fn values(
    field: &str,
    value: Option<Value>,
    is_sound: impl Fn(&str) -> bool,
    expected: &str,
) -> Result<BTreeSet<String>, String> {
    let values = match value {
        None => return Err(format!("`{field}` is missing")),
        Some(Value::Array(values)) if values.is_empty() => return Err(format!("`{field}` is an empty list")),
        Some(Value::Array(values)) => values,
        Some(value) => vec![value],
    };
    let sound = |value: Value| match value {
        Value::String(value) if is_sound(&value) => Ok(value),
        other => Err(format!("`{field}` has {}, which is not {expected}", shown(&other))),
    };
    values.into_iter().map(sound).collect()
}

fn digests(rule: &str, value: Option<Value>) -> Result<Option<BTreeSet<String>>, String> {
    if rule != RULE_WITH_DIGEST {
        return match value {
            None => Ok(None),
            Some(_) => Err(format!("`digest` is only for the rule {RULE_WITH_DIGEST}")),
        };
    }
    let is_digest = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let digests = values("digest", value, is_digest, "a digest of 64 hexadecimal digits")?;
    Ok(Some(digests.into_iter().map(|digest| digest.to_ascii_lowercase()).collect()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": r"\S"})
}

fn ticket_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "null"]})
}

fn date_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"})
}

fn rule_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": checks::all().map(|check| check.id).collect::<Vec<_>>()})
}

fn accounts_schema(_: &mut SchemaGenerator) -> Schema {
    names_schema(&json!({"type": "string", "pattern": "^[0-9]{12}$"}))
}

fn regions_schema(_: &mut SchemaGenerator) -> Schema {
    names_schema(&json!({"type": "string", "pattern": "^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$", "maxLength": 32}))
}

fn resources_schema(_: &mut SchemaGenerator) -> Schema {
    names_schema(&json!({"type": "string", "pattern": r"\S", "not": {"const": "*"}}))
}

fn names_schema(item: &Value) -> Schema {
    let list = json!({"type": "array", "items": item, "minItems": 1});
    json_schema!({"anyOf": [{"type": "string", "const": "*"}, item, list]})
}

fn digests_schema(_: &mut SchemaGenerator) -> Schema {
    let item = json!({"type": "string", "pattern": "^[0-9A-Fa-f]{64}$"});
    json_schema!({"anyOf": [item, {"type": "array", "items": item, "minItems": 1}, {"type": "null"}]})
}

/// Says of a schema of entries which of them have a digest.
fn digest_where_it_belongs(schema: &mut Schema) {
    schema.insert("if".to_owned(), json!({"properties": {"rule": {"const": RULE_WITH_DIGEST}}}));
    let has_one = json!({"properties": {"digest": {"type": ["string", "array"]}}, "required": ["digest"]});
    schema.insert("then".to_owned(), has_one);
    schema.insert("else".to_owned(), json!({"properties": {"digest": {"type": "null"}}}));
}

/// The JSON Schema of the document, as `schema/exemptions-1.0.schema.json` holds it. What hangs on the day or on other
/// entries is not in it: that an entry ends within 366 days, and that its id is its own.
pub fn schema() -> String {
    let schema = schemars::schema_for!(DocumentForm);
    let mut text = serde_json::to_string_pretty(&schema).expect("a JSON Schema is JSON");
    text.push('\n');
    text
}
