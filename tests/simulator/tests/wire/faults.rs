//! Every kind of fault does what it says, on the wire.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use crate::client::{Heard, ask, form};
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, Seed, Simulator, TargetSeed};
use tokio::time::timeout;

async fn with(kind: FaultKind) -> Simulator {
    with_faults(vec![Fault::of("macie2", "ListMembers", kind)]).await
}

async fn with_faults(faults: Vec<Fault>) -> Simulator {
    let seed = Seed {
        targets: vec![TargetSeed { members: vec![json!({"count": 60})], ..TargetSeed::default() }],
        faults,
        ..Seed::default()
    };
    Simulator::start(seed).await.expect("it starts")
}

async fn members(simulator: &Simulator) -> Heard {
    ask(simulator, "macie2", "GET /members", "").await
}

fn throttled() -> FaultKind {
    FaultKind::Error { status: 429, code: "ThrottlingException".to_owned(), message: "Rate exceeded".to_owned() }
}

#[tokio::test]
async fn an_error_is_written_in_the_protocol_of_its_service() {
    let simulator = with_faults(vec![Fault { service: None, api: None, ..Fault::of("", "", throttled()) }]).await;
    let heard = members(&simulator).await;
    assert_eq!(heard.status(), 429);
    assert_eq!(heard.header("x-amzn-errortype"), Some("ThrottlingException"));
    assert_eq!(heard.json(), json!({"message": "Rate exceeded"}));
    let heard = ask(&simulator, "sns", "POST /", &form(&[("Action", "Publish")])).await;
    assert_eq!(heard.status(), 429);
    let error =
        "<Error><Type>Sender</Type><Code>ThrottlingException</Code><Message>Rate exceeded</Message></Error><RequestId>";
    assert!(heard.body.contains(error), "{}", heard.body);
}

#[tokio::test]
async fn a_fault_begins_and_ends_where_it_says_and_touches_nothing_else() {
    let fault = Fault { from: 2, times: Some(2), ..Fault::of("macie2", "ListMembers", throttled()) };
    let elsewhere =
        Fault { region: Some("eu-west-1".to_owned()), ..Fault::of("macie2", "GetMacieSession", throttled()) };
    let simulator = with_faults(vec![fault.clone(), elsewhere]).await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(members(&simulator).await.status());
        assert_eq!(ask(&simulator, "macie2", "GET /macie", "").await.status(), 200);
    }
    assert_eq!(statuses, [200, 429, 429, 200, 200]);
    let seen: Vec<_> = simulator.requests().into_iter().map(|it| it.status).collect();
    assert_eq!(seen[2], Some(429));
    simulator.clear();
    assert_eq!(members(&simulator).await.status(), 200);
    simulator.set_faults(vec![Fault { from: 1, ..fault }]);
    assert_eq!(members(&simulator).await.status(), 429);
}

#[tokio::test]
async fn any_answer_can_be_given() {
    let simulator =
        with(FaultKind::Respond { status: 503, content_type: "text/html".to_owned(), body: "<html>".to_owned() }).await;
    let heard = members(&simulator).await;
    assert_eq!((heard.status(), heard.body.as_str()), (503, "<html>"));
    assert_eq!(heard.header("content-type"), Some("text/html"));
}

#[tokio::test]
async fn a_truncated_answer_looks_whole() {
    let heard = members(&with(FaultKind::Truncate).await).await;
    assert_eq!(heard.status(), 200);
    assert!(heard.is_whole() && heard.error.is_none());
    assert!(heard.body.starts_with("{\"members\":["));
    assert!(serde_json::from_str::<Value>(&heard.body).is_err());
}

#[tokio::test]
async fn a_reset_comes_before_or_in_the_middle() {
    let simulator = with(FaultKind::Reset).await;
    let heard = members(&simulator).await;
    assert_eq!(heard.error, Some(ErrorKind::ConnectionReset));
    assert_eq!(heard.head, "");
    assert_eq!(simulator.requests()[0].status, None);
    // The listener goes on.
    assert_eq!(ask(&simulator, "macie2", "GET /macie", "").await.status(), 200);

    let heard = members(&with(FaultKind::ResetMidBody).await).await;
    assert_eq!(heard.error, Some(ErrorKind::ConnectionReset));
    assert_eq!(heard.status(), 200);
    assert!(!heard.is_whole() && heard.body.starts_with("{\"members\":["));
}

#[tokio::test]
async fn a_hang_lasts_as_long_as_the_client_waits() {
    for kind in [FaultKind::Hang, FaultKind::HangMidBody] {
        let simulator = with(kind).await;
        let waited = timeout(Duration::from_millis(200), members(&simulator)).await;
        assert!(waited.is_err());
        assert_eq!(ask(&simulator, "macie2", "GET /macie", "").await.status(), 200);
        drop(simulator);
    }
}

#[tokio::test]
async fn a_slow_answer_is_late_and_right() {
    let simulator = with(FaultKind::Slow { ms: 150 }).await;
    let began = Instant::now();
    let heard = members(&simulator).await;
    assert!(began.elapsed() >= Duration::from_millis(150));
    assert_eq!(heard.json()["members"].as_array().map(Vec::len), Some(25));
}

