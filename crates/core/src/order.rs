//! What an invocation is asked for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::names::{Role, Target};

/// What started a run, as the report records it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Trigger {
    /// The EventBridge event's source, or `on-demand`.
    pub source: String,
    /// The EventBridge event's detail type.
    pub detail_type: Option<String>,
    /// The EventBridge event's id.
    pub id: Option<String>,
    /// The EventBridge event's time.
    pub time: Option<String>,
}

impl Default for Trigger {
    fn default() -> Trigger {
        Trigger { source: "on-demand".to_owned(), detail_type: None, id: None, time: None }
    }
}

/// A run, as an event asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// Who asked.
    pub trigger: Trigger,
    /// The Regions to audit instead of those in the settings.
    pub regions: Option<Vec<String>>,
    /// Whether nothing is to be published.
    pub dry_run: bool,
}

/// What an event asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A whole run.
    Run(Order),
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
    ListTargets(Order, Vec<Role>),
    /// Reads one target.
    AuditTarget(Assignment),
    /// Judges what was read and publishes the report.
    PublishReport,
}

/// A target to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The target.
    pub target: Target,
    /// The role that opens its account; `None` in the function's own.
    pub role: Option<Role>,
    /// Whether nobody knows if its Region offers Macie, so that it may turn out to be none.
    pub region_is_unknown: bool,
}
