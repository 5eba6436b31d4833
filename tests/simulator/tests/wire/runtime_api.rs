//! The Runtime API hands out invocations and takes back what became of them.

use crate::client::{Heard, exchange};
use serde_json::json;
use simulator::lambda::{Invocation, Outcome, RuntimeApi};

async fn call(api: &RuntimeApi, method: &str, path: &str, body: &str) -> Heard {
    let start = format!("{method} /2018-06-01/runtime/{path}");
    exchange(api.address(), &start, "", body).await
}

#[tokio::test]
async fn an_invocation_is_handed_out_and_its_outcome_comes_back() {
    let api = RuntimeApi::start().await.expect("it starts");
    let invocation = Invocation::new(json!({"publish": false}));
    let function = async || {
        let next = call(&api, "GET", "invocation/next", "").await;
        let header = |name: &str| next.header(name).map(str::to_owned);
        assert_eq!(next.json(), json!({"publish": false}));
        let id = header("lambda-runtime-aws-request-id").expect("an id");
        assert_eq!(id, invocation.request_id);
        let deadline = invocation.deadline_ms.to_string();
        assert_eq!(header("lambda-runtime-deadline-ms"), Some(deadline));
        let arn = header("lambda-runtime-invoked-function-arn");
        assert_eq!(arn.as_deref(), Some(invocation.function_arn.as_str()));
        assert!(header("lambda-runtime-trace-id").is_some());
        id
    };
    let (outcome, ()) = tokio::join!(api.invoke(invocation.clone()), async {
        let path = format!("invocation/{}/response", function().await);
        let taken = call(&api, "POST", &path, r#"{"verdict": "COMPLIANT"}"#).await;
        assert_eq!(taken.status(), 202);
        assert_eq!(call(&api, "POST", &path, "{}").await.status(), 400);
    });
    assert_eq!(outcome, Outcome::Answer(json!({"verdict": "COMPLIANT"})));
    api.ready().await;

    // The function waits first this time.
    let (outcome, ()) = tokio::join!(
        async {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            api.invoke(invocation.clone()).await
        },
        async {
            let path = format!("invocation/{}/error", function().await);
            let body = r#"{"errorType": "Oops", "errorMessage": "it broke"}"#;
            assert_eq!(call(&api, "POST", &path, body).await.status(), 202);
        }
    );
    let expected = Outcome::Error { error_type: "Oops".to_owned(), message: "it broke".to_owned() };
    assert_eq!(outcome, expected);
}

#[tokio::test]
async fn a_failed_start_is_kept() {
    let api = RuntimeApi::start().await.expect("it starts");
    assert_eq!(api.init_error(), None);
    let error = json!({"errorType": "Settings", "errorMessage": "REPORT_TOPIC_ARN"});
    let taken = call(&api, "POST", "init/error", &error.to_string()).await;
    assert_eq!(taken.status(), 202);
    assert_eq!(api.init_error(), Some(error));
    assert_eq!(call(&api, "GET", "elsewhere", "").await.status(), 404);
}

#[tokio::test]
async fn an_invocation_nobody_waits_for_is_not_handed_out() {
    let api = RuntimeApi::start().await.expect("it starts");
    let given_up = api.invoke(Invocation::new(json!(1)));
    let short = std::time::Duration::from_millis(20);
    assert!(tokio::time::timeout(short, given_up).await.is_err());
    let wanted = Invocation::new(json!(2));
    let (outcome, ()) = tokio::join!(api.invoke(wanted.clone()), async {
        let next = call(&api, "GET", "invocation/next", "").await;
        assert_eq!(next.json(), json!(2));
        let path = format!("invocation/{}/response", wanted.request_id);
        call(&api, "POST", &path, "3").await;
    });
    assert_eq!(outcome, Outcome::Answer(json!(3)));
}
