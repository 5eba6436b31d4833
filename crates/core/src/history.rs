//! The last runs in a few numbers each: the document `history.json` of the evidence bucket, from which the page draws
//! its picture.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::report::v1::{Report, Verdict};
use crate::report::{Unusable, document_of_version};
use crate::severity::Severity;
use crate::text;

/// The version of the document's form.
const VERSION: u64 = 1;

/// How many runs are kept.
pub const RUNS: usize = 30;

/// The last runs, the newest last; at most [`RUNS`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    version: u64,
    runs: Vec<PastRun>,
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PastRun {
    /// The id of its report.
    pub report_id: String,
    /// When its report was made, RFC 3339 in UTC.
    pub generated_at: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Whether everything was read.
    pub complete: bool,
    /// Its violations of each severity.
    #[serde(default)]
    pub by_severity: BTreeMap<Severity, u64>,
    /// Violations that an exemption covered.
    #[serde(default)]
    pub exempted: u64,
    /// Violations that the run before had not found; `None` where that was not known.
    #[serde(default)]
    pub new: Option<u64>,
    /// Violations of the run before that were no more; `None` where that was not known.
    #[serde(default)]
    pub resolved: Option<u64>,
}

impl PastRun {
    /// All its violations.
    pub fn violations(&self) -> u64 {
        self.by_severity.values().fold(0, |sum, number| sum.saturating_add(*number))
    }
}

impl From<&Report> for PastRun {
    fn from(report: &Report) -> PastRun {
        PastRun {
            report_id: report.report_id.clone(),
            generated_at: report.generated_at.clone(),
            verdict: report.verdict,
            complete: report.complete,
            by_severity: report.summary.by_severity.clone(),
            exempted: report.summary.exempted,
            new: report.changes.as_ref().map(|changes| changes.new),
            resolved: report.changes.as_ref().map(|changes| changes.resolved_total),
        }
    }
}

impl Default for History {
    /// No run yet.
    fn default() -> History {
        History { version: VERSION, runs: Vec::new() }
    }
}

impl History {
    /// Reads the document. Fields that this version does not know are left out.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn parse(document: &[u8]) -> Result<History, Unusable> {
        document_of_version::<History>(document, VERSION).map(History::in_order)
    }

    /// The history with this run in it. What it had of the same report id is replaced, since a retry is the same run.
    pub fn with(mut self, report: &Report) -> History {
        self.runs.retain(|run| run.report_id != report.report_id);
        self.runs.push(report.into());
        self.in_order()
    }

    /// The runs, the newest last.
    pub fn runs(&self) -> &[PastRun] {
        &self.runs
    }

    /// The document.
    pub fn to_json(&self) -> String {
        text::json(self)
    }

    /// Runs that overlap can end in another order than their reports were made.
    fn in_order(mut self) -> History {
        self.runs.sort_by(|a, b| a.generated_at.cmp(&b.generated_at));
        let too_many = self.runs.len().saturating_sub(RUNS);
        self.runs.drain(..too_many);
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// A run of this number, as the document has it.
    fn run(number: usize) -> Value {
        serde_json::json!({
            "reportId": format!("run-{number}"), "generatedAt": format!("2026-11-01T{:02}:{:02}:00Z", number / 60, number % 60),
            "verdict": "NON_COMPLIANT", "complete": true, "bySeverity": {"HIGH": 2, "LOW": number}, "exempted": 1,
            "new": 1, "resolved": null, "later": "a field of a later version",
        })
    }

    fn document(runs: impl Iterator<Item = usize>) -> Vec<u8> {
        serde_json::json!({"version": 1, "runs": runs.map(run).collect::<Vec<_>>()}).to_string().into_bytes()
    }

    fn ids(history: &History) -> Vec<&str> {
        history.runs().iter().map(|run| run.report_id.as_str()).collect()
    }

    #[test]
    fn what_was_written_is_read_again() {
        let history = History::parse(&document(0..3)).expect("a history");
        assert_eq!(ids(&history), ["run-0", "run-1", "run-2"]);
        assert_eq!(
            (history.runs()[1].violations(), history.runs()[1].new, history.runs()[1].resolved),
            (3, Some(1), None)
        );
        assert_eq!(History::parse(history.to_json().as_bytes()), Ok(history));
        assert_eq!(History::parse(History::default().to_json().as_bytes()), Ok(History::default()));
    }

    #[test]
    fn the_newest_are_kept_whatever_their_order() {
        let history = History::parse(&document((0..40).rev())).expect("a history");
        assert_eq!(history.runs().len(), RUNS);
        assert_eq!((ids(&history)[0], ids(&history)[RUNS - 1]), ("run-10", "run-39"));
    }

    #[test]
    fn what_cannot_be_read_says_why_and_whether_it_may_be_replaced() {
        for (document, problem, is_broken) in [
            ("", "EOF", true),
            ("[]", "invalid length", true),
            (r#"{"runs": []}"#, "missing field `version`", true),
            (r#"{"version": 0, "runs": []}"#, "version 0", true),
            (r#"{"version": 2, "runs": []}"#, "version 2 is from a later build", false),
            (r#"{"version": 2, "something": "else"}"#, "version 2 is from a later build", false),
            (r#"{"version": 1}"#, "missing field `runs`", true),
            (r#"{"version": 1, "runs": [{"reportId": "x"}]}"#, "missing field", true),
        ] {
            let unusable = History::parse(document.as_bytes()).expect_err(document);
            assert!(unusable.to_string().contains(problem), "{document}: {unusable}");
            assert_eq!(unusable.is_broken(), is_broken, "{document}");
        }
    }

    #[test]
    fn numbers_without_end_have_a_sum() {
        let mut run = run(0);
        run["bySeverity"]["HIGH"] = u64::MAX.into();
        run["bySeverity"]["LOW"] = 1.into();
        assert_eq!(serde_json::from_value::<PastRun>(run).expect("a run").violations(), u64::MAX);
    }
}