#[tokio::test]
async fn a_big_body_is_as_big_as_asked_and_valid() {
    let heard = members(&with(FaultKind::BigBody { bytes: 1_000_000 }).await).await;
    assert_eq!(heard.body.len(), 1_000_000);
    assert!(heard.is_whole() && heard.json()["members"].is_array());
}

#[tokio::test]
async fn tokens_repeat_cycle_or_lead_through_empty_pages() {
    let follow = async |kind: FaultKind| {
        let simulator = with(kind).await;
        let (mut tokens, mut sizes) = (vec![String::new()], Vec::new());
        for _ in 0..4 {
            let line = match tokens.last().map(String::as_str) {
                None | Some("") => "GET /members".to_owned(),
                Some(token) => format!("GET /members?{}", form(&[("nextToken", token)])),
            };
            let page = ask(&simulator, "macie2", &line, "").await.json();
            tokens.push(page["nextToken"].as_str().expect("a token").to_owned());
            sizes.push(page["members"].as_array().expect("a list").len());
        }
        (tokens, sizes)
    };
    let (tokens, sizes) = follow(FaultKind::RepeatToken).await;
    assert!(tokens[2..].iter().all(|token| *token == tokens[1]));
    assert_eq!(sizes, [25, 25, 25, 25]);
    let (tokens, _) = follow(FaultKind::CycleTokens).await;
    assert!(tokens[1] != tokens[2] && tokens[1] == tokens[3] && tokens[2] == tokens[4]);
    let (mut tokens, sizes) = follow(FaultKind::EndlessEmpty).await;
    assert_eq!(sizes, [0, 0, 0, 0]);
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 5);
}

#[tokio::test]
async fn a_lost_acknowledgement_is_a_message_without_an_answer() {
    let fault = Fault::of("sns", "Publish", FaultKind::AfterAccept);
    let simulator = with_faults(vec![fault]).await;
    let topic = "arn:aws:sns:us-east-1:999999999999:reports";
    let publish = form(&[("Action", "Publish"), ("TopicArn", topic), ("Message", "x")]);
    let heard = ask(&simulator, "sns", "POST /", &publish).await;
    assert_eq!(heard.error, Some(ErrorKind::ConnectionReset));
    assert_eq!(simulator.messages().len(), 1);
    assert_eq!(simulator.requests()[0].status, None);
}

#[tokio::test]
async fn requests_in_flight_are_counted_until_they_are_answered() {
    let simulator = with(FaultKind::Slow { ms: 100 }).await;
    let ask = || members(&simulator);
    tokio::join!(ask(), ask(), ask(), ask(), ask());
    assert_eq!(simulator.most_in_flight(), 5);
    simulator.clear();
    members(&simulator).await;
    assert_eq!(simulator.most_in_flight(), 1);
}

#[tokio::test]
async fn a_seed_file_says_the_same_and_mistakes_are_named() {
    let kinds = json!([
        {"type": "error", "status": 500, "code": "X"}, {"type": "truncate"}, {"type": "reset"},
        {"type": "respond", "status": 200, "contentType": "text/html", "body": ""},
        {"type": "resetMidBody"}, {"type": "hang"}, {"type": "hangMidBody"},
        {"type": "slow", "ms": 1}, {"type": "bigBody", "bytes": 1}, {"type": "repeatToken"},
        {"type": "cycleTokens"}, {"type": "endlessEmpty"}, {"type": "afterAccept"},
    ]);
    for kind in kinds.as_array().expect("a list") {
        let fault = json!({"service": "macie2", "api": null, "times": 2, "kind": kind});
        let seed: Seed = serde_json::from_value(json!({ "faults": [fault] })).expect("a seed");
        assert_eq!(seed.faults[0].from, 1);
    }
    assert!(serde_json::from_value::<Seed>(json!({"acount": "1"})).is_err());
    for wrong in [
        json!({"account": "1"}),
        json!({"targets": [{"region": "*"}, {"region": "*"}]}),
        json!({"paging": {"maxPage": 26}}),
        json!({"faults": [{"service": "macie", "kind": {"type": "reset"}}]}),
        json!({"faults": [{"service": "macie2", "api": "ListMember", "kind": {"type": "reset"}}]}),
    ] {
        let seed: Seed = serde_json::from_value(wrong).expect("a seed");
        let refused = Simulator::start(seed).await.expect_err("refused");
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    }
}

#[tokio::test]
async fn the_port_is_closed_once_it_is_dropped() {
    let simulator = with(FaultKind::Hang).await;
    let address = simulator.url()[7..].to_owned();
    let port = address.rsplit(':').next().and_then(|port| port.parse().ok());
    let port = port.expect("a port");
    let busy = Simulator::start_on(Seed::default(), port).await;
    assert_eq!(busy.expect_err("busy").kind(), ErrorKind::AddrInUse);
    drop(simulator);
    let refused = tokio::net::TcpStream::connect(&address).await;
    assert_eq!(refused.expect_err("closed").kind(), ErrorKind::ConnectionRefused);
}
