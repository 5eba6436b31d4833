//! What people read, kept as golden files: the subject and the mail of a clean run, a bad one, an
//! incomplete one and a huge one. `cargo insta review` shows a change.

use macie_compliance::event::Trigger;
use macie_compliance::facts::{Api, Facts, Failure, Read, Resource, ResourceType, Status, Target};
use macie_compliance::report::{self, Head, LIMIT, Message};
use macie_compliance::rules::Rules;

fn messages(facts: &[Facts]) -> Vec<Message> {
    let head = Head {
        report_id: "17793124-05d4-b198-2fde-7ededc63b103".to_owned(),
        generated_at: "2026-11-22T06:00:04Z".to_owned(),
        trigger: Trigger {
            source: "aws.scheduler".to_owned(),
            detail_type: Some("Scheduled Event".to_owned()),
            id: Some("17793124-05d4-b198-2fde-7ededc63b103".to_owned()),
            time: Some("2026-11-22T06:00:00Z".to_owned()),
        },
    };
    report::messages(&report::build(head, facts, &Rules::without(&[])))
}

/// Subject, mail and short message, as people get them.
fn shown(message: &Message) -> String {
    let body: serde_json::Value = serde_json::from_str(&message.body).expect("the body is JSON");
    let text = |protocol: &str| body[protocol].as_str().expect("a text").to_owned();
    let (mail, sms) = (text("email"), text("sms"));
    for line in mail.lines() {
        assert!(line.chars().count() <= 72, "{line}");
        assert_eq!(line.trim_end(), line);
    }
    format!("Subject: {}\n\n{mail}\nSMS: {sms}\n", message.subject)
}

fn target(region: &str, members: u64) -> Facts {
    let target = Target { account_id: "999999999999".to_owned(), region: region.to_owned() };
    let read = |api, pages, items| Read { pages, items, ..Read::new(api) };
    Facts {
        reads: vec![
            read(Api::GetMacieSession, 1, 1),
            read(Api::GetAdministratorAccount, 1, 0),
            read(Api::ListMembers, members.div_ceil(25).max(1), members),
            read(Api::ListInvitations, 1, 0),
            read(Api::ListFindingsFilters, 3, 60),
        ],
        members_by_status: [("Enabled".to_owned(), members)].into(),
        ..Facts::new(target)
    }
}

fn resource(kind: ResourceType, id: &str, status: &str) -> Resource {
    Resource {
        kind,
        id: id.to_owned(),
        arn: None,
        name: None,
        email: None,
        status: Status::Is(status.to_owned()),
        since: None,
        confirmed: None,
    }
}

fn member(id: u64, status: &str) -> Resource {
    let since = Some("2026-11-01T09:30:00Z".to_owned());
    Resource {
        since,
        confirmed: Some(!id.is_multiple_of(3)),
        ..resource(ResourceType::Member, &format!("{id:012}"), status)
    }
}

fn filter(id: &str, name: &str) -> Resource {
    Resource { name: Some(name.to_owned()), ..resource(ResourceType::FindingsFilter, id, "ARCHIVE") }
}

fn failed(facts: &mut Facts, api: Api, code: &str, message: &str) {
    let read = facts.reads.iter_mut().find(|read| read.api == api).expect("a read of this API");
    read.failure = Some(Failure {
        code: code.to_owned(),
        message: message.to_owned(),
        request_id: Some("6f1d9a2e-aaaa".to_owned()),
    });
}

#[test]
fn a_clean_run() {
    let messages = messages(&[target("us-east-1", 1060)]);
    insta::assert_snapshot!(shown(&messages[0]));
}

#[test]
fn a_bad_run() {
    let mut bad = target("us-east-1", 1060);
    bad.members_by_status = [("Enabled", 1054), ("AccountSuspended", 3), ("RegionDisabled", 2), ("Paused", 1)]
        .map(|(s, n)| (s.to_owned(), n))
        .into();
    bad.flagged = vec![
        member(100_000_000_099, "AccountSuspended"),
        member(100_000_000_100, "AccountSuspended"),
        member(100_000_000_101, "AccountSuspended"),
        member(100_000_000_200, "RegionDisabled"),
        member(100_000_000_201, "RegionDisabled"),
        member(100_000_000_300, "Paused"),
        filter("4f3c8e52-1111", "quiet"),
        filter("4f3c8e52-2222", "A name as long as Macie allows and with \n\u{202e} odd characters!!"),
        resource(ResourceType::Administrator, "333333333333", "AccountSuspended"),
        resource(ResourceType::Invitation, "444444444444", "Postponed"),
    ];
    let mut off = target("eu-west-1", 0);
    off.flagged = vec![Resource { status: Status::NotEnabled, ..resource(ResourceType::Session, "999999999999", "") }];
    insta::assert_snapshot!(shown(&messages(&[off, bad])[0]));
}

#[test]
fn an_incomplete_run() {
    let mut facts: Vec<Facts> = ["eu-west-1", "eu-west-2", "us-east-1"].map(|region| target(region, 100)).into();
    for target in &mut facts {
        failed(
            target,
            Api::ListInvitations,
            "AccessDeniedException",
            "User: arn:aws:sts::999999999999:assumed-role/macie-compliance/x is not authorized to perform: macie2:ListInvitations",
        );
    }
    failed(
        &mut facts[2],
        Api::ListMembers,
        Failure::DEADLINE_EXCEEDED,
        "the Lambda deadline came near before this was read",
    );
    insta::assert_snapshot!(shown(&messages(&facts)[0]));
}

#[test]
fn a_huge_run() {
    let mut huge = target("us-east-1", 10_000);
    huge.members_by_status = [("RegionDisabled", 6_000), ("Enabled", 4_000)].map(|(s, n)| (s.to_owned(), n)).into();
    huge.flagged = (0..6_000).map(|id| member(100_000_000_000 + id, "RegionDisabled")).collect();
    let messages = messages(&[huge]);
    assert!(messages.iter().all(|message| message.size() <= LIMIT));
    insta::assert_snapshot!(format!("{}\n\n==== part 2 ====\n\n{}", shown(&messages[0]), shown(&messages[1])));
}
