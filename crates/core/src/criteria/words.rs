//! Conditions in words.
//!
//! Fields and values come from whoever made the filter. Those that could be taken for words of ours, such as a tag's
//! value `a, b and 7 more`, are put in quotes.

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::text;

/// How many conditions are told.
const CONDITIONS: usize = 20;
/// How many values of a condition are told.
const VALUES: usize = 5;
/// How many characters of a field, an operator or a value are told.
const WORD: usize = 64;
/// How many characters a condition is told in.
const SENTENCE: usize = 512;

/// The words for well-known fields. The fields are those of the Macie User Guide, "Fields for filtering Macie findings".
const NAMES: &[(&str, &str)] = &[
    ("accountId", "account"),
    ("classificationDetails.jobArn", "job ARN"),
    ("classificationDetails.jobId", "job id"),
    ("classificationDetails.originType", "origin"),
    ("classificationDetails.result.customDataIdentifiers.detections.arn", "custom data identifier ARN"),
    ("classificationDetails.result.customDataIdentifiers.detections.name", "custom data identifier"),
    ("classificationDetails.result.sensitiveData.category", "sensitive data category"),
    ("classificationDetails.result.sensitiveData.detections.type", "sensitive data type"),
    ("id", "finding id"),
    ("region", "Region"),
    ("resourcesAffected.s3Bucket.arn", "bucket ARN"),
    ("resourcesAffected.s3Bucket.defaultServerSideEncryption.encryptionType", "bucket encryption"),
    ("resourcesAffected.s3Bucket.name", "bucket"),
    ("resourcesAffected.s3Bucket.owner.displayName", "bucket owner name"),
    ("resourcesAffected.s3Bucket.owner.id", "bucket owner id"),
    ("resourcesAffected.s3Bucket.publicAccess.effectivePermission", "bucket access"),
    ("resourcesAffected.s3Bucket.tags.key", "bucket tag key"),
    ("resourcesAffected.s3Bucket.tags.value", "bucket tag value"),
    ("resourcesAffected.s3Object.eTag", "object ETag"),
    ("resourcesAffected.s3Object.extension", "object extension"),
    ("resourcesAffected.s3Object.key", "object key"),
    ("resourcesAffected.s3Object.path", "object path"),
    ("resourcesAffected.s3Object.size", "object size"),
    ("resourcesAffected.s3Object.storageClass", "object storage class"),
    ("resourcesAffected.s3Object.tags.key", "object tag key"),
    ("resourcesAffected.s3Object.tags.value", "object tag value"),
    ("resourcesAffected.s3Object.versionId", "object version"),
    ("severity.description", "severity"),
    ("severity.score", "severity score"),
];

/// The words for well-known fields that hold a time, in milliseconds since 1970.
const TIMES: &[(&str, &str)] = &[
    ("createdAt", "created"),
    ("resourcesAffected.s3Bucket.createdAt", "bucket created"),
    ("resourcesAffected.s3Object.lastModified", "object last modified"),
    ("updatedAt", "updated"),
];

/// The conditions in words, by field; `None` is something that is no set of conditions.
pub(super) fn words(criterion: Option<&Map<String, Value>>) -> Vec<String> {
    let Some(criterion) = criterion else {
        return vec!["every finding: the conditions have a form that is not recognized".to_owned()];
    };
    if criterion.is_empty() {
        return vec!["every finding: there are no conditions".to_owned()];
    }
    let told = criterion.iter().take(CONDITIONS).map(|(field, condition)| sentence(field, condition));
    let mut told: Vec<String> = told.map(|sentence| text::plain(&sentence, SENTENCE)).collect();
    match criterion.len().saturating_sub(CONDITIONS) {
        0 => {}
        1 => told.push("and 1 more condition".to_owned()),
        more => told.push(format!("and {more} more conditions")),
    }
    told
}

/// What a condition says of its field.
fn sentence(field: &str, condition: &Value) -> String {
    let named = |names: &[(&str, &'static str)]| names.iter().find(|(known, _)| *known == field).map(|(_, name)| *name);
    let time = named(TIMES);
    let name = time.or_else(|| named(NAMES)).map_or_else(|| word(field), str::to_owned);
    let Value::Object(operators) = condition else {
        return format!("{name} has a condition of a form that is not recognized");
    };
    if operators.is_empty() {
        return format!("{name} has a condition that says nothing");
    }
    let said: Vec<String> =
        operators.iter().map(|(operator, operand)| predicate(operator, operand, time.is_some())).collect();
    format!("{name} {}", said.join(" and "))
}

/// What an operator says. One that is not known, or with an operand of another kind than its own, is told as it is.
fn predicate(operator: &str, operand: &Value, is_time: bool) -> String {
    let listed = |one: &str, many: &str| {
        let values = operand.as_array()?;
        Some(format!("{} {}", if values.len() == 1 { one } else { many }, list(values)))
    };
    let compared = |at_time: &str, otherwise: &str| match moment(operand).filter(|_| is_time) {
        Some(moment) => Some(format!("{at_time} {moment}")),
        None => operand.is_number().then(|| format!("{otherwise} {operand}")),
    };
    let known = match operator {
        "eq" => listed("is", "is one of"),
        "neq" => listed("is not", "is none of"),
        "eqExactMatch" => listed("is exactly", "is exactly"),
        "gt" => compared("after", "is above"),
        "gte" => compared("at or after", "is at least"),
        "lt" => compared("before", "is below"),
        "lte" => compared("at or before", "is at most"),
        _ => None,
    };
    known.unwrap_or_else(|| match operand {
        Value::Array(values) => format!("{} {}", word(operator), list(values)),
        other => format!("{} {}", word(operator), value(other)),
    })
}

/// Some values, as many as are told, and how many more there are.
fn list(values: &[Value]) -> String {
    if values.is_empty() {
        return "no value".to_owned();
    }
    let told: Vec<String> = values.iter().take(VALUES).map(value).collect();
    let told = told.join(", ");
    match values.len().saturating_sub(VALUES) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}

fn value(value: &Value) -> String {
    match value {
        Value::String(text) => word(text),
        other => text::plain(&other.to_string(), WORD),
    }
}

/// A text of theirs, in quotes unless it is a single word.
fn word(text: &str) -> String {
    let shown = text::plain(text, WORD);
    let is_word = |c: char| c.is_alphanumeric() || "._-/:@+=*".contains(c);
    if !shown.is_empty() && shown.chars().all(is_word) { shown } else { text::json(&shown) }
}

/// The time of a number of milliseconds since 1970, as in `2026-01-01T00:00:00Z`; `None` where it has none.
fn moment(milliseconds: &Value) -> Option<String> {
    let nanoseconds = i128::from(milliseconds.as_i64()?) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()?.format(&Rfc3339).ok()
}
