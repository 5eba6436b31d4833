//! Reading one target: a request with one answer, or a list page by page, until the cut.
//!
//! The generated paginators are not used: on a token that repeats they end as if everything was read,
//! and on tokens that take turns they never end.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use aws_sdk_macie2::Client;
use aws_sdk_macie2::primitives::{DateTime, DateTimeFormat};
use aws_sdk_macie2::types::RelationshipStatus;
use futures_util::stream::{self, StreamExt};
use macie_compliance_core::api::Api;
use macie_compliance_core::checks::{Checks, Scope};
use macie_compliance_core::evidence::Read;
use macie_compliance_core::failure::Failure;
use macie_compliance_core::refusal::Refusal;
use macie_compliance_core::text::{beginning, clip};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

use super::Keep;
use super::roster::RosterSource;
use crate::client::OrFailure;

/// Items on a page: the most that Macie gives.
pub(super) const PAGE: i32 = 25;

/// The most items of one list that are asked about at the same time.
const AT_ONCE: usize = 32;

/// What every source of a target reads with.
pub(super) struct Walker<'a> {
    pub(super) client: Client,
    pub(super) checks: &'a Checks,
    pub(super) scope: Scope<'a>,
    pub(super) keep: Keep,
    pub(super) cut: Instant,
    /// How long one read waits for another, which may hang.
    pub(super) patience: Duration,
    /// The accounts of the organization, where a check needs them.
    pub(super) roster: Option<&'a RosterSource>,
}

/// How far the reading of one API has got. It lives outside the future that fills it, so that what
/// was read is there when the future is cut.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) read: Read,
    /// The answer that Macie is not enabled, if it was that.
    pub(super) not_enabled: Option<Failure>,
    /// The answer that the operation is for an administrator account, if it was that.
    pub(super) for_others: Option<Failure>,
}

impl Walk {
    pub(super) fn new(api: Api) -> Walk {
        Walk { read: Read::new(api), not_enabled: None, for_others: None }
    }

    /// Ends the read with this failure. That Macie is not enabled is an answer and not a failure,
    /// unless pages came before it: then the rest of them is unread. The first failure stands.
    pub(super) fn fail(&mut self, failure: Failure) {
        let first_answer = self.read.pages == 0 && !self.read.api.is_second_look();
        if first_answer && failure.refusal() == Some(Refusal::MacieNotEnabled) {
            self.not_enabled.get_or_insert(failure);
        } else {
            self.read.failure.get_or_insert(failure);
        }
    }

    /// Takes it as an answer that the operation is for an administrator account: there is nothing of the kind here.
    pub(super) fn take_that_it_is_for_others(&mut self) {
        if self.read.pages == 0
            && self.read.failure.as_ref().and_then(Failure::refusal) == Some(Refusal::NotAdministrator)
        {
            self.for_others = self.read.failure.take();
            self.answered_with_nothing();
        }
    }

    /// Takes the failure as an answer that says that there is nothing.
    pub(super) fn answered_with_nothing(&mut self) {
        self.read = Read { pages: 1, ..Read::new(self.read.api) };
    }

    pub(super) fn invalid(&mut self, message: &str) {
        self.fail(Failure::invalid_response(message));
    }
}

/// One page of a list: its items, `None` where the answer has no list, and the next token.
pub(super) struct Page<T> {
    pub(super) items: Option<Vec<T>>,
    pub(super) next: Option<String>,
}

/// Reads every page of a list until the cut and hands each item to `take`, which gives the item's id.
pub(super) async fn list<T>(
    cut: Instant,
    api: Api,
    ask: impl AsyncFn(Option<String>) -> Result<Page<T>, Failure>,
    mut take: impl FnMut(T) -> String,
) -> Walk {
    let mut walk = Walk::new(api);
    until(cut, &mut walk, async |walk| {
        let (mut seen, mut token) = (SeenTokens::default(), None);
        loop {
            let page = match ask(token).await {
                Ok(page) => page,
                Err(failure) => return walk.fail(failure),
            };
            walk.read.pages += 1;
            let Some(items) = page.items else { return walk.invalid("a page has no list of items") };
            walk.read.items += items.len() as u64;
            for item in items {
                if take(item).is_empty() {
                    walk.invalid("an item has no id");
                }
            }
            token = match seen.follow(page.next) {
                Ok(Some(next)) => Some(next),
                Ok(None) => return,
                Err(failure) => return walk.fail(failure),
            };
        }
    })
    .await;
    walk
}

/// Works until a moment, which fails the walk.
pub(super) async fn until(end: Instant, walk: &mut Walk, work: impl AsyncFnOnce(&mut Walk)) {
    if timeout_at(end, work(walk)).await.is_err() {
        walk.fail(Failure::deadline_exceeded());
    }
}

