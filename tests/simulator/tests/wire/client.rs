//! A client that sees the wire as it is: the bytes that came, and how they ended.

use std::io;

use serde_json::Value;
use simulator::Simulator;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back before the connection ended.
pub(crate) struct Heard {
    pub(crate) head: String,
    pub(crate) body: String,
    /// How the connection ended when it did not end well.
    pub(crate) error: Option<io::ErrorKind>,
}

impl Heard {
    pub(crate) fn status(&self) -> u16 {
        let status = self.head.split(' ').nth(1);
        status.and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("the body is JSON")
    }

    /// Whether as much came as the head promised.
    pub(crate) fn is_whole(&self) -> bool {
        let length = self.header("content-length");
        length.and_then(|text| text.parse().ok()) == Some(self.body.len())
    }
}

/// Sends one request signed for a service, `us-east-1` and the account of plain credentials.
pub(crate) async fn ask(simulator: &Simulator, service: &str, start: &str, body: &str) -> Heard {
    ask_as(simulator, "AKIDEXAMPLE", "us-east-1", service, start, body).await
}

pub(crate) async fn ask_as(
    simulator: &Simulator,
    key: &str,
    region: &str,
    service: &str,
    start: &str,
    body: &str,
) -> Heard {
    let scope = format!("{key}/20261122/{region}/{service}/aws4_request");
    let header = format!("authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\n");
    let address = simulator.url().strip_prefix("http://").expect("plain HTTP");
    exchange(address, start, &header, body).await
}

pub(crate) async fn exchange(address: &str, start: &str, headers: &str, body: &str) -> Heard {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let length = body.len();
    let request =
        format!("{start} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
    let sent = stream.write_all(request.as_bytes()).await;
    sent.expect("the request is sent");
    let mut bytes = Vec::new();
    let error = stream.read_to_end(&mut bytes).await.err();
    let text = String::from_utf8(bytes).expect("the answer is text");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    Heard { head: head.to_owned(), body: body.to_owned(), error: error.map(|err| err.kind()) }
}

/// Writes a form as the Query protocol has it.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields).finish()
}
