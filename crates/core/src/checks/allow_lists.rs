//! Checks of allow lists that are in use, and of what text they let pass.

use std::collections::BTreeSet;

use regex_lite::{Regex, RegexBuilder};

use super::{Check, Judge, Problem};
use crate::api::Api;
use crate::evidence::{AllowList, Evidence};
use crate::names::has_allow_lists;
use crate::policy::Policy;
use crate::resource::{Resource, ResourceType};
use crate::severity::Severity;

/// What tells which allow lists are in use.
const IN_USE: &[Api] = &[
    Api::ListSensitivityInspectionTemplates,
    Api::GetSensitivityInspectionTemplate,
    Api::ListClassificationJobs,
    Api::DescribeClassificationJob,
    Api::ListAllowLists,
];

/// The same, and what they let pass.
const READ: &[Api] = &[
    Api::ListSensitivityInspectionTemplates,
    Api::GetSensitivityInspectionTemplate,
    Api::ListClassificationJobs,
    Api::DescribeClassificationJob,
    Api::ListAllowLists,
    Api::GetAllowList,
];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "allow-list-in-use",
        severity: Severity::Low,
        title: "Allow list is in use",
        risk: "Macie leaves out text that the list matches, and records nothing of it: what it hides cannot be counted.",
        fix: "Look at the list under Allow lists in the Macie console, and exempt it if it is meant to be there.",
        needs: IN_USE,
        applies: has_lists,
        judge: Judge::Target(|evidence, _| of_lists(evidence, |_| true)),
    },
    Check {
        id: "allow-list-too-wide",
        severity: Severity::High,
        title: "Allow list matches nearly everything",
        risk: "The regular expression of the list matches whatever it is tried on, so Macie reports hardly any sensitive data where the list is used.",
        fix: "Narrow the regular expression, or delete the list, under Allow lists in the Macie console.",
        needs: READ,
        applies: has_lists,
        judge: Judge::Target(|evidence, _| of_lists(evidence, |list| list.regex.as_deref().is_some_and(is_too_wide))),
    },
    Check {
        id: "allow-list-broken",
        severity: Severity::Low,
        title: "Allow list does not work",
        risk: "Macie cannot use the list, so it does not leave out what it should.",
        fix: "Look at the status of the list under Allow lists in the Macie console: the object of the list may be gone, empty, too large or not readable for Macie.",
        needs: READ,
        applies: has_lists,
        judge: Judge::Target(|evidence, _| {
            of_lists(evidence, |list| list.status.as_deref().is_some_and(|status| status != "OK"))
        }),
    },
];

/// Texts of ten kinds, of which no two have much in common. docs/reference/allow-lists.md lists them.
pub const PROBES: [(&str, &str); 10] = [
    ("a card number", "4111 1111 1111 1111"),
    ("a key", "AKIAIOSFODNN7EXAMPLE"),
    ("a name", "Martha Rivera"),
    ("an address", "100 Main Street, Anytown"),
    ("an e-mail address", "martha_rivera@example.com"),
    ("a date", "1980-02-29"),
    ("a telephone number", "+1-206-555-0100"),
    ("a bank account number", "GB82WEST12345698765432"),
    ("a secret", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ("an IP address", "192.0.2.44"),
];

/// In how many probes a regular expression has to find something to be too wide.
const TOO_MANY: usize = 9;

/// The most that a compiled regular expression may take, in bytes. Macie takes at most 512 characters.
const COMPILED: usize = 1 << 20;

/// A regular expression, if it can be judged.
fn compiled(regex: &str) -> Option<Regex> {
    if regex.chars().count() > AllowList::LONGEST_REGEX {
        return None;
    }
    RegexBuilder::new(regex).size_limit(COMPILED).build().ok()
}

/// Whether a regular expression finds something in nearly every probe.
fn is_too_wide(regex: &str) -> bool {
    let Some(regex) = compiled(regex) else { return false };
    let finds = |text: &str| regex.find_iter(text).any(|found| !found.is_empty());
    PROBES.iter().filter(|(_, text)| finds(text)).count() >= TOO_MANY
}

/// What is said of a regular expression that cannot be judged.
const NOT_JUDGED: &str = "The regular expression of the list was not judged: this version does not know its syntax, or it is longer than Macie allows.";

fn has_lists(evidence: &Evidence, _: &Policy) -> Option<bool> {
    Some(has_allow_lists(&evidence.target.region))
}

fn of_lists(evidence: &Evidence, is_problem: impl Fn(&AllowList) -> bool) -> Vec<Problem> {
    let mut named = BTreeSet::new();
    let lists = evidence.allow_lists.iter().filter(|list| is_problem(list) && named.insert(&list.id));
    lists
        .map(|list| Problem {
            status: list.status.clone(),
            note: list.regex.as_deref().is_some_and(|regex| compiled(regex).is_none()).then_some(NOT_JUDGED),
            ..Problem::with(Resource {
                arn: list.arn.clone(),
                name: list.name.clone(),
                ..Resource::new(ResourceType::AllowList, &list.id)
            })
        })
        .collect()
}
