//! What the environment may hold, and what is said of each variable that cannot be used.

use std::time::Duration;

use macie_compliance_core::inlet::settings::{InvalidSettings, NotifyOn, Settings};
use macie_compliance_core::names::Regions;
use macie_compliance_core::severity::Severity;

const TOPIC: (&str, &str) = ("REPORT_TOPIC_ARN", "arn:aws:sns:us-east-1:999999999999:reports");
const REGION: (&str, &str) = ("AWS_REGION", "eu-west-1");

fn read(variables: &[(&str, &str)]) -> Result<Settings, InvalidSettings> {
    Settings::from_lookup(|name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    })
}

fn with(variable: &str, value: &str) -> Result<Settings, InvalidSettings> {
    read(&[TOPIC, REGION, (variable, value)])
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let settings = read(&[TOPIC, REGION, ("MACIE_REGIONS", " "), ("MAX_CONCURRENCY", "")]).expect("valid");
    assert_eq!(settings.regions, Regions::These(vec!["eu-west-1".into()]));
    assert_eq!((settings.topic.region.as_str(), settings.topic.fifo), ("us-east-1", false));
    assert_eq!((settings.notify_on, settings.fail_on, settings.max_parts), (NotifyOn::Always, Severity::Low, 10));
    assert!(settings.evidence_bucket.is_none() && settings.object_lock.is_none() && settings.exemptions.is_none());
    assert_eq!((settings.max_concurrency, settings.deadline_margin), (64, Duration::from_secs(10)));
    assert!(settings.roles.is_empty() && settings.disabled_rules.is_empty() && !settings.include_emails);
    assert!(settings.audit_own_account && settings.evidence_key.is_none());
}

#[test]
fn every_setting_is_read() {
    assert_eq!(with("MACIE_REGIONS", "all").expect("valid").regions, Regions::All);
    assert_eq!(
        with("MACIE_REGIONS", "eu-west-1, us-east-1,eu-west-1").expect("valid").regions,
        Regions::These(vec!["eu-west-1".into(), "us-east-1".into()])
    );
    assert_eq!(with("NOTIFY_ON", "problems").expect("valid").notify_on, NotifyOn::Problems);
    let kept = |variable, value| read(&[TOPIC, REGION, ("EVIDENCE_BUCKET", "evidence"), (variable, value)]);
    assert_eq!(kept("NOTIFY_ON", "changes").expect("valid").notify_on, NotifyOn::Changes);
    assert!(kept("EVIDENCE_OBJECT_LOCK", "COMPLIANCE:400").expect("valid").object_lock.is_some());
    assert_eq!(with("FAIL_ON", "HIGH").expect("valid").fail_on, Severity::High);
    let expected = with("EXPECTED_ADMINISTRATOR", "111122223333, 444455556666").expect("valid").expected_administrators;
    assert_eq!(expected, ["111122223333", "444455556666"]);
    assert_eq!(with("MAX_PARTS", "1").expect("valid").max_parts, 1);
    let uri = with("EXEMPTIONS_URI", "s3://evidence/a/exemptions.json").expect("valid").exemptions;
    assert_eq!(uri.expect("an address").to_string(), "s3://evidence/a/exemptions.json");
    assert!(with("INCLUDE_EMAILS", "true").expect("valid").include_emails);
    assert_eq!(with("MAX_CONCURRENCY", "8").expect("valid").max_concurrency, 8);
    assert_eq!(with("DEADLINE_MARGIN_SECONDS", "3").expect("valid").deadline_margin, Duration::from_secs(3));
    assert_eq!(with("DISABLED_RULES", "macie-paused").expect("valid").disabled_rules, ["macie-paused"]);
    assert_eq!(
        with("DISABLED_RULES", "macie-paused,macie-*").expect("valid").disabled_rules,
        ["macie-paused", "macie-not-enabled"]
    );
    let key = "arn:aws:kms:us-east-1:111122223333:key/0123-abcd";
    assert_eq!(with("EVIDENCE_KMS_KEY_ARN", key).expect("valid").evidence_key.as_deref(), Some(key));
    assert!(with("EVIDENCE_KMS_KEY_ARN", "arn:aws:kms:us-east-1:111122223333:alias/evidence_1").is_ok());
    let alone =
        [TOPIC, REGION, ("AUDIT_OWN_ACCOUNT", "false"), ("MACIE_ROLE_ARNS", "arn:aws:iam::111122223333:role/m")];
    assert!(!read(&alone).expect("valid").audit_own_account);
    let roles = read(&[
        TOPIC,
        REGION,
        ("MACIE_ROLE_ARNS", "arn:aws:iam::111122223333:role/audit/macie,arn:aws:iam::444455556666:role/m"),
        ("MACIE_ROLE_EXTERNAL_IDS", "111122223333=s3cr:et=="),
    ]);
    let roles = roles.expect("valid").roles;
    assert_eq!(roles[0].external_id.as_deref(), Some("s3cr:et=="));
    assert_eq!((roles[1].account_id.as_str(), roles[1].external_id.as_deref()), ("444455556666", None));
    assert!(
        read(&[("REPORT_TOPIC_ARN", "arn:aws:sns:us-east-1:999999999999:reports.fifo"), REGION])
            .expect("valid")
            .topic
            .fifo
    );
}

