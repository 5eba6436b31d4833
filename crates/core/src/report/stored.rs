//! A report of very many targets as JSON, part by part: all of it at once would take tens of megabytes.

use super::v1::{Report, TargetResult};
use crate::text::{json, large_json};

/// Targets in a part.
const TARGETS: usize = 500;

/// The JSON of a report, which is written when it is asked for. It holds the report's targets.
#[derive(Debug)]
pub struct Stored {
    before: String,
    targets: Vec<TargetResult>,
    after: String,
}

impl Stored {
    /// Takes the targets out of a report.
    pub fn take(report: &mut Report) -> Stored {
        let targets = std::mem::take(&mut report.targets);
        let frame = large_json(report);
        // Quotes are escaped in every text, so this is the list and nothing else.
        let (before, after) = frame.split_once(EMPTY).unwrap_or_default();
        Stored { before: format!("{before}{}", &EMPTY[..EMPTY.len() - 1]), targets, after: format!("]{after}") }
    }

    /// The targets, which belong to the report.
    pub fn into_targets(self) -> Vec<TargetResult> {
        self.targets
    }

    /// The targets, for whoever cannot have them alone.
    pub fn targets(&self) -> &[TargetResult] {
        &self.targets
    }

    /// The part at this place, from 0; `None` after the last.
    pub fn part(&self, place: usize) -> Option<String> {
        let Some(chunk) = place.checked_sub(1) else { return Some(self.before.clone()) };
        let begin = chunk * TARGETS;
        if begin < self.targets.len() {
            let end = self.targets.len().min(begin + TARGETS);
            let list = json(&self.targets[begin..end]);
            let comma = if begin == 0 { "" } else { "," };
            return Some(format!("{comma}{}", &list[1..list.len() - 1]));
        }
        (chunk == self.targets.len().div_ceil(TARGETS)).then(|| self.after.clone())
    }
}

const EMPTY: &str = r#""targets":[]"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Evidence, Read};
    use crate::testing::{clean, filter, report, target};

    #[test]
    fn the_parts_are_the_report() {
        for targets in [0, 1, TARGETS, TARGETS + 1, 2 * TARGETS + 7] {
            let evidence = |account| Evidence {
                reads: Vec::<Read>::new(),
                filters: vec![filter("a", Some(r#""targets":[]"#), "ARCHIVE")],
                ..clean(target(account as u64, "eu-west-1"))
            };
            let evidence: Vec<Evidence> = (0..targets).map(evidence).collect();
            let mut report = report(&evidence);
            let whole = json(&report);
            let stored = Stored::take(&mut report);
            assert_eq!(stored.targets().len(), targets);
            let parts: String = (0..).map_while(|place| stored.part(place)).collect();
            assert_eq!(parts, whole, "{targets}");
            assert_eq!(stored.part(targets.div_ceil(TARGETS) + 2), None);
            report.targets = stored.into_targets();
            assert_eq!(json(&report), whole);
        }
    }
}
