//! What people read in more than one place.

use crate::criteria::Breadth;
use crate::evidence::{FindingCounts, Matches};
use crate::names::Target;
use crate::report::v1::Violation;
use crate::resource::ResourceType;
use crate::severity::Severity;
use crate::text::plain;

/// The longest name shown, in characters.
pub(super) const NAME: usize = 64;

/// A number and what is counted, in the plural where it is not one.
pub(super) fn count(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A number with a comma between the thousands.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The minute of a time, RFC 3339 in UTC, as people write it.
pub(super) fn minute(time: &str) -> String {
    let start =
        time.get(..16).filter(|start| start.bytes().all(|byte| byte.is_ascii_digit() || b"-:T".contains(&byte)));
    match start.and_then(|start| start.split_once('T')) {
        Some((day, minute)) => format!("{day} {minute} UTC"),
        None => plain(time, NAME),
    }
}

/// Severities with how many there are of each, the worst first; those of which there is none are left out.
pub(super) fn severities<'a>(all: impl Iterator<Item = &'a Severity> + Clone) -> String {
    let of_each = Severity::ALL.map(|severity| (severity, all.clone().filter(|one| **one == severity).count()));
    let named = of_each.iter().filter(|(_, number)| *number > 0);
    named.map(|(severity, number)| format!("{number} {}", severity.as_str())).collect::<Vec<_>>().join(", ")
}

/// The page of the Macie console that is about this. Findings filters are on that of the findings; no
/// other page has an address that could be relied on.
pub(super) fn console(target: &Target, kind: ResourceType) -> String {
    let page = if kind == ResourceType::FindingsFilter { "#findings" } else { "" };
    format!("https://console.aws.amazon.com/macie/home?region={}{page}", target.region)
}

/// What a filter mutes, as far as its breadth tells.
pub(super) fn mutes(breadth: Option<Breadth>) -> &'static str {
    match breadth {
        Some(Breadth::Everything) => "mutes every finding",
        Some(Breadth::Class) => "mutes a class of findings",
        Some(Breadth::Account) => "mutes the findings of single accounts",
        Some(Breadth::Bucket) => "mutes the findings of single buckets",
        Some(Breadth::Object) => "mutes the findings of single objects or jobs",
        None => "what it mutes could not be read",
    }
}

/// How many findings match a filter. They match it and need not be archived by it, since filters overlap.
pub(super) fn matches(matches: Option<&Matches>) -> String {
    let Some(Matches { archived, current, top_buckets }) = matches else {
        return "how many match could not be read".to_owned();
    };
    let mut text = match archived.total {
        0 => "no archived finding matches".to_owned(),
        1 => "1 archived finding matches".to_owned(),
        many => format!("{} archived match", thousands(many)),
    };
    if archived.high > 0 {
        text.push_str(&format!(", {} of them High", thousands(archived.high)));
    }
    if let Some(first) = top_buckets.first() {
        text.push_str(&format!(", {} in bucket {}", thousands(first.archived), plain(&first.name, NAME)));
    }
    let FindingCounts { total, high, .. } = current;
    match (total, high) {
        (0, _) => {}
        (_, 0) => text.push_str(&format!("; {} not archived", thousands(*total))),
        (..) => text.push_str(&format!("; {} not archived, {} High", thousands(*total), thousands(*high))),
    }
    text
}

/// Why a filter is worse than its breadth alone would make it.
pub(super) fn raised(violation: &Violation) -> Option<&'static str> {
    let filter = violation.filter.as_deref()?;
    // Severities are in order, the worst first.
    let is_raised = violation.severity < filter.breadth?.severity();
    is_raised.then_some("HIGH, since archived findings of severity High match.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::BucketMatches;

    #[test]
    fn thousands_are_told_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_060, "1,060"), (12_345_678, "12,345,678")] {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn a_time_is_told_to_the_minute_and_anything_else_as_it_is() {
        assert_eq!(minute("2026-11-21T06:00:04Z"), "2026-11-21 06:00 UTC");
        assert_eq!(minute("yesterday\n"), "yesterday\u{fffd}");
        assert_eq!(minute("no time but long"), "no time but long");
        assert_eq!(minute("&T\0\0 what others write"), "&T\u{fffd}\u{fffd} what others write");
    }

    #[test]
    fn what_matches_is_counted_and_never_called_hidden() {
        let counts = |total, high| FindingCounts { total, high, ..FindingCounts::default() };
        let of = |archived, current, buckets: &[(&str, u64)]| {
            let bucket =
                |(name, archived): &(&str, u64)| BucketMatches { name: (*name).to_owned(), archived: *archived };
            let top_buckets = buckets.iter().map(bucket).collect();
            matches(Some(&Matches { archived, current, top_buckets }))
        };
        for (text, expected) in [
            (matches(None), "how many match could not be read"),
            (of(counts(0, 0), counts(0, 0), &[]), "no archived finding matches"),
            (of(counts(1, 0), counts(3, 0), &[]), "1 archived finding matches; 3 not archived"),
            (
                of(counts(4_100, 3), counts(3, 1), &[("payroll", 30), ("hr", 9)]),
                "4,100 archived match, 3 of them High, 30 in bucket payroll; 3 not archived, 1 High",
            ),
        ] {
            assert_eq!(text, expected);
        }
    }
}
