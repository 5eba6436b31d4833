//! What could not be read, put together by the reason: one missing permission is told once, however many reads failed
//! for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::{Api, Service};
use crate::names::Target;
use crate::refusal::{self, Refusal};
use crate::report::v1::{ReadError, TargetResult};

/// Reads that failed for the same reason, as one item tells them: operations, and the accounts and Regions in all
/// of which each of them failed.
pub(super) struct Unread<'a> {
    /// Operations of one service.
    pub(super) apis: Vec<Api>,
    pub(super) targets: Vec<Target>,
    /// The first of the errors, which differ only in what they are about.
    pub(super) error: &'a ReadError,
    /// What the error means where it is a refusal.
    pub(super) refusal: Option<Refusal>,
}

/// Why reads failed, as far as it tells them apart: what a refusal means and the policy that it names,
/// whatever the resource and the action in its text, or code and message.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Reason<'a> {
    Refused(Service, Refusal, Option<&'a str>),
    Failed(Service, &'a str, String),
}

/// What a message says whatever it is about: without the words in which there are digits or an account's
/// own names, such as Regions, times and ids.
fn shape(message: &str) -> String {
    let is_general = |word: &&str| !word.bytes().any(|b| b.is_ascii_digit());
    message.split_whitespace().filter(is_general).collect::<Vec<_>>().join(" ")
}

/// The policy that a denial names, which comes last in its text.
fn policy(message: &str) -> Option<&str> {
    let last = message.split_whitespace().next_back()?;
    last.starts_with("arn:").then_some(last).filter(|arn| arn.contains("policy"))
}

/// What could not be read, grouped by the reason, then by the operations, then by the Regions.
pub(super) fn unread(targets: &[TargetResult]) -> Vec<Unread<'_>> {
    let mut reasons: BTreeMap<Reason<'_>, (&ReadError, BTreeMap<&Target, BTreeSet<Api>>)> = BTreeMap::new();
    for target in targets {
        for read in &target.reads {
            let Some(error) = read.error.as_deref() else { continue };
            let service = read.api.row().service;
            let reason = match refusal::classify(&error.code, &error.message) {
                // Asked of other operations than GetMember, it says nothing about members.
                None | Some(Refusal::NoSuchMember) => Reason::Failed(service, &error.code, shape(&error.message)),
                Some(refusal) => Reason::Refused(service, refusal, policy(&error.message)),
            };
            let (_, places) = reasons.entry(reason).or_insert_with(|| (error, BTreeMap::new()));
            places.entry(&target.target).or_default().insert(read.api);
        }
    }
    let mut groups = Vec::new();
    for (reason, (error, places)) in reasons {
        let refusal = match reason {
            Reason::Refused(_, refusal, _) => Some(refusal),
            Reason::Failed(..) => None,
        };
        let mut regions_of: BTreeMap<(BTreeSet<Api>, &str), BTreeSet<&str>> = BTreeMap::new();
        for (target, apis) in places {
            regions_of.entry((apis, &target.account_id)).or_default().insert(&target.region);
        }
        let mut items: BTreeMap<(BTreeSet<Api>, BTreeSet<&str>), Vec<&str>> = BTreeMap::new();
        for ((apis, account), regions) in regions_of {
            items.entry((apis, regions)).or_default().push(account);
        }
        for ((apis, regions), accounts) in items {
            let target =
                |account: &str, region: &&str| Target { account_id: account.to_owned(), region: (*region).to_owned() };
            let targets = accounts.iter().flat_map(|account| regions.iter().map(move |region| target(account, region)));
            groups.push(Unread {
                apis: apis.into_iter().collect(),
                targets: targets.collect(),
                error,
                refusal: refusal.clone(),
            });
        }
    }
    groups
}
