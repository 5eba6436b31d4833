//! What may start an invocation: an EventBridge envelope or an on-demand request, or one step of a
//! run that the state machine divides.

use std::fmt;

use serde_json::{Map, Value};

use crate::names::{Role, Target, is_account_id, is_external_id, is_region};
use crate::order::{Assignment, Event, Order, Step, Task, Trigger};
use crate::text::{clip, plain};

/// An event that is neither of the two, with the field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidEvent(pub String);

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
pub fn parse(event: &Value) -> Result<Event, InvalidEvent> {
    match event {
        Value::Object(fields) if fields.contains_key("step") => step(fields).map(Event::Step),
        _ => order(event, &["regions", "publish"]).map(Event::Run),
    }
}

/// An event as EventBridge or a person sends it; a person may give these fields.
fn order(event: &Value, known: &[&str]) -> Result<Order, InvalidEvent> {
    match event {
        Value::Null => Ok(Order::default()),
        Value::Object(fields) if fields.contains_key("source") || fields.contains_key("detail-type") => {
            envelope(fields)
        }
        Value::Object(fields) => on_demand(fields, known),
        other => Err(InvalidEvent(format!("expected an object, got {}", kind(other)))),
    }
}

/// The longest name that Step Functions gives to an execution, in characters.
const EXECUTION_NAME: usize = 80;

fn step(fields: &Map<String, Value>) -> Result<Step, InvalidEvent> {
    let missing = |name: &str, expected: &str| InvalidEvent(format!("field `{name}`: expected {expected}"));
    let (task, argument) = match fields.get("step").and_then(Value::as_str) {
        Some("ListTargets") => {
            let event = fields.get("event").unwrap_or(&Value::Null);
            let (event, roles) = without_roles(event.clone())?;
            let order = order(&event, &["regions", "publish", "roles"]).map_err(within("event"))?;
            (Task::ListTargets(order, roles), Some("event"))
        }
        Some("AuditTarget") => (Task::AuditTarget(assignment(fields.get("target"))?), Some("target")),
        Some("PublishReport") => (Task::PublishReport, None),
        _ => return Err(missing("step", "ListTargets, AuditTarget or PublishReport")),
    };
    let known: Vec<&str> = ["step", "execution"].into_iter().chain(argument).collect();
    only(fields, &known)?;
    let execution = fields.get("execution").and_then(Value::as_str).filter(|name| is_execution_name(name));
    let expected = "the name of an execution, at most 80 letters, digits, `-`, `_` and `.`";
    Ok(Step { execution: execution.ok_or_else(|| missing("execution", expected))?.to_owned(), task })
}

/// Whether an execution can have this name. Step Functions takes other characters too, but the name
/// becomes part of the keys of objects, where these mean themselves.
fn is_execution_name(name: &str) -> bool {
    (1..=EXECUTION_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Takes the roles out of what an execution was started with; the rest is an event as any other.
fn without_roles(mut event: Value) -> Result<(Value, Vec<Role>), InvalidEvent> {
    let named = match event.as_object_mut().and_then(|fields| fields.remove("roles")) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(named)) => named,
        Some(other) => return Err(wrong("roles", "an array of objects with `roleArn` and `externalId`", &other)),
    };
    let mut roles: Vec<Role> = Vec::new();
    for item in &named {
        let fields = item.as_object().ok_or_else(|| wrong("roles", "objects with `roleArn` and `externalId`", item))?;
        only(fields, &["roleArn", "externalId"]).map_err(within("roles"))?;
        let role = role(fields).map_err(within("roles"))?;
        let role = role.ok_or_else(|| InvalidEvent("field `roles`: a role without `roleArn`".to_owned()))?;
        if roles.iter().any(|known| known.account_id == role.account_id) {
            return Err(InvalidEvent(format!("field `roles`: two roles in account {}", role.account_id)));
        }
        roles.push(role);
    }
    Ok((event, roles))
}

fn role(fields: &Map<String, Value>) -> Result<Option<Role>, InvalidEvent> {
    let text = |name: &str| match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong(name, "a string", other)),
    };
    let expected = |name: &str, what: &str| InvalidEvent(format!("field `{name}`: expected {what}"));
    let external_id = text("externalId")?;
    if external_id.is_some_and(|id| !is_external_id(id)) {
        return Err(expected("externalId", "2 to 1,224 letters, digits and _+=.@:/-"));
    }
    let Some(arn) = text("roleArn")? else { return Ok(None) };
    let role = Role::parse(arn).ok_or_else(|| expected("roleArn", "the ARN of an IAM role"))?;
    Ok(Some(Role { external_id: external_id.cloned(), ..role }))
}

