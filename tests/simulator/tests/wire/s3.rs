//! S3 stores on conditions, checks what it is told, and can be written to by somebody else.

use crate::client::{Heard, exchange};
use serde_json::json;
use simulator::{Fault, FaultKind, Seed, Simulator};

const ENCRYPTED: &str = "x-amz-server-side-encryption: AES256\r\n";
/// The SHA-256 sum of `one`.
const SUM_OF_ONE: &str = "dpLDrTVAu4A8Ags67mbNiIcSMjTqDG5xQ8Ct1z/0Me0=";

async fn start(faults: Vec<Fault>) -> Simulator {
    let objects = [("b/seeded", json!("text")), ("b/state/a.json", json!({"a": 1}))];
    let objects = objects.map(|(path, value)| (path.to_owned(), value)).into();
    Simulator::start(Seed { objects, faults, ..Seed::default() }).await.expect("it starts")
}

async fn send(simulator: &Simulator, line: &str, headers: &str, body: &str) -> Heard {
    let scope = "AKID/20261122/us-east-1/s3/aws4_request";
    let signed = format!("authorization: AWS4-HMAC-SHA256 Credential={scope}, Signature=0\r\n{headers}");
    exchange(&simulator.url()[7..], line, &signed, body).await
}

async fn put(simulator: &Simulator, key: &str, headers: &str, body: &str) -> Heard {
    send(simulator, &format!("PUT /b/{key}"), &format!("{ENCRYPTED}{headers}"), body).await
}

fn code(heard: &Heard) -> (u16, &str) {
    let code = heard.body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    (heard.status(), code.map_or("", |(code, _)| code))
}

#[tokio::test]
async fn what_is_stored_can_be_read_with_its_headers() {
    let simulator = start(Vec::new()).await;
    let headers = format!("content-type: text/html\r\nx-amz-checksum-sha256: {SUM_OF_ONE}\r\nx-amz-date: 1\r\n");
    let stored = put(&simulator, "a%20b", &headers, "one").await;
    let etag = stored.header("etag").expect("a tag").to_owned();
    assert_eq!((stored.status(), &etag[..1]), (200, "\""));
    let read = send(&simulator, "GET /b/a%20b", "", "").await;
    assert_eq!((read.body.as_str(), read.header("etag")), ("one", Some(etag.as_str())));
    assert_eq!(read.header("content-type"), Some("text/html"));
    assert_eq!(read.header("x-amz-checksum-sha256"), None);
    let read = send(&simulator, "GET /b/a%20b", "x-amz-checksum-mode: ENABLED\r\n", "").await;
    assert_eq!(read.header("x-amz-checksum-sha256"), Some(SUM_OF_ONE));

    let objects = simulator.objects();
    assert_eq!(objects.keys().collect::<Vec<_>>(), ["b/a b", "b/seeded", "b/state/a.json"]);
    assert_eq!(objects["b/seeded"].body, "text");
    assert_eq!(objects["b/state/a.json"].body, "{\"a\":1}");
    let object = &objects["b/a b"];
    assert_eq!((&object.body[..], &object.etag), (&b"one"[..], &etag));
    assert_eq!(object.headers["x-amz-server-side-encryption"], "AES256");
    assert!(!object.headers.contains_key("x-amz-date") && !object.headers.contains_key("authorization"));
    assert_eq!(simulator.requests()[0].headers, object.headers);
    assert_eq!(code(&send(&simulator, "GET /b/none", "", "").await), (404, "NoSuchKey"));
}

