//! Pages and the tokens that lead from one to the next.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Mutex;

use crate::record::held;
use crate::seed::{FaultKind, Paging};
use crate::wire::ServiceError;

/// What a token is bound to: one API of one target, asked with the same parameters on every page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Walk {
    pub(crate) api: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) parameters: String,
}

/// Where a token leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Cursor {
    offset: usize,
    page: u64,
}

impl Cursor {
    const START: Cursor = Cursor { offset: 0, page: 0 };
}

/// One page: which items it holds, and the token of the next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) items: Range<usize>,
    pub(crate) next: Option<String>,
}

/// Cuts lists into pages and remembers each token it gave out.
///
/// Tokens follow from where they lead to, so that walking again and again needs no more memory.
#[derive(Debug)]
pub(crate) struct Pager {
    paging: Paging,
    issued: Mutex<HashMap<String, (Walk, Cursor)>>,
}

impl Pager {
    pub(crate) fn new(paging: Paging) -> Pager {
        Pager { paging, issued: Mutex::default() }
    }

    /// The page of a list of `len` items that a token leads to, none leading to the first.
    pub(crate) fn page(
        &self,
        walk: &Walk,
        token: Option<&str>,
        asked: usize,
        len: usize,
        fault: Option<&FaultKind>,
    ) -> Result<Page, ServiceError> {
        let cursor = match token {
            None => Cursor::START,
            Some(token) => self.lookup(walk, token)?,
        };
        let size = asked.min(self.paging.max_page);
        let every = self.paging.empty_page_every;
        let empty = match fault {
            Some(FaultKind::EndlessEmpty) => true,
            _ => every > 0 && (cursor.page + 1) % (every + 1) == 0,
        };
        let start = cursor.offset.min(len);
        let end = if empty { start } else { (start + size).min(len) };
        let following = Cursor { offset: end, page: cursor.page + 1 };
        let next = match fault {
            Some(FaultKind::RepeatToken) => Some(match token {
                Some(token) => token.to_owned(),
                None => self.issue(walk, following),
            }),
            Some(FaultKind::CycleTokens) => Some(self.issue(walk, cycle(cursor, size))),
            Some(FaultKind::EndlessEmpty) => Some(self.issue(walk, following)),
            _ => (end < len).then(|| self.issue(walk, following)),
        };
        let items = start..end;
        Ok(Page { items, next })
    }

    fn lookup(&self, walk: &Walk, token: &str) -> Result<Cursor, ServiceError> {
        match held(&self.issued).get(token) {
            Some((owner, cursor)) if owner == walk => Ok(*cursor),
            Some(_) => Err(ServiceError::validation("The nextToken was given out for another request")),
            None => Err(ServiceError::validation("The nextToken is not valid")),
        }
    }

    fn issue(&self, walk: &Walk, cursor: Cursor) -> String {
        let token = spell((walk, cursor), self.paging.token_length.max(12));
        held(&self.issued).entry(token.clone()).or_insert_with(|| (walk.clone(), cursor));
        token
    }
}

/// A and B, which lead to each other. Their page numbers are ones that no real walk comes to.
fn cycle(cursor: Cursor, size: usize) -> Cursor {
    let a = Cursor { offset: size, page: u64::MAX - 2 };
    let b = Cursor { offset: size * 2, page: u64::MAX - 1 };
    if cursor == a { b } else { a }
}

/// Writes a hash as text of a given length, with characters that do not survive a URL unencoded.
fn spell(what: impl Hash, length: usize) -> String {
    const PLAIN: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const AWKWARD: &[u8] = b"+/=&?%";
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    let mut state = hasher.finish();
    let mut token = String::with_capacity(length);
    for place in 0..length {
        // Each awkward character comes in turn, and the first eleven plain ones tell tokens apart.
        let (alphabet, index) = if place % 4 == 1 {
            (AWKWARD, place / 4 % AWKWARD.len())
        } else {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (PLAIN, (state >> 33) as usize % PLAIN.len())
        };
        token.push(char::from(alphabet[index]));
    }
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(parameters: &str) -> Walk {
        Walk {
            api: "ListMembers".to_owned(),
            account: "999999999999".to_owned(),
            region: "us-east-1".to_owned(),
            parameters: parameters.to_owned(),
        }
    }

    fn pager(empty_page_every: u64) -> Pager {
        Pager::new(Paging { token_length: 400, empty_page_every, max_page: 10 })
    }

    #[test]
    fn a_walk_meets_every_item_once_whatever_the_pages() {
        for every in 0..4 {
            for len in [0, 1, 9, 10, 11, 20, 95] {
                let pager = pager(every);
                let (mut token, mut items, mut tokens) = (None, Vec::new(), Vec::new());
                loop {
                    let page = pager.page(&walk(""), token.as_deref(), 25, len, None).expect("a page");
                    items.extend(page.items);
                    let Some(next) = page.next else { break };
                    assert_eq!(next.len(), 400);
                    assert!("+/=&?%".chars().all(|awkward| next.contains(awkward)));
                    assert!(!tokens.contains(&next), "a token came twice");
                    tokens.push(next.clone());
                    token = Some(next);
                }
                assert_eq!(items, (0..len).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_token_is_good_for_its_own_walk_only() {
        let pager = pager(0);
        let first = pager.page(&walk("a"), None, 5, 20, None).expect("a page");
        let token = first.next.expect("a token");
        assert!(pager.page(&walk("a"), Some(&token), 5, 20, None).is_ok());
        for (walk, token) in [(walk("b"), token.as_str()), (walk("a"), &token[1..]), (walk("a"), "")] {
            let refused = pager.page(&walk, Some(token), 5, 20, None);
            assert_eq!(refused.expect_err("refused").code, "ValidationException");
        }
    }

    #[test]
    fn tokens_repeat_cycle_or_never_end() {
        let follow = |fault: FaultKind| {
            let pager = pager(0);
            let mut tokens = vec![None];
            for _ in 0..4 {
                let token = tokens.last().cloned().flatten();
                let page = pager.page(&walk(""), token.as_deref(), 10, 3, Some(&fault));
                tokens.push(page.expect("a page").next);
            }
            tokens
        };
        let repeated = follow(FaultKind::RepeatToken);
        assert_eq!(repeated[1], repeated[2]);
        let cycled = follow(FaultKind::CycleTokens);
        assert_ne!(cycled[1], cycled[2]);
        assert_eq!(cycled[1], cycled[3]);
        assert_eq!(cycled[2], cycled[4]);
        let mut endless = follow(FaultKind::EndlessEmpty);
        assert!(endless[1..].iter().all(Option::is_some));
        endless.sort();
        endless.dedup();
        assert_eq!(endless.len(), 5);
    }
}
