//! Whether a report says something that the last one did not, and what the first lines of the mail say of it.

use macie_compliance_core::api::Api;
use macie_compliance_core::evidence::Evidence;
use macie_compliance_core::render::Messages;
use macie_compliance_core::report::v1::{Change, Exempted, Exemptions, MalformedEntry, Report};
use macie_compliance_core::severity::Severity;
use macie_compliance_core::testing::{
    by_status, clean, exemption, flat, gone, mail, member, members, remembered, report, settled, target,
    with_failed_read,
};

/// A report of this many members for which Macie is paused, all known, as a run with an evidence bucket makes it.
fn paused(number: usize) -> Report {
    let flagged = (0..number).map(|id| member(format!("{id:012}"), "Paused")).collect();
    remembered(report(&[Evidence { members: members(flagged), ..clean(target(1, "eu-west-1")) }]))
}

/// The same with one violation that is exempted.
fn exempting(number: usize) -> Report {
    let mut report = paused(number + 1);
    let violation = report.violations.remove(number);
    report.exempted = vec![Exempted { violation, exemption: exemption("vendor", "2026-11-23") }];
    report.exemptions = Some(Exemptions { source: "s3://b/exemptions.json".to_owned(), ..Exemptions::default() });
    settled(report)
}

/// What stands before the steps.
fn first_lines(report: &Report) -> String {
    flat(mail(report).split("WHAT TO DO").next().expect("first lines"))
}

#[test]
fn what_is_known_and_nothing_else_says_nothing_new() {
    assert!(
        !paused(0).says_something_new(0) && !paused(3).says_something_new(0) && !exempting(3).says_something_new(0)
    );
    let because = |change: fn(&mut Report)| {
        let mut report = exempting(3);
        change(&mut report);
        report.says_something_new(0)
    };
    assert!(because(|report| report.changes = None));
    assert!(because(|report| report.changes.as_mut().expect("changes").new = 1));
    assert!(because(|report| report.changes.as_mut().expect("changes").resolved_total = 1));
    assert!(because(|report| report.changes.as_mut().expect("changes").unknown_total = 1));
    let mut unknown = exempting(3);
    unknown.changes.as_mut().expect("changes").unknown_total = 2;
    assert!(unknown.says_something_new(1) && !unknown.says_something_new(2));
    assert!(because(|report| report.violations[2].change = Some(Change::ExemptionEnded)));
    assert!(because(|report| report.violations[2].change = None));
    assert!(because(|report| report.exempted[0].violation.change = None));
    assert!(because(|report| report.exemptions.as_mut().expect("exemptions").error = Some("gone".to_owned())));
    assert!(because(|report| report.complete = false));
    // That an entry is unused or ends soon is in the report, and no reason to send one.
    assert!(!because(|report| report.exemptions.as_mut().expect("exemptions").unused = vec!["old".to_owned()]));
}

#[test]
fn the_first_lines_say_how_many_members_are_watched() {
    let told = |counts: &[(&str, u64)]| {
        let mut evidence = clean(target(1, "eu-west-1"));
        evidence.members.by_status = by_status(counts);
        first_lines(&report(&[evidence]))
    };
    assert!(told(&[("Enabled", 1050), ("Created", 10)]).contains(" 1,050 of 1,060 members are watched."));
    assert!(told(&[("Created", 2)]).contains(" 0 of 2 members are watched."));
    assert!(told(&[("Enabled", 1)]).contains(" 1 of 1 member is watched."));
    assert!(!told(&[]).contains("watched"));
    let mut evidence = with_failed_read(clean(target(1, "eu-west-1")), Api::ListMembers, "x", "");
    evidence.members.by_status = by_status(&[("Enabled", 3)]);
    assert!(first_lines(&report(&[evidence])).contains(" 3 of 3 members that were read are watched."));
}

#[test]
fn the_first_lines_say_what_the_run_is_compared_with() {
    let told = |number: usize, change: Option<Change>| {
        let mut report = paused(number);
        report.violations.iter_mut().for_each(|violation| violation.change = change);
        report.changes.as_mut().expect("changes").compared_with = None;
        first_lines(&settled(report))
    };
    let everything = "There is no earlier run to compare with, so everything is new.";
    assert!(told(2, Some(Change::New)).contains(everything));
    let nothing = told(0, None);
    assert!(nothing.contains("There is no earlier run to compare with.") && !nothing.contains("is new"), "{nothing}");
    let unread = told(2, None);
    let nobody = "Since the last run: 0 new, 0 unknown, 0 resolved, 2 of which nobody knows, since what the last run";
    assert!(unread.contains(nobody) && !unread.contains("no earlier run"), "{unread}");
}

