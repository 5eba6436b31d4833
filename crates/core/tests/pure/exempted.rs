//! What exemptions cover of what a run found, and what becomes of each entry.

use macie_compliance_core::checks::ArchivingFilter;
use macie_compliance_core::exemptions::Document;
use macie_compliance_core::names::Target;
use macie_compliance_core::report::v1::{Exemption, Exemptions, MalformedEntry, Violation};
use macie_compliance_core::report::{ExemptionsSource, Ledger, suggestion};
use macie_compliance_core::resource::{Resource, ResourceType};
use macie_compliance_core::severity::Severity;
use macie_compliance_core::testing::{policy, target};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};
use time::{Date, Duration};

const PAUSED: &str = "member-macie-paused";
const SUSPENDED: &str = "member-account-suspended";
const ARCHIVES: &str = "filter-archives-findings";
const SOURCE: &str = "s3://bucket/exemptions.json";

fn today() -> Date {
    policy().today
}

fn digest(letter: char) -> String {
    letter.to_string().repeat(64)
}

/// A violation in account 1; of a filter, with the digest of this letter.
fn violation(rule: &'static str, place: &Target, resource: &str, letter: Option<char>) -> Violation {
    let muted = |letter: Option<char>| ArchivingFilter {
        breadth: None,
        conditions: Vec::new(),
        criteria: None,
        description: None,
        position: None,
        digest: letter.map(digest),
        matches: None,
    };
    Violation {
        id: format!("0123456789abcdef-{rule}-{resource}-{place:?}"),
        rule,
        severity: Severity::High,
        target: place.clone(),
        resource: Resource::new(ResourceType::Member, resource),
        status: None,
        confirmed: None,
        since: None,
        title: "",
        remediation: String::new(),
        first_seen: None,
        change: None,
        filter: (rule == ARCHIVES).then(|| Box::new(muted(letter))),
    }
}

fn here() -> Target {
    target(1, "eu-west-1")
}

/// A sound entry by this id, with these fields in place of its own.
fn entry(id: &str, fields: Value) -> Value {
    let mut entry = json!({
        "id": id, "rule": PAUSED, "accountId": here().account_id, "region": "eu-west-1", "resourceId": "m-1",
        "reason": "migration", "owner": "team-data", "expires": (today() + Duration::days(100)).to_string(),
    });
    for (name, value) in fields.as_object().expect("fields") {
        entry[name] = value.clone();
    }
    entry
}

fn ledger_on(day: Date, entries: &[Value]) -> Ledger {
    let bytes = json!({"schemaVersion": "1.0", "exemptions": entries}).to_string();
    let document = Document::parse(bytes.as_bytes(), day).expect("a document");
    Ledger::new(ExemptionsSource::Read { source: SOURCE.to_owned(), document })
}

fn ledger(entries: &[Value]) -> Ledger {
    ledger_on(today(), entries)
}

fn finish(ledger: Ledger) -> Exemptions {
    ledger.finish(false).expect("there is a document")
}

#[test]
fn an_entry_covers_what_all_of_its_fields_fit() {
    let place = here();
    let filter = |letter| violation(ARCHIVES, &place, "f-1", letter);
    let of_filter = |fields: Value| {
        let mut entry = entry("x", json!({"rule": ARCHIVES, "resourceId": "f-1", "digest": digest('a')}));
        fields.as_object().expect("fields").iter().for_each(|(name, value)| entry[name] = value.clone());
        entry
    };
    let paused = || violation(PAUSED, &place, "m-1", None);
    for (entry, violation, covers) in [
        (entry("x", json!({})), paused(), true),
        (entry("x", json!({"accountId": "*", "region": "*", "resourceId": "*"})), paused(), true),
        (entry("x", json!({"accountId": ["222222222222", place.account_id]})), paused(), true),
        (entry("x", json!({"region": ["us-east-1", "eu-west-1"], "resourceId": ["m-0", "m-1"]})), paused(), true),
        (entry("x", json!({"rule": SUSPENDED})), paused(), false),
        (entry("x", json!({"accountId": "222222222222"})), paused(), false),
        (entry("x", json!({"accountId": ["222222222222"], "resourceId": "*"})), paused(), false),
        (entry("x", json!({"region": "us-east-1"})), paused(), false),
        (entry("x", json!({"resourceId": "m"})), paused(), false),
        (entry("x", json!({"resourceId": ["m-2", "M-1"]})), paused(), false),
        (entry("x", json!({"expires": today().to_string()})), paused(), true),
        (entry("x", json!({"expires": "2026-11-21"})), paused(), false),
        (of_filter(json!({})), filter(Some('a')), true),
        (of_filter(json!({"digest": digest('A'), "resourceId": "*"})), filter(Some('a')), true),
        (of_filter(json!({"digest": [digest('b'), digest('a')]})), filter(Some('a')), true),
        (of_filter(json!({})), filter(Some('b')), false),
        (of_filter(json!({"resourceId": "*"})), filter(Some('b')), false),
        (of_filter(json!({})), filter(None), false),
        (of_filter(json!({"resourceId": "*"})), filter(None), false),
    ] {
        let mut ledger = ledger(std::slice::from_ref(&entry));
        assert_eq!(ledger.cover(&violation).is_some(), covers, "{entry} {violation:?}");
        assert_eq!(finish(ledger).applied, u64::from(covers), "{entry}");
    }
}

