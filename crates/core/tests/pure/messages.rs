//! What a report looks like as messages: their sizes, their parts, what deduplicates them, and what the mail says.

use std::collections::HashSet;

use macie_compliance_core::api::Api;
use macie_compliance_core::checks::{self, Check, Checks, Judge, Problem};
use macie_compliance_core::evidence::{Evidence, Member, Members, Read};
use macie_compliance_core::render::{LIMIT, Message, Messages};
use macie_compliance_core::report::v1::{Report, Verdict};
use macie_compliance_core::resource::{Resource, ResourceType};
use macie_compliance_core::severity::Severity;
use macie_compliance_core::testing::{
    self, checks, clean, envelope, filter, flat, invitation, member, members, report, report_by, target, text,
    with_failed_read,
};
use serde_json::Value;

fn all_of(report: &Report) -> Vec<Message> {
    Messages::of(report, usize::MAX).iter().collect()
}

fn healthy(account: u64, region: &str) -> Evidence {
    clean(target(account, region))
}

/// Evidence of this many members for which Macie is paused.
fn paused(number: usize) -> Evidence {
    let since = Some("2026-11-01T00:00:00Z".to_owned());
    let paused = |id: usize| Member { since: since.clone(), ..member(format!("{id:012}"), "Paused") };
    Evidence { members: members((0..number).map(paused).collect()), ..healthy(1, "eu-west-1") }
}

/// Evidence of this many filters, whose names are as long and as hostile as they can be.
fn hostile(number: usize) -> Evidence {
    let name =
        |index: usize| ["\u{202e}\r\n\u{1b}[2J\u{2028}\"\\", "é漢\u{1f4a3}", "plain"][index % 3].repeat(1 + index % 9);
    let filters = (0..number).map(|id| filter(&format!("f-{id:06}"), Some(&name(id)), "ARCHIVE")).collect();
    Evidence { filters, ..healthy(1, "eu-west-1") }
}

fn mail_by(checks: &Checks, evidence: &[Evidence]) -> String {
    testing::mail(&report_by(checks, evidence))
}

fn mail(evidence: &[Evidence]) -> String {
    mail_by(&checks(), evidence)
}

fn part(message: &Message) -> Value {
    serde_json::from_str(&message.report()).expect("JSON")
}

fn list<'a>(part: &'a Value, name: &str) -> &'a [Value] {
    part[name].as_array().expect("a list")
}

/// What is published of a message, in bytes.
fn published(message: &Message) -> usize {
    let attributes = message.attributes.iter().flat_map(|a| [a.name, a.data_type, &a.value]);
    message.subject.len() + message.body.len() + attributes.map(str::len).sum::<usize>()
}

#[test]
fn violations_are_counted_by_severity_and_rule() {
    let bad = Evidence { filters: vec![filter("f", None, "ARCHIVE")], ..paused(3) };
    let unread = with_failed_read(healthy(2, "us-east-1"), Api::ListMembers, "x", "");
    let report = report(&[bad, unread, healthy(3, "us-east-1")]);
    assert_eq!(Severity::ALL.map(|severity| report.summary.by_severity[&severity]), [0, 3, 1, 0]);
    let by_rule = &report.summary.by_rule;
    assert_eq!((by_rule["member-macie-paused"], by_rule["filter-archives-findings"]), (3, 1));
    assert_eq!((by_rule.values().sum::<u64>(), by_rule.len()), (4, checks().len()));
    assert_eq!((report.summary.targets, report.summary.targets_incomplete, report.summary.violations), (3, 1, 4));
    let verdicts: Vec<Verdict> = report.targets.iter().map(|target| target.verdict).collect();
    assert_eq!(verdicts, [Verdict::NonCompliant, Verdict::InsufficientData, Verdict::Compliant]);
}

#[test]
fn attributes_hold_what_filter_policies_ask_for() {
    let attributes = |evidence: &[Evidence]| -> Vec<(&str, String)> {
        let messages = all_of(&report(evidence));
        messages[0].attributes.iter().map(|attribute| (attribute.name, attribute.value.clone())).collect()
    };
    assert_eq!(attributes(&[healthy(1, "eu-west-1")])[2], ("maxSeverity", "NONE".to_owned()));
    let bad = Evidence { filters: vec![filter("f", None, "ARCHIVE")], ..healthy(1, "eu-west-1") };
    let values: Vec<String> = attributes(&[bad]).into_iter().map(|(_, value)| value).collect();
    assert_eq!(values, ["NON_COMPLIANT", "true", "MEDIUM", "1", "17793124-05d4-b198-2fde-7ededc63b103", "1", "1"]);
}

