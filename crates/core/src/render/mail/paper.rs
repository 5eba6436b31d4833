//! What a mail is written on: plain text in lines of 72 columns.

use textwrap::{Options, WordSplitter};

use crate::text::plain;

/// The width of every line but that of an address.
const COLUMNS: usize = 72;

/// How much is written before lists end early, in bytes: with the longest names in every list a mail would leave no
/// room for the report in its message.
const ROOM: usize = 64 * 1024;

/// A text that is written line by line.
#[derive(Default)]
pub(super) struct Mail(String);

impl Mail {
    pub(super) fn into_text(self) -> String {
        self.0
    }

    /// Whether lists are to end. What is written after them is short.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() > ROOM
    }

    pub(super) fn blank(&mut self) {
        self.0.push('\n');
    }

    pub(super) fn heading(&mut self, text: &str) {
        self.blank();
        self.wrapped("", text);
    }

    /// A paragraph, every line of it indented.
    pub(super) fn wrapped(&mut self, indent: &str, text: &str) {
        self.fill(Options::new(COLUMNS).initial_indent(indent).subsequent_indent(indent), text);
    }

    /// An item of a list: a mark, and the lines after the first below the text.
    pub(super) fn item(&mut self, mark: &str, text: &str) {
        let below = " ".repeat(mark.len());
        self.fill(Options::new(COLUMNS).initial_indent(mark).subsequent_indent(&below), text);
    }

    /// An address in a line of its own, however long it is: in two lines it would lead nowhere.
    pub(super) fn address(&mut self, address: &str) {
        self.0.push_str(&plain(address, usize::MAX));
        self.0.push('\n');
    }

    fn fill(&mut self, options: Options<'_>, text: &str) {
        // Every text of a mail but its addresses goes through here, so nothing unsafe can be missed.
        let text = plain(text, usize::MAX);
        self.0.push_str(&textwrap::fill(&text, options.word_splitter(WordSplitter::NoHyphenation)));
        self.0.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_full_beyond_its_room() {
        let with = |length| Mail("x".repeat(length)).is_full();
        assert!(!with(ROOM) && with(ROOM + 1));
    }
}