#[test]
fn one_message_names_every_problem_with_variable_and_value() {
    let problems = read(&[
        ("MACIE_REGIONS", "eu-west-1,Mars,all"),
        ("MACIE_ROLE_ARNS", "arn:aws:iam::12:role/x"),
        ("NOTIFY_ON", "never\u{1b}[2J"),
        ("DISABLED_RULES", "no-such-rule"),
        ("MAX_CONCURRENCY", "0"),
        ("DEADLINE_MARGIN_SECONDS", "ten"),
    ])
    .expect_err("nothing here is valid");
    let message = problems.to_string();
    for part in [
        "REPORT_TOPIC_ARN is not set",
        "AWS_REGION is not set",
        "MACIE_REGIONS=\"Mars\"",
        "MACIE_REGIONS=\"all\"",
        "MACIE_ROLE_ARNS=\"arn:aws:iam::12:role/x\"",
        "NOTIFY_ON=\"never",
        "DISABLED_RULES=\"no-such-rule\"",
        "MAX_CONCURRENCY=\"0\"",
        "DEADLINE_MARGIN_SECONDS=\"ten\"",
    ] {
        assert!(message.contains(part), "{part} in {message}");
    }
    assert!(!message.contains('\u{1b}'));
}

#[test]
fn a_rule_that_there_is_not_is_answered_with_those_that_look_like_it() {
    let told = |entry: &str| with("DISABLED_RULES", entry).expect_err(entry).to_string();
    for (entry, meant) in [
        ("filter-archive-findings", ": did you mean filter-archives-findings?"),
        ("Macie-Paused", ": did you mean macie-paused?"),
        ("member-region-disable", ": did you mean member-region-disabled?"),
        ("membr-*", ": did you mean member-account-suspended or member-macie-paused or member-region-disabled?"),
        ("suspended-members", "lists them"),
        ("é*", "lists them"),
        ("a-beginning-that-is-longer-than-the-id-of-every-rule-*", "lists them"),
    ] {
        let told = told(entry);
        assert!(told.contains("docs/reference/checks.md lists them") && told.ends_with(meant), "{told}");
    }
}

#[test]
fn a_wrong_external_id_is_told_as_what_is_wrong_with_it() {
    let role = ("MACIE_ROLE_ARNS", "arn:aws:iam::111122223333:role/x");
    let long = format!("111122223333={}", "x".repeat(1225));
    for (item, expected) in [
        ("111122223333", "ACCOUNT=EXTERNAL_ID"),
        ("1111=secret", "ACCOUNT=EXTERNAL_ID"),
        ("111122223333=", "at least 2 characters"),
        ("111122223333=s", "at least 2 characters"),
        (&long, "at most 1,224 characters"),
        ("111122223333=se cret", "letters, digits and"),
        ("444455556666=secret", "for the account of a role in MACIE_ROLE_ARNS"),
        ("111122223333=one,111122223333=two", "the only external id for its account"),
    ] {
        let problems = read(&[TOPIC, REGION, role, ("MACIE_ROLE_EXTERNAL_IDS", item)]).expect_err(item).0;
        assert_eq!(problems.len(), 1, "{item}");
        assert!(problems[0].expected.contains(expected), "{item}: {}", problems[0].expected);
    }
}

