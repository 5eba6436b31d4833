//! What is kept in the evidence bucket: the whole report of each run, as JSON and as a page; what the last run found
//! in each target; and the last runs in a few numbers.
//!
//! Nothing here stops a report from being published. What cannot be stored is told in the report and in the log.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use futures_util::stream::{self, StreamExt};
use macie_compliance_core::failure::Failure;
use macie_compliance_core::history::History;
use macie_compliance_core::inlet::bucket::Retention;
use macie_compliance_core::inlet::settings::Settings;
use macie_compliance_core::names::Target;
use macie_compliance_core::render;
use macie_compliance_core::report::v1::{EvidenceObjects, Report};
use macie_compliance_core::report::{Earlier, State, Stored};
use macie_compliance_core::text::json;
use time::OffsetDateTime;
use tokio::sync::SetOnce;
use tokio::time::{Instant, timeout_at};

use crate::client::Aws;
use crate::log;
use crate::store::{Condition, Document, Lock, NO_SUCH_KEY, Object, ObjectStore, PRECONDITION_FAILED, Put};

/// The key of the last runs in a few numbers.
const HISTORY: &str = "history.json";

/// The longest that one attempt at a request may take, so that one that hangs is tried again within the time that
/// is kept for publishing.
const ATTEMPT: Duration = Duration::from_secs(3);

/// Of the time that is left, the part that a document of earlier runs gets. Its requests hold places that the reads of
/// Macie wait for.
const READING: u32 = 3;

/// The codes of requests that got no answer.
const UNANSWERED: [&str; 4] = [Failure::DEADLINE_EXCEEDED, "TimeoutError", "DispatchFailure", Failure::UNKNOWN_HOST];

/// The longest that a report waits to be stored before it is published, and an answer for what is stored after that.
const STORING: Duration = Duration::from_secs(10);

/// How much longer either may wait for each target.
const PER_TARGET: Duration = Duration::from_millis(1);

/// The targets of a report that is held as JSON. One of more is written part by part.
const HELD: usize = 1_000;

/// States that are written at the same time.
const WRITING: usize = 64;

/// Attempts at adding a run to the history, where other runs do the same.
const RACES: usize = 3;

/// The evidence bucket of the settings.
#[derive(Debug)]
pub(crate) struct EvidenceBucket {
    store: ObjectStore,
    /// The same for what takes long to send.
    large: ObjectStore,
    /// Why the bucket could not be reached, once that was so. Nothing more is read from it then.
    unreachable: SetOnce<Failure>,
    name: String,
    object_lock: Option<Retention>,
}

/// What is known of the last run in a target, and what its next state is written on; `None` where the state that is
/// there has to stay.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    pub(crate) earlier: Earlier,
    pub(crate) condition: Option<Condition>,
}

/// What the states of the targets are written on.
pub(crate) type Conditions = HashMap<Target, Condition>;

impl EvidenceBucket {
    /// The bucket, if the settings name one.
    pub(crate) fn of(aws: &Aws, settings: &Settings) -> Option<EvidenceBucket> {
        let name = settings.evidence_bucket.clone()?;
        let key = settings.evidence_key.as_deref();
        let [store, large] = [ATTEMPT, STORING].map(|attempt| ObjectStore::new(&aws.within(attempt), &name, key));
        Some(EvidenceBucket { store, large, unreachable: SetOnce::new(), name, object_lock: settings.object_lock })
    }

    /// What the last run found in a target.
    pub(crate) async fn earlier(&self, target: &Target, until: Instant) -> Remembered {
        let object = match self.read(key_of(target), until).await {
            Ok(object) => object,
            Err(failure) if failure.code == NO_SUCH_KEY => {
                return Remembered { earlier: Earlier::Nothing, condition: Some(Condition::Absent) };
            }
            Err(failure) => {
                log::state_not_read(target, &failure);
                return Remembered { earlier: Earlier::Unreadable, condition: None };
            }
        };
        let condition = object.entity_tag.map(Condition::Unchanged);
        match State::parse(&object.document, target) {
            Ok(state) => Remembered { earlier: Earlier::State(Box::new(state)), condition },
            Err(unusable) => {
                log::state_not_read(target, &Failure::invalid_response(unusable.to_string()));
                Remembered { earlier: Earlier::Unreadable, condition: condition.filter(|_| unusable.is_broken()) }
            }
        }
    }

    /// The last runs in a few numbers, without those that cannot be read.
    pub(crate) async fn history(&self, until: Instant) -> (History, Option<Condition>) {
        match self.read(HISTORY.to_owned(), until).await {
            Ok(object) => {
                let condition = object.entity_tag.map(Condition::Unchanged);
                match History::parse(&object.document) {
                    Ok(history) => (history, condition),
                    Err(unusable) => {
                        log::history_not_read(&Failure::invalid_response(unusable.to_string()));
                        (History::default(), condition.filter(|_| unusable.is_broken()))
                    }
                }
            }
            Err(failure) if failure.code == NO_SUCH_KEY => (History::default(), Some(Condition::Absent)),
            Err(failure) => {
                log::history_not_read(&failure);
                (History::default(), None)
            }
        }
    }

