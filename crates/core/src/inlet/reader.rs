//! Variables, read one by one, and what is wrong with them.

use std::fmt;
use std::ops::RangeInclusive;

use crate::text::plain;

/// One setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The environment variable.
    pub variable: &'static str,
    /// Its value, or the item of it that is wrong; `None` when it is not set.
    pub value: Option<String>,
    /// What is expected of it.
    pub expected: String,
}

/// Every setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSettings(pub Vec<Problem>);

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("settings: ")?;
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            match &problem.value {
                Some(value) => write!(f, "{}={:?} is not {}", problem.variable, plain(value, 256), problem.expected)?,
                None => write!(f, "{} is not set: expected {}", problem.variable, problem.expected)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for InvalidSettings {}

/// Reads variables and collects what is wrong with them.
pub(super) struct Reader<L> {
    pub(super) lookup: L,
    pub(super) problems: Vec<Problem>,
}

impl<L: Fn(&str) -> Option<String>> Reader<L> {
    /// A value without the blanks around it; a variable that is empty or blank counts as unset.
    pub(super) fn value(&self, variable: &str) -> Option<String> {
        (self.lookup)(variable).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// Notes what is wrong with a variable.
    pub(super) fn problem(&mut self, variable: &'static str, value: Option<String>, expected: impl Into<String>) {
        self.problems.push(Problem { variable, value, expected: expected.into() });
    }

    /// The items of a list separated by commas, each once, in order. A list of nothing is a mistake.
    pub(super) fn list(&mut self, variable: &'static str, expected: &str) -> Vec<String> {
        let mut items: Vec<String> = Vec::new();
        for item in self.value(variable).iter().flat_map(|value| value.split(',')).map(str::trim) {
            if !item.is_empty() && !items.iter().any(|known| known == item) {
                items.push(item.to_owned());
            }
        }
        if let Some(value) = self.value(variable).filter(|_| items.is_empty()) {
            self.problem(variable, Some(value), expected);
        }
        items
    }

    /// A value of a form of its own.
    pub(super) fn parsed<T>(
        &mut self,
        variable: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = self.value(variable)?;
        let parsed = parse(&value);
        if parsed.is_none() {
            self.problem(variable, Some(value), expected);
        }
        parsed
    }

    /// Whether something is on.
    pub(super) fn flag(&mut self, variable: &'static str, default: bool) -> bool {
        match self.value(variable).as_deref() {
            None => default,
            Some("false") => false,
            Some("true") => true,
            Some(other) => {
                self.problem(variable, Some(other.to_owned()), "`true` or `false`");
                default
            }
        }
    }

    /// A number, or the default where there is none.
    pub(super) fn number(&mut self, variable: &'static str, default: u64, allowed: RangeInclusive<u64>) -> u64 {
        let Some(value) = self.value(variable) else { return default };
        match value.parse() {
            Ok(number) if allowed.contains(&number) => number,
            _ => {
                let expected = format!("a whole number from {} to {}", allowed.start(), allowed.end());
                self.problem(variable, Some(value), expected);
                default
            }
        }
    }
}