fn assignment(value: Option<&Value>) -> Result<Assignment, InvalidEvent> {
    let wrong = || InvalidEvent("field `target`: expected an object with `accountId` and `region`".to_owned());
    let fields = value.and_then(Value::as_object).ok_or_else(wrong)?;
    only(fields, &["accountId", "region", "roleArn", "externalId", "regionIsUnknown"])?;
    let role = role(fields)?;
    let region_is_unknown = match fields.get("regionIsUnknown") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(unknown)) => *unknown,
        Some(other) => return Err(self::wrong("regionIsUnknown", "true or false", other)),
    };
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    match (text("accountId"), text("region")) {
        (Some(account), Some(region)) if is_account_id(account) && is_region(region) => {
            if role.as_ref().is_some_and(|role| role.account_id != account) {
                return Err(InvalidEvent(format!("field `roleArn`: the role is not in account {account}")));
            }
            let target = Target { account_id: account.to_owned(), region: region.to_owned() };
            Ok(Assignment { target, role, region_is_unknown })
        }
        _ => Err(wrong()),
    }
}

fn envelope(fields: &Map<String, Value>) -> Result<Order, InvalidEvent> {
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
    Ok(Order { trigger, ..Order::default() })
}

fn on_demand(fields: &Map<String, Value>, known: &[&str]) -> Result<Order, InvalidEvent> {
    only(fields, known)?;
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
    Ok(Order { trigger: Trigger::default(), regions, dry_run: !publish })
}