#[test]
fn the_first_entry_that_fits_counts_and_the_others_are_not_unused() {
    let entries = [
        entry("no", json!({"resourceId": "m-9"})),
        entry("wide", json!({"resourceId": "*", "ticket": "SEC-1"})),
        entry("narrow", json!({})),
        entry("wider", json!({"accountId": "*", "resourceId": "*"})),
    ];
    let mut ledger = ledger(&entries);
    let covered = [violation(PAUSED, &here(), "m-1", None), violation(PAUSED, &here(), "m-2", None)]
        .map(|violation| ledger.cover(&violation));
    let exemption = Exemption {
        id: "wide".to_owned(),
        reason: "migration".to_owned(),
        owner: "team-data".to_owned(),
        ticket: Some("SEC-1".to_owned()),
        expires: "2027-03-02".to_owned(),
    };
    assert_eq!(covered, [Some(exemption.clone()), Some(exemption)]);
    ledger.saw(&here(), &|_| true);
    let account = finish(ledger);
    assert_eq!((account.applied, account.unused), (2, vec!["no".to_owned()]));
}

#[test]
fn the_account_of_a_document_tells_what_became_of_its_entries() {
    let of_filter = |id: &str, resource: Value, letter: char| {
        entry(id, json!({"rule": ARCHIVES, "resourceId": resource, "digest": digest(letter)}))
    };
    let entries = [
        entry("expired", json!({"expires": "2026-11-21"})),
        entry("soon", json!({"expires": "2026-12-06"})),
        entry("unused", json!({"resourceId": "m-7", "expires": "2026-12-07"})),
        entry("soon-and-unused", json!({"resourceId": "m-8", "expires": "2026-11-22"})),
        entry("wrong", json!({"owner": ""})),
        json!({}),
        of_filter("changed", json!("f-1"), 'a'),
        of_filter("another-that-holds", json!("f-1"), 'b'),
        of_filter("changed-and-holds", json!(["f-1", "f-2"]), 'c'),
        of_filter("fits-none", json!("*"), 'd'),
        of_filter("of-a-filter-that-could-not-be-read", json!("f-3"), 'e'),
        of_filter("expired-and-changed", json!("f-1"), 'f'),
    ];
    let mut entries = entries.to_vec();
    entries[11]["expires"] = json!("2026-01-01");
    let mut ledger = ledger(&entries);
    for (violation, covers) in [
        (violation(PAUSED, &here(), "m-1", None), true),
        (violation(PAUSED, &here(), "m-2", None), false),
        (violation(ARCHIVES, &here(), "f-1", Some('b')), true),
        (violation(ARCHIVES, &here(), "f-2", Some('c')), true),
        (violation(ARCHIVES, &here(), "f-3", None), false),
        // Another's filter by the same id is not the one that the entry names.
        (violation(ARCHIVES, &target(2, "eu-west-1"), "f-2", Some('a')), false),
    ] {
        assert_eq!(ledger.cover(&violation).is_some(), covers, "{violation:?}");
    }
    ledger.saw(&here(), &|_| true);
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let account = finish(ledger);
    let malformed =
        |entry: &str, problem: &str| MalformedEntry { entry: entry.to_owned(), problem: problem.to_owned() };
    let expected = Exemptions {
        source: SOURCE.to_owned(),
        digest: account.digest.clone(),
        applied: 3,
        expired: ids(&["expired", "expired-and-changed"]),
        expiring_soon: ids(&["soon", "soon-and-unused"]),
        unused: ids(&["unused", "soon-and-unused", "fits-none", "of-a-filter-that-could-not-be-read"]),
        malformed: vec![malformed("wrong", "`owner` is empty"), malformed("5", "`rule` is missing")],
        changed: ids(&["changed", "changed-and-holds"]),
        error: None,
    };
    assert_eq!(account, expected);
    assert_eq!(account.digest.expect("a digest").len(), 64);
}

