//! The limit: the pages of a list, one after the other over one connection, with nothing else done.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

use crate::fixture::Cloud;

/// Walks the members of one Region and tells how many milliseconds it took, the connection included.
pub(crate) fn chain(cloud: &Cloud) -> f64 {
    time(cloud, &MEMBERS)
}

/// Walks the accounts of the organization.
pub(crate) fn accounts(cloud: &Cloud) -> f64 {
    time(cloud, &ACCOUNTS)
}

/// A list with pages.
struct List {
    service: &'static str,
    token: &'static str,
    /// What comes before and after the headers of every request, for the host's address and a token.
    request: fn(&str) -> (String, String),
}

const MEMBERS: List = List {
    service: "macie2",
    token: "nextToken",
    request: |token| {
        let next = if token.is_empty() { String::new() } else { format!("&nextToken={}", encoded(token)) };
        (format!("GET /members?maxResults=25&onlyAssociated=false{next} HTTP/1.1\r\n"), String::new())
    },
};

const ACCOUNTS: List = List {
    service: "organizations",
    token: "NextToken",
    request: |token| {
        let mut body = serde_json::json!({"MaxResults": 20});
        if !token.is_empty() {
            body["NextToken"] = token.into();
        }
        let headers =
            "Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: AWSOrganizationsV20161128.ListAccounts";
        (format!("POST / HTTP/1.1\r\n{headers}\r\n"), body.to_string())
    },
};

fn time(cloud: &Cloud, list: &List) -> f64 {
    let (_, address) = cloud.aws.url().split_once("://").expect("a URL");
    let tls = cloud.trusted().map(|trusted| {
        let mut roots = RootCertStore::empty();
        let certificates = CertificateDer::pem_file_iter(trusted).expect("a file of certificates");
        roots.add_parsable_certificates(certificates.map(|certificate| certificate.expect("a certificate")));
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring speaks TLS 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth()
    });
    let begin = Instant::now();
    let stream = TcpStream::connect(address).expect("the simulator listens");
    stream.set_nodelay(true).expect("a socket option");
    match tls {
        None => walk(stream, address, list),
        Some(config) => {
            let name = ServerName::try_from("127.0.0.1").expect("an address");
            let connection = ClientConnection::new(Arc::new(config), name).expect("a TLS client");
            walk(StreamOwned::new(connection, stream), address, list);
        }
    }
    begin.elapsed().as_secs_f64() * 1e3
}

fn walk<S: Read + Write>(stream: S, address: &str, list: &List) {
    let mut reader = BufReader::new(stream);
    let (service, mut token) = (list.service, String::new());
    loop {
        let (head, sent) = (list.request)(&token);
        // In one piece, as any client sends it.
        let request = format!(
            "{head}Host: {address}\r\nContent-Length: {}\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n{sent}",
            sent.len()
        );
        reader.get_mut().write_all(request.as_bytes()).expect("sent");
        let page: Value = serde_json::from_slice(&body(&mut reader)).expect("JSON");
        match page[list.token].as_str() {
            Some(next) => token = next.to_owned(),
            None => return,
        }
    }
}

fn encoded(token: &str) -> String {
    token.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn body(reader: &mut impl BufRead) -> Vec<u8> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a header");
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a number");
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the whole body");
    body
}
