//! What messages hold of reports whose lists are long: the beginnings of some, and of what is stored the worst.

use std::collections::HashSet;

use macie_compliance_core::api::Api;
use macie_compliance_core::checks::ArchivingFilter;
use macie_compliance_core::evidence::Evidence;
use macie_compliance_core::judge::Outcome;
use macie_compliance_core::render::{LIMIT, Message, Messages};
use macie_compliance_core::report::v1::{Exempted, Exemptions, Gone, MalformedEntry, Report, Verdict, Violation};
use macie_compliance_core::testing::{
    clean, envelope, exemption, gone, member, members, remembered, report, settled, target, text, with_failed_read,
};
use serde_json::{Value, json};

/// A report of this many members for which Macie is paused, as a run with an evidence bucket makes it.
fn paused(number: usize) -> Report {
    let flagged = (0..number).map(|id| member(format!("{id:012}"), "Paused")).collect();
    let evidence = Evidence { members: members(flagged), ..clean(target(1, "eu-west-1")) };
    remembered(report(&[evidence]))
}

fn part(message: &Message) -> Value {
    serde_json::from_str(&message.report()).expect("JSON")
}

fn list<'a>(part: &'a Value, name: &str) -> &'a [Value] {
    part.pointer(name).and_then(Value::as_array).unwrap_or_else(|| panic!("{name}"))
}

fn id(item: &Value) -> &str {
    item["id"].as_str().expect("an id")
}

/// The report with so many more violations in each of the lists that only part 1 has, and so many entries in each of
/// those that every part has, whose names are this.
fn with_lists(report: Report, number: usize, name: &str) -> Report {
    with_named_lists(report, number, name, name)
}

/// The same with names of violations and of entries that differ.
fn with_named_lists(mut report: Report, number: usize, name: &str, entry_name: &str) -> Report {
    let mut others = paused(3 * number).violations;
    for violation in &mut others {
        violation.resource.name = Some(name.to_owned());
    }
    let ids: Vec<String> = (0..number).map(|id| format!("{entry_name}-{id}")).collect();
    let entry = |id: &String| MalformedEntry { entry: id.clone(), problem: entry_name.to_owned() };
    let gone: Vec<Gone> = others.drain(..2 * number).map(|violation| gone(&violation)).collect();
    let exempt = |violation| Exempted { violation, exemption: exemption("vendor", "2027-01-01") };
    report.exempted = others.into_iter().map(exempt).collect();
    report.exemptions = Some(Exemptions {
        expired: ids.clone(),
        expiring_soon: ids.clone(),
        unused: ids.clone(),
        malformed: ids.iter().map(entry).collect(),
        changed: ids,
        ..Exemptions::default()
    });
    let changes = report.changes.as_mut().expect("changes");
    changes.resolved = gone[..number].to_vec();
    changes.unknown = gone[number..].to_vec();
    settled(report)
}

const IDS: [&str; 5] = ["expired", "expiringSoon", "unused", "malformed", "changed"];
const LISTS: [&str; 3] = ["/exempted", "/changes/resolved", "/changes/unknown"];

#[test]
fn lists_beside_the_violations_hold_the_hundred_worst() {
    for (number, held) in [(99, 99), (100, 100), (101, 100)] {
        let report = with_lists(paused(3), number, "n");
        let [message] = &Messages::of(&report, 10).iter().collect::<Vec<_>>()[..] else { panic!("{number}") };
        let part = part(message);
        for name in LISTS {
            assert_eq!(list(&part, name).len(), held, "{name}");
        }
        for name in IDS {
            assert_eq!(list(&part, &format!("/exemptions/{name}")).len(), held, "{name}");
        }
        assert_eq!(id(&list(&part, "/exempted")[held - 1]), report.exempted[held - 1].violation.id);
        let changes = report.changes.as_ref().expect("changes");
        assert_eq!(id(&list(&part, "/changes/resolved")[held - 1]), changes.resolved[held - 1].id);
        assert_eq!(id(&list(&part, "/changes/unknown")[held - 1]), changes.unknown[held - 1].id);
        for name in ["resolvedTotal", "unknownTotal"] {
            assert_eq!(part["changes"][name], number);
        }
        assert_eq!((&part["summary"]["exempted"], &part["truncated"]), (&json!(number), &Value::Null));
    }
}

