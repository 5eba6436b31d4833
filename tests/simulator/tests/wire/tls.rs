//! TLS is for who trusts the authority, and for nobody else.

use std::io;
use std::sync::Arc;

use simulator::{Seed, Simulator};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

async fn get(simulator: &Simulator, name: &str, authority: &str) -> io::Result<String> {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(authority.as_bytes()).expect("a certificate");
    roots.add(authority).expect("an authority");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let address = simulator.url().strip_prefix("https://").expect("TLS");
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, stream).await?;
    let request = b"GET /_simulator/requests HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    Ok(text)
}

#[tokio::test]
async fn only_its_own_authority_makes_it_trusted() {
    let (simulator, authority) = Simulator::start_tls(Seed::default()).await.expect("it starts");
    let (_other, foreign) = Simulator::start_tls(Seed::default()).await.expect("it starts");
    for name in ["localhost", "127.0.0.1"] {
        let heard = get(&simulator, name, &authority).await.expect("an answer");
        assert!(heard.starts_with("HTTP/1.1 200 OK"), "{heard}");
    }
    assert!(get(&simulator, "localhost", &foreign).await.is_err());
    assert!(get(&simulator, "example.com", &authority).await.is_err());
    // Refused handshakes do not end the listener.
    assert!(get(&simulator, "localhost", &authority).await.is_ok());
}
