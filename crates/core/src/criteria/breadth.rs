//! What a single condition leaves out.
//!
//! The fields and their values are those of the Macie User Guide, "Fields for filtering Macie findings". Values are
//! compared as Macie does it, with regard to case and as a whole.

use serde_json::Value;

use super::{Breadth, Place};

/// The breadth of a condition. Only the values of `eq` and `eqExactMatch` are relied on to leave a finding out: any
/// other operator, known or not, says no more than what does not match.
pub(super) fn grade(field: &str, condition: &Value, place: &Place<'_>) -> Breadth {
    // Operators on one field are joined by AND too.
    let lists = ["eq", "eqExactMatch"].into_iter().filter_map(|operator| texts(condition.get(operator)?));
    lists.map(|values| of_values(field, &values, place)).max().unwrap_or(Breadth::Everything)
}

/// The values of a list of texts. A list with anything else in it could match anything, so it counts as none.
fn texts(list: &Value) -> Option<Vec<&str>> {
    let values = list.as_array()?.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?;
    (!values.is_empty()).then_some(values)
}

/// The breadth of a condition that a field has one of these values.
fn of_values(field: &str, values: &[&str], place: &Place<'_>) -> Breadth {
    let all_of = |wanted: &[&str]| wanted.iter().all(|wanted| values.contains(wanted));
    match field {
        // Whether a finding is archived is what the filter itself brings about.
        "archived" => Breadth::Everything,
        "region" if all_of(&[place.region]) => Breadth::Everything,
        "severity.description" if all_of(&["Low", "Medium", "High"]) => Breadth::Everything,
        "category" if all_of(&["CLASSIFICATION", "POLICY"]) => Breadth::Everything,
        "sample" if all_of(&["false"]) => Breadth::Everything,
        "sample" if values.iter().all(|value| *value == "true") => Breadth::Object,
        "accountId" if !place.has_members && all_of(&[place.account_id]) => Breadth::Everything,
        "accountId" | "resourcesAffected.s3Bucket.owner.id" => Breadth::Account,
        "resourcesAffected.s3Bucket.name" | "resourcesAffected.s3Bucket.arn" => Breadth::Bucket,
        "resourcesAffected.s3Object.key"
        | "resourcesAffected.s3Object.path"
        | "resourcesAffected.s3Object.versionId"
        | "resourcesAffected.s3Object.eTag"
        | "classificationDetails.jobId"
        | "classificationDetails.jobArn"
        | "id" => Breadth::Object,
        _ if field.starts_with("resourcesAffected.s3Bucket.tags.") => Breadth::Bucket,
        _ if field.starts_with("resourcesAffected.s3Object.tags.") => Breadth::Object,
        _ => Breadth::Class,
    }
}
