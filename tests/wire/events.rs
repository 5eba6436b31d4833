//! What may trigger a run, and what may not.

use serde_json::{Value, json};
use simulator::lambda::{Invocation, Outcome};

use crate::function::{Function, healthy, seed};

fn file(name: &str) -> Value {
    let path = format!("{}/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("the event is there")).expect("the event is JSON")
}

#[tokio::test]
async fn the_events_of_the_repository_run() {
    let function = Function::start(seed(healthy())).await;
    for name in ["eventbridge-rule", "eventbridge-scheduler"] {
        let event = file(name);
        let answer = function.answer(event.clone()).await;
        assert_eq!(answer["verdict"], "COMPLIANT", "{name}");
        assert_eq!(answer["reportId"], event["id"], "{name}");
        let report = function.published().pop().expect("published");
        assert_eq!(report["trigger"]["source"], event["source"], "{name}");
        assert_eq!(report["trigger"]["detailType"], event["detail-type"], "{name}");
        assert_eq!(report["trigger"]["id"], event["id"], "{name}");
        assert_eq!(report["trigger"]["time"], event["time"], "{name}");
    }
    function.aws.clear();
    assert_eq!(function.answer(file("on-demand")).await["messageIds"].as_array().map(Vec::len), Some(1));
    let dry = function.answer(file("dry-run")).await;
    assert_eq!(dry["report"]["verdict"], "COMPLIANT");
    assert_eq!(function.aws.messages().len(), 1, "a dry run publishes nothing");
}

#[tokio::test]
async fn any_other_source_is_recorded_as_the_trigger() {
    let function = Function::start(seed(healthy())).await;
    let event = json!({
        "version": "0", "id": "e-1", "detail-type": "Deployment done", "source": "com.example.pipeline",
        "account": "111122223333", "time": "2026-11-22T06:00:00Z", "region": "eu-west-1",
        "resources": ["arn:aws:s3:::b"], "detail": {"anything": [1, {"goes": null}]}
    });
    function.answer(event).await;
    let trigger = function.published().remove(0)["trigger"].take();
    assert_eq!(
        trigger,
        json!({"source": "com.example.pipeline", "detailType": "Deployment done", "id": "e-1", "time": "2026-11-22T06:00:00Z"})
    );
}

#[tokio::test]
async fn without_an_envelope_the_request_id_names_the_report() {
    let function = Function::start(seed(healthy())).await;
    for event in [json!(null), json!({})] {
        let invocation = Invocation::new(event);
        let id = invocation.request_id.clone();
        let Outcome::Answer(answer) = function.invoke(invocation).await else { panic!("it fails") };
        assert_eq!(answer["reportId"], id);
    }
}

#[tokio::test]
async fn regions_of_the_request_replace_those_of_the_settings() {
    let function = Function::with(seed(healthy()), &[("MACIE_REGIONS", "us-west-2")]).await;
    let answer = function.answer(json!({"regions": ["eu-west-1", "eu-north-1", "eu-west-1"], "publish": false})).await;
    let regions: Vec<&Value> =
        answer["report"]["targets"].as_array().expect("targets").iter().map(|target| &target["region"]).collect();
    assert_eq!(regions, ["eu-north-1", "eu-west-1"]);
}

#[tokio::test]
async fn anything_else_is_refused_with_the_field_and_publishes_nothing() {
    let function = Function::start(seed(healthy())).await;
    for (event, named) in [
        (json!({"dryRun": true}), "dryRun"),
        (json!({"publish": 0}), "publish"),
        (json!({"regions": {"eu-west-1": true}}), "regions"),
        (json!({"regions": ["EU"]}), "regions"),
        (json!({"regions": ["EU", "eu-west-1", "US"]}), "got \"EU\", \"US\""),
        (json!({"step": "ListTargets", "execution": "e", "event": {"role": "x"}}), "regions, publish, roles"),
        (json!({"source": "aws.events", "detail-type": 3}), "detail-type"),
        (json!({"source": "aws.events", "detail-type": "x", "regions": ["eu-west-1"]}), "regions"),
        (json!({"detail": {}}), "detail"),
        (json!([{"publish": false}]), "array"),
        (json!("publish"), "string"),
    ] {
        let (error_type, message) = function.error(event.clone()).await;
        assert_eq!(error_type, "InvalidEvent", "{event}");
        assert!(message.contains(named), "{event}: {message}");
    }
    let unreadable = Invocation { event: b"{\"publish\": fal".to_vec(), ..Invocation::new(json!(null)) };
    assert!(matches!(function.invoke(unreadable).await, Outcome::Error { .. }));
    assert!(function.aws.requests().is_empty(), "nothing is read or published");
    assert_eq!(function.answer(json!({})).await["verdict"], "COMPLIANT", "and the next event runs");
}
