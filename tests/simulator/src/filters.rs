//! Findings filters: what the list tells of them, and what GetFindingsFilter tells.

use serde_json::{Map, Value, json};

use crate::catalog::{Catalog, Kind};
use crate::items::{Place, object};
use crate::wire::uuid;

pub(crate) fn render(seeds: &[Value], place: &Place) -> Catalog {
    let kind = Kind {
        id: "id",
        new_id: |number| uuid(2, number),
        defaults: |id: &str, number| filter(place, id, number),
        only_read: &["description", "findingCriteria", "position"],
        only_listed: &[],
        spell_out: criteria_by_our_name,
    };
    Catalog::render(seeds, kind)
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
    object(json!({
        "action": "NOOP",
        "arn": place.arn(&format!("findings-filter/{id}")),
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

    fn rendered(seeds: &[Value]) -> Catalog {
        render(seeds, &Place { account: "999999999999".to_owned(), region: "eu-west-1".to_owned() })
    }

    fn details(filters: &Catalog, id: &str) -> Option<Value> {
        filters.get(id).map(|text| serde_json::from_str(&text).expect("valid JSON"))
    }

    #[test]
    fn lists_hold_no_criteria_and_details_hold_them_as_they_are() {
        let strange = json!({"severity.description": {"eq": ["Low"], "like": {"a": 1.5}}, "newField": {}});
        let filters = rendered(&[
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
        let filters = rendered(&[
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
