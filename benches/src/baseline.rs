//! The limit: the pages of the members, one after the other over one connection, with nothing else
//! done.

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
        None => walk(stream, address),
        Some(config) => {
            let name = ServerName::try_from("127.0.0.1").expect("an address");
            let connection = ClientConnection::new(Arc::new(config), name).expect("a TLS client");
            walk(StreamOwned::new(connection, stream), address);
        }
    }
    begin.elapsed().as_secs_f64() * 1e3
}

fn walk<S: Read + Write>(stream: S, address: &str) {
    let mut reader = BufReader::new(stream);
    let mut next = String::new();
    loop {
        // In one piece, as any client sends it.
        let request = format!(
            "GET /members?maxResults=25&onlyAssociated=false{next} HTTP/1.1\r\nHost: {address}\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/us-east-1/macie2/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n"
        );
        reader.get_mut().write_all(request.as_bytes()).expect("sent");
        let page: Value = serde_json::from_slice(&body(&mut reader)).expect("JSON");
        match page["nextToken"].as_str() {
            Some(token) => next = format!("&nextToken={}", encoded(token)),
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
