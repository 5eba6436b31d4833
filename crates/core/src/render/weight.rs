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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_weighs_what_it_takes_in_a_message_and_in_its_envelope() {
        for text in ["", "plain", r#"{"a":"\"}"#, "é漢", "\u{1f4a3}", "a\u{1f4a3}\"é\""] {
            let published = serde_json::to_string(text).expect("a string");
            let escaped = |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let enveloped = published.chars().map(|c| if c.is_ascii() { c.to_string() } else { escaped(c) });
            let expected =
                Weight { published: published.len() - 2, enveloped: enveloped.collect::<String>().len() - 2 };
            assert_eq!(Weight::of_text(text), expected, "{text}");
        }
    }

    #[test]
    fn an_item_weighs_its_json_and_a_comma() {
        // A quote is escaped once as JSON, and what that gives is escaped again.
        assert_eq!(Weight::of_item(&"é\""), Weight { published: 2 + 2 + 4 + 2 + 1, enveloped: 2 + 6 + 4 + 2 + 1 });
        let (one, other) = (Weight { published: 7, enveloped: 8 }, Weight { published: 2, enveloped: 40 });
        assert_eq!(one.plus(other), Weight { published: 9, enveloped: 48 });
        assert_eq!(other.third(), Weight { published: 0, enveloped: 13 });
    }

    #[test]
    fn things_are_taken_until_one_does_not_fit() {
        let weight = |published, enveloped| Weight { published, enveloped };
        let mut room = weight(10, 20);
        let items = [weight(4, 4), weight(6, 8), weight(0, 9), weight(0, 1)];
        assert_eq!((room.fill(items.into_iter()), room), (2, weight(0, 8)));
        assert_eq!(Weight::of_room(LIMIT - 3), weight(3, 3));
        assert_eq!(Weight::of_room(LIMIT + 3), weight(0, 0));
    }
}
