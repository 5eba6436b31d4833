//! What may trigger a run: an EventBridge envelope or an on-demand request; and what the state
//! machine asks for, one step of a run at a time.

use std::fmt;

use serde_json::{Map, Value};

use crate::facts::Target;
use crate::names::{is_account_id, is_region};
use crate::settings::{self, Role};
use crate::text::{clip, plain};

/// What an event asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A whole run.
    Run(Request),
    /// One step of a run that the state machine divides among many invocations.
    Step(Step),
}

/// One step of an execution of the state machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The name of the execution, under which its documents are kept.
    pub execution: String,
    /// What to do.
    pub task: Task,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Finds the targets of what the execution was started with, which may name more roles than
    /// the settings can hold.
    ListTargets(Request, Vec<Role>),
    /// Reads and judges one target, by a role unless it is in the function's own account.
    AuditTarget(Target, Option<Role>),
    /// Combines what was found and publishes it.
    PublishReport,
}

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
pub fn parse(event: &Value) -> Result<Event, InvalidEvent> {
    match event {
        Value::Object(fields) if fields.contains_key("step") => step(fields).map(Event::Step),
        _ => request(event).map(Event::Run),
    }
}

fn request(event: &Value) -> Result<Request, InvalidEvent> {
    match event {
        Value::Null => Ok(Request::default()),
        Value::Object(fields) if fields.contains_key("source") || fields.contains_key("detail-type") => {
            envelope(fields)
        }
        Value::Object(fields) => on_demand(fields),
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
            let request =
                request(&event).map_err(|InvalidEvent(wrong)| InvalidEvent(format!("field `event`: {wrong}")))?;
            (Task::ListTargets(request, roles), Some("event"))
        }
        Some("AuditTarget") => {
            let (target, role) = target(fields.get("target"))?;
            (Task::AuditTarget(target, role), Some("target"))
        }
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
        only(fields, &["roleArn", "externalId"])?;
        let role = role(fields)?.ok_or_else(|| InvalidEvent("field `roles`: a role without `roleArn`".to_owned()))?;
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
    let invalid = |name: &str| InvalidEvent(format!("field `{name}`: not one that AWS gives"));
    let external_id = text("externalId")?;
    if external_id.is_some_and(|id| !settings::is_external_id(id)) {
        return Err(invalid("externalId"));
    }
    let Some(arn) = text("roleArn")? else { return Ok(None) };
    let role = settings::role(arn).ok_or_else(|| invalid("roleArn"))?;
    Ok(Some(Role { external_id: external_id.cloned(), ..role }))
}

fn target(value: Option<&Value>) -> Result<(Target, Option<Role>), InvalidEvent> {
    let wrong = || InvalidEvent("field `target`: expected an object with `accountId` and `region`".to_owned());
    let fields = value.and_then(Value::as_object).ok_or_else(wrong)?;
    only(fields, &["accountId", "region", "roleArn", "externalId"])?;
    let role = role(fields)?;
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    match (text("accountId"), text("region")) {
        (Some(account), Some(region)) if is_account_id(account) && is_region(region) => {
            if role.as_ref().is_some_and(|role| role.account_id != account) {
                return Err(InvalidEvent(format!("field `roleArn`: the role is not in account {account}")));
            }
            Ok((Target { account_id: account.to_owned(), region: region.to_owned() }, role))
        }
        _ => Err(wrong()),
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
            assert_eq!(parse(&event), Ok(Event::Run(Request::default())), "{event}");
        }
    }

    #[test]
    fn regions_and_dry_run_are_read() {
        let event = json!({"regions": ["eu-west-1", "us-east-1", "eu-west-1"], "publish": false});
        let request = request(&event).expect("valid");
        assert_eq!(parse(&event), Ok(Event::Run(request.clone())));
        assert_eq!(request.regions, Some(vec!["eu-west-1".to_owned(), "us-east-1".to_owned()]));
        assert!(request.dry_run);
    }

    #[test]
    fn the_steps_of_the_state_machine_are_read() {
        let step = |task| Ok(Event::Step(Step { execution: "a-1".to_owned(), task }));
        let asked = json!({"regions": ["eu-west-1"], "publish": false});
        assert_eq!(
            parse(&json!({"step": "ListTargets", "execution": "a-1", "event": asked})),
            step(Task::ListTargets(request(&asked).expect("valid"), Vec::new()))
        );
        let target = Target { account_id: "111122223333".to_owned(), region: "eu-west-1".to_owned() };
        assert_eq!(
            parse(&json!({"step": "AuditTarget", "execution": "a-1", "target":
                {"accountId": "111122223333", "region": "eu-west-1"}})),
            step(Task::AuditTarget(target.clone(), None))
        );
        let role = Role {
            arn: "arn:aws:iam::111122223333:role/audit".to_owned(),
            account_id: "111122223333".to_owned(),
            external_id: Some("s3cret".to_owned()),
        };
        let named = json!({"roleArn": role.arn, "externalId": "s3cret"});
        assert_eq!(
            parse(&json!({"step": "ListTargets", "execution": "a-1", "event": {"roles": [named]}})),
            step(Task::ListTargets(Request::default(), vec![role.clone()]))
        );
        assert_eq!(
            parse(&json!({"step": "AuditTarget", "execution": "a-1", "target": {"accountId": "111122223333",
                "region": "eu-west-1", "roleArn": role.arn, "externalId": "s3cret"}})),
            step(Task::AuditTarget(target, Some(role)))
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
            (json!({"step": "ListTargets", "execution": "e", "event": []}), "`event`"),
            (json!({"step": "ListTargets", "execution": "e", "event": {"roles": "x"}}), "`roles`"),
            (json!({"step": "ListTargets", "execution": "e", "event": {"roles": [{"roleArn": 1}]}}), "`roleArn`"),
            (
                json!({"step": "ListTargets", "execution": "e", "event": {"roles": [{"externalId": "?"}]}}),
                "`externalId`",
            ),
            (json!({"roles": []}), "`roles`"),
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
}