#[test]
fn an_entry_is_unused_only_where_all_that_it_names_was_read_whole() {
    let all = |_: &Target, _: &'static str| true;
    let but_us = |target: &Target, _: &'static str| target.region != "us-east-1";
    let but_paused = |_: &Target, rule: &'static str| rule != PAUSED;
    type WasRead = fn(&Target, &'static str) -> bool;
    let (one, two) = ([(1, "eu-west-1")], [(1, "eu-west-1"), (1, "us-east-1")]);
    let four = [(1, "eu-west-1"), (1, "us-east-1"), (2, "eu-west-1"), (2, "us-east-1")];
    let three = [(1, "eu-west-1"), (1, "us-east-1"), (2, "eu-west-1")];
    let accounts = json!([target(1, "").account_id, target(2, "").account_id]);
    let regions = json!(["eu-west-1", "us-east-1"]);
    for (fields, targets, was_read, is_partial, is_unused) in [
        (json!({}), &one[..], all as WasRead, false, true),
        (json!({}), &one, all, true, true),
        (json!({}), &four, all, false, true),
        (json!({}), &[], all, false, false),
        (json!({}), &four, but_paused, false, false),
        (json!({"rule": SUSPENDED}), &one, but_paused, false, true),
        // What was not read elsewhere is nothing to it.
        (json!({}), &two, but_us, false, true),
        (json!({"region": regions}), &two, but_us, false, false),
        (json!({"region": "*"}), &two, but_us, false, false),
        // Each account in each Region is named.
        (json!({"region": regions}), &one, all, false, false),
        (json!({"region": regions}), &two, all, false, true),
        (json!({"accountId": accounts, "region": regions}), &four, all, false, true),
        (json!({"accountId": accounts, "region": regions}), &four, all, true, true),
        (json!({"accountId": accounts, "region": regions}), &three, all, false, false),
        (json!({"accountId": accounts}), &two, all, false, false),
        (json!({"accountId": accounts}), &three, all, false, true),
        // Every Region of an account is all that there is, unless the run was not over all.
        (json!({"region": "*"}), &one, all, false, true),
        (json!({"region": "*"}), &one, all, true, false),
        (json!({"accountId": accounts, "region": "*"}), &two, all, false, false),
        (json!({"accountId": accounts, "region": "*"}), &three, all, false, true),
        (json!({"accountId": accounts, "region": "*"}), &three, all, true, false),
        (json!({"accountId": "*"}), &one, all, false, true),
        (json!({"accountId": "*"}), &one, all, true, true),
        (json!({"accountId": "*"}), &three, but_us, false, true),
        (json!({"accountId": "*", "region": regions}), &one, all, false, false),
        (json!({"accountId": "*", "region": regions}), &two, all, false, true),
        (json!({"accountId": "*", "region": regions}), &three, but_us, false, false),
        (json!({"accountId": "*", "region": "*"}), &one, all, false, true),
        (json!({"accountId": "*", "region": "*"}), &one, all, true, false),
        (json!({"accountId": "*", "region": "*"}), &two, but_us, false, false),
        (json!({"accountId": "*", "region": "*"}), &[], all, false, false),
    ] {
        let mut ledger = ledger(&[entry("x", fields.clone())]);
        for (account, region) in targets {
            let target = target(*account, region);
            ledger.saw(&target, &|rule| was_read(&target, rule));
        }
        let account = ledger.finish(is_partial).expect("a document");
        assert_eq!(!account.unused.is_empty(), is_unused, "{fields} {targets:?} partial: {is_partial}");
    }
}

#[test]
fn a_document_that_cannot_be_read_exempts_nothing_and_none_is_no_account() {
    let error = format!("{}why", "x".repeat(2_000));
    let mut unreadable = Ledger::new(ExemptionsSource::Unreadable { source: SOURCE.to_owned(), error });
    assert!(unreadable.is_unreadable());
    assert_eq!(unreadable.cover(&violation(PAUSED, &here(), "m-1", None)), None);
    unreadable.saw(&here(), &|_| true);
    let account = finish(unreadable);
    let error = account.error.clone().expect("an error");
    assert!(error.ends_with("why") && error.chars().count() == 1024);
    assert_eq!(account, Exemptions { source: SOURCE.to_owned(), error: Some(error), ..Exemptions::default() });

    let mut none = Ledger::new(ExemptionsSource::None);
    assert!(!none.is_unreadable() && !ledger(&[]).is_unreadable());
    assert_eq!(none.cover(&violation(PAUSED, &here(), "m-1", None)), None);
    none.saw(&here(), &|_| true);
    assert_eq!(none.finish(false), None);
}

#[test]
fn a_text_that_is_very_long_is_clipped() {
    let long = "x".repeat(2_000);
    let entries = [
        entry(&long, json!({"reason": long, "owner": long, "ticket": long, "expires": today().to_string()})),
        json!({"id": long}),
    ];
    let mut ledger = ledger(&entries);
    let covered = ledger.cover(&violation(PAUSED, &here(), "m-1", None)).expect("it is covered");
    let account = finish(ledger);
    let texts = [&covered.id, &covered.reason, &covered.owner, covered.ticket.as_ref().expect("a ticket")];
    for text in texts.into_iter().chain([&account.expiring_soon[0], &account.malformed[0].entry]) {
        assert_eq!(text.len(), 1024);
    }
}

#[test]
fn the_entry_that_is_offered_wants_a_reason_and_an_owner() {
    let suggested = |violation: &Violation| suggestion(violation, today());
    let paused = Violation { id: "0123456789abcdef0123".to_owned(), ..violation(PAUSED, &here(), "m-1", None) };
    let expected = json!({
        "id": "member-macie-paused-0123456789ab", "rule": PAUSED, "accountId": "000000000001", "region": "eu-west-1",
        "resourceId": "m-1", "reason": "", "owner": "", "expires": "2027-02-20",
    });
    assert_eq!(suggested(&paused), Some(expected));
    assert_eq!(finish(ledger(&[suggested(&paused).expect("one")])).malformed[0].problem, "`reason` is empty");
    let short = Violation { id: "01".to_owned(), ..paused };
    assert_eq!(suggested(&short).expect("one")["id"], "member-macie-paused-01");
    assert_eq!(suggested(&violation(ARCHIVES, &here(), "f-1", Some('a'))).expect("one")["digest"], digest('a'));
    assert_eq!(suggested(&violation(ARCHIVES, &here(), "f-1", None)), None);
    assert_eq!(suggested(&Violation { filter: None, ..violation(ARCHIVES, &here(), "f-1", None) }), None);
}

/// Everything that can be found where there is little.
fn world() -> Vec<Violation> {
    let mut found = Vec::new();
    for (account, region) in [(1, "eu-west-1"), (1, "us-east-1"), (2, "eu-west-1")] {
        let place = target(account, region);
        for resource in ["r-1", "r-2"] {
            found.push(violation(PAUSED, &place, resource, None));
            found.push(violation(SUSPENDED, &place, resource, None));
        }
        found.push(violation(ARCHIVES, &place, "r-1", Some('a')));
        found.push(violation(ARCHIVES, &place, "r-2", None));
    }
    found
}

/// `*`, one of these, or a list of some.
fn names(of: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!("*")),
        select(of).prop_map(|name| json!(name)),
        subsequence(of, 1..=of.len()).prop_map(|names| json!(names)),
    ]
}