#[test]
fn in_a_split_report_the_lists_stand_in_the_first_part() {
    let report = with_lists(paused(2_000), 150, "n");
    let messages = Messages::of(&report, usize::MAX);
    assert!(messages.count() > 3);
    let mut held = HashSet::new();
    for (index, message) in messages.iter().enumerate() {
        assert!(message.size() <= LIMIT);
        let part = part(&message);
        for name in LISTS {
            assert_eq!(list(&part, name).len(), if index == 0 { 100 } else { 0 }, "{name}");
        }
        for name in IDS {
            assert_eq!(list(&part, &format!("/exemptions/{name}")).len(), 100, "{name}");
        }
        assert_eq!((&part["changes"]["resolvedTotal"], &part["summary"]["exempted"]), (&json!(150), &json!(150)));
        for violation in list(&part, "/violations") {
            assert!(held.insert(id(violation).to_owned()));
        }
    }
    assert_eq!(held.len(), 2_000);
}

#[test]
fn lists_of_long_names_are_shorter_where_they_would_not_fit() {
    for (violations, name) in [(1, "n".repeat(1_000)), (1, "é\u{1f4a3}".repeat(500)), (800, "\u{202e}".repeat(1_000))]
    {
        let report = with_lists(paused(violations), 100, &name);
        for max_parts in [1, usize::MAX] {
            let messages = Messages::of(&report, max_parts);
            for message in messages.iter() {
                assert!(message.size() <= LIMIT && envelope(&message).len() <= LIMIT);
            }
            let first = part(&messages.get(0).expect("a message"));
            let held = list(&first, "/exempted").len();
            assert!((1..100).contains(&held), "{held}");
            for name in LISTS {
                assert_eq!(list(&first, name).len(), held, "{name}");
            }
            assert_eq!((&first["changes"]["unknownTotal"], &first["summary"]["exempted"]), (&json!(100), &json!(100)));
        }
    }
}

/// What every part has takes at most half of it.
#[test]
fn long_names_of_entries_leave_room_in_every_part_and_those_of_violations_in_the_first() {
    for (name, entry_name, all) in [("n", "e".repeat(1_000), false), (&"n".repeat(1_000), "e".to_owned(), true)] {
        let report = with_named_lists(paused(800), 100, name, &entry_name);
        let messages = Messages::of(&report, usize::MAX);
        assert!(messages.count() < 8, "{}", messages.count());
        for message in messages.iter() {
            assert!(message.size() <= LIMIT, "{}", message.size());
        }
        let second = part(&messages.get(1).expect("a message"));
        assert_eq!(
            list(&second, "/exemptions/unused").len(),
            list(&part(&messages.get(0).expect("one")), "/exempted").len()
        );
        let of_entries = second["exemptions"].to_string().len();
        assert_eq!(of_entries < LIMIT / 4, all, "{of_entries}");
        assert!(of_entries < LIMIT / 2, "{of_entries}");
    }
}

/// The lists leave little of the first part, so the targets do not fit into it with all of them.
#[test]
fn long_lists_and_many_targets_are_in_no_message_that_is_too_large() {
    let mut report = with_lists(paused(800), 100, &"n".repeat(1_000));
    report.targets.extend(with_targets(0, 30, 0).targets.into_iter().skip(1));
    let messages = Messages::of(&report, usize::MAX);
    let mut times = 0;
    for message in messages.iter() {
        assert!(message.size() <= LIMIT, "{}", message.size());
        times += list(&part(&message), "/targets").len();
    }
    assert_eq!(times, 31);
}

/// One more of each would not have fitted.
#[test]
fn lists_are_no_shorter_than_they_have_to_be() {
    let report = with_lists(paused(1), 100, &"n".repeat(500));
    let message = Messages::of(&report, usize::MAX).get(0).expect("a message");
    let each = message.size() / list(&part(&message), "/exempted").len();
    assert!(LIMIT - message.size() < each, "{} bytes", message.size());
}

#[test]
fn criteria_of_more_than_four_kilobytes_are_left_out() {
    let criteria = |length: usize| Some(json!({"criterion": "c".repeat(length - "{\"criterion\":\"\"}".len())}));
    let held = |length: usize| {
        let mut report = paused(1);
        let filter = ArchivingFilter {
            breadth: None,
            conditions: vec!["bucket is payroll".to_owned()],
            criteria: criteria(length),
            description: None,
            position: None,
            digest: None,
            matches: None,
        };
        report.violations[0].filter = Some(Box::new(filter));
        report.exempted =
            vec![Exempted { violation: report.violations[0].clone(), exemption: exemption("vendor", "2027-01-01") }];
        let part = part(&Messages::of(&report, 10).get(0).expect("a message"));
        assert_eq!(part["violations"][0]["filter"], part["exempted"][0]["filter"]);
        assert_eq!(part["violations"][0]["filter"]["conditions"], json!(["bucket is payroll"]));
        part["violations"][0]["filter"]["criteria"].clone()
    };
    assert_eq!(Some(held(4_096)), criteria(4_096));
    assert_eq!(held(4_097), Value::Null);
}

