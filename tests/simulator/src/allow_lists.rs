//! Allow lists, which each account has for itself.

use serde_json::{Value, json};

use crate::catalog::{Catalog, Kind};
use crate::items::{LONG_AGO, Place, RECENTLY, object};
use crate::wire::ServiceError;

/// The Region that has none.
const WITHOUT: &str = "ap-northeast-3";

pub(crate) fn render(seeds: &[Value], place: &Place) -> Catalog {
    let defaults = |id: &str, number| {
        object(json!({
            "arn": place.arn(&format!("allow-list/{id}")),
            "createdAt": LONG_AGO,
            "criteria": {"regex": "EXAMPLE-[0-9]{6}"},
            "description": format!("The allow list with number {number}"),
            "id": id,
            "name": format!("allow-list-{number}"),
            "status": {"code": "OK"},
            "tags": {},
            "updatedAt": RECENTLY,
        }))
    };
    let kind = Kind {
        id: "id",
        new_id: |number| format!("al{number:020}"),
        defaults,
        only_read: &["criteria", "status", "tags"],
        only_listed: &[],
        spell_out: |_| {},
    };
    Catalog::render(seeds, kind)
}

/// Refuses where there are none. What Macie says there is unknown.
pub(crate) fn check(place: &Place) -> Result<(), ServiceError> {
    if place.region != WITHOUT {
        return Ok(());
    }
    Err(ServiceError::new(403, "AccessDeniedException", "Allow lists are not available in this Region"))
}
