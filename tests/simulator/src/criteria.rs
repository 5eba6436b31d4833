//! What the criteria of findings mean, by the guide's "Fundamentals of filtering findings".

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::wire::ServiceError;

/// What can be asked of: the values of each field, by the field's full path. A list has several values.
pub(crate) type Fields = BTreeMap<String, Vec<Value>>;

/// Conditions on fields, all of which have to hold.
#[derive(Debug, Default)]
pub(crate) struct Criteria(Vec<(String, Test)>);

#[derive(Debug)]
enum Test {
    /// At least one value is among these.
    Among(Vec<String>),
    /// No value is among these, which also holds where there is no value at all.
    NotAmong(Vec<String>),
    /// The values are these, no more and no fewer.
    Exactly(BTreeSet<String>),
    /// At least one value is a number that stands so to the bound.
    Bound(fn(&i64, &i64) -> bool, i64),
}

impl Criteria {
    /// Reads a map from fields to conditions. An operator that the service does not know is left out, as one
    /// without values is, so that neither keeps anything from matching.
    pub(crate) fn read(criterion: Option<&Value>) -> Result<Criteria, ServiceError> {
        let fields = match criterion {
            None | Some(Value::Null) => return Ok(Criteria::default()),
            Some(Value::Object(fields)) => fields,
            Some(_) => return Err(ServiceError::validation("the criteria are not an object")),
        };
        let mut tests = Vec::new();
        for (field, condition) in fields {
            let Value::Object(condition) = condition else {
                return Err(ServiceError::validation(format!("the condition of {field} is not an object")));
            };
            for (operator, value) in condition {
                tests.extend(test(operator, value)?.map(|test| (field.clone(), test)));
            }
        }
        Ok(Criteria(tests))
    }

    pub(crate) fn match_fields(&self, fields: &Fields) -> bool {
        self.0.iter().all(|(field, test)| test.holds(fields.get(field).map_or(&[][..], Vec::as_slice)))
    }
}

fn test(operator: &str, value: &Value) -> Result<Option<Test>, ServiceError> {
    let bound = |compare: fn(&i64, &i64) -> bool| match value.as_i64() {
        Some(bound) => Ok(Some(Test::Bound(compare, bound))),
        None => Err(ServiceError::validation(format!("the value of {operator} is not a whole number"))),
    };
    let values = |make: fn(Vec<String>) -> Test| match value.as_array() {
        Some(values) => Ok(Some(values.iter().map(text).collect()).filter(|them: &Vec<_>| !them.is_empty()).map(make)),
        None => Err(ServiceError::validation(format!("the value of {operator} is not a list"))),
    };
    match operator {
        "eq" => values(Test::Among),
        "neq" => values(Test::NotAmong),
        "eqExactMatch" => values(|values| Test::Exactly(values.into_iter().collect())),
        "gt" => bound(i64::gt),
        "gte" => bound(i64::ge),
        "lt" => bound(i64::lt),
        "lte" => bound(i64::le),
        _ => Ok(None),
    }
}

impl Test {
    fn holds(&self, values: &[Value]) -> bool {
        match self {
            Test::Among(wanted) => values.iter().any(|value| wanted.contains(&text(value))),
            Test::NotAmong(unwanted) => !values.iter().any(|value| unwanted.contains(&text(value))),
            Test::Exactly(wanted) => values.iter().map(text).collect::<BTreeSet<_>>() == *wanted,
            Test::Bound(compare, bound) => values.iter().filter_map(Value::as_i64).any(|value| compare(&value, bound)),
        }
    }
}

/// A value as criteria write it, where numbers and booleans are strings.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The fields of nested objects under their full paths. What is null is absent.
pub(crate) fn flatten(object: &Map<String, Value>) -> Fields {
    fn add(fields: &mut Fields, path: &str, value: &Value) {
        match value {
            Value::Null => {}
            Value::Array(items) => items.iter().for_each(|item| add(fields, path, item)),
            Value::Object(members) => members.iter().for_each(|(name, it)| add(fields, &format!("{path}.{name}"), it)),
            scalar => fields.entry(path.to_owned()).or_default().push(scalar.clone()),
        }
    }
    let mut fields = Fields::new();
    object.iter().for_each(|(name, value)| add(&mut fields, name, value));
    fields
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_mean_what_the_guide_says() {
        let finding = json!({
            "severity": {"description": "Low", "score": 1}, "archived": true, "createdAt": 1000,
            "tags": [{"key": "a"}, {"key": "b"}],
        });
        let fields = flatten(finding.as_object().expect("an object"));
        for (criterion, matches) in [
            (json!({}), true),
            (json!({"severity.description": {"eq": ["High", "Low"]}}), true),
            (json!({"severity.description": {"eq": ["low"]}}), false),
            (json!({"severity.description": {"eq": ["Lo"]}}), false),
            (json!({"severity.description": {"neq": ["High", "Medium"]}}), true),
            (json!({"severity.description": {"neq": ["High", "Low"]}}), false),
            (json!({"severity.score": {"eq": ["1"]}}), true),
            (json!({"archived": {"eq": ["true"]}}), true),
            (json!({"archived": {"eq": ["false"]}}), false),
            (json!({"createdAt": {"gt": 1000}}), false),
            (json!({"createdAt": {"gte": 1000, "lt": 1001}}), true),
            (json!({"createdAt": {"gte": 999, "lt": 1000}}), false),
            (json!({"createdAt": {"lte": 1000}}), true),
            (json!({"tags.key": {"eq": ["b"]}}), true),
            (json!({"tags.key": {"neq": ["b"]}}), false),
            (json!({"tags.key": {"eqExactMatch": ["b", "a"]}}), true),
            (json!({"tags.key": {"eqExactMatch": ["a"]}}), false),
            (json!({"tags.key": {"eqExactMatch": ["a", "b", "c"]}}), false),
            (json!({"severity.description": {"eq": ["Low"]}, "archived": {"eq": ["false"]}}), false),
            (json!({"nowhere": {"eq": ["x"]}}), false),
            (json!({"nowhere": {"neq": ["x"]}}), true),
            (json!({"nowhere": {"gt": 0}}), false),
            (json!({"nowhere": {"like": ["x"]}}), true),
            (json!({"archived": {"eq": []}}), true),
        ] {
            let criteria = Criteria::read(Some(&criterion)).expect("criteria");
            assert_eq!(criteria.match_fields(&fields), matches, "{criterion}");
        }
    }

    #[test]
    fn values_of_another_type_are_refused() {
        for wrong in [
            json!([]),
            json!({"a": []}),
            json!({"a": {"eq": "b"}}),
            json!({"a": {"neq": 1}}),
            json!({"a": {"gt": "1"}}),
            json!({"a": {"lt": 1.5}}),
        ] {
            assert_eq!(Criteria::read(Some(&wrong)).expect_err("refused").code, "ValidationException", "{wrong}");
        }
    }
}
