//! TLS in front of a server that has none, as `rtsps://` cameras have it.

use crate::support::certificates::Identity;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Passes on what comes to `port`; ends with its runtime.
pub async fn start(identity: &Identity, port: u16) -> u16 {
    let certificates = CertificateDer::pem_file_iter(&identity.certificate).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(&identity.key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(certificates, key).unwrap()));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let own = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that does not trust the certificate goes away.
                let Ok(mut client) = acceptor.accept(client).await else { return };
                let mut camera = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
                drop(tokio::io::copy_bidirectional(&mut client, &mut camera).await);
            });
        }
    });
    own
}

/// The SHA-256 of the certificate in a file.
pub fn fingerprint(identity: &Identity) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    Sha256::digest(CertificateDer::from_pem_file(&identity.certificate).unwrap()).into()
}
