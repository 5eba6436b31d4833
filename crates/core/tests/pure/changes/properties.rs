//! What must hold of any worlds, run after run.

use std::collections::{BTreeMap, BTreeSet};

use macie_compliance_core::api::Api;
use macie_compliance_core::checks;
use macie_compliance_core::evidence::{Administrator, Evidence, Read, ReadState};
use macie_compliance_core::failure::Failure;
use macie_compliance_core::names::Target;
use macie_compliance_core::report::v1::{Change, Gone, Violation};
use macie_compliance_core::report::{State, Terms, Unusable};
use macie_compliance_core::testing::{checks, clean, filter, invitation, member, members};
use macie_compliance_core::text::json;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::{Bucket, at, build, exempting, here, off, on, run, run_with, there, with_items, without_rule};
use crate::properties::cases;

/// Every read, each failed or not.
fn with_random_reads(mut evidence: Evidence, failed: &[bool]) -> Evidence {
    for (read, failed) in evidence.reads.iter_mut().zip(failed) {
        read.failure = failed.then(|| Failure::own("AccessDeniedException", "no"));
    }
    evidence
}

prop_compose! {
    /// A target of a small world, so that two runs over it have much in common.
    fn evidence_of(place: Target)(
        paused in vec(any::<bool>(), 4),
        suspended in vec(any::<bool>(), 4),
        invited in vec(any::<bool>(), 2),
        odd_filters in vec(any::<bool>(), 2),
        is_member in prop::bool::weighted(0.2),
        failed in vec(prop::bool::weighted(0.15), 8),
        looked_again in any::<bool>(),
        is_off in prop::bool::weighted(0.1),
    ) -> Evidence {
        if is_off {
            return off(place.clone());
        }
        let chosen = |flags: &[bool]| -> Vec<usize> {
            flags.iter().enumerate().filter(|(_, flag)| **flag).map(|(index, _)| index).collect()
        };
        let mut flagged: Vec<_> = chosen(&paused).into_iter().map(|index| member(index, "Paused")).collect();
        flagged.extend(chosen(&suspended).into_iter().map(|index| member(index, "AccountSuspended")));
        let items = flagged.len();
        let mut evidence = Evidence {
            members: members(flagged),
            invitations: chosen(&invited).into_iter().map(|i| invitation(&i.to_string(), "RegionDisabled")).collect(),
            filters: chosen(&odd_filters).into_iter().map(|i| filter(&i.to_string(), None, "FORWARD")).collect(),
            ..with_items(clean(place.clone()), Api::ListMembers, items)
        };
        if is_member {
            let status = Some("RegionDisabled".to_owned());
            evidence.administrator = Some(Administrator { id: "9".to_owned(), status, since: None });
        }
        if looked_again {
            evidence.reads.extend([Api::GetMember, Api::GetFindingsFilter, Api::GetFindingStatistics].map(Read::new));
        }
        with_random_reads(evidence, &failed)
    }
}

fn world() -> impl Strategy<Value = Vec<Evidence>> {
    (evidence_of(here()), evidence_of(there())).prop_map(|(one, other)| vec![one, other])
}

fn ids(violations: &[Violation]) -> BTreeSet<String> {
    violations.iter().map(|violation| violation.id.clone()).collect()
}

fn gone(list: &[Gone]) -> BTreeSet<String> {
    list.iter().map(|gone| gone.id.clone()).collect()
}

