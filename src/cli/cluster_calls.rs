//! Calls in a cluster, as `ocelli run` starts them: what load balancers are told, and what boxes hand each other.

use crate::appliance::agent_check::{self, AgentSources};
use crate::cluster::ClusterClient;
use crate::cluster::settings::ClusterSettings;
use crate::control::{ApplianceStatus, Control};
use crate::http::peers::{self, PeerTls, PeerTlsError};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::troubles::Troubles;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::watch;

/// What the settings say of it.
#[derive(Debug)]
pub(super) struct ClusterCalls {
    agent: Option<SocketAddr>,
    peers: Result<Option<(SocketAddr, PeerTls)>, PeerTlsError>,
}

impl ClusterCalls {
    /// Reads the certificates. Nothing for a box on its own.
    pub(super) fn of(settings: &ClusterSettings) -> Self {
        if !settings.is_on() {
            return Self { agent: None, peers: Ok(None) };
        }
        let tls = PeerTls::read(&settings.peers);
        Self { agent: settings.agent_listen, peers: tls.map(|tls| settings.peers.listen.zip(tls)) }
    }

    /// Starts what the settings ask for. Must be called inside the runtime.
    pub(super) fn start(
        self,
        client: &ClusterClient,
        (control, status): (&Control, watch::Receiver<ApplianceStatus>),
        (metrics, troubles): (Arc<Metrics>, Troubles),
        (is_stopping, stopped): (watch::Receiver<bool>, watch::Receiver<bool>),
    ) {
        if let Some(address) = self.agent {
            let sources = AgentSources { status, cluster: client.status.clone(), is_stopping };
            tokio::spawn(agent_check::serve(address, sources, troubles.clone()));
        }
        let peers = self.peers.unwrap_or_else(|error| {
            // The cameras of a box are not to go dark for a certificate of its calls.
            tracing::error!(%error, "calls are neither handed to other boxes nor taken from them until a restart");
            troubles
                .set("cluster calls", format!("{error}; calls are neither handed to other boxes nor taken from them"));
            None
        });
        if let Some((address, tls)) = peers {
            let told = (Arc::clone(&metrics), troubles.clone());
            tokio::spawn(peers::hand_on(tls.clone(), control.clone(), client.peers.clone(), told));
            tokio::spawn(peers::take(address, tls, control.clone(), (metrics, troubles), stopped));
        }
    }
}