#[test]
fn outcomes_of_targets_are_left_out() {
    let report = paused(1);
    let outcomes = report.targets[0].outcomes.as_ref().expect("the stored report has them");
    assert_eq!(outcomes["member-macie-paused"], Outcome::Failed);
    let part = part(&Messages::of(&report, 10).get(0).expect("a message"));
    assert_eq!(part["targets"][0].get("outcomes"), None);
}

/// Longer than anything that AWS gives, and longer than a message.
#[test]
fn a_violation_or_a_target_that_no_message_could_hold_is_abridged() {
    let long = "\u{1f4a3}".repeat(100_000);
    let mut report = paused(3);
    report.violations[1].resource.name = Some(long.clone());
    report.violations[1].resource.arn = Some("kept".to_owned());
    let unread = with_failed_read(clean(target(2, "eu-west-1")), Api::ListMembers, "InternalServerException", &long);
    let unread = remembered(self::report(&[unread]));
    report.targets.extend(unread.targets);
    let messages: Vec<Message> = Messages::of(&report, 10).iter().collect();
    assert!(messages.iter().all(|message| message.size() <= LIMIT && envelope(message).len() <= LIMIT));
    let part = part(&messages[0]);
    assert_eq!(list(&part, "/violations").len(), 3);
    let cut = "\u{1f4a3}".repeat(64);
    assert_eq!(part["violations"][1]["resource"]["name"], cut);
    assert_eq!(part["violations"][1]["resource"]["arn"], "kept");
    let reads = list(&part, "/targets/1/reads");
    let error = reads.iter().map(|read| &read["error"]).find(|error| !error.is_null()).expect("an error");
    assert_eq!((&error["code"], &error["message"]), (&json!("InternalServerException"), &json!(cut)));
}

#[test]
fn what_a_message_can_hold_is_not_abridged() {
    let first = |report: &Report| part(&Messages::of(report, 10).get(0).expect("a message"));
    let texts: [fn(&mut Violation) -> &mut String; 6] = [
        |violation| &mut violation.resource.id,
        |violation| violation.resource.arn.get_or_insert_default(),
        |violation| violation.resource.name.get_or_insert_default(),
        |violation| violation.resource.email.get_or_insert_default(),
        |violation| violation.status.get_or_insert_default(),
        |violation| violation.since.get_or_insert_default(),
    ];
    for text in texts {
        // A control character takes seven bytes of a message, and this one as many as it says.
        for (written, is_whole) in
            [("n".repeat(30_000), true), ("n".repeat(40_000), false), ("\u{1}".repeat(5_000), false)]
        {
            let mut report = paused(1);
            text(&mut report.violations[0]).clone_from(&written);
            let sent = &first(&report)["violations"][0];
            let mut expected = serde_json::to_value(&report.violations[0]).expect("JSON");
            assert_eq!(*sent == expected, is_whole, "{} in {sent}", written.len());
            *text(&mut report.violations[0]) = written.chars().take(64).collect();
            expected = serde_json::to_value(&report.violations[0]).expect("JSON");
            assert!(is_whole || *sent == expected, "{sent}");
        }
    }
    let said = "why ".repeat(250);
    let unread = with_failed_read(clean(target(2, "eu-west-1")), Api::ListMembers, "InternalServerException", &said);
    let reads = &first(&remembered(report(&[unread])))["targets"][0]["reads"];
    let errors: Vec<_> =
        reads.as_array().expect("reads").iter().filter_map(|read| read["error"]["message"].as_str()).collect();
    assert_eq!(errors, [said]);
}

/// The one message of a report of which more is stored: how many violations and targets it says that it shows.
fn truncated(report: &Report) -> (Value, usize, usize) {
    let messages = Messages::of(report, 10);
    let [message] = &messages.iter().collect::<Vec<_>>()[..] else { panic!("{} messages", messages.count()) };
    assert!(message.size() <= LIMIT && envelope(message).len() <= LIMIT, "{}", message.size());
    let part = part(message);
    let (violations, targets) = (list(&part, "/violations"), list(&part, "/targets"));
    let shown = json!({"violations": violations.len(), "targets": targets.len()});
    assert_eq!((&part["truncated"], &part["part"]), (&shown, &json!({"number": 1, "of": 1})));
    for (shown, violation) in violations.iter().zip(&report.violations) {
        assert_eq!(id(shown), violation.id, "the worst, in their order");
    }
    let counts = (violations.len(), targets.len());
    let mail = text(message, "email");
    let stored = report.evidence.as_ref().expect("evidence");
    assert!(mail.contains(&format!("\n{}\n", stored.address())) && mail.contains(&format!("\n{}\n", stored.console())));
    (part, counts.0, counts.1)
}