/// A sound entry, without an id.
fn sound() -> impl Strategy<Value = Value> {
    (
        select(&[PAUSED, SUSPENDED, ARCHIVES][..]),
        names(&["000000000001", "000000000002", "000000000003"]),
        names(&["eu-west-1", "us-east-1"]),
        names(&["r-1", "r-2", "r-3"]),
        select(&['a', 'b'][..]),
        -3..20_i64,
    )
        .prop_map(|(rule, accounts, regions, resources, letter, days)| {
            let expires = (today() + Duration::days(days)).to_string();
            let fields = json!({"rule": rule, "accountId": accounts, "region": regions, "resourceId": resources});
            let mut entry = entry("", fields);
            entry["expires"] = json!(expires);
            if rule == ARCHIVES {
                entry["digest"] = json!(digest(letter));
            }
            entry
        })
}

/// An entry with a mistake.
fn wrong() -> impl Strategy<Value = Value> {
    (sound(), select(&["id", "owner", "rule", "accountId", "resourceId", "expires", "acountId"][..])).prop_map(
        |(mut entry, field)| {
            entry[field] = json!("");
            entry
        },
    )
}

/// Entries, each with an id of its own.
fn entries() -> impl Strategy<Value = Vec<Value>> {
    vec(sound(), 0..7).prop_map(|mut entries| {
        entries.iter_mut().enumerate().for_each(|(place, entry)| entry["id"] = json!(format!("e-{place}")));
        entries
    })
}

/// By which entry each of these is covered on a day.
fn covered_on(day: Date, entries: &[Value], found: &[Violation]) -> Vec<Option<String>> {
    let mut ledger = ledger_on(day, entries);
    found.iter().map(|violation| ledger.cover(violation).map(|exemption| exemption.id)).collect()
}