#[test]
fn what_is_malformed_is_refused() {
    for (variable, value) in [
        ("REPORT_TOPIC_ARN", "arn:aws:sqs:us-east-1:999999999999:reports"),
        ("REPORT_TOPIC_ARN", "arn:aws:sns:us-east-1:999:reports"),
        ("REPORT_TOPIC_ARN", "arn:aws:sns:us-east-1:999999999999:re ports"),
        ("REPORT_TOPIC_ARN", "arn:aws:sns:us-east-1:999999999999:.fifo"),
        ("MACIE_REGIONS", ","),
        ("MACIE_ROLE_ARNS", " , "),
        ("MACIE_ROLE_EXTERNAL_IDS", ","),
        ("EXPECTED_ADMINISTRATOR", ","),
        ("DISABLED_RULES", ",,"),
        ("MACIE_ROLE_ARNS", "arn:aws:iam::111122223333:user/x"),
        ("MACIE_ROLE_ARNS", "arn:aws:iam::111122223333:role/"),
        ("MACIE_ROLE_EXTERNAL_IDS", "111122223333=secret"),
        ("MACIE_ROLE_EXTERNAL_IDS", "secret"),
        ("MACIE_ROLE_ARNS", "arn:aws:iam::111122223333:role/x,arn:aws:iam::111122223333:role/y"),
        ("MAX_CONCURRENCY", "-1"),
        ("DEADLINE_MARGIN_SECONDS", "1.5"),
        ("INCLUDE_EMAILS", "yes"),
        ("EVIDENCE_BUCKET", "my.bucket"),
        ("EVIDENCE_BUCKET", "-x-"),
        ("EXEMPTIONS_URI", "https://evidence/exemptions.json"),
        ("EXEMPTIONS_URI", "s3://evidence"),
        ("EXEMPTIONS_URI", "s3://evidence/"),
        ("EXEMPTIONS_URI", "s3://my.bucket/a"),
        ("EVIDENCE_OBJECT_LOCK", "GOVERNANCE"),
        ("EVIDENCE_OBJECT_LOCK", "COMPLIANCE:400"),
        ("FAIL_ON", "high"),
        ("MAX_PARTS", "0"),
        ("NOTIFY_ON", "changes"),
        ("AUDIT_OWN_ACCOUNT", "no"),
        ("AUDIT_OWN_ACCOUNT", "false"),
        ("DISABLED_RULES", "no-such-*"),
        ("DISABLED_RULES", "*"),
        (
            "DISABLED_RULES",
            "macie-*,administrator-*,member-*,invitation-*,filter-*,roster-*,discovery-*,allow-list-*,job-*,bucket-*,publication-*,results-*",
        ),
        ("EXPECTED_ADMINISTRATOR", "111122223333,12"),
        ("EVIDENCE_KMS_KEY_ARN", "0123abcd"),
        ("EVIDENCE_KMS_KEY_ARN", "arn:aws:kms:us-east-1:111122223333:key/"),
        ("EVIDENCE_KMS_KEY_ARN", "arn:aws:kms:nowhere:111122223333:key/a"),
        ("EVIDENCE_KMS_KEY_ARN", "arn:aws:kms:us-east-1:1111:key/a"),
        ("EVIDENCE_KMS_KEY_ARN", "arn:aws:iam:us-east-1:111122223333:key/a"),
        ("EVIDENCE_KMS_KEY_ARN", "arn:aws:kms:us-east-1:111122223333:key/a b"),
    ] {
        let result = read(&[(variable, value), TOPIC, REGION]);
        let problems = result.expect_err(value).0;
        assert_eq!(problems.iter().map(|p| p.variable).collect::<Vec<_>>(), [variable], "{value}");
    }
}
