//! Text that came from other accounts, made safe to show.
//!
//! Names of findings filters, statuses and service messages are written by whoever can write
//! them, so a line break, an escape sequence or a right-to-left mark in one of them could make a
//! mail, a subject or a log line say what this product never said.

use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};

/// What stands in for a character that must not be shown.
const REPLACEMENT: char = '\u{fffd}';

/// Whether a character is a control character, a line or paragraph separator, or one of
/// Unicode's invisible format characters (general category Cf): those that reorder, hide or
/// break the text around them.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
            | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{fffe}'..='\u{ffff}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}')
}

/// The text on one line, at most `max` characters long, every unsafe character replaced.
///
/// ```
/// assert_eq!(macie_compliance_core::text::plain("a\nb\u{202e}c", 9), "a\u{fffd}b\u{fffd}c");
/// assert_eq!(macie_compliance_core::text::plain("abcdef", 4), "abc…");
/// ```
pub fn plain(text: &str, max: usize) -> String {
    let shown = text.chars().map(|c| if is_unsafe(c) { REPLACEMENT } else { c });
    if text.chars().count() <= max {
        return shown.collect();
    }
    shown.take(max.saturating_sub(1)).chain(['…']).collect()
}

/// The first characters of the text, at most so many.
pub fn beginning(text: &str, max: usize) -> &str {
    // A character takes a byte at least, so that the characters of nearly no text have to be counted.
    if text.len() <= max {
        return text;
    }
    text.char_indices().nth(max).map_or(text, |(end, _)| &text[..end])
}

/// The text as it is, but at most 1,024 characters of it: longer than any name, id or ARN that a
/// service gives, and short enough that no single one fills a message.
pub fn clip(text: &str) -> String {
    beginning(text, 1024).to_owned()
}

/// The text as it is, but at most 1,024 characters of it, from both ends: a service's message tells
/// what it is about at its beginning, and why at its end.
pub fn clip_middle(text: &str) -> String {
    let length = text.chars().count();
    if length <= 1024 {
        return text.to_owned();
    }
    let (start, end) = (text.chars().take(511), text.chars().skip(length - 512));
    start.chain(['…']).chain(end).collect()
}

/// The text in printable ASCII, at most `max` characters long, everything else as `?`.
pub fn ascii(text: &str, max: usize) -> String {
    let printable = |c: char| if matches!(c, ' '..='~') { c } else { '?' };
    text.chars().map(printable).take(max).collect()
}

/// Compact JSON in which every unsafe character is escaped, so that the value is kept to the
/// letter and the text can still be shown or logged.
pub fn json<T: Serialize + ?Sized>(value: &T) -> String {
    let mut out = Vec::with_capacity(1024);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Escaping);
    value.serialize(&mut serializer).expect("the report's types have string keys and no failing implementation");
    String::from_utf8(out).expect("serde_json writes UTF-8")
}

/// The same for a value that is very large: it is written twice, the first time only to learn how long it is, so that
/// no more memory is taken than it needs.
pub fn large_json<T: Serialize + ?Sized>(value: &T) -> String {
    struct Length(usize);
    impl io::Write for Length {
        fn write(&mut self, part: &[u8]) -> io::Result<usize> {
            self.0 += part.len();
            Ok(part.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut length = Length(0);
    let written = value.serialize(&mut serde_json::Serializer::with_formatter(&mut length, Escaping));
    written.expect("the report's types have string keys and no failing implementation");
    let mut out = Vec::with_capacity(length.0);
    let written = value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Escaping));
    written.expect("it was written once");
    String::from_utf8(out).expect("serde_json writes UTF-8")
}

struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        // Nearly all text is printable ASCII, and a report of thousands of violations is written twice over.
        if fragment.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_unsafe(*c)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + io::Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        CompactFormatter.write_char_escape(writer, escape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_every_character_and_shows_no_unsafe_one() {
        let name = "a\u{202e}b\n\u{1b}[31m\u{e0041}\u{85}é漢\"\\";
        let written = json(name);
        let large = large_json(name);
        assert_eq!((large.capacity(), large), (written.len(), written.clone()));
        assert!(!written.chars().any(is_unsafe), "{written}");
        assert!(written.contains("é漢"));
        assert_eq!(serde_json::from_str::<String>(&written).expect("valid JSON"), name);
    }

    #[test]
    fn a_text_is_cut_only_where_it_is_too_long() {
        assert_eq!(plain("a\nb\u{202e}", 4), "a\u{fffd}b\u{fffd}");
        assert_eq!(plain("abcde", 4), "abc…");
        assert_eq!(clip(&"é".repeat(1024)), "é".repeat(1024));
        assert_eq!(clip(&"é".repeat(1025)), "é".repeat(1024));
        assert_eq!(clip_middle(&"é".repeat(1024)), "é".repeat(1024));
        let cut = clip_middle(&format!("a{}z", "é".repeat(1023)));
        assert_eq!(cut, format!("a{}…{}z", "é".repeat(510), "é".repeat(511)));
    }

    #[test]
    fn a_subject_is_printable_ascii() {
        assert_eq!(ascii("Ma\u{e7}ie\r\nBcc: x", 12), "Ma?ie??Bcc: ");
    }
}