#[tokio::test]
async fn writes_hold_to_their_conditions() {
    let simulator = start(Vec::new()).await;
    let read = send(&simulator, "GET /b/seeded", "", "").await;
    let same = format!("if-match: {}\r\n", read.header("etag").expect("a tag"));
    for (key, condition, body, expected) in [
        ("seeded", "if-none-match: *\r\n", "lost", (412, "PreconditionFailed")),
        ("none", "if-match: \"0\"\r\n", "lost", (404, "NoSuchKey")),
        ("seeded", "if-match: \"0\"\r\n", "lost", (412, "PreconditionFailed")),
        ("seeded", "if-none-match: \"0\"\r\n", "lost", (501, "NotImplemented")),
        ("new", "if-none-match: *\r\n", "new", (200, "")),
        ("new", "if-none-match: *\r\n", "lost", (412, "PreconditionFailed")),
        ("seeded", &same, "changed", (200, "")),
        ("seeded", &same, "lost", (412, "PreconditionFailed")),
    ] {
        assert_eq!(code(&put(&simulator, key, condition, body).await), expected, "{key} {condition}");
    }
    let objects = simulator.objects();
    assert_eq!((&objects["b/new"].body[..], &objects["b/seeded"].body[..]), (&b"new"[..], &b"changed"[..]));
    assert_eq!(objects.len(), 3);
}

#[tokio::test]
async fn what_the_headers_say_is_checked() {
    let simulator = start(Vec::new()).await;
    let sum = format!("x-amz-checksum-sha256: {SUM_OF_ONE}\r\n");
    let mode = "x-amz-object-lock-mode: GOVERNANCE\r\n";
    let until = "x-amz-object-lock-retain-until-date: 2027-01-01T00:00:00Z\r\n";
    for (headers, body, expected) in [
        (sum.clone(), "two", (400, "BadDigest")),
        ("x-amz-checksum-sha256: x\r\n".to_owned(), "one", (400, "InvalidRequest")),
        (format!("{sum}{mode}"), "one", (400, "InvalidArgument")),
        (format!("{sum}{until}"), "one", (400, "InvalidArgument")),
        (format!("{mode}{until}"), "one", (400, "InvalidRequest")),
    ] {
        assert_eq!(code(&put(&simulator, "locked", &headers, body).await), expected, "{headers}");
    }
    assert_eq!(simulator.object("locked"), None);
    assert_eq!(code(&send(&simulator, "PUT /b/plain", "", "").await), (403, "AccessDenied"));
    assert_eq!(put(&simulator, "locked", &format!("{sum}{mode}{until}"), "one").await.status(), 200);
    let headers = &simulator.objects()["b/locked"].headers;
    assert_eq!(headers["x-amz-object-lock-mode"], "GOVERNANCE");
    assert_eq!(headers["x-amz-object-lock-retain-until-date"], "2027-01-01T00:00:00Z");
}

#[tokio::test]
async fn somebody_else_writes_or_the_answer_is_lost() {
    let of = |path: &str, kind: FaultKind| Fault {
        path: Some(path.to_owned()),
        times: Some(1),
        ..Fault::of("s3", "PutObject", kind)
    };
    let conflict =
        FaultKind::Error { status: 409, code: "ConditionalRequestConflict".to_owned(), message: String::new() };
    let simulator = start(vec![
        of("state/", FaultKind::Overwritten { body: "theirs".to_owned() }),
        of("reports/", FaultKind::AfterAccept),
        of("history", conflict),
    ])
    .await;
    let read = send(&simulator, "GET /b/state/a.json", "", "").await;
    let same = format!("if-match: {}\r\n", read.header("etag").expect("a tag"));
    assert_eq!(code(&put(&simulator, "state/a.json", &same, "ours").await), (412, "PreconditionFailed"));
    assert_eq!(simulator.object("state/a.json").as_deref(), Some(&b"theirs"[..]));

    assert_eq!(put(&simulator, "reports/1", "if-none-match: *\r\n", "ours").await.status(), 0);
    assert_eq!(code(&put(&simulator, "reports/1", "if-none-match: *\r\n", "ours").await), (412, "PreconditionFailed"));

    assert_eq!(code(&put(&simulator, "history", "", "").await), (409, "ConditionalRequestConflict"));
    assert_eq!(put(&simulator, "history", "", "").await.status(), 200);
    simulator.put_object("/b/history", "later".into());
    assert_eq!(simulator.object("history").as_deref(), Some(&b"later"[..]));
    assert_eq!(simulator.forget_objects("history"), 1);
}