#[test]
fn a_verdict_that_passes_over_violations_says_how_many() {
    let told = |number: usize, unread: bool| {
        let mut report = paused(number);
        if unread {
            let other = with_failed_read(clean(target(2, "eu-west-1")), Api::ListMembers, "x", "");
            report.targets.extend(self::report(&[other]).targets);
            (report.complete, report.summary.targets, report.summary.targets_incomplete) = (false, 2, 1);
        }
        report.fail_on = Severity::Critical;
        let report = settled(report);
        (Messages::of(&report, 1).get(0).expect("a message").subject, first_lines(&report))
    };
    let (subject, lines) = told(3, false);
    assert_eq!(subject, "Macie COMPLIANT: 3 violations below CRITICAL, none new, 000000000001 eu-west-1");
    assert!(
        lines
            .contains(" 3 violations below CRITICAL, which FAIL_ON (parameter FailOn) lets pass. Everything was read."),
        "{lines}"
    );
    let (subject, lines) = told(1, true);
    assert!(
        subject.starts_with("Macie INSUFFICIENT_DATA: 1 violation below CRITICAL, none new, incomplete, "),
        "{subject}"
    );
    assert!(lines.contains("in what was read, there is 1 violation below CRITICAL, which FAIL_ON"), "{lines}");
    assert!(told(2, true).1.contains("there are 2 violations below CRITICAL"));
    assert!(!told(0, false).1.contains("below") && !told(0, true).0.contains("below"));
}

#[test]
fn a_verdict_beside_exemptions_does_not_say_that_nothing_breaks_a_rule() {
    let lines = first_lines(&exempting(0));
    assert!(lines.contains("nothing that is not exempted breaks a rule."), "{lines}");
    assert!(lines.contains(" 1 violation is exempted."), "{lines}");
    assert!(!first_lines(&paused(0)).contains("exempted"));
    assert!(first_lines(&exempting(2)).contains(" 2 violations. Everything was read."));
}

#[test]
fn a_subject_says_what_is_new_where_it_fits() {
    let subject = |report: &Report| Messages::of(report, 1).get(0).expect("a message").subject;
    let mut report = paused(3);
    report.violations[1].change = Some(Change::New);
    report.violations[2].change = Some(Change::ExemptionEnded);
    let report = settled(report);
    assert_eq!(subject(&report), "Macie NON_COMPLIANT: 3 violations, 1 new, 000000000001 eu-west-1");
    let mut long = report.clone();
    long.targets[0].target.region = "r".repeat(80);
    let cut = format!("Macie NON_COMPLIANT: 3 violations, 000000000001 {}", "r".repeat(80));
    assert_eq!(subject(&long), cut[..99]);
    // It is left out only where it does not fit.
    long.targets[0].target.region = "r".repeat(99 - "Macie NON_COMPLIANT: 3 violations, 1 new, 000000000001 ".len());
    assert_eq!(subject(&long).len(), 99);
    assert!(subject(&long).contains("1 new"));
    assert_eq!(subject(&paused(0)), "Macie COMPLIANT: 0 violations, 000000000001 eu-west-1");
    let without = Report { changes: None, ..paused(2) };
    assert_eq!(subject(&without), "Macie NON_COMPLIANT: 2 violations, 000000000001 eu-west-1");
}

#[test]
fn what_is_unknown_or_resolved_is_listed_to_the_twentieth() {
    let mut report = paused(0);
    let others = paused(23).violations;
    let changes = report.changes.as_mut().expect("changes");
    changes.unknown = others[..20].iter().map(gone).collect();
    changes.resolved = others[..21].iter().map(gone).collect();
    let text = mail(&settled(report.clone()));
    let [unknown, resolved] = ["UNKNOWN", "RESOLVED"].map(|heading| {
        let list = text.split(&format!("\n{heading}\n")).nth(1).expect(heading);
        list.split("\n\nRESOLVED\n").next().expect("a list").split("\n\nCOUNTS\n").next().expect("a list").to_owned()
    });
    assert_eq!((unknown.matches("\n- ").count(), unknown.contains(" more;")), (20, false));
    assert_eq!(resolved.matches("\n- ").count(), 20);
    assert!(resolved.ends_with("And 1 more; the stored report holds all of them."), "{resolved}");
    // A message that was read again holds fewer than there are.
    let mut report = settled(report);
    report.changes.as_mut().expect("changes").resolved_total = 150;
    assert!(mail(&report).contains("And 130 more; the stored report holds all of them."));
    report.evidence = None;
    assert!(mail(&report).contains("And 130 more; the JSON report holds more of them."));
}

