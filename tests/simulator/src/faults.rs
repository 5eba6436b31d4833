//! Which fault, if any, happens to a request.

use std::sync::Mutex;

use crate::record::held;
use crate::seed::{Fault, FaultKind};
use crate::wire::Call;

/// The faults, each with the number of requests that matched it so far.
#[derive(Debug)]
pub(crate) struct Faults(Mutex<Vec<(Fault, u64)>>);

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>) -> Faults {
        let all = Faults(Mutex::default());
        all.replace(faults);
        all
    }

    pub(crate) fn replace(&self, faults: Vec<Fault>) {
        *held(&self.0) = faults.into_iter().map(|fault| (fault, 0)).collect();
    }

    /// The first fault that applies. Every one that matches counts the request, applied or not.
    pub(crate) fn pick(&self, call: &Call) -> Option<FaultKind> {
        let mut picked = None;
        for (fault, seen) in held(&self.0).iter_mut() {
            if !matches(fault, call) {
                continue;
            }
            *seen += 1;
            let last = fault.times.map(|times| fault.from.saturating_add(times));
            let applies = *seen >= fault.from && last.is_none_or(|last| *seen < last);
            if applies && picked.is_none() {
                picked = Some(fault.kind.clone());
            }
        }
        picked
    }
}

fn matches(fault: &Fault, call: &Call) -> bool {
    let fits = |wanted: &Option<String>, have: &str| wanted.as_ref().is_none_or(|it| it == have);
    fits(&fault.service, &call.caller.service)
        && fits(&fault.api, &call.operation)
        && fits(&fault.region, &call.caller.region)
        && fits(&fault.account_id, &call.caller.account)
        && fault.path.as_ref().is_none_or(|part| call.path.contains(part))
}
