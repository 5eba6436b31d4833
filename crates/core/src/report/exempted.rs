//! What exemptions cover of what was found, and which of them are of no use.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use time::{Date, Duration};

use super::v1;
use crate::exemptions::{Document, Entry, Names, RULE_WITH_DIGEST, Standing};
use crate::names::Target;
use crate::text;

/// What there is to exempt by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExemptionsSource {
    /// No document is named.
    None,
    /// A document is named, and nothing of it can be used.
    Unreadable {
        /// Its address.
        source: String,
        /// Why it cannot be used.
        error: String,
    },
    /// A document that was read.
    Read {
        /// Its address.
        source: String,
        /// What it says.
        document: Document,
    },
}

/// Tells which violations of a run are exempted, and keeps the account of each entry.
///
/// It holds no more than the document does, however many targets and violations it is told of.
#[derive(Debug)]
pub struct Ledger(Kind);

#[derive(Debug)]
enum Kind {
    None,
    Unreadable { source: String, error: String },
    Read { source: String, book: Box<Book> },
}

impl Ledger {
    /// A ledger of a run of which nothing was told yet.
    pub fn new(source: ExemptionsSource) -> Ledger {
        Ledger(match source {
            ExemptionsSource::None => Kind::None,
            ExemptionsSource::Unreadable { source, error } => Kind::Unreadable { source, error },
            ExemptionsSource::Read { source, document } => Kind::Read { source, book: Box::new(Book::new(document)) },
        })
    }

    /// Whether a document is named that cannot be used.
    pub fn is_unreadable(&self) -> bool {
        matches!(self.0, Kind::Unreadable { .. })
    }

    /// What exempts this violation: the first entry in the document's order that covers it. Told once of each
    /// violation.
    pub fn cover(&mut self, violation: &v1::Violation) -> Option<v1::Exemption> {
        match &mut self.0 {
            Kind::Read { book, .. } => book.cover(violation),
            Kind::None | Kind::Unreadable { .. } => None,
        }
    }

    /// Takes note that this target was audited. Told once of each target, after its violations, with whether a rule is
    /// in force and all was read there that it needs.
    pub fn saw(&mut self, target: &Target, was_read_whole: &dyn Fn(&'static str) -> bool) {
        if let Kind::Read { book, .. } = &mut self.0 {
            book.saw(target, was_read_whole);
        }
    }

    /// The account of the document; `None` where none is named. A run `is_partial` if it was over other Regions than
    /// the settings name.
    pub fn finish(self, is_partial: bool) -> Option<v1::Exemptions> {
        match self.0 {
            Kind::None => None,
            Kind::Unreadable { source, error } => {
                Some(v1::Exemptions { source, error: Some(text::clip_middle(&error)), ..v1::Exemptions::default() })
            }
            Kind::Read { source, book } => Some(book.finish(source, is_partial)),
        }
    }
}

/// A document, and what became of its entries.
#[derive(Debug)]
struct Book {
    document: Document,
    marks: Vec<Mark>,
    by_resource: Index,
    by_account: Index,
    applied: u64,
}

/// What became of an entry.
#[derive(Clone, Debug, Default)]
struct Mark {
    /// It fits a violation, whether it was the first to or not.
    fits: bool,
    /// It names a filter that is another by now.
    is_changed: bool,
    /// A target that it names was not read whole.
    was_missed: bool,
    /// Targets that it names and that were told of.
    targets: usize,
    /// Which of the accounts that it lists they are in, where it is for all Regions, or the other way round.
    names: HashSet<String>,
}

impl Book {
    fn new(document: Document) -> Book {
        let in_force = || document.entries.iter().enumerate().filter(|(_, entry)| entry.is_in_force());
        Book {
            marks: vec![Mark::default(); document.entries.len()],
            by_resource: Index::of(in_force().map(|(place, entry)| (place, &entry.resources))),
            by_account: Index::of(in_force().map(|(place, entry)| (place, &entry.accounts))),
            applied: 0,
            document,
        }
    }