/// The mail is published and is not in the envelope. So one of the two sizes counts where there is much of it, and the
/// other where there is little.
#[test]
fn the_size_of_a_message_is_that_of_what_is_published_or_of_its_envelope() {
    let [short] = all_of(&report(&[healthy(1, "eu-west-1")])).try_into().expect("one message");
    let escaped = |text: &str| serde_json::to_string(text).expect("JSON").len() - 2;
    let attributes: usize =
        short.attributes.iter().map(|a| 40 + a.name.len() + a.data_type.len() + a.value.len()).sum();
    assert_eq!(short.size(), 3_072 + short.subject.len() + escaped(&short.report()) + attributes);
    assert!(short.size() > published(&short) && short.size() > envelope(&short).len());

    let [long] = all_of(&report(&[paused(50)])).try_into().expect("one message");
    assert_eq!(long.size(), published(&long));
    assert!(long.size() > envelope(&long).len());
}

#[test]
fn the_mail_names_accounts_and_regions_and_says_what_may_be_missing() {
    let unread = with_failed_read(healthy(2, "eu-west-1"), Api::ListMembers, "x", "");
    let mail = mail(&[paused(1), unread]);
    assert!(mail.starts_with("NON_COMPLIANT: Amazon Macie, 2 accounts, 1 Region\n"), "{mail}");
    assert!(mail.contains("1 violation, and there may be more: in 1 of 2 targets not everything"), "{mail}");
    let one = "This is not an all-clear. In 1 of 1 target not everything could be read; in what was read, nothing";
    let late = with_failed_read(healthy(2, "eu-west-1"), Api::ListMembers, "x", "");
    assert!(flat(&mail_by(&checks(), &[late])).contains(one));
}

#[test]
fn fifty_violations_are_listed_and_the_rest_are_counted() {
    let fifty = mail(&[paused(50)]);
    assert!(fifty.contains("- account 000000000049,") && !fifty.contains(" more;"), "{fifty}");
    let more = mail(&[paused(53)]);
    assert!(more.contains("HIGH member-macie-paused (53)"), "{more}");
    assert!(more.contains("And 3 more;") && !more.contains("- account 000000000050,"), "{more}");
}

#[test]
fn a_violation_is_listed_with_all_that_is_known_of_it() {
    let email = Some("owner\n@example.com".to_owned());
    let since = Some("2026-11-01T09:30:00Z".to_owned());
    let mut bad = healthy(1, "eu-west-1");
    bad.members = members(vec![
        Member { email, since, confirmed: true, ..member("111111111111", "Paused") },
        member("222222222222", "Paused"),
    ]);
    bad.filters = vec![filter("f-1", None, "ARCHIVE"), filter("f-2", Some("quiet"), "ARCHIVE")];
    bad.invitations = vec![invitation("333333333333", "RegionDisabled")];
    let mail = mail(&[bad]);
    for line in [
        "- account 111111111111 (owner\u{fffd}@example.com), Paused since 2026-11-01",
        "- account 222222222222, Paused, not confirmed #",
        "- filter f-1: what it mutes could not be read #",
        "- filter \"quiet\" (f-2): what it mutes could not be read #",
        "- from account 333333333333, RegionDisabled #",
        "https://console.aws.amazon.com/macie/home?region=eu-west-1#findings\n",
    ] {
        assert!(mail.contains(line), "{line} in {mail}");
    }
    // An empty line between two headings, and none before the first.
    assert!(mail.contains("VIOLATIONS\nHIGH member-macie-paused (2)\nIn 000000000001 eu-west-1\n"), "{mail}");
    assert!(mail.contains("\n\nMEDIUM invitation-region-disabled (1)\n"), "{mail}");
}

static GRADED: Check = Check {
    id: "graded",
    severity: Severity::High,
    title: "Something graded",
    risk: "It may be bad.",
    fix: "Look.",
    needs: &[Api::GetMacieSession],
    applies: |_, _| Some(true),
    judge: Judge::Target(|_, _| {
        [("a", Some(Severity::Low)), ("b", None), ("b", Some(Severity::Critical)), ("c", Some(Severity::Low))]
            .map(|(id, severity)| Problem { severity, ..Problem::with(Resource::new(ResourceType::Session, id)) })
            .into()
    }),
};

#[test]
fn a_name_that_is_the_id_is_told_once() {
    let mut evidence = healthy(1, "eu-west-1");
    evidence.discovery.excluded_buckets = vec!["logs".to_owned()];
    let text = mail(&[evidence]);
    assert!(text.contains("\n- bucket logs #"), "{text}");
}

