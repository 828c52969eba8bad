//! The servers of all addresses: everything on loopback and over the Unix socket; elsewhere, if configured, the AWS-compatible
//! API over TLS and signed, the native API over TLS for people who have logged in, and metrics and readiness over TLS and for a
//! token.

use crate::http::auth::bearer_token::BearerToken;
use crate::http::door::{Door, TokenRule};
use crate::http::endpoint::Endpoint;
use crate::http::known_pages::KnownPages;
use crate::http::local_token;
use crate::http::monitoring;
use crate::http::place::Place;
use crate::http::router::{self, NeedsToken};
use crate::http::s3;
use crate::http::settings::{HttpSettings, HttpTlsSettings, LocalAccess};
use crate::http::tls;
use crate::secret::Secret;
use crate::telemetry::troubles::Troubles;
use crate::vision::error_chain::describe;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OnceCell, watch};
use tokio_rustls::TlsAcceptor;

pub use crate::http::state::{HealthReport, HttpState, PageState};
pub use crate::http::tls::ServedCertificate;

/// What the box calls itself on the network.
#[derive(Clone, Debug)]
pub struct ServerIdentity {
    /// Where a self-signed certificate is kept.
    pub state_directory: PathBuf,
    /// Host names and addresses in that certificate.
    pub names: Vec<String>,
    /// The certificate that is shown, once there is one. A reload of the settings renews it.
    pub certificate: ServedCertificate,
}

/// How often a certificate that cannot be read or made is tried again.
const TLS_RETRY: Duration = Duration::from_secs(5);

/// The part that [`Troubles`] names.
const PUBLIC: &str = "public address";

/// The tokens that open addresses.
#[derive(Debug, Default)]
pub struct ServerTokens {
    /// Of the monitoring address; settings with that address and without a token are refused before.
    pub monitoring: Option<Secret>,
    /// Of the native API over TCP, if the settings ask for one. `None`: it could not be had, and nothing is accepted.
    pub local: Option<Secret>,
}

/// Serves until `stop` turns true. A port that is taken is tried again, and so is a certificate that cannot be read or
/// made; the rest of the daemon runs meanwhile, and `troubles` says why the public address is not served.
pub async fn serve(
    settings: HttpSettings,
    state: HttpState,
    identity: ServerIdentity,
    tokens: ServerTokens,
    troubles: Troubles,
    stop: watch::Receiver<bool>,
) {
    if !settings.enabled {
        return;
    }
    let calls = state.rekognition.clone();
    // Nobody waits for it: a disk may hang.
    tokio::task::spawn_blocking(move || s3::remove_left_uploads(&calls));
    let (socket, over_tcp) = local_endpoints(&settings, &state, &identity.state_directory, tokens.local.as_ref());
    let certificate = Certificate { settings: &settings, identity, troubles: &troubles, acceptor: OnceCell::new() };
    let public = serve_public(&settings, state.clone(), &certificate, stop.clone());
    let monitoring = serve_monitoring(&settings, state.clone(), tokens.monitoring, &certificate, stop.clone());
    tokio::join!(over_tcp.serve(&troubles, stop.clone()), socket.serve(&troubles, stop), public, monitoring);
}

/// The box's own listeners: the Unix socket, whose mode says who may use it, and the address of loopback.
fn local_endpoints(
    settings: &HttpSettings,
    state: &HttpState,
    state_directory: &Path,
    token: Option<&Secret>,
) -> (Endpoint, Endpoint) {
    let path = settings.socket_path(state_directory);
    let door = |token| Door::new(settings.names.clone(), token, Arc::clone(&state.metrics));
    let routes = router::local(state.clone(), &door(None), NeedsToken::default());
    let what = "the API is served over a Unix socket";
    let socket = Endpoint::new(Place::Socket(path.clone()), what, routes, None, Arc::clone(&state.metrics));

    let (path, file) = (path.display(), local_token::file(state_directory));
    let cure = format!(
        "over TCP this needs the token in {}, as `Authorization: Bearer <token>`; over the Unix socket it needs none: \
         `curl --unix-socket {path} http://localhost/...`",
        file.display(),
    );
    let rule = TokenRule { token: token.map(BearerToken::new), cure };
    let needs_token = NeedsToken {
        api: settings.local_api == Some(LocalAccess::Token),
        monitoring: settings.local_monitoring == LocalAccess::Token,
    };
    let routes = router::local(state.clone(), &door(Some(rule)), needs_token);
    let (address, what) = (SocketAddr::new(settings.address, settings.port), "health, metrics and the API are served");
    (socket, Endpoint::new(Place::Tcp(address), what, routes, None, Arc::clone(&state.metrics)))
}

