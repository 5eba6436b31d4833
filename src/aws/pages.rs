//! Following the tokens of a list from page to page.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use crate::facts::Failure;

/// The tokens followed so far. One that comes back, from whichever earlier page, would lead round
/// in a circle, and what lies behind the circle would never be read.
///
/// Only hashes are kept, so that an endless list costs no memory to speak of.
#[derive(Debug, Default)]
pub struct Trail {
    followed: HashSet<u64>,
    hasher: RandomState,
}

impl Trail {
    /// The token to follow, or `None` at the end of the list, which an absent and an empty token
    /// both mean.
    ///
    /// # Errors
    /// `PaginationLoop` for a token that was followed before.
    pub fn follow(&mut self, next: Option<String>) -> Result<Option<String>, Failure> {
        let Some(next) = next.filter(|next| !next.is_empty()) else { return Ok(None) };
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
        let mut trail = Trail::default();
        for (index, token) in tokens.iter().enumerate() {
            match trail.follow(Some((*token).to_owned())) {
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
        assert_eq!(Trail::default().follow(None), Ok(None));
        let mut trail = Trail::default();
        let tokens = ["a", "b", "a"].map(|token| trail.follow(Some(token.to_owned())));
        assert_eq!(tokens[1], Ok(Some("b".to_owned())));
        let failure = tokens[2].as_ref().expect_err("a loop");
        assert_eq!(failure.message, "page 3 gave a token that an earlier page had given");
    }
}