#[test]
fn a_rule_of_two_severities_has_two_headings_and_each_violation_one_of_them() {
    let checks = Checks::only([&GRADED]);
    let report = report_by(&checks, &[healthy(1, "eu-west-1")]);
    let listed: Vec<_> = report.violations.iter().map(|v| (v.resource.id.as_str(), v.severity)).collect();
    assert_eq!(listed, [("b", Severity::Critical), ("a", Severity::Low), ("c", Severity::Low)]);
    assert_eq!(report.summary.by_severity[&Severity::Low], 2);
    assert_eq!((report.summary.violations, report.summary.by_rule["graded"]), (3, 3));
    let mail = mail_by(&checks, &[healthy(1, "eu-west-1")]);
    assert!(
        mail.contains("1. Something graded (1, CRITICAL). It may be bad. Look.\n2. Something graded (2, LOW)."),
        "{mail}"
    );
    assert!(mail.contains("CRITICAL graded (1)\n") && mail.contains("LOW graded (2)\n"), "{mail}");
}

#[test]
fn a_subject_keeps_its_part_however_long_the_rest() {
    let mut huge = paused(6_000);
    huge.target.region = format!("eu-{}-1", "a".repeat(27));
    let huge = with_failed_read(huge, Api::ListMembers, "x", "");
    let messages = all_of(&report(&[huge]));
    let of = messages.len();
    assert!(of > 9);
    for (index, message) in messages.iter().enumerate() {
        assert!(message.subject.len() <= 99 && message.subject.ends_with(&format!(" (part {} of {of})", index + 1)));
    }
    assert_eq!(messages[0].subject.len(), 99);
    let sms = text(&messages[0], "sms");
    let later = text(&messages[1], "sms");
    assert!(later.starts_with("Macie: part 2 of ") && later.contains("see part 1 for the verdict"), "{later}");
    assert!(
        sms.len() > 99 - " (part 1 of 10)".len()
            && sms.starts_with("Macie NON_COMPLIANT: 6000 violations, incomplete, "),
        "{sms}"
    );
}

#[test]
fn only_the_first_mail_of_several_says_everything() {
    let messages = all_of(&report(&[paused(1_000)]));
    let of = messages.len();
    assert!(text(&messages[0], "email").contains(&format!("The report comes in {of} messages; this is the first.")));
    let second = text(&messages[1], "email");
    assert!(second.starts_with(&format!("NON_COMPLIANT: part 2 of {of}\n")) && second.len() < 400, "{second}");
    assert!(!mail(&[paused(1)]).contains("messages"));
}

#[test]
fn every_part_lists_all_targets_while_they_leave_room() {
    let mut many: Vec<Evidence> = (2..21).map(|account| healthy(account, "eu-west-1")).collect();
    many.push(paused(1_000));
    let messages = all_of(&report(&many));
    assert!(messages.len() > 1);
    for message in &messages {
        assert_eq!(list(&part(message), "targets").len(), 20);
    }
}

#[test]
fn targets_that_leave_too_little_room_are_listed_once_each() {
    let mut many: Vec<Evidence> = (2..701).map(|account| healthy(account, "eu-west-1")).collect();
    many.push(paused(500));
    let messages = all_of(&report(&many));
    let mut listed = HashSet::new();
    for message in &messages {
        assert!(message.size() <= LIMIT);
        for target in list(&part(message), "targets") {
            assert!(listed.insert(target["accountId"].as_str().expect("an id").to_owned()));
        }
    }
    assert_eq!(listed.len(), 700);
}

/// They would fit into every part, and are more than a third of it.
#[test]
fn targets_are_not_repeated_where_they_would_take_most_of_each_part() {
    let mut many: Vec<Evidence> = (2..72).map(|account| healthy(account, "eu-west-1")).collect();
    many.push(paused(1_000));
    let messages = all_of(&report(&many));
    let targets: Vec<Value> = messages.iter().flat_map(|message| list(&part(message), "targets").to_vec()).collect();
    assert_eq!(targets.len(), 71);
    let size = serde_json::to_string(&Value::from(targets).to_string()).expect("a string").len();
    assert!((LIMIT / 3..LIMIT * 2 / 3).contains(&size), "{size}");
}

/// Published, this is far from a third of a message; escaped in the envelope it is nearly all of one.
#[test]
fn targets_leave_room_in_the_envelope_too() {
    let failed = |region: usize| {
        let evidence = healthy(1, &format!("r-{region}"));
        with_failed_read(evidence, Api::ListMembers, "InternalServerException", &"é".repeat(1_000))
    };
    let mut many: Vec<Evidence> = (0..38).map(failed).collect();
    many.push(hostile(500));
    let report = report(&many);
    let messages = all_of(&report);
    assert!(messages.iter().all(|message| message.size() <= LIMIT));
    assert!(messages.len() < 8, "{}", messages.len());
    let listed: usize = messages.iter().map(|message| list(&part(message), "violations").len()).sum();
    assert_eq!(listed, 500);
}