/// Whether everything that a rule needs was read, and Macie was on to be asked.
fn was_read(rule: &str, evidence: &Evidence) -> bool {
    let check = checks::all().find(|check| check.id == rule).expect("a rule");
    let read = |api: &Api| match evidence.state_of(*api) {
        ReadState::Complete => true,
        ReadState::Incomplete => false,
        ReadState::NotAsked => api.is_second_look(),
    };
    check.needs.iter().all(read) && (!evidence.is_macie_off() || rule == "macie-not-enabled")
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn nothing_is_resolved_by_what_was_not_read(worlds in vec(world(), 2..5)) {
        let mut bucket = Bucket::default();
        for (day, world) in worlds.iter().enumerate() {
            let report = run(&mut bucket, day as u32 + 1, world);
            let changes = report.changes.expect("changes");
            for (list, expected) in [(&changes.resolved, true), (&changes.unknown, false)] {
                for gone in list {
                    let evidence = world.iter().find(|evidence| evidence.target == gone.target).expect("a target");
                    // A rule of members does not apply in a member account, which is not known either.
                    let applies = !gone.rule.starts_with("member-") || evidence.administrator.is_none()
                        || evidence.items_of(Api::ListMembers) != Some(0);
                    let applies = applies && (!gone.rule.starts_with("administrator-") || evidence.administrator.is_some());
                    prop_assert_eq!(was_read(gone.rule, evidence) && applies, expected, "{:?}", gone);
                }
            }
        }
    }

    #[test]
    fn what_was_there_is_resolved_unknown_or_still_there_and_nothing_else(worlds in vec(world(), 2..5)) {
        let mut bucket = Bucket::default();
        let mut there: BTreeMap<String, String> = BTreeMap::new();
        for (day, world) in worlds.iter().enumerate() {
            let day = day as u32 + 1;
            let report = run(&mut bucket, day, world);
            let changes = report.changes.as_ref().expect("changes");
            let (resolved, unknown) = (gone(&changes.resolved), gone(&changes.unknown));
            let mut still = BTreeSet::new();
            let mut next = BTreeMap::new();
            for violation in &report.violations {
                let first = violation.first_seen.clone().expect("a time");
                match there.get(&violation.id) {
                    None => prop_assert_eq!((violation.change, &first), (Some(Change::New), &at(day))),
                    Some(since) => {
                        prop_assert_eq!((violation.change, &first), (Some(Change::Known), since));
                        still.insert(violation.id.clone());
                    }
                }
                next.insert(violation.id.clone(), first);
            }
            for gone in &changes.unknown {
                prop_assert_eq!(Some(&gone.first_seen), there.get(&gone.id));
                next.insert(gone.id.clone(), gone.first_seen.clone());
            }
            let covered: BTreeSet<String> = resolved.iter().chain(&unknown).chain(&still).cloned().collect();
            prop_assert_eq!(&covered, &there.keys().cloned().collect::<BTreeSet<_>>());
            prop_assert_eq!(covered.len(), resolved.len() + unknown.len() + still.len(), "each in one of them");
            prop_assert_eq!(changes.new as usize, ids(&report.violations).len() - still.len());
            there = next;
        }
    }

    #[test]
    fn the_same_again_is_neither_new_nor_resolved(first in world(), second in world()) {
        let mut bucket = Bucket::default();
        run(&mut bucket, 1, &first);
        let told = run(&mut bucket, 2, &second).changes.expect("changes");
        for day in 3..5 {
            let changes = run(&mut bucket, day, &second).changes.expect("changes");
            prop_assert_eq!((changes.new, changes.resolved.len()), (0, 0));
            prop_assert_eq!(&changes.unknown, &told.unknown);
        }
    }

    #[test]
    fn a_retry_says_the_same_to_the_letter(
        first in world(), second in world(), written in vec(any::<bool>(), 2), is_exempted in any::<bool>(),
    ) {
        let terms = || if is_exempted { exempting(&["0", "1"]) } else { Terms::default() };
        let mut bucket = Bucket::default();
        run_with(&mut bucket, 1, &checks(), terms(), &first);
        let attempt = build(&bucket, on(2), &checks(), terms(), &second);
        let states = attempt.states.into_iter().zip(&written).filter(|(_, written)| **written);
        bucket.keep(states.map(|(state, _)| state).collect());
        let retry = build(&bucket, on(2), &checks(), terms(), &second);
        prop_assert_eq!(json(&retry.report), json(&attempt.report));
    }

    #[test]
    fn a_rule_that_is_switched_off_for_a_while_loses_nothing(worlds in vec(world(), 3)) {
        let mut bucket = Bucket::default();
        let first = run(&mut bucket, 1, &worlds[0]);
        let paused = |violation: &&Violation| violation.rule == "member-macie-paused";
        let before: BTreeSet<_> = first.violations.iter().filter(paused).map(|v| v.id.clone()).collect();
        let off = without_rule("member-macie-paused");
        let report = run_with(&mut bucket, 2, &off, Terms::default(), &worlds[1]);
        let changes = report.changes.expect("changes");
        prop_assert!(!changes.resolved.iter().chain(&changes.unknown).any(|gone| gone.rule == "member-macie-paused"));
        let report = run(&mut bucket, 3, &worlds[2]);
        let changes = report.changes.as_ref().expect("changes");
        let gone = changes.resolved.iter().chain(&changes.unknown).filter(|gone| gone.rule == "member-macie-paused");
        let known = report.violations.iter().filter(paused).filter(|found| found.change == Some(Change::Known));
        let after: BTreeSet<_> = gone.map(|gone| gone.id.clone()).chain(known.map(|found| found.id.clone())).collect();
        prop_assert_eq!(after, before);
    }

    #[test]
    fn any_document_is_a_state_or_is_refused(document in any::<String>(), number in any::<u64>()) {
        prop_assert!(State::parse(document.as_bytes(), &here()).is_err());
        let versioned = json!({"version": number}).to_string();
        let refused = State::parse(versioned.as_bytes(), &here()).expect_err("there is nothing in it");
        prop_assert_eq!(matches!(refused, Unusable::TooNew(_)), number > 1);
    }
}
