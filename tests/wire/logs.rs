//! What the log tells, and what it must not.

use serde_json::json;
use simulator::{Fault, FaultKind, TargetSeed};

use crate::function::{Function, error, healthy, seed, text};

fn flagged() -> TargetSeed {
    TargetSeed {
        members: vec![json!({"count": 2, "relationshipStatus": "Paused", "email": "someone@example.com"})],
        ..healthy()
    }
}

#[tokio::test]
async fn the_verdict_and_every_violation_are_logged_before_publishing() {
    let function = Function::start(seed(flagged())).await;
    function.answer(json!({})).await;
    let log = function.log().await;
    let messages: Vec<&str> = log.iter().filter_map(|line| line["message"].as_str()).collect();
    assert_eq!(messages, ["report", "violation", "violation", "published", "concluded"]);
    let report = &log[0];
    assert_eq!(
        (&report["level"], &report["verdict"], &report["complete"]),
        (&json!("WARN"), &json!("NON_COMPLIANT"), &json!(true))
    );
    assert_eq!((&log[1]["rule"], &log[1]["severity"]), (&json!("member-macie-paused"), &json!("HIGH")));
    assert!(log[1]["resourceId"].is_string() && log[1]["id"].is_string());
}

#[tokio::test]
async fn no_email_address_is_logged_or_published() {
    for level in ["INFO", "DEBUG", "TRACE"] {
        let function = Function::with(seed(flagged()), &[("AWS_LAMBDA_LOG_LEVEL", level)]).await;
        function.answer(json!({})).await;
        let everything = format!("{:?} {:?}", function.log().await, function.aws.messages());
        assert!(!everything.contains("example.com"), "{level}: {everything}");
    }
}

#[tokio::test]
async fn email_addresses_reach_the_report_and_the_mail_where_they_are_asked_for_and_never_the_log() {
    let hostile = "someone\r\nBcc: x@example.com";
    let members = vec![
        json!({"relationshipStatus": "Paused", "email": hostile}),
        json!({"count": 9, "relationshipStatus": "Enabled", "email": "nobody@example.org"}),
    ];
    let function = Function::with(seed(TargetSeed { members, ..healthy() }), &[("INCLUDE_EMAILS", "true")]).await;
    function.answer(json!({})).await;
    assert_eq!(function.published()[0]["violations"][0]["resource"]["email"], hostile);
    let messages = function.aws.messages();
    assert!(text(&messages[0].body, "email").contains("(someone\u{fffd}\u{fffd}Bcc: x@example.com)"), "{messages:?}");
    assert!(!messages[0].body.contains("example.org"), "members that no rule flags are nobody's business");
    assert!(!format!("{:?}", function.log().await).contains("example.com"));
}

#[tokio::test]
async fn a_compliant_run_is_logged_at_info_and_the_level_is_a_setting() {
    let function = Function::start(seed(healthy())).await;
    function.answer(json!({})).await;
    assert_eq!(function.log().await[0]["level"], "INFO");

    let function = Function::with(seed(healthy()), &[("AWS_LAMBDA_LOG_LEVEL", "WARN")]).await;
    function.answer(json!({})).await;
    let log = function.log().await;
    let lines: Vec<_> = log.iter().map(|line| (&line["level"], &line["message"])).collect();
    assert_eq!(lines, [(&json!("WARN"), &json!("concluded"))], "an alarm counts these lines");
}

/// The scopes of the lines that the silence alarm counts.
async fn concluded(function: &Function) -> Vec<String> {
    let log = function.log().await;
    let lines = log.iter().filter(|line| line["message"] == "concluded");
    lines.map(|line| line["scope"].as_str().expect("a scope").to_owned()).collect()
}

#[tokio::test]
async fn only_a_report_over_the_settings_that_was_concluded_breaks_the_silence() {
    let function = Function::start(seed(healthy())).await;
    function.answer(json!({"publish": false})).await;
    assert!(concluded(&function).await.is_empty(), "a dry run concludes nothing");
    function.answer(json!({"regions": ["us-east-1"]})).await;
    assert_eq!(concluded(&function).await, ["part"]);
    function.answer(json!({})).await;
    assert_eq!(concluded(&function).await, ["part", "settings"]);
    function.aws.set_faults(vec![Fault::of("sns", "Publish", error(403, "AuthorizationError", "no"))]);
    function.error(json!({})).await;
    assert_eq!(concluded(&function).await.len(), 2, "nobody was told");

    let quiet = Function::with(seed(healthy()), &[("NOTIFY_ON", "problems")]).await;
    quiet.answer(json!({})).await;
    assert_eq!(concluded(&quiet).await, ["settings"], "to be quiet on purpose is not silence");
}

#[tokio::test]
async fn what_sts_answers_is_not_logged_but_with_the_read_that_failed() {
    let role = ("MACIE_ROLE_ARNS", "arn:aws:iam::111122223333:role/audit");
    for level in ["INFO", "DEBUG"] {
        let function = Function::with(seed(healthy()), &[role, ("AWS_LAMBDA_LOG_LEVEL", level)]).await;
        let said = FaultKind::Error {
            status: 403,
            code: "ExpiredTokenException".to_owned(),
            message: "\u{202e}said".to_owned(),
        };
        function.aws.set_faults(vec![Fault::of("sts", "AssumeRole", said)]);
        function.answer(json!({})).await;
        let log = function.log().await;
        let telling: Vec<_> = log.iter().filter(|line| line.to_string().contains("said")).collect();
        assert_eq!(telling.len(), 1, "{level}: {telling:?}");
        assert_eq!(telling[0]["message"], "read failed", "{level}");
        assert!(!telling[0].to_string().contains('\u{202e}'), "{level}: {telling:?}");
    }
}