#[test]
fn thousands_of_targets_are_messages_that_can_each_be_had_alone() {
    let many: Vec<Evidence> = (0..5_000).map(|account| healthy(account, "eu-west-1")).collect();
    let report = report(&many);
    let messages = Messages::of(&report, usize::MAX);
    assert!(messages.count() > 5);
    let mut listed = HashSet::new();
    for index in (0..messages.count()).rev() {
        let message = messages.get(index).expect("a message");
        assert!(message.size() <= LIMIT);
        let part = part(&message);
        assert_eq!((&part["part"]["number"], &part["part"]["of"]), (&(index + 1).into(), &messages.count().into()));
        listed.extend(list(&part, "targets").iter().map(|target| target["accountId"].to_string()));
    }
    assert_eq!(listed.len(), 5_000);
    assert_eq!(messages.get(messages.count()), None);
    assert_eq!(messages.get(2), messages.iter().nth(2));
}

/// A name is made longer by one character at a time, so that the first part is filled to the last byte that it may hold.
#[test]
fn a_part_is_filled_to_the_limit_and_not_beyond() {
    let filled = |index: usize, padding: usize| {
        let mut full = paused(600);
        full.members.flagged.extend((0..400).map(|id| member(format!("9{id:011}"), "Paused")));
        full.members.flagged[index * 700].arn = Some("n".repeat(padding));
        let report = report(&[full]);
        let messages = all_of(&report);
        assert_eq!(messages.len(), 3);
        (messages[index].size(), list(&part(&messages[index]), "violations").len())
    };
    // Room is kept for part numbers of six digits, which take five bytes more in each of seven places of what is
    // published and of six in the envelope, and for a comma after the last violation. The first part is limited by what
    // is published, the mail in it, and the second by its envelope.
    for (index, reserved) in [(0, 7 * 5 + 1), (1, 6 * 5 + 1)] {
        let (size, violations) = filled(index, 1);
        let fullest = 1 + LIMIT - reserved - size;
        assert_eq!(filled(index, fullest), (LIMIT - reserved, violations));
        assert_eq!(filled(index, fullest + 1).1, violations - 1);
    }
}

#[test]
fn a_report_that_just_fits_is_one_message() {
    let padded = |padding: usize| {
        let mut evidence = paused(20);
        // No single one is so long that less of it is sent.
        let lengths = (0..20).map(|index| padding / 20 + usize::from(index < padding % 20));
        for (member, length) in evidence.members.flagged.iter_mut().zip(lengths) {
            member.arn = Some("a".repeat(length));
        }
        all_of(&report(&[evidence]))
    };
    let room = LIMIT - padded(0)[0].size();
    let fits = padded(room);
    assert_eq!((fits.len(), fits[0].size()), (1, LIMIT));
    assert_eq!(padded(room + 1).len(), 2);
}

#[test]
fn no_message_is_too_large_for_sns_nor_for_a_queue_behind_it() {
    for evidence in [hostile(3_000), hostile(12_000), paused(3_000), paused(12_000)] {
        let report = report(&[evidence]);
        let mut listed = HashSet::new();
        let messages = Messages::of(&report, usize::MAX);
        for message in messages.iter() {
            assert!(published(&message) <= LIMIT && envelope(&message).len() <= LIMIT);
            assert!(message.size() >= published(&message) && message.size() >= envelope(&message).len());
            for violation in list(&part(&message), "violations") {
                assert!(listed.insert(violation["id"].as_str().expect("an id").to_owned()));
            }
        }
        assert_eq!(listed.len(), report.violations.len());
        assert!(listed.len() >= 3_000);
    }
}

#[test]
fn a_topic_drops_what_is_sent_again_and_nothing_else() {
    let ids = |evidence: Evidence| -> Vec<String> {
        all_of(&report(&[evidence])).into_iter().map(|message| message.deduplication_id).collect()
    };
    let late = with_failed_read(paused(629), Api::ListMembers, "DeadlineExceeded", "late");
    let [late, again, whole] = [ids(late.clone()), ids(late), ids(paused(1_000))];
    assert_eq!(late, again);
    assert!(late.len() > 1 && whole.len() > late.len());
    let different: HashSet<&String> = late.iter().chain(&whole).collect();
    assert_eq!(different.len(), late.len() + whole.len());
}

