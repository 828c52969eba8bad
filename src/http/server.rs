//! The servers of both addresses: everything on loopback; elsewhere, if configured, the AWS-compatible API alone, over TLS
//! and signed.

use crate::http::endpoint::Endpoint;
use crate::http::router;
use crate::http::settings::HttpSettings;
use crate::http::tls;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::sync::watch;

pub use crate::http::state::{HealthReport, HttpState};

/// What the box calls itself on the network.
#[derive(Clone, Debug)]
pub struct ServerIdentity {
    /// Where a self-signed certificate is kept.
    pub state_directory: PathBuf,
    /// Host names and addresses in that certificate.
    pub names: Vec<String>,
}

/// Serves until `stop` turns true. A port that is taken is tried again; the rest of the daemon runs meanwhile.
pub async fn serve(settings: HttpSettings, state: HttpState, identity: ServerIdentity, stop: watch::Receiver<bool>) {
    if !settings.enabled {
        return;
    }
    let public = public_endpoint(&settings, &state, &identity);
    let address = SocketAddr::new(settings.address, settings.port);
    let local = Endpoint::new(address, "health, metrics and the API are served", router::local(state), None);
    let public = async {
        if let Some(public) = public {
            public.serve(stop.clone()).await;
        }
    };
    tokio::join!(local.serve(stop.clone()), public);
}

/// `None`: it is not configured, or has no certificate.
fn public_endpoint(settings: &HttpSettings, state: &HttpState, identity: &ServerIdentity) -> Option<Endpoint> {
    let address = SocketAddr::new(settings.public_address?, settings.public_port);
    let acceptor = match settings.public_plain {
        true => None,
        false => match tls::acceptor(&settings.tls, &identity.state_directory, &identity.names) {
            Ok((acceptor, fingerprint)) => {
                tracing::info!(fingerprint, "the SHA-256 fingerprint of the public certificate");
                Some(acceptor)
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the public API is not served");
                return None;
            }
        },
    };
    let routes = router::public(state.for_strangers());
    Some(Endpoint::new(address, "the AWS-compatible API is served", routes, acceptor))
}