#[test]
fn entries_of_the_exemptions_are_listed_to_the_twentieth() {
    let mut report = exempting(1);
    let ids = |number: usize| (0..number).map(|id| format!("e-{id:02}")).collect::<Vec<_>>();
    let exemptions = report.exemptions.as_mut().expect("exemptions");
    exemptions.unused = ids(20);
    exemptions.expiring_soon = vec!["vendor".to_owned()];
    let text = mail(&report);
    assert!(text.contains("- e-19\n") && !text.contains(" more;"), "{text}");
    assert!(text.contains("\n- vendor: 2026-11-23, 1 day left, team-data@example.com, SEC-1234\n"), "{text}");
    let exemptions = report.exemptions.as_mut().expect("exemptions");
    exemptions.unused = ids(22);
    exemptions.malformed = vec![MalformedEntry { entry: "a\nb".to_owned(), problem: "no\u{1b}rule".to_owned() }];
    let text = mail(&report);
    assert!(text.contains("And 2 more; the stored report holds all of them.") && !text.contains("- e-20"), "{text}");
    assert!(text.contains("- a\u{fffd}b: no\u{fffd}rule\n"), "{text}");
    assert!(text.contains("1. Look at the exemptions that do not hold (1), listed below.\n"), "{text}");
}

#[test]
fn what_is_exempted_and_what_is_to_be_known_of_the_exemptions_have_a_section_of_their_own() {
    let section = |report: &Report| {
        let text = mail(report);
        text.split_once("\nEXEMPTED\n").map(|(_, rest)| rest.split_once("\n\n").expect("a next section").0.to_owned())
    };
    let mut none = exempting(0);
    none.exempted.clear();
    let mut none = settled(none);
    assert_eq!(section(&none), None);
    let counted = "0 violations, by the entries of\ns3://b/exemptions.json";
    let exemptions = none.exemptions.as_mut().expect("exemptions");
    exemptions.unused = vec!["old".to_owned()];
    assert!(section(&none).is_some_and(|told| told.starts_with(counted)), "{:?}", section(&none));
    let exemptions = none.exemptions.as_mut().expect("exemptions");
    exemptions.unused.clear();
    exemptions.malformed = vec![MalformedEntry { entry: "a".to_owned(), problem: "no rule".to_owned() }];
    assert!(section(&none).is_some_and(|told| told.starts_with(counted)), "{:?}", section(&none));
    let mut one = exempting(0);
    let of = |report: &Report| section(report).expect("a section").lines().next().expect("a line").to_owned();
    assert_eq!(of(&one), "1 violation (1 HIGH), by the entries of");
    // A message that was read again holds fewer than there are.
    one.summary.exempted = 2;
    assert_eq!(of(&one), "2 violations, by the entries of");
}

/// With the longest names in every list a mail would leave no room for the report in its message.
#[test]
fn a_mail_of_very_long_names_ends_its_lists_early() {
    let name = "\u{1f4a3}".repeat(200);
    let mut report = paused(120);
    for (index, violation) in report.violations.iter_mut().enumerate() {
        violation.resource.id = name.clone();
        violation.resource.email = Some(name.clone());
        violation.status = Some(name.clone());
        violation.since = Some(name.clone());
        violation.change = Some(if index < 60 { Change::New } else { Change::Known });
    }
    let report = settled(report);
    let text = mail(&report);
    assert!(text.len() < 70_000, "{}", text.len());
    let (new, still) = text.split_once("\nSTILL THERE\n").expect("two lists");
    assert!(new.contains("\n\nAnd 10 more; "), "{new}");
    let listed = still.matches("\n- ").count();
    assert!(listed < 50 && still.contains(&format!("And {} more; ", 60 - listed)), "{listed}");
    assert!(still.contains("\nCOUNTS\n"));
}