#[test]
fn rules_that_are_switched_off_are_named_in_the_first_lines() {
    let all = checks::all().count();
    let named = format!("2 of {all} rules are switched off: macie-not-enabled, macie-paused.");
    let checks = Checks::without(&["macie-paused", "macie-not-enabled"]);
    let unread = with_failed_read(healthy(1, "eu-west-1"), Api::ListMembers, "x", "");
    for evidence in [healthy(1, "eu-west-1"), paused(3), unread] {
        let told = mail_by(&checks, std::slice::from_ref(&evidence));
        let first = told.split("WHAT TO DO").next().expect("first lines");
        assert!(flat(first).contains(&named), "{told}");
        let report = report_by(&checks, std::slice::from_ref(&evidence));
        assert_eq!(
            part(&all_of(&report)[0])["rulesDisabled"],
            serde_json::json!(["macie-not-enabled", "macie-paused"])
        );
        assert!(!mail(&[evidence]).contains("switched off"));
    }
    let one = mail_by(&Checks::without(&["macie-paused"]), &[healthy(1, "eu-west-1")]);
    let read = "Everything that the enabled rules need was read, and nothing breaks one\nof them.\n";
    assert!(one.contains(&format!("{read}1 of {all} rules is switched off: macie-paused.\n")), "{one}");
}

#[test]
fn regions_that_do_not_offer_macie_are_named_and_are_no_targets() {
    let without = |region: &str| Evidence { macie_not_offered: true, ..Evidence::new(target(1, region)) };
    let evidence = [without("xx-new-2"), healthy(1, "eu-west-1"), without("xx-new-1"), without("xx-new-2")];
    let mail = mail(&evidence);
    assert!(mail.starts_with("COMPLIANT: Amazon Macie, 000000000001 eu-west-1\n"), "{mail}");
    assert!(flat(&mail).contains("Macie is not offered in xx-new-1, xx-new-2, so nothing was read there."), "{mail}");
    let report = report(&evidence);
    assert_eq!(report.summary.regions_without_macie, ["xx-new-1", "xx-new-2"]);
    assert_eq!((report.summary.targets, report.targets.len()), (1, 1));
    assert!(!self::mail(&[healthy(1, "eu-west-1")]).contains("not offered"));
    let nothing = self::report(&[without("xx-new-1")]);
    assert_eq!((nothing.verdict, nothing.complete), (Verdict::InsufficientData, false));
}

fn report_of_one(checks: &Checks) -> Value {
    let mut evidence = healthy(1, "eu-west-1");
    for Read { items, .. } in &mut evidence.reads {
        *items = 7;
    }
    evidence.members =
        Members { by_status: macie_compliance_core::testing::by_status(&[("Enabled", 7)]), ..Members::default() };
    part(&all_of(&report_by(checks, &[evidence]))[0])["summary"].clone()
}

#[test]
fn the_count_of_a_list_that_is_not_read_is_absent() {
    let all = report_of_one(&checks());
    assert_eq!((&all["members"], &all["invitations"], &all["filters"]), (&7.into(), &7.into(), &7.into()));
    assert_eq!(all["membersByStatus"], serde_json::json!({"Enabled": 7}));
    // The rules of discovery need the members too, which tell what the account is to Macie.
    let of_members = &[Api::ListMembers, Api::GetAutomatedDiscoveryConfiguration][..];
    for (apis, counts, line) in [
        (of_members, &["members", "membersByStatus"][..], "Members"),
        (&[Api::ListInvitations], &["invitations"], "Invitations"),
        (&[Api::ListFindingsFilters], &["filters"], "Findings filters"),
    ] {
        let of_it = |check: &&Check| check.needs.iter().any(|api| apis.contains(api));
        let off: Vec<&str> = checks().iter().filter(of_it).map(|check| check.id).collect();
        let checks = Checks::without(&off);
        let summary = report_of_one(&checks);
        let absent: Vec<&str> = ["members", "membersByStatus", "invitations", "filters"]
            .into_iter()
            .filter(|name| summary.get(*name).is_none())
            .collect();
        assert_eq!(absent, counts);
        let mail = mail_by(&checks, &[healthy(1, "eu-west-1")]);
        assert_eq!(mail.matches("not read, since their rules are switched off").count(), 1);
        assert!(mail.contains(&format!("{line}: not read, since their rules are switched off\n")), "{mail}");
    }
}

#[test]
fn a_run_without_any_target_says_so() {
    let mail = mail(&[]);
    assert!(mail.contains("There was no account and Region in which\nanything could be read."), "{mail}");
    assert!(!mail.contains("In 0 of 0"), "{mail}");
}
