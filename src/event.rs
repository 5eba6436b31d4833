//! What may trigger a run: an EventBridge envelope or an on-demand request.

use std::fmt;

use serde_json::{Map, Value};

use crate::names::is_region;
use crate::text::{clip, plain};

/// What a run was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Who asked.
    pub trigger: Trigger,
    /// The Regions to audit instead of those in the settings.
    pub regions: Option<Vec<String>>,
    /// Whether nothing is to be published.
    pub dry_run: bool,
}

/// Where a run came from, as the report records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// The envelope's `source`; `on-demand` for a request without an envelope.
    pub source: String,
    /// The envelope's `detail-type`.
    pub detail_type: Option<String>,
    /// The envelope's `id`.
    pub id: Option<String>,
    /// The envelope's `time`.
    pub time: Option<String>,
}

impl Default for Trigger {
    fn default() -> Trigger {
        Trigger { source: "on-demand".to_owned(), detail_type: None, id: None, time: None }
    }
}

/// An event that is neither of the two, with the field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidEvent(String);

impl fmt::Display for InvalidEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event: {}", self.0)
    }
}

impl std::error::Error for InvalidEvent {}

/// The top-level fields of an EventBridge event, as the EventBridge guide lists them.
const ENVELOPE: [&str; 10] =
    ["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail", "replay-name"];

/// Reads an event.
///
/// # Errors
/// Names the field that is not known or of the wrong type. A field that is misspelt must not be
/// passed over: a run that publishes where a dry run was meant cannot be taken back.
pub fn parse(event: &Value) -> Result<Request, InvalidEvent> {
    match event {
        Value::Null => Ok(Request::default()),
        Value::Object(fields) if fields.contains_key("source") || fields.contains_key("detail-type") => {
            envelope(fields)
        }
        Value::Object(fields) => on_demand(fields),
        other => Err(InvalidEvent(format!("expected an object, got {}", kind(other)))),
    }
}

fn envelope(fields: &Map<String, Value>) -> Result<Request, InvalidEvent> {
    only(fields, &ENVELOPE)?;
    let text = |name: &str| match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(clip(text))),
        Some(other) => Err(wrong(name, "a string", other)),
    };
    let required = |name: &str| {
        text(name)?.ok_or_else(|| InvalidEvent(format!("field `{name}`: missing from the EventBridge event")))
    };
    for name in ["version", "account", "region", "replay-name"] {
        text(name)?;
    }
    match fields.get("resources") {
        None | Some(Value::Null | Value::Array(_)) => {}
        Some(other) => return Err(wrong("resources", "an array", other)),
    }
    // EventBridge Scheduler sends its default detail as the string "{}".
    match fields.get("detail") {
        None | Some(Value::Null | Value::Object(_) | Value::String(_)) => {}
        Some(other) => return Err(wrong("detail", "an object", other)),
    }
    let trigger = Trigger {
        source: required("source")?,
        detail_type: Some(required("detail-type")?),
        id: text("id")?.filter(|id| !id.is_empty()),
        time: text("time")?,
    };
    Ok(Request { trigger, ..Request::default() })
}

fn on_demand(fields: &Map<String, Value>) -> Result<Request, InvalidEvent> {
    only(fields, &["regions", "publish"])?;
    let publish = match fields.get("publish") {
        None | Some(Value::Null) => true,
        Some(Value::Bool(publish)) => *publish,
        Some(other) => return Err(wrong("publish", "true or false", other)),
    };
    let regions = match fields.get("regions") {
        None | Some(Value::Null) => None,
        Some(Value::Array(items)) => Some(region_list(items)?),
        Some(other) => return Err(wrong("regions", "an array of Region codes", other)),
    };
    Ok(Request { trigger: Trigger::default(), regions, dry_run: !publish })
}

fn region_list(items: &[Value]) -> Result<Vec<String>, InvalidEvent> {
    let mut regions = Vec::new();
    for item in items {
        match item {
            Value::String(region) if is_region(region) => {
                if !regions.contains(region) {
                    regions.push(region.clone());
                }
            }
            Value::String(text) => {
                let text = plain(text, 64);
                return Err(InvalidEvent(format!(
                    "field `regions`: {text:?} is not the code of a Region, such as eu-west-1"
                )));
            }
            other => return Err(wrong("regions", "an array of Region codes", other)),
        }
    }
    if regions.is_empty() {
        return Err(InvalidEvent("field `regions`: names no Region".to_owned()));
    }
    Ok(regions)
}

fn only(fields: &Map<String, Value>, known: &[&str]) -> Result<(), InvalidEvent> {
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => {
            Err(InvalidEvent(format!("field `{}`: not known; expected {}", plain(name, 64), known.join(", "))))
        }
        None => Ok(()),
    }
}

fn wrong(name: &str, expected: &str, got: &Value) -> InvalidEvent {
    InvalidEvent(format!("field `{name}`: expected {expected}, got {}", kind(got)))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(event: Value) -> String {
        parse(&event).expect_err("refused").to_string()
    }

    #[test]
    fn nothing_and_an_empty_object_ask_for_a_run_over_the_settings() {
        for event in [json!(null), json!({}), json!({"regions": null, "publish": null}), json!({"publish": true})] {
            assert_eq!(parse(&event), Ok(Request::default()), "{event}");
        }
    }

    #[test]
    fn regions_and_dry_run_are_read() {
        let request =
            parse(&json!({"regions": ["eu-west-1", "us-east-1", "eu-west-1"], "publish": false})).expect("valid");
        assert_eq!(request.regions, Some(vec!["eu-west-1".to_owned(), "us-east-1".to_owned()]));
        assert!(request.dry_run);
    }

    #[test]
    fn every_refusal_names_the_field() {
        for (event, field) in [
            (json!({"region": ["eu-west-1"]}), "`region`"),
            (json!({"regions": "eu-west-1"}), "`regions`"),
            (json!({"regions": ["all"]}), "`regions`"),
            (json!({"regions": [1]}), "`regions`"),
            (json!({"regions": []}), "`regions`"),
            (json!({"publish": "false"}), "`publish`"),
            (json!({"source": 7, "detail-type": "x"}), "`source`"),
            (json!({"source": "x"}), "`detail-type`"),
            (json!({"detail-type": "x"}), "`source`"),
            (json!({"source": "x", "detail-type": "y", "id": 1}), "`id`"),
            (json!({"source": "x", "detail-type": "y", "detail": []}), "`detail`"),
            (json!({"source": "x", "detail-type": "y", "publish": false}), "`publish`"),
            (json!({"a\nb": 1}), "`a\u{fffd}b`"),
        ] {
            let message = refusal(event.clone());
            assert!(message.contains(&format!("field {field}")), "{event}: {message}");
        }
        for event in [json!([]), json!("{}"), json!(1), json!(true)] {
            assert!(refusal(event).contains("expected an object"));
        }
    }
}