    fn cover(&mut self, violation: &v1::Violation) -> Option<v1::Exemption> {
        let v1::Violation { rule, target, resource, .. } = violation;
        let digest = violation.filter.as_ref().and_then(|filter| filter.digest.as_deref());
        let mut first = None;
        for place in self.by_resource.fitting(&resource.id) {
            let entry = &self.document.entries[place];
            if entry.rule != *rule || !names(entry, target) {
                continue;
            }
            let holds = match (&entry.digests, digest) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(digests), Some(digest)) => digests.contains(digest),
            };
            let mark = &mut self.marks[place];
            if holds {
                mark.fits = true;
                first = Some(first.map_or(place, |first: usize| first.min(place)));
            } else if digest.is_some() && entry.resources != Names::Any {
                mark.is_changed = true;
            }
        }
        self.applied += u64::from(first.is_some());
        first.map(|place| exemption(&self.document.entries[place]))
    }

    fn saw(&mut self, target: &Target, was_read_whole: &dyn Fn(&'static str) -> bool) {
        for place in self.by_account.fitting(&target.account_id) {
            let entry = &self.document.entries[place];
            if !names(entry, target) {
                continue;
            }
            let mark = &mut self.marks[place];
            mark.targets += 1;
            mark.was_missed |= !was_read_whole(entry.rule);
            match (&entry.accounts, &entry.regions) {
                (Names::These(_), Names::Any) => mark.names.insert(target.account_id.clone()),
                (Names::Any, Names::These(_)) => mark.names.insert(target.region.clone()),
                _ => false,
            };
        }
    }

    fn finish(self, source: String, is_partial: bool) -> v1::Exemptions {
        let ids = |is_one: &dyn Fn(&Entry, &Mark) -> bool| {
            let entries = self.document.entries.iter().zip(&self.marks);
            entries.filter(|(entry, mark)| is_one(entry, mark)).map(|(entry, _)| text::clip(&entry.id)).collect()
        };
        let malformed = self.document.malformed.iter().map(|malformed| v1::MalformedEntry {
            entry: text::clip(&malformed.entry),
            problem: malformed.problem.clone(),
        });
        v1::Exemptions {
            source,
            applied: self.applied,
            expired: ids(&|entry, _| entry.standing == Standing::Expired),
            expiring_soon: ids(&|entry, _| entry.standing == Standing::ExpiringSoon),
            unused: ids(&|entry, mark| {
                !mark.fits && !mark.is_changed && !mark.was_missed && was_seen(entry, mark, is_partial)
            }),
            malformed: malformed.collect(),
            changed: ids(&|_, mark| mark.is_changed),
            error: None,
            digest: Some(self.document.digest),
        }
    }
}

/// Whether an entry is for this account and Region.
fn names(entry: &Entry, target: &Target) -> bool {
    entry.accounts.fit(&target.account_id) && entry.regions.fit(&target.region)
}

/// Whether every account and every Region that an entry names was among the targets. What all Regions are, a partial
/// run does not know.
fn was_seen(entry: &Entry, mark: &Mark, is_partial: bool) -> bool {
    match (&entry.accounts, &entry.regions) {
        (Names::These(accounts), Names::These(regions)) => mark.targets == accounts.len() * regions.len(),
        (Names::Any, Names::These(regions)) => mark.names.len() == regions.len(),
        (Names::These(accounts), Names::Any) => mark.names.len() == accounts.len() && !is_partial,
        (Names::Any, Names::Any) => mark.targets > 0 && !is_partial,
    }
}

fn exemption(entry: &Entry) -> v1::Exemption {
    v1::Exemption {
        id: text::clip(&entry.id),
        reason: text::clip(&entry.reason),
        owner: text::clip(&entry.owner),
        ticket: entry.ticket.as_deref().map(text::clip),
        expires: entry.expires.to_string(),
    }
}

/// The places of entries by a name that they list, so that thousands of violations need not be held to each of
/// thousands of entries.
#[derive(Debug, Default)]
struct Index {
    by_name: HashMap<String, Vec<usize>>,
    of_any: Vec<usize>,
}

impl Index {
    fn of<'a>(entries: impl Iterator<Item = (usize, &'a Names)>) -> Index {
        let mut index = Index::default();
        for (place, names) in entries {
            match names {
                Names::Any => index.of_any.push(place),
                Names::These(names) => {
                    names.iter().for_each(|name| index.by_name.entry(name.clone()).or_default().push(place));
                }
            }
        }
        index
    }

    fn fitting(&self, name: &str) -> impl Iterator<Item = usize> {
        self.by_name.get(name).into_iter().flatten().chain(&self.of_any).copied()
    }
}

/// The entry that would exempt a violation for 90 days, as JSON for the document. Its reason and its owner are empty,
/// which is malformed until somebody fills them in. `None` for a filter of which no digest is known.
pub fn suggestion(violation: &v1::Violation, today: Date) -> Option<Value> {
    let v1::Violation { id, rule, target, resource, .. } = violation;
    let mut entry = json!({
        "id": format!("{rule}-{}", id.get(..12).unwrap_or(id)),
        "rule": rule,
        "accountId": target.account_id,
        "region": target.region,
        "resourceId": resource.id,
        "reason": "",
        "owner": "",
        "expires": today.saturating_add(Duration::days(90)).to_string(),
    });
    if *rule == RULE_WITH_DIGEST {
        entry["digest"] = json!(violation.filter.as_ref()?.digest.as_ref()?);
    }
    Some(entry)
}
