//! What things add to a message, measured without writing it.

use serde::Serialize;

use super::messages::LIMIT;
use crate::text::json;

/// What something adds to a message, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Weight {
    /// To what is published: JSON inside a JSON string, where every quote takes two bytes.
    pub(super) published: usize,
    /// To the envelope, in which SNS may write what is not ASCII as escapes of six bytes.
    pub(super) enveloped: usize,
}

impl Weight {
    pub(super) fn of_text(text: &str) -> Weight {
        let (mut published, mut enveloped) = (0, 0);
        for c in text.chars() {
            let escape = usize::from(matches!(c, '"' | '\\'));
            published += c.len_utf8() + escape;
            enveloped += if c.is_ascii() { 1 + escape } else { 6 * c.len_utf16() };
        }
        Weight { published, enveloped }
    }

    /// An item of a list, its comma included.
    pub(super) fn of_item<T: Serialize>(item: &T) -> Weight {
        let Weight { published, enveloped } = Weight::of_text(&json(item));
        Weight { published: published + 1, enveloped: enveloped + 1 }
    }

    /// The room that a message of this size leaves.
    pub(super) fn of_room(size: usize) -> Weight {
        let room = LIMIT.saturating_sub(size);
        Weight { published: room, enveloped: room }
    }

    pub(super) fn holds(&self, other: &Weight) -> bool {
        other.published <= self.published && other.enveloped <= self.enveloped
    }

    pub(super) fn take(&mut self, other: &Weight) {
        self.published = self.published.saturating_sub(other.published);
        self.enveloped = self.enveloped.saturating_sub(other.enveloped);
    }

    pub(super) fn plus(self, other: Weight) -> Weight {
        Weight { published: self.published + other.published, enveloped: self.enveloped + other.enveloped }
    }

    pub(super) fn third(self) -> Weight {
        Weight { published: self.published / 3, enveloped: self.enveloped / 3 }
    }

    /// Takes one after the other while they fit, and gives how many did.
    pub(super) fn fill(&mut self, weights: impl Iterator<Item = Weight>) -> usize {
        weights
            .take_while(|weight| {
                let fits = self.holds(weight);
                if fits {
                    self.take(weight);
                }
                fits
            })
            .count()
    }
}