impl Walker<'_> {
    /// Reads every page of a list and hands each item to `take`, which gives the item's id.
    pub(super) async fn list<T>(
        &self,
        api: Api,
        ask: impl AsyncFn(Option<String>) -> Result<Page<T>, Failure>,
        take: impl FnMut(T) -> String,
    ) -> Walk {
        list(self.cut, api, ask, take).await
    }

    /// Asks about each item of a list by itself, some of them at the same time, and gives the answers as they come.
    /// Without items nothing is asked.
    pub(super) async fn each<T, O>(
        &self,
        api: Api,
        items: Vec<T>,
        ask: impl AsyncFn(T) -> Result<O, Failure>,
    ) -> (Option<Walk>, Vec<O>) {
        if items.is_empty() {
            return (None, Vec::new());
        }
        let (mut walk, mut answers) = (Walk::new(api), Vec::new());
        self.until_cut(&mut walk, async |walk| {
            let (number, calls) = (items.len(), items.into_iter().map(|item| ask(item)));
            let take = |read: &mut Read, answer| {
                read.pages += 1;
                read.items += 1;
                answers.push(answer);
            };
            self.gather(walk, number, calls, take).await;
        })
        .await;
        (Some(walk), answers)
    }

    /// Makes these calls, one for each of so many items, and hands the answers to `take` as they come.
    ///
    /// Half of a few go at the same time, so that they take little memory. One that has waited some time for those
    /// before it goes as well, so that those that hang, if they are not very many, delay the others by no more.
    pub(super) async fn gather<T>(
        &self,
        walk: &mut Walk,
        items: usize,
        calls: impl Iterator<Item = impl Future<Output = Result<T, Failure>>>,
        mut take: impl FnMut(&mut Read, T),
    ) {
        let places = &Semaphore::new(items.div_ceil(2).clamp(2, AT_ONCE));
        let calls = calls.map(|call| {
            // Boxed, since the stream has room for one more than it was given.
            Box::pin(async move {
                let _place = timeout(self.patience, places.acquire()).await;
                call.await
            })
        });
        let mut answers = stream::iter(calls).buffer_unordered(AT_ONCE);
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(answer) => take(&mut walk.read, answer),
                Err(failure) => walk.fail(failure),
            }
        }
    }

    /// Sends a request that has one answer.
    pub(super) fn ask<O, R: OrFailure<O>>(
        &self,
        api: Api,
        call: impl Future<Output = R>,
    ) -> impl Future<Output = (Walk, Option<O>)> {
        // Boxed outside of the future, each layer of which would have room for a call of its own.
        let call = Box::pin(call);
        async move {
            let (mut walk, mut answer) = (Walk::new(api), None);
            self.until_cut(&mut walk, async |walk| match call.await.or_failure() {
                Ok(output) => {
                    walk.read.pages = 1;
                    walk.read.items = 1;
                    answer = Some(output);
                }
                Err(failure) => walk.fail(failure),
            })
            .await;
            (walk, answer)
        }
    }

    /// Works until the cut, which fails the walk.
    pub(super) async fn until_cut(&self, walk: &mut Walk, work: impl AsyncFnOnce(&mut Walk)) {
        until(self.cut, walk, work).await;
    }
}

/// The id of something, empty where the service gave none.
pub(super) fn id(text: Option<&str>) -> String {
    text.map(clip).unwrap_or_default()
}

/// The status of a relationship.
pub(super) fn status(status: Option<&RelationshipStatus>) -> Option<String> {
    status.map(|status| word(status.as_str()))
}

/// A status or action: an identifier, so a long one is noise.
pub(super) fn word(text: &str) -> String {
    beginning(text, 64).to_owned()
}

/// A time of the service, RFC 3339 in UTC.
pub(super) fn time(time: Option<&DateTime>) -> Option<String> {
    time.and_then(|time| time.fmt(DateTimeFormat::DateTime).ok())
}

/// The longest token that is followed, in bytes. It becomes a part of an address, in which each byte may
/// take three, and of more than 65,534 the SDK makes no request but a panic.
const LONGEST: usize = 20_000;

/// The tokens followed so far. One that comes back, from whichever earlier page, would lead round
/// in a circle, and what lies behind the circle would never be read.
///
/// Only hashes are kept, so that an endless list costs no memory to speak of.
#[derive(Debug, Default)]
pub(crate) struct SeenTokens {
    followed: HashSet<u64>,
    hasher: RandomState,
}

impl SeenTokens {
    /// The token to follow, or `None` at the end of the list, which an absent and an empty token
    /// both mean.
    ///
    /// # Errors
    /// `PaginationLoop` for a token that was followed before.
    pub(crate) fn follow(&mut self, next: Option<String>) -> Result<Option<String>, Failure> {
        let Some(next) = next.filter(|next| !next.is_empty()) else { return Ok(None) };
        if next.len() > LONGEST {
            return Err(Failure::invalid_response("a token is longer than the address of a request can be"));
        }
        if self.followed.insert(self.hasher.hash_one(&next)) {
            return Ok(Some(next));
        }
        let pages = self.followed.len() + 1;
        Err(Failure::own(Failure::PAGINATION_LOOP, format!("page {pages} gave a token that an earlier page had given")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(tokens: &[&str]) -> Result<usize, String> {
        let mut seen = SeenTokens::default();
        for (index, token) in tokens.iter().enumerate() {
            match seen.follow(Some((*token).to_owned())) {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(index + 1),
                Err(failure) => return Err(failure.code),
            }
        }
        panic!("the walk does not end")
    }

    #[test]
    fn an_empty_token_ends_a_list_and_a_token_followed_before_is_a_loop() {
        assert_eq!(walk(&["a", "b", ""]), Ok(3));
        assert_eq!(walk(&["a", "a"]), Err("PaginationLoop".to_owned()));
        assert_eq!(walk(&["a", "b", "a"]), Err("PaginationLoop".to_owned()));
        assert_eq!(walk(&["a", "b", "c", "b"]), Err("PaginationLoop".to_owned()));
        assert_eq!(SeenTokens::default().follow(None), Ok(None));
        let mut seen = SeenTokens::default();
        let tokens = ["a", "b", "a"].map(|token| seen.follow(Some(token.to_owned())));
        assert_eq!(tokens[1], Ok(Some("b".to_owned())));
        assert!(SeenTokens::default().follow(Some("é".repeat(10_000))).is_ok());
        let failure = SeenTokens::default().follow(Some("é".repeat(10_001))).expect_err("it is too long");
        assert_eq!(failure.code, Failure::INVALID_RESPONSE);
        let failure = tokens[2].as_ref().expect_err("a loop");
        assert_eq!(failure.message, "page 3 gave a token that an earlier page had given");
    }
}