#[test]
fn a_report_of_too_many_parts_is_one_message_that_points_to_what_is_stored() {
    let report = paused(12_000);
    let (part, violations, targets) = truncated(&report);
    assert!((200..1_000).contains(&violations), "{violations}");
    assert_eq!(targets, 1);
    assert_eq!(part["summary"]["violations"], 12_000);
    // As many as fit.
    let size = Messages::of(&report, 10).get(0).expect("a message").size();
    assert!(LIMIT - size < LIMIT / violations, "{size}");
}

#[test]
fn only_what_is_stored_and_needs_more_parts_is_truncated() {
    let mut report = paused(2_000);
    let parts = Messages::of(&report, usize::MAX).count();
    assert!(parts > 2);
    assert_eq!(Messages::of(&report, parts).count(), parts);
    assert_eq!(Messages::of(&report, parts - 1).count(), 1);
    report.evidence.as_mut().expect("evidence").error = Some("AccessDenied".to_owned());
    assert_eq!(Messages::of(&report, 1).count(), parts);
    report.evidence = None;
    let messages = Messages::of(&report, 1);
    assert_eq!(messages.count(), parts);
    assert!(messages.iter().all(|message| part(&message)["truncated"].is_null()));
}

/// Targets in their order: this many that are clean, and this many of which something is not read.
fn with_targets(violations: usize, clean_ones: usize, unread: usize) -> Report {
    let mut report = paused(violations);
    let [compliant, incomplete] = [("eu-west-2", None), ("eu-west-3", Some("x"))].map(|(region, code)| {
        let evidence = clean(target(2, region));
        let evidence = code.map_or(evidence.clone(), |code| with_failed_read(evidence, Api::ListMembers, code, ""));
        self::report(&[evidence]).targets.remove(0)
    });
    let ones = (0..clean_ones).map(|_| compliant.clone()).chain((0..unread).map(|_| incomplete.clone()));
    report.targets.extend(ones);
    for (number, result) in report.targets.iter_mut().enumerate().skip(1) {
        result.target.account_id = format!("{number:012}");
    }
    report
}

#[test]
fn targets_that_are_not_compliant_come_first_and_leave_room_for_violations() {
    let (part, violations, targets) = truncated(&with_targets(12_000, 3_000, 3_000));
    assert!(violations > 200 && targets > 50, "{violations} {targets}");
    assert!(list(&part, "/targets").iter().all(|target| target["verdict"] != "COMPLIANT"));
    let accounts: Vec<&str> =
        list(&part, "/targets").iter().map(|target| target["accountId"].as_str().expect("an id")).collect();
    assert!(accounts[1..].is_sorted());
    // Few of one leave their room to the other.
    let (_, more, few) = truncated(&with_targets(12_000, 20, 20));
    assert!(more > violations && (21..=41).contains(&few), "{more} {few}");
    let (_, all, many) = truncated(&with_targets(50, 5_000, 10));
    assert!(all == 50 && many > 100, "{all} {many}");
    let (part, all, many) = truncated(&with_targets(50, 100, 5_000));
    assert!(all == 50 && many > 100, "{all} {many}");
    assert!(list(&part, "/targets").iter().all(|target| target["verdict"] != "COMPLIANT"));
}

#[test]
fn a_truncated_message_has_the_other_lists_too() {
    let (part, violations, _) = truncated(&with_lists(paused(12_000), 150, "n"));
    for name in LISTS {
        assert_eq!(list(&part, name).len(), 100, "{name}");
    }
    assert!(violations > 20, "{violations}");
    // However long the others are, some room is left.
    for length in [700, 800, 900, 1_000] {
        let (part, violations, _) = truncated(&with_lists(paused(12_000), 150, &"n".repeat(length)));
        assert!((1..100).contains(&list(&part, "/exempted").len()));
        assert!(violations > 30, "{violations} beside names of {length}");
    }
}

#[test]
fn a_report_of_many_clean_targets_points_to_what_is_stored() {
    let mut report = with_targets(0, 8_000, 0);
    report.targets[0].verdict = Verdict::Compliant;
    let (part, _, targets) = truncated(&report);
    assert!(targets > 100, "{targets}");
    assert_eq!(part["verdict"], "COMPLIANT");
}