    /// A document of earlier runs. Where the bucket does not answer, the first read that finds out ends all others, so
    /// that they take neither time nor places from the reads of Macie.
    async fn read(&self, key: String, until: Instant) -> Result<Object, Failure> {
        let now = Instant::now();
        let until = now + until.saturating_duration_since(now) / READING;
        let read = tokio::select! {
            biased;
            failure = self.unreachable.wait() => return Err(failure.clone()),
            read = timeout_at(until, self.store.get(key)) => read.unwrap_or_else(|_| Err(Failure::own(
                Failure::DEADLINE_EXCEEDED,
                "the evidence bucket did not answer in the part of the time that it has",
            ))),
        };
        if let Err(failure) = &read
            && UNANSWERED.contains(&failure.code.as_str())
        {
            // That another read has told so before is as good.
            self.unreachable.set(failure.clone()).ok();
        }
        read
    }

    /// When storing something of so many targets has to be over if it begins now; never after `end`.
    pub(crate) fn storing(targets: usize, end: Instant) -> Instant {
        let longest = STORING + PER_TARGET * u32::try_from(targets).unwrap_or(u32::MAX);
        end.min(Instant::now() + longest)
    }

    /// Stores the whole report and its page, and tells in the report where, or why not.
    pub(crate) async fn keep(&self, report: &mut Report, history: &History, now: SystemTime, end: Instant) {
        let start = Instant::now();
        let until = EvidenceBucket::storing(report.targets.len(), start + end.saturating_duration_since(start) / 3);
        let key = report_key(report);
        let html_key = format!("{key}.html");
        let key = format!("{key}.json");
        let put = |key: &str, content_type, document| Put {
            key: key.to_owned(),
            document,
            content_type,
            condition: Condition::Absent,
            lock: self.object_lock.map(|retention| lock(retention, now)),
        };
        report.evidence = Some(EvidenceObjects {
            bucket: self.name.clone(),
            key: key.clone(),
            html_key: html_key.clone(),
            error: None,
            lacks_page: false,
        });
        // One after the other, so that only one of them is held.
        let whole = if report.targets.len() > HELD {
            let stored = Arc::new(Stored::take(report));
            let parts = stored.clone();
            let whole = put(&key, "application/json", Document::parts(move |place| parts.part(place)));
            let whole = within(until, self.large.put(whole)).await;
            // A connection that was given up may still have it for a moment.
            let shared = |stored: Arc<Stored>| stored.targets().to_vec();
            report.targets = Arc::try_unwrap(stored).map_or_else(shared, Stored::into_targets);
            whole
        } else {
            let document = Document::Whole(json(report).into_bytes());
            within(until, self.store.put(put(&key, "application/json", document))).await
        };
        let page = render::page(report, history, OffsetDateTime::from(now).date());
        let page = put(&html_key, "text/html; charset=utf-8", Document::Whole(page.into_bytes()));
        let page = within(until, self.store.put(page)).await;
        let lacks_page = whole.is_ok();
        if let Some(failure) = whole.err().or(page.err()) {
            log::not_stored(if lacks_page { &html_key } else { &key }, &failure);
            if let Some(evidence) = &mut report.evidence {
                evidence.error = Some(format!("{}: {}", failure.code, failure.message));
                evidence.lacks_page = lacks_page;
            }
        }
    }

    /// Leaves what the run found for the next. A state that somebody else wrote in the meantime stays.
    pub(crate) async fn conclude(&self, states: Vec<(Target, State)>, mut on: Conditions, until: Instant) {
        let puts = states.into_iter().filter_map(|(target, state)| {
            let condition = on.remove(&target)?;
            Some(async move {
                let put = Put { condition, ..Put::json(key_of(&target), json(&state)) };
                if let Err(failure) = within(until, self.store.put(put)).await {
                    log::not_stored(&key_of(&target), &failure);
                }
            })
        });
        stream::iter(puts).buffer_unordered(WRITING).collect::<()>().await;
    }

    /// Adds the run to the last runs in a few numbers.
    pub(crate) async fn remember(&self, report: &Report, known: (History, Option<Condition>), until: Instant) {
        let (mut history, mut condition) = known;
        for race in 1..=RACES {
            // One that could not be read is not overwritten.
            let Some(on) = condition else { return };
            let put = Put { condition: on, ..Put::json(HISTORY.to_owned(), history.with(report).to_json()) };
            match within(until, self.store.put(put)).await {
                Ok(()) => return,
                Err(failure) if failure.code == PRECONDITION_FAILED && race < RACES => {
                    (history, condition) = self.history(until).await;
                }
                Err(failure) => return log::not_stored(HISTORY, &failure),
            }
        }
    }
}

fn key_of(target: &Target) -> String {
    format!("state/{}/{}.json", target.account_id, target.region)
}

/// The key of a report without its ending: `reports/YYYY/MM/DD/REPORTID.GENERATEDAT`. An id that came with an event
/// may hold anything.
fn report_key(report: &Report) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_-".contains(c) { c } else { '-' };
    let id: String = report.report_id.chars().take(128).map(plain).collect();
    let date = report.generated_at.get(..10).unwrap_or_default().replace('-', "/");
    let time: String = report.generated_at.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("reports/{date}/{id}.{time}")
}

fn lock(retention: Retention, now: SystemTime) -> Lock {
    let until = now + Duration::from_secs(u64::from(retention.days) * 24 * 60 * 60);
    let seconds = DateTime::from_secs(DateTime::from(until).secs());
    Lock { mode: retention.mode, until: seconds.fmt(Format::DateTime).unwrap_or_default() }
}

/// Works until a moment, after which it has failed.
pub(crate) async fn within<T>(until: Instant, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let late = || Failure::own(Failure::DEADLINE_EXCEEDED, "no answer came in the time that there was for it");
    timeout_at(until, work).await.unwrap_or_else(|_| Err(late()))
}