fn is_covered(entries: &[Value]) -> Vec<bool> {
    covered_on(today(), entries, &world()).iter().map(Option::is_some).collect()
}

proptest! {
    #[test]
    fn without_an_entry_nothing_more_is_exempted(entries in entries(), at in any::<prop::sample::Index>()) {
        prop_assume!(!entries.is_empty());
        let mut fewer = entries.clone();
        fewer.remove(at.index(entries.len()));
        for (with, without) in is_covered(&entries).into_iter().zip(is_covered(&fewer)) {
            prop_assert!(with || !without);
        }
    }

    #[test]
    fn an_entry_covers_the_same_whatever_stands_beside_it(entries in entries()) {
        let by_each: Vec<Vec<bool>> = entries.iter().map(|entry| is_covered(std::slice::from_ref(entry))).collect();
        for (place, is_covered) in is_covered(&entries).into_iter().enumerate() {
            prop_assert_eq!(is_covered, by_each.iter().any(|by| by[place]));
        }
    }

    #[test]
    fn a_malformed_entry_changes_nothing(entries in entries(), wrong in wrong(), at in any::<prop::sample::Index>()) {
        let mut more = entries.clone();
        more.insert(at.index(entries.len() + 1), wrong);
        prop_assert_eq!(finish(ledger(&more)).malformed.len(), 1);
        let found = world();
        prop_assert_eq!(covered_on(today(), &more, &found), covered_on(today(), &entries, &found));
    }

    #[test]
    fn the_order_of_entries_does_not_matter_to_what_is_covered(
        (entries, shuffled) in entries().prop_flat_map(|entries| (Just(entries.clone()), Just(entries).prop_shuffle()))
    ) {
        prop_assert_eq!(is_covered(&entries), is_covered(&shuffled));
    }

    #[test]
    fn an_entry_never_holds_again(entry in sound(), earlier in -30..30_i64, days in 0..30_i64) {
        let mut entry = entry;
        entry["id"] = json!("e");
        let on = |day| covered_on(today() + Duration::days(day), std::slice::from_ref(&entry), &world());
        for (earlier, later) in on(earlier).into_iter().zip(on(earlier + days)) {
            prop_assert!(earlier.is_some() || later.is_none());
        }
        let expires = macie_compliance_core::exemptions::date(entry["expires"].as_str().expect("a text")).expect("a date");
        let after = covered_on(expires + Duration::days(1 + days), std::slice::from_ref(&entry), &world());
        prop_assert!(after.iter().all(Option::is_none));
    }

    /// What covers something is neither unused nor expired, and nothing is in two lists that exclude each other.
    #[test]
    fn every_entry_is_accounted_for(entries in entries()) {
        let mut ledger = ledger(&entries);
        let covered: Vec<String> = world().iter().filter_map(|found| ledger.cover(found)).map(|by| by.id).collect();
        for (account, region) in [(1, "eu-west-1"), (1, "us-east-1"), (2, "eu-west-1")] {
            ledger.saw(&target(account, region), &|_| true);
        }
        let account = finish(ledger);
        prop_assert_eq!(account.applied, covered.len() as u64);
        for id in &covered {
            prop_assert!(!account.unused.contains(id) && !account.expired.contains(id));
        }
        for id in &account.expired {
            for other in [&account.expiring_soon, &account.unused, &account.changed] {
                prop_assert!(!other.contains(id));
            }
        }
        prop_assert!(account.changed.iter().all(|id| !account.unused.contains(id)));
    }

    #[test]
    fn the_entry_that_is_offered_covers_its_violation_and_no_other(at in any::<prop::sample::Index>()) {
        let found = world();
        let at = at.index(found.len());
        if let Some(mut entry) = suggestion(&found[at], today()) {
            entry["reason"] = json!("accepted");
            entry["owner"] = json!("team");
            let covered = covered_on(today(), &[entry], &found);
            for (place, by) in covered.into_iter().enumerate() {
                prop_assert_eq!(by.is_some(), place == at);
            }
        } else {
            prop_assert_eq!(found[at].rule, ARCHIVES);
        }
    }

    #[test]
    fn no_document_is_too_strange_to_be_looked_at(bytes in vec(any::<u8>(), 0..64), text in any::<String>()) {
        let _ = Document::parse(&bytes, today());
        let strange = entry(&text, json!({"region": text, "expires": text}));
        let document = finish(ledger(&[strange]));
        prop_assert_eq!(document.malformed.len(), 1);
        prop_assert!(!document.malformed[0].problem.chars().any(macie_compliance_core::text::is_unsafe));
    }
}