/// The names by which other hosts may ask for the box.
fn public_names(settings: &HttpSettings, identity: &ServerIdentity) -> Vec<String> {
    let own = [settings.public_address, settings.monitoring_address].map(|address| Some(address?.to_string()));
    let named = identity.names.iter().chain(&settings.tls.names).chain(&settings.names).cloned();
    own.into_iter().flatten().chain(named).collect()
}

/// Serves the public address, if one is configured.
async fn serve_public(
    settings: &HttpSettings,
    state: HttpState,
    certificate: &Certificate<'_>,
    stop: watch::Receiver<bool>,
) {
    let Some(address) = settings.public_address else { return };
    let Some(tls) = certificate.unless(settings.public_plain, &stop).await else { return };
    let metrics = Arc::clone(&state.metrics);
    let pages = KnownPages::new(&settings.public_origins);
    let door = Door::public(public_names(settings, &certificate.identity), pages, Arc::clone(&metrics));
    let routes = router::public(state.for_strangers(), &door, tls.is_some());
    let place = Place::Tcp(SocketAddr::new(address, settings.public_port));
    let what = "the AWS-compatible API, and people who log in, are served";
    let endpoint = Endpoint::new(place, what, routes, tls, metrics);
    endpoint.serve(certificate.troubles, stop).await;
}

/// Serves the monitoring address, if one is configured. Settings without a token for it are refused before.
async fn serve_monitoring(
    settings: &HttpSettings,
    state: HttpState,
    token: Option<Secret>,
    certificate: &Certificate<'_>,
    stop: watch::Receiver<bool>,
) {
    let (Some(address), Some(token)) = (settings.monitoring_address, token) else { return };
    let Some(tls) = certificate.unless(settings.monitoring_plain, &stop).await else { return };
    let metrics = Arc::clone(&state.metrics);
    let rule = TokenRule { token: Some(BearerToken::new(&token)), cure: monitoring::CURE.to_owned() };
    let door = Door::new(public_names(settings, &certificate.identity), Some(rule), Arc::clone(&metrics));
    let routes = monitoring::routes(state.for_strangers(), &door);
    let place = Place::Tcp(SocketAddr::new(address, settings.monitoring_port));
    let endpoint = Endpoint::new(place, "metrics and readiness are served", routes, tls, metrics);
    endpoint.serve(certificate.troubles, stop).await;
}

/// The certificate of all addresses that other hosts reach. It is read or made once, for the first that needs it.
struct Certificate<'a> {
    settings: &'a HttpSettings,
    identity: ServerIdentity,
    troubles: &'a Troubles,
    acceptor: OnceCell<Option<TlsAcceptor>>,
}

impl Certificate<'_> {
    /// What an address is served with: nothing if it `is_plain`. `None` when `stop` turns true before the certificate is
    /// there.
    async fn unless(&self, is_plain: bool, stop: &watch::Receiver<bool>) -> Option<Option<TlsAcceptor>> {
        if is_plain {
            return Some(None);
        }
        let mut stop = stop.clone();
        let made = async move {
            wait_for_acceptor(&self.settings.tls, &self.identity, self.missing(), self.troubles, &mut stop).await
        };
        self.acceptor.get_or_init(|| made).await.clone().map(Some)
    }

    /// What is not served without it.
    fn missing(&self) -> &'static str {
        let settings = self.settings;
        let has_public = settings.public_address.is_some() && !settings.public_plain;
        match (has_public, settings.monitoring_address.is_some() && !settings.monitoring_plain) {
            (true, false) => PUBLIC_IS_MISSING,
            (true, true) => "the public API is not served, nor are metrics beyond loopback",
            (false, _) => "metrics are not served beyond loopback",
        }
    }
}

