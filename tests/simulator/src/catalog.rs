//! Things that are listed with some of their fields and read one by one with the others.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::items::{expand, filled, texts};

/// What is true of one kind of such things.
pub(crate) struct Kind<I, D> {
    /// The field that holds the id.
    pub(crate) id: &'static str,
    /// Makes the id of the n-th thing that the seed gives none.
    pub(crate) new_id: I,
    /// What fills the gaps of the n-th thing.
    pub(crate) defaults: D,
    /// Fields that the list leaves out.
    pub(crate) only_read: &'static [&'static str],
    /// Fields that only the list has.
    pub(crate) only_listed: &'static [&'static str],
    /// Writes what a seed may write shorter as the service has it.
    pub(crate) spell_out: fn(&mut Map<String, Value>),
}

/// All things of one kind that a target has.
#[derive(Debug)]
pub(crate) struct Catalog {
    /// What the list tells of each.
    pub(crate) listed: Vec<String>,
    /// What reading one tells, by id; nothing of one that is gone by then.
    details: HashMap<String, Option<String>>,
}

impl Catalog {
    /// `now` in a seed is what reading the thing tells differently: fields to change, or null for "not found".
    pub(crate) fn render<I, D>(seeds: &[Value], kind: Kind<I, D>) -> Catalog
    where
        I: Fn(u64) -> String,
        D: Fn(&str, u64) -> Map<String, Value>,
    {
        let mut listed = expand(seeds, kind.id, kind.new_id, kind.defaults);
        let mut details = HashMap::new();
        for thing in listed.iter_mut().filter_map(Value::as_object_mut) {
            let now = thing.remove("now");
            (kind.spell_out)(thing);
            if let Some(id) = thing.get(kind.id).and_then(Value::as_str) {
                let mut detail = changed(thing.clone(), now);
                if let Some(detail) = &mut detail {
                    (kind.spell_out)(detail);
                    detail.retain(|name, _| !kind.only_listed.contains(&name.as_str()));
                }
                details.insert(id.to_owned(), detail.map(|detail| Value::Object(detail).to_string()));
            }
            thing.retain(|name, _| !kind.only_read.contains(&name.as_str()));
        }
        Catalog { listed: texts(listed.iter()), details }
    }

    /// What reading one tells.
    pub(crate) fn get(&self, id: &str) -> Option<String> {
        self.details.get(id).cloned().flatten()
    }
}

/// A thing with what has changed since it was listed, if it is still there.
fn changed(thing: Map<String, Value>, now: Option<Value>) -> Option<Map<String, Value>> {
    match now {
        None => Some(thing),
        Some(Value::Object(changes)) => Some(filled(changes, || thing)),
        Some(_) => None,
    }
}
