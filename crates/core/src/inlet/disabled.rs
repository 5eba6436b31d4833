//! The rules that are not to be judged, and what may have been meant by one that there is not.

use super::reader::Reader;
use crate::checks;

/// How many rules are suggested for one that there is not.
const NEAREST: usize = 3;

/// The ids of the rules that `DISABLED_RULES` names, each once.
pub(super) fn read<L: Fn(&str) -> Option<String>>(reader: &mut Reader<L>) -> Vec<&'static str> {
    const VARIABLE: &str = "DISABLED_RULES";
    let mut disabled = Vec::new();
    for item in reader.list(VARIABLE, "the id of a rule, or the beginning of one and `*`") {
        let named = checks::named(&item);
        if named.is_empty() {
            let expected = expected_rule(&item);
            reader.problem(VARIABLE, Some(item), expected);
        }
        disabled.extend(named.iter().map(|check| check.id).filter(|id| !disabled.contains(id)).collect::<Vec<_>>());
    }
    if disabled.len() == checks::all().count() {
        let value = reader.value(VARIABLE);
        reader.problem(VARIABLE, value, "possible: it switches off every rule");
    }
    disabled
}

/// What is expected of an entry that names no rule, with the ids that look like it.
fn expected_rule(entry: &str) -> String {
    let (stem, is_beginning) = entry.strip_suffix('*').map_or((entry, false), |stem| (stem, true));
    let mut near: Vec<(usize, &str)> = checks::all()
        .map(|check| {
            let compared = if is_beginning { check.id.get(..stem.len()).unwrap_or(check.id) } else { check.id };
            (distance(&stem.to_ascii_lowercase(), compared), check.id)
        })
        .filter(|(distance, _)| *distance <= stem.len() / 3)
        .collect();
    near.sort_unstable();
    let near: Vec<&str> = near.into_iter().take(NEAREST).map(|(_, id)| id).collect();
    let meant = if near.is_empty() { String::new() } else { format!(": did you mean {}?", near.join(" or ")) };
    format!(
        "the id of a rule, or the beginning of ids with a `*` at the end; docs/reference/checks.md lists them{meant}"
    )
}

/// How many characters have to be added, removed or replaced to make one text of the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_of_texts_is_the_number_of_changes() {
        for (one, other, changes) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("abc", "abc", 0),
            ("abc", "xbc", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other), changes, "{one} {other}");
        }
    }
}