fn region_list(items: &[Value]) -> Result<Vec<String>, InvalidEvent> {
    let mut regions = Vec::new();
    let mut wrong = Vec::new();
    for item in items {
        match item {
            Value::String(region) if is_region(region) => {
                if !regions.contains(region) {
                    regions.push(region.clone());
                }
            }
            Value::String(text) => wrong.push(format!("{:?}", plain(text, 64))),
            other => wrong.push(kind(other).to_owned()),
        }
    }
    if !wrong.is_empty() {
        let wrong = plain(&wrong.join(", "), 1024);
        return Err(InvalidEvent(format!(
            "field `regions`: expected codes of Regions, such as eu-west-1, got {wrong}"
        )));
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

/// What is wrong with a field of another field.
fn within(name: &str) -> impl Fn(InvalidEvent) -> InvalidEvent {
    move |InvalidEvent(wrong)| InvalidEvent(format!("field `{name}`: {wrong}"))
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
            assert_eq!(parse(&event), Ok(Event::Run(Order::default())), "{event}");
        }
    }

    #[test]
    fn regions_and_dry_run_are_read() {
        let event = json!({"regions": ["eu-west-1", "us-east-1", "eu-west-1"], "publish": false});
        let order = order(&event, &["regions", "publish"]).expect("valid");
        assert_eq!(parse(&event), Ok(Event::Run(order.clone())));
        assert_eq!(order.regions, Some(vec!["eu-west-1".to_owned(), "us-east-1".to_owned()]));
        assert!(order.dry_run);
    }

    #[test]
    fn the_steps_of_the_state_machine_are_read() {
        let step = |task| Ok(Event::Step(Step { execution: "a-1".to_owned(), task }));
        let asked = json!({"regions": ["eu-west-1"], "publish": false});
        assert_eq!(
            parse(&json!({"step": "ListTargets", "execution": "a-1", "event": asked})),
            step(Task::ListTargets(order(&asked, &["regions", "publish"]).expect("valid"), Vec::new()))
        );
        let target = Target { account_id: "111122223333".to_owned(), region: "eu-west-1".to_owned() };
        assert_eq!(
            parse(&json!({"step": "AuditTarget", "execution": "a-1", "target":
                {"accountId": "111122223333", "region": "eu-west-1"}})),
            step(Task::AuditTarget(Assignment { target: target.clone(), role: None, region_is_unknown: false }))
        );
        let role = Role {
            arn: "arn:aws:iam::111122223333:role/audit".to_owned(),
            account_id: "111122223333".to_owned(),
            external_id: Some("s3cret".to_owned()),
        };
        let named = json!({"roleArn": role.arn, "externalId": "s3cret"});
        assert_eq!(
            parse(&json!({"step": "ListTargets", "execution": "a-1", "event": {"roles": [named]}})),
            step(Task::ListTargets(Order::default(), vec![role.clone()]))
        );
        assert_eq!(
            parse(&json!({"step": "AuditTarget", "execution": "a-1", "target": {"accountId": "111122223333",
                "region": "eu-west-1", "roleArn": role.arn, "externalId": "s3cret", "regionIsUnknown": true}})),
            step(Task::AuditTarget(Assignment { target, role: Some(role), region_is_unknown: true }))
        );
        assert_eq!(parse(&json!({"step": "PublishReport", "execution": "a-1"})), step(Task::PublishReport));
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
            (json!({"step": "Audit", "execution": "e"}), "`step`"),
            (json!({"step": null}), "`step`"),
            (json!({"step": "PublishReport"}), "`execution`"),
            (json!({"step": "PublishReport", "execution": "a/b"}), "`execution`"),
            (json!({"step": "PublishReport", "execution": "e".repeat(81)}), "`execution`"),
            (json!({"step": "PublishReport", "execution": "e", "target": {}}), "`target`"),
            (json!({"step": "AuditTarget", "execution": "e"}), "`target`"),
            (json!({"step": "AuditTarget", "execution": "e", "target": {"accountId": "1", "region": "x"}}), "`target`"),
            (json!({"step": "AuditTarget", "execution": "e", "target": {"role": "x"}}), "`role`"),
            (
                json!({"step": "AuditTarget", "execution": "e", "target": {"accountId": "111122223333",
                "region": "eu-west-1", "roleArn": "arn:aws:iam::444455556666:role/x"}}),
                "`roleArn`",
            ),
            (
                json!({"step": "AuditTarget", "execution": "e", "target": {"accountId": "111122223333",
                "region": "eu-west-1", "regionIsUnknown": 1}}),
                "`regionIsUnknown`",
            ),
            (json!({"step": "ListTargets", "execution": "e", "event": []}), "`event`"),
            (json!({"step": "ListTargets", "execution": "e", "event": {"roles": "x"}}), "`roles`"),
            (json!({"step": "ListTargets", "execution": "e", "event": {"roles": [{"roleArn": 1}]}}), "`roleArn`"),
            (
                json!({"step": "ListTargets", "execution": "e", "event": {"roles": [{"externalId": "?"}]}}),
                "`externalId`",
            ),
            (json!({"roles": []}), "`roles`"),
            (json!({"step": "ListTargets", "execution": "e", "event": {"roles": [{"arn": "x"}]}}), "`roles`"),
            (json!({"step": "ListTargets", "execution": "e", "event": {"region": "x"}}), "`event`"),
            (json!({"a\nb": 1}), "`a\u{fffd}b`"),
        ] {
            let message = refusal(event.clone());
            assert!(message.contains(&format!("field {field}")), "{event}: {message}");
        }
        for event in [json!([]), json!("{}"), json!(1), json!(true)] {
            assert!(refusal(event).contains("expected an object"));
        }
    }

    #[test]
    fn a_refusal_says_what_is_expected_where_the_event_came_from() {
        let started = |event: Value| refusal(json!({"step": "ListTargets", "execution": "e", "event": event}));
        assert!(refusal(json!({"region": "x"})).ends_with("field `region`: not known; expected regions, publish"));
        assert!(
            started(json!({"region": "x"}))
                .ends_with("field `event`: field `region`: not known; expected regions, publish, roles")
        );
        assert!(
            started(json!({"roles": [{"externalId": "x"}]}))
                .ends_with("field `roles`: field `externalId`: expected 2 to 1,224 letters, digits and _+=.@:/-")
        );
    }

    #[test]
    fn every_region_that_is_wrong_is_named() {
        let message = refusal(json!({"regions": ["eu-west-1", "EU", 7, "all\n", "us-east-1"]}));
        assert!(message.ends_with("such as eu-west-1, got \"EU\", a number, \"all\u{fffd}\""), "{message}");
        let many = refusal(json!({"regions": vec!["Mars"; 10_000]}));
        assert!(many.chars().count() < 1_200, "{}", many.len());
    }
}