const PUBLIC_IS_MISSING: &str = "the public API is not served";

/// Tries until the certificate can be read or made; `None` when `stop` turns true before that.
async fn wait_for_acceptor(
    settings: &HttpTlsSettings,
    identity: &ServerIdentity,
    missing: &str,
    troubles: &Troubles,
    stop: &mut watch::Receiver<bool>,
) -> Option<TlsAcceptor> {
    loop {
        let (settings, served, of_box) = (settings.clone(), &identity.certificate, identity.clone());
        // A disk may hang, and a new key takes a while.
        let made = move || match of_box.certificate.is_set() {
            // A reload has brought one meanwhile.
            true => Ok(()),
            false => tls::certificate(&settings, &of_box.state_directory, &of_box.names)
                .map(|certificate| of_box.certificate.set(certificate)),
        };
        match tokio::task::spawn_blocking(made).await.ok()?.and_then(|()| served.acceptor()) {
            Ok(acceptor) => {
                troubles.clear(PUBLIC);
                let fingerprint = served.fingerprint();
                tracing::info!(fingerprint, "the SHA-256 fingerprint of the public certificate");
                return Some(acceptor);
            }
            Err(error) => {
                let why = describe(&error);
                if troubles.set(PUBLIC, format!("{missing}: {why}")) {
                    tracing::error!(why, "{missing}; the certificate is tried again");
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(TLS_RETRY) => {}
            _ = stop.wait_for(|stop| *stop) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_certificate_that_cannot_be_kept_is_trouble_until_it_can_be() {
        let home = tempfile::tempdir().unwrap();
        // A file lies where the directory of the certificate should be.
        let place = home.path().join("tls");
        std::fs::write(&place, "").unwrap();
        let identity = ServerIdentity {
            state_directory: home.path().into(),
            names: vec!["box.lan".into()],
            certificate: ServedCertificate::default(),
        };
        let (troubles, (stop, mut stopped)) = (Troubles::default(), watch::channel(false));
        let (settings, seen) = (HttpTlsSettings::default(), troubles.clone());
        let heal = async {
            while seen.all().is_empty() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            let why = seen.all().join("; ");
            assert!(why.starts_with("the public API is not served") && why.contains("tls"), "{why}");
            std::fs::remove_file(&place).unwrap();
        };
        let (acceptor, ()) =
            tokio::join!(wait_for_acceptor(&settings, &identity, PUBLIC_IS_MISSING, &troubles, &mut stopped), heal);
        assert!(acceptor.is_some() && place.join("key.pem").exists());
        assert!(troubles.all().is_empty());

        std::fs::remove_dir_all(&place).unwrap();
        std::fs::write(&place, "").unwrap();
        let identity = ServerIdentity { certificate: ServedCertificate::default(), ..identity };
        stop.send_replace(true);
        let acceptor = wait_for_acceptor(&settings, &identity, PUBLIC_IS_MISSING, &troubles, &mut stopped).await;
        assert!(acceptor.is_none(), "a stop is not held up by a certificate");
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_trouble_until_it_is_free() {
        let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        let (troubles, (stop, stopped)) = (Troubles::default(), watch::channel(false));
        let metrics = Arc::new(crate::telemetry::metrics::Metrics::new());
        let endpoint = Endpoint::new(Place::Tcp(address), "it is served", axum::Router::new(), None, metrics);
        tokio::time::pause();
        let wait = async {
            while troubles.all().is_empty() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            assert!(troubles.all()[0].contains(&address.to_string()), "{:?}", troubles.all());
            drop(taken);
            while !troubles.all().is_empty() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            stop.send_replace(true);
        };
        let served = async { tokio::join!(endpoint.serve(&troubles, stopped), wait) };
        tokio::time::timeout(Duration::from_secs(60), served).await.expect("the trouble ends with its reason");
    }
}
