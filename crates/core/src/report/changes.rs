//! What a run found against what the last one found.
//!
//! Each target has a state of its own: what the last run found there, and what the run before that found, so that a
//! run that is retried tells the same things as new. Nothing is resolved by what was not read.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::checks;
use crate::names::Target;
use crate::report::v1::{Change, Gone, Run, Verdict};
use crate::resource::Resource;
use crate::severity::Severity;

/// The version of the state's form.
const VERSION: u64 = 1;

/// What the last run found in a target: `state/ACCOUNT/REGION.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    version: u64,
    #[serde(flatten)]
    target: Target,
    #[serde(flatten)]
    last: Found,
    /// What the run before found. A retry of the last run is compared with it.
    before: Option<Found>,
    /// Whether what was there before could not be read. A retry of the last run has nothing to be compared with then,
    /// and is no first run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    not_compared: bool,
}

/// What a run found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    /// Shared by the states of all targets of a run.
    run: Arc<Stamp>,
    violations: Vec<Stored>,
}

/// A run, and what it came to over all of its targets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stamp {
    /// The run.
    #[serde(flatten)]
    pub run: Run,
    /// Its verdict.
    pub verdict: Verdict,
}

/// A violation in a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Stored {
    Known(Entry),
    /// Of a rule that this build does not have. It is kept as it is, for the build that has it.
    Foreign(Value),
}

/// A violation that a run found, exempted or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: String,
    rule: String,
    severity: Severity,
    resource: Resource,
    first_seen: String,
    exempted: bool,
    /// Whether the last run could not tell if it is still there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unknown: bool,
}

impl<'de> Deserialize<'de> for Stored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Stored, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let is_known = value["rule"].as_str().is_none_or(|rule| rule_of_this_build(rule).is_some());
        if is_known {
            serde_json::from_value(value).map(Stored::Known).map_err(serde::de::Error::custom)
        } else {
            Ok(Stored::Foreign(value))
        }
    }
}

/// Why a state, or a history of runs, cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It is none, or is about another target. It may be replaced.
    Broken(String),
    /// A later version wrote it, which still needs it.
    TooNew(u64),
}

impl Unusable {
    /// Whether it is of no use to anybody, so that it may be replaced.
    pub fn is_broken(&self) -> bool {
        matches!(self, Unusable::Broken(_))
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unusable::Broken(problem) => write!(f, "it is broken: {problem}"),
            Unusable::TooNew(version) => write!(f, "it is left as it is: version {version} is from a later build"),
        }
    }
}

impl std::error::Error for Unusable {}

/// Reads a document that says of which version it is, and that is of this one.
///
/// # Errors
/// Why it cannot be used.
pub(crate) fn document_of_version<T: DeserializeOwned>(document: &[u8], version: u64) -> Result<T, Unusable> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u64,
    }
    let broken = |error: serde_json::Error| Unusable::Broken(error.to_string());
    let Versioned { version: found } = serde_json::from_slice(document).map_err(broken)?;
    match found.cmp(&version) {
        Ordering::Less => Err(Unusable::Broken(format!("there was no version {found}"))),
        Ordering::Equal => serde_json::from_slice(document).map_err(broken),
        Ordering::Greater => Err(Unusable::TooNew(found)),
    }
}

impl State {
    /// Reads the state of a target.
    ///
    /// # Errors
    /// Why there is nothing to compare with.
    pub fn parse(document: &[u8], target: &Target) -> Result<State, Unusable> {
        let state: State = document_of_version(document, VERSION)?;
        if state.target != *target {
            let Target { account_id, region } = &state.target;
            return Err(Unusable::Broken(format!("it is about account {account_id} in {region}")));
        }
        Ok(state)
    }
}

/// What is known of the last run in a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Earlier {
    /// States are not kept.
    #[default]
    NotKept,
    /// There was no run before.
    Nothing,
    /// What the last run left.
    State(Box<State>),
    /// There is a state, and it could not be read. Nothing can be said about changes.
    Unreadable,
}

/// A violation of this run, as far as it is compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Current<'a> {
    pub(crate) id: &'a str,
    pub(crate) rule: &'static str,
    pub(crate) severity: Severity,
    pub(crate) resource: &'a Resource,
    pub(crate) is_exempted: bool,
}

/// What can be said of a rule in a target in which it found nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// The rule is switched off: nobody looked.
    NotJudged,
    /// Not everything that it needs was read, or it does not apply now.
    Unknown,
    /// Everything was read.
    Gone,
}

/// What became of the violations of a target since the last run.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    /// For each violation of this run, in their order: how it stands to the last run, and when it was first seen.
    /// Empty where nobody knows what the last run found.
    pub(crate) marks: Vec<Option<(Change, String)>>,
    /// What the last run found and is no more.
    pub(crate) resolved: Vec<Gone>,
    /// What the last run found and of which nobody knows.
    pub(crate) unknown: Vec<Gone>,
    /// How many of them the last run told as unknown already.
    pub(crate) unknown_before: u64,
    /// Whether an earlier delivery of this run told of something that is no more, or is exempted now. Compared with the
    /// run before, there was never anything to tell of it.
    pub(crate) takes_back: bool,
    /// The run that was compared with.
    pub(crate) with: Option<Arc<Stamp>>,
    next: Next,
}

