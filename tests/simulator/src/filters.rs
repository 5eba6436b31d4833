//! Findings filters: what the list tells of them, and what GetFindingsFilter tells.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::items::{Place, expand, filled, object, texts};
use crate::wire::uuid;

/// What only GetFindingsFilter tells.
const DETAILS: [&str; 3] = ["description", "findingCriteria", "position"];

/// The filters of a target.
#[derive(Debug)]
pub(crate) struct Filters {
    /// What ListFindingsFilters tells.
    pub(crate) listed: Vec<String>,
    /// What GetFindingsFilter tells by id; nothing of a filter that is gone by then.
    details: HashMap<String, Option<String>>,
}

impl Filters {
    pub(crate) fn render(seeds: &[Value], place: &Place) -> Filters {
        let mut listed = expand(seeds, "id", |number| uuid(2, number), |id, number| filter(place, id, number));
        let mut details = HashMap::new();
        for filter in listed.iter_mut().filter_map(Value::as_object_mut) {
            let now = filter.remove("now");
            criteria_by_our_name(filter);
            if let Some(id) = filter.get("id").and_then(Value::as_str) {
                details.insert(id.to_owned(), detail(filter.clone(), now));
            }
            filter.retain(|name, _| !DETAILS.contains(&name.as_str()));
        }
        Filters { listed: texts(listed.iter()), details }
    }

    /// What GetFindingsFilter answers.
    pub(crate) fn get(&self, id: &str) -> Option<String> {
        self.details.get(id).cloned().flatten()
    }
}

/// The filter with what has changed since it was listed, if it is still there.
fn detail(filter: Map<String, Value>, now: Option<Value>) -> Option<String> {
    let mut filter = match now {
        None => filter,
        Some(Value::Object(changes)) => filled(changes, || filter),
        Some(_) => return None,
    };
    criteria_by_our_name(&mut filter);
    Some(Value::Object(filter).to_string())
}

/// Writes a seed's `criteria` as the service has them, whatever is in them: `findingCriteria` as a whole, or
/// the map in it.
fn criteria_by_our_name(filter: &mut Map<String, Value>) {
    match filter.remove("criteria") {
        None => {}
        Some(Value::Null) => drop(filter.remove("findingCriteria")),
        Some(criteria) => {
            let whole = !criteria.is_object() || criteria.get("criterion").is_some();
            let criteria = if whole { criteria } else { json!({ "criterion": criteria }) };
            filter.insert("findingCriteria".to_owned(), criteria);
        }
    }
}

fn filter(place: &Place, id: &str, number: u64) -> Map<String, Value> {
    let Place { account, region } = place;
    object(json!({
        "action": "NOOP",
        "arn": format!("arn:aws:macie2:{region}:{account}:findings-filter/{id}"),
        "description": format!("The findings filter with number {number}"),
        "id": id,
        "name": format!("filter-{number}"),
        "position": number,
        "tags": {},
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(seeds: &[Value]) -> Filters {
        Filters::render(seeds, &Place { account: "999999999999".to_owned(), region: "eu-west-1".to_owned() })
    }

    fn details(filters: &Filters, id: &str) -> Option<Value> {
        filters.get(id).map(|text| serde_json::from_str(&text).expect("valid JSON"))
    }

    #[test]
    fn lists_hold_no_criteria_and_details_hold_them_as_they_are() {
        let strange = json!({"severity.description": {"eq": ["Low"], "like": {"a": 1.5}}, "newField": {}});
        let filters = render(&[
            json!({"id": "map", "action": "ARCHIVE", "position": 7, "criteria": strange}),
            json!({"id": "whole", "criteria": {"criterion": strange, "version": 2}}),
            json!({"id": "none"}),
        ]);
        let listed: Value = serde_json::from_str(&filters.listed[0]).expect("valid JSON");
        assert_eq!((listed["action"].as_str(), listed.as_object().map(Map::len)), (Some("ARCHIVE"), Some(5)));
        let map = details(&filters, "map").expect("a filter");
        assert_eq!((&map["findingCriteria"], &map["position"]), (&json!({ "criterion": strange }), &json!(7)));
        assert_eq!(map.get("criteria"), None);
        let whole = details(&filters, "whole").expect("a filter");
        assert_eq!(whole["findingCriteria"], json!({"criterion": strange, "version": 2}));
        assert_eq!(details(&filters, "none").expect("a filter").get("findingCriteria"), None);
    }

    #[test]
    fn a_filter_changes_after_it_was_listed() {
        let filters = render(&[
            json!({"id": "changed", "action": "ARCHIVE", "criteria": {}, "now": {"action": "NOOP", "criteria": null}}),
            json!({"id": "gone", "action": "ARCHIVE", "now": null}),
            json!({"id": "bare", "now": {"raw": true, "id": "bare"}}),
        ]);
        assert!(filters.listed.iter().all(|filter| !filter.contains("now")));
        assert!(filters.listed[0].contains("ARCHIVE"));
        let changed = details(&filters, "changed").expect("a filter");
        assert_eq!((changed["action"].as_str(), changed.get("findingCriteria")), (Some("NOOP"), None));
        assert_eq!(details(&filters, "gone"), None);
        assert_eq!(details(&filters, "bare"), Some(json!({"id": "bare"})));
    }
}
