//! Where what is taken ends: names, settings and events that break one condition each.

use macie_compliance_core::inlet::event;
use macie_compliance_core::inlet::settings::{InvalidSettings, Settings};
use macie_compliance_core::names::{Arn, Regions, is_account_id, is_region};
use macie_compliance_core::order::{Event, Order, Task, Trigger};
use serde_json::{Value, json};

const TOPIC: &str = "arn:aws:sns:us-east-1:999999999999:reports";

fn settings(variable: &str, value: &str) -> Result<Settings, InvalidSettings> {
    all_settings(&[(variable, value)])
}

fn all_settings(variables: &[(&str, &str)]) -> Result<Settings, InvalidSettings> {
    let defaults = [("REPORT_TOPIC_ARN", TOPIC), ("AWS_REGION", "eu-west-1")];
    Settings::from_lookup(|name| {
        let mut known = variables.iter().chain(&defaults);
        known.find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn a_region_has_an_area_places_and_a_number() {
    let longest = format!("eu-{}-1", "a".repeat(27));
    for region in ["il-central-1", "eusc-de-east-12", &longest] {
        assert!(is_region(region), "{region}");
    }
    let too_long = format!("eu-{}-1", "a".repeat(28));
    for text in [
        "e1-west-1",
        "europe-west-1",
        "eu-we5t-1",
        "eu-west1-north-1",
        "eu-West-1",
        "eu-west-x",
        "eu-west-1x",
        "eu-west-1-",
        &too_long,
    ] {
        assert!(!is_region(text), "{text}");
    }
}

#[test]
fn an_account_id_is_twelve_digits() {
    assert!(is_account_id("012345678901"));
    for text in ["", "12345678901", "1234567890123", "12345678901a"] {
        assert!(!is_account_id(text), "{text}");
    }
}

#[test]
fn an_arn_has_six_parts_and_a_partition_of_aws() {
    let arn = Arn::parse("arn:aws-us-gov:iam::111122223333:role/a:b").expect("an ARN");
    assert_eq!((arn.service, arn.region, arn.account_id, arn.resource), ("iam", "", "111122223333", "role/a:b"));
    for text in [
        "",
        "arn:aws:sns:us-east-1:999999999999",
        "urn:aws:a:b:c:d",
        "arn:sun:a:b:c:d",
        "arn:aws.x:a:b:c:d",
        "arn:aws:a:b:c:",
    ] {
        assert!(Arn::parse(text).is_none(), "{text}");
    }
}

#[test]
fn settings_are_taken_up_to_their_edges() {
    let topic = |name: &str| format!("arn:aws:sns:us-east-1:999999999999:{name}");
    let role = |name: &str| format!("arn:aws:iam::111122223333:role/{name}");
    let bucket = "b".repeat(63);
    for (variable, value) in [
        ("REPORT_TOPIC_ARN", topic("Re_ports-1")),
        ("REPORT_TOPIC_ARN", topic(&"t".repeat(256))),
        ("MACIE_ROLE_ARNS", role(&"r".repeat(576))),
        ("MACIE_ROLE_ARNS", role("path/a+b=c.d@e-f_g")),
        ("MAX_CONCURRENCY", "1000".to_owned()),
        ("DEADLINE_MARGIN_SECONDS", "600".to_owned()),
        ("INCLUDE_EMAILS", "false".to_owned()),
        ("NOTIFY_ON", "always".to_owned()),
        ("EVIDENCE_BUCKET", bucket.clone()),
        ("EVIDENCE_BUCKET", "a-1".to_owned()),
    ] {
        assert!(settings(variable, &value).is_ok(), "{variable}={value}");
    }
    for (variable, value) in [
        ("REPORT_TOPIC_ARN", "arn:aws:sns:nowhere:999999999999:reports".to_owned()),
        ("REPORT_TOPIC_ARN", topic(&"t".repeat(257))),
        ("REPORT_TOPIC_ARN", topic("re.ports")),
        ("MACIE_ROLE_ARNS", role(&"r".repeat(577))),
        ("MACIE_ROLE_ARNS", role("path/")),
        ("MACIE_ROLE_ARNS", role("a b")),
        ("MACIE_ROLE_ARNS", "arn:aws:iam::11112222333:role/x".to_owned()),
        ("MACIE_ROLE_ARNS", "arn:aws:iam:us-east-1:111122223333:role/x".to_owned()),
        ("MACIE_ROLE_ARNS", "arn:aws:sts::111122223333:role/x".to_owned()),
        ("MAX_CONCURRENCY", "1001".to_owned()),
        ("DEADLINE_MARGIN_SECONDS", "601".to_owned()),
        ("EVIDENCE_BUCKET", "ab".to_owned()),
        ("EVIDENCE_BUCKET", format!("{bucket}b")),
        ("EVIDENCE_BUCKET", "-ab".to_owned()),
        ("EVIDENCE_BUCKET", "ab-".to_owned()),
        ("EVIDENCE_BUCKET", "aBc".to_owned()),
        ("AWS_REGION", "nowhere".to_owned()),
    ] {
        let problems = settings(variable, &value).expect_err(&value).0;
        assert_eq!((problems.len(), problems[0].variable), (1, variable), "{value}");
        assert_eq!(problems[0].value.as_deref(), Some(value.as_str()));
    }
}

#[test]
fn a_list_leaves_out_what_is_empty_or_there_already() {
    let read = settings("MACIE_REGIONS", " eu-west-1,, us-east-1 ,eu-west-1,").expect("valid");
    assert_eq!(read.regions, Regions::These(vec!["eu-west-1".to_owned(), "us-east-1".to_owned()]));
    assert_eq!(settings("EVIDENCE_BUCKET", "results").expect("valid").evidence_bucket.as_deref(), Some("results"));
    assert_eq!(settings("EVIDENCE_BUCKET", "").expect("valid").evidence_bucket, None);
}

#[test]
fn an_external_id_goes_to_the_role_of_its_account_once() {
    let roles = ("MACIE_ROLE_ARNS", "arn:aws:iam::111122223333:role/x,arn:aws:iam::444455556666:role/y");
    let longest = format!("444455556666={}", "x".repeat(1224));
    for (ids, right) in [
        ("111122223333=ab", true),
        (longest.as_str(), true),
        ("111122223333=a", false),
        ("111122223333=a!", false),
        (&format!("{longest}x"), false),
        ("111122223333=ab,111122223333=cd", false),
        ("777777777777=ab", false),
    ] {
        let read = all_settings(&[roles, ("MACIE_ROLE_EXTERNAL_IDS", ids)]);
        assert_eq!(read.is_ok(), right, "{ids}");
    }
    let read = all_settings(&[roles, ("MACIE_ROLE_EXTERNAL_IDS", "444455556666=second")]).expect("valid");
    assert_eq!(read.roles[0].external_id, None);
    assert_eq!(read.roles[1].external_id.as_deref(), Some("second"));
    assert!(read.has_role_in("444455556666") && !read.has_role_in("777777777777"));
}

#[test]
fn problems_are_told_one_after_the_other() {
    let problems = all_settings(&[("MAX_CONCURRENCY", "0"), ("INCLUDE_EMAILS", "no")]).expect_err("invalid");
    assert_eq!(
        problems.to_string(),
        "settings: MAX_CONCURRENCY=\"0\" is not a whole number from 1 to 1000; INCLUDE_EMAILS=\"no\" is not `true` or `false`"
    );
}

fn run(event: &Value) -> Order {
    match event::parse(event) {
        Ok(Event::Run(order)) => order,
        other => panic!("{event}: {other:?}"),
    }
}

#[test]
fn an_envelope_tells_who_asked() {
    let event = json!({"id": "7", "source": "aws.scheduler", "detail-type": "Scheduled Event", "time": "now",
        "detail": "{}", "resources": []});
    let trigger = run(&event).trigger;
    let text = |text: &str| Some(text.to_owned());
    let expected = Trigger {
        source: "aws.scheduler".to_owned(),
        detail_type: text("Scheduled Event"),
        id: text("7"),
        time: text("now"),
    };
    assert_eq!(trigger, expected);
    let longest = "x".repeat(1024);
    let long = run(&json!({"id": "", "source": format!("{longest}y"), "detail-type": "t"})).trigger;
    assert_eq!((long.id, long.source), (None, longest));
    assert_eq!(run(&json!({})).trigger.source, "on-demand");
}

#[test]
fn a_refusal_tells_what_came_instead() {
    for (event, told) in [
        (json!([]), "event: expected an object, got an array"),
        (json!("x"), "event: expected an object, got a string"),
        (json!({"publish": 1}), "event: field `publish`: expected true or false, got a number"),
        (json!({"publish": {}}), "event: field `publish`: expected true or false, got an object"),
        (json!({"regions": [null]}), "event: field `regions`: expected codes of Regions, such as eu-west-1, got null"),
        (json!({"regions": true}), "event: field `regions`: expected an array of Region codes, got a boolean"),
        (json!({"region": 1}), "event: field `region`: not known; expected regions, publish"),
        (
            json!({"source": "s", "detail-type": "t", "resources": {}}),
            "event: field `resources`: expected an array, got an object",
        ),
    ] {
        assert_eq!(event::parse(&event).expect_err("refused").to_string(), told);
    }
}

#[test]
fn a_step_is_held_to_its_fields() {
    let step = |target: Value| event::parse(&json!({"step": "AuditTarget", "execution": "e", "target": target}));
    assert!(step(json!({"accountId": "111122223333", "region": "eu-west-1"})).is_ok());
    assert!(step(json!({"accountId": "111122223333", "region": "nowhere"})).is_err());
    assert!(step(json!({"accountId": "11112222333", "region": "eu-west-1"})).is_err());
    for (execution, right) in [("e".repeat(80), true), ("a-b_c.D9".to_owned(), true), (String::new(), false)] {
        let event = json!({"step": "PublishReport", "execution": execution});
        assert_eq!(event::parse(&event).is_ok(), right, "{execution}");
    }
    let roles = |named: Value| {
        event::parse(&json!({"step": "ListTargets", "execution": "e", "event": {"publish": false, "roles": named}}))
    };
    let arn = |account: &str| json!({"roleArn": format!("arn:aws:iam::{account}:role/x")});
    match roles(json!([arn("111122223333"), arn("444455556666")])).expect("valid") {
        Event::Step(step) => match step.task {
            Task::ListTargets(order, roles) => assert_eq!((order.dry_run, roles.len()), (true, 2)),
            other => panic!("{other:?}"),
        },
        Event::Run(order) => panic!("{order:?}"),
    }
    assert!(roles(json!(null)).is_ok());
    for wrong in [json!([arn("111122223333"), arn("111122223333")]), json!([{}]), json!([{"roleArn": "x"}])] {
        assert!(roles(wrong.clone()).is_err(), "{wrong}");
    }
}