/// What the next state is made of, once the verdict is known.
#[derive(Debug, Default)]
struct Next {
    kept: Vec<Stored>,
    before: Option<Found>,
    not_compared: bool,
}

/// Compares a target with its state. `exempts` says whether the exemptions could be read: where they could not, what
/// was exempted stays so.
pub(crate) fn compare(
    earlier: Earlier,
    run: &Run,
    target: &Target,
    current: &[Current<'_>],
    exempts: bool,
    told: impl Fn(&'static str) -> Told,
) -> Compared {
    let mut takes_back = false;
    let last = match earlier {
        Earlier::NotKept | Earlier::Unreadable => return not_compared(run, current),
        Earlier::Nothing => None,
        Earlier::State(state) if state.last.run.run.report_id != run.report_id => Some(state.last),
        Earlier::State(state) => {
            takes_back = state.last.told_of_what_is_gone(current, &told);
            if state.not_compared {
                return Compared { takes_back, ..not_compared(run, current) };
            }
            state.before
        }
    };
    let entries = last.iter().flat_map(|last| &last.violations);
    let mut known: HashMap<&str, &Entry> = entries.filter_map(Stored::entry).map(|entry| (&*entry.id, entry)).collect();
    let with = last.as_ref().map(|last| last.run.clone());
    let mut compared = Compared { with, takes_back, ..Compared::default() };
    for found in current {
        let before = known.remove(found.id);
        let change = match before {
            None => Change::New,
            Some(before) if before.exempted && !found.is_exempted && exempts => Change::ExemptionEnded,
            Some(_) => Change::Known,
        };
        let first_seen = before.map_or(&run.generated_at, |before| &before.first_seen).clone();
        let stays_exempted = found.is_exempted || (!exempts && before.is_some_and(|before| before.exempted));
        compared.next.kept.push(entry(found, &first_seen, stays_exempted));
        compared.marks.push(Some((change, first_seen)));
    }
    for stored in last.iter().flat_map(|last| &last.violations) {
        let Some((entry, rule)) = stored.entry().zip(stored.entry().and_then(|entry| rule_of_this_build(&entry.rule)))
        else {
            compared.next.kept.push(stored.clone());
            continue;
        };
        // One that is left is one that this run did not find.
        if known.remove(&*entry.id).is_none() {
            continue;
        }
        let gone = || Gone {
            id: entry.id.clone(),
            rule,
            severity: entry.severity,
            target: target.clone(),
            resource: entry.resource.clone(),
            first_seen: entry.first_seen.clone(),
        };
        match told(rule) {
            Told::Gone => compared.resolved.push(gone()),
            Told::NotJudged => compared.next.kept.push(stored.clone()),
            Told::Unknown => {
                compared.unknown.push(gone());
                compared.unknown_before += u64::from(entry.unknown);
                compared.next.kept.push(Stored::Known(Entry { unknown: true, ..entry.clone() }));
            }
        }
    }
    compared.next.before = last;
    compared
}

/// What there is to say where nobody knows what the last run found.
fn not_compared(run: &Run, current: &[Current<'_>]) -> Compared {
    let kept = current.iter().map(|found| entry(found, &run.generated_at, found.is_exempted)).collect();
    let next = Next { kept, before: None, not_compared: true };
    Compared { next, ..Compared::default() }
}

impl Compared {
    /// What this run leaves for the next.
    pub(crate) fn into_state(self, target: Target, stamp: Arc<Stamp>) -> State {
        let Next { kept: violations, before, not_compared } = self.next;
        State { version: VERSION, target, last: Found { run: stamp, violations }, before, not_compared }
    }
}

impl Found {
    /// Whether something that was not exempted is no more, or is exempted now.
    fn told_of_what_is_gone(&self, current: &[Current<'_>], told: impl Fn(&'static str) -> Told) -> bool {
        let exempted: HashMap<&str, bool> = current.iter().map(|found| (found.id, found.is_exempted)).collect();
        let is_gone = |entry: &Entry| match exempted.get(&*entry.id) {
            Some(is_exempted) => *is_exempted,
            None => rule_of_this_build(&entry.rule).is_some_and(|rule| told(rule) == Told::Gone),
        };
        self.violations.iter().filter_map(Stored::entry).any(|entry| !entry.exempted && is_gone(entry))
    }
}

impl Stored {
    fn entry(&self) -> Option<&Entry> {
        match self {
            Stored::Known(entry) => Some(entry),
            Stored::Foreign(_) => None,
        }
    }
}

fn entry(found: &Current<'_>, first_seen: &str, exempted: bool) -> Stored {
    Stored::Known(Entry {
        id: found.id.to_owned(),
        rule: found.rule.to_owned(),
        severity: found.severity,
        resource: found.resource.clone(),
        first_seen: first_seen.to_owned(),
        exempted,
        unknown: false,
    })
}

fn rule_of_this_build(rule: &str) -> Option<&'static str> {
    checks::all().map(|check| check.id).find(|id| *id == rule)
}
