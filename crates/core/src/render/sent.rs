//! What messages hold of a report: less than what is stored, so that nothing is too large for SNS.

use std::borrow::Cow;

use serde::Serialize;

use super::weight::Weight;
use crate::report::v1::{Changes, Exempted, Exemptions, Read, ReadError, TargetResult, Violation};

/// The longest criteria of a filter, in bytes of JSON.
const CRITERIA: usize = 4 * 1024;

/// The heaviest violation or target that is sent as it is, in bytes. It is far from what AWS's own names and texts come
/// to, and fits into every part.
const HEAVIEST: usize = 32 * 1024;

/// The most bytes of texts with which a violation is light, whatever they hold: no byte takes more than eight, that of a
/// control character, and the rest of a violation is the function's own and short.
const SHORT: usize = 2_048;

/// How much is left of each text of one that is heavier, in characters.
const CUT: usize = 64;

/// A violation as messages hold it.
pub(super) fn violation(violation: &Violation) -> Cow<'_, Violation> {
    let mut sent = Cow::Borrowed(violation);
    let criteria = violation.filter.as_ref().and_then(|filter| filter.criteria.as_ref());
    let length = criteria.map_or(0, |criteria| criteria.to_string().len());
    if length > CRITERIA
        && let Some(filter) = &mut sent.to_mut().filter
    {
        filter.criteria = None;
    }
    // Nearly all are light, and are not written to see it.
    let is_short = violation.filter.is_none() && texts(violation) <= SHORT;
    if is_short || is_light(&sent) {
        return sent;
    }
    let Violation { resource, status, since, filter, .. } = sent.to_mut();
    cut(&mut resource.id);
    [&mut resource.arn, &mut resource.name, &mut resource.email, status, since].into_iter().flatten().for_each(cut);
    if let Some(filter) = filter {
        (filter.criteria, filter.description) = (None, None);
        filter.conditions.clear();
        filter.matches.iter_mut().for_each(|matches| matches.top_buckets.clear());
    }
    sent
}

/// How long the texts of a violation are, in bytes.
fn texts(violation: &Violation) -> usize {
    let Violation { resource, status, since, remediation, .. } = violation;
    let optional = [&resource.arn, &resource.name, &resource.email, status, since].into_iter().flatten();
    [&resource.id, remediation].into_iter().chain(optional).map(String::len).sum()
}

/// A target as messages hold it.
pub(super) fn target(target: &TargetResult) -> TargetResult {
    let TargetResult { target, verdict, complete, outcomes: _, reads } = target;
    let (verdict, complete) = (*verdict, *complete);
    let mut sent = TargetResult { target: target.clone(), verdict, complete, outcomes: None, reads: reads.clone() };
    if sent.reads.iter().all(|read| read.error.is_none()) || is_light(&sent) {
        return sent;
    }
    let errors = sent.reads.iter_mut().filter_map(|Read { error, .. }| error.as_deref_mut());
    for ReadError { code, message, request_id, hint } in errors {
        [code, message].into_iter().chain(request_id).chain(hint).for_each(cut);
    }
    sent
}

fn is_light<T: Serialize>(item: &T) -> bool {
    Weight::of_item(item).enveloped <= HEAVIEST
}

pub(super) fn exempted(exempted: &Exempted) -> Exempted {
    Exempted { violation: violation(&exempted.violation).into_owned(), exemption: exempted.exemption.clone() }
}

pub(super) fn changes(changes: &Changes, most: usize) -> Changes {
    let Changes { compared_with, new, resolved, resolved_total, unknown, unknown_total } = changes;
    Changes {
        compared_with: compared_with.clone(),
        new: *new,
        resolved: beginning(resolved, most),
        resolved_total: *resolved_total,
        unknown: beginning(unknown, most),
        unknown_total: *unknown_total,
    }
}

pub(super) fn exemptions(exemptions: &Exemptions, most: usize) -> Exemptions {
    let Exemptions { source, digest, applied, expired, expiring_soon, unused, malformed, changed, error } = exemptions;
    Exemptions {
        source: source.clone(),
        digest: digest.clone(),
        applied: *applied,
        expired: beginning(expired, most),
        expiring_soon: beginning(expiring_soon, most),
        unused: beginning(unused, most),
        malformed: beginning(malformed, most),
        changed: beginning(changed, most),
        error: error.clone(),
    }
}

fn beginning<T: Clone>(list: &[T], most: usize) -> Vec<T> {
    list.iter().take(most).cloned().collect()
}

fn cut(text: &mut String) {
    *text = text.chars().take(CUT).collect();
}
