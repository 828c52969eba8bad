//! The ports that the daemon listens on: two servers cannot share one.

use crate::settings::Settings;
use crate::settings::check::findings::Findings;
use std::net::{IpAddr, SocketAddr};

pub(super) fn check(settings: &Settings, findings: &mut Findings) {
    let (http, cluster) = (&settings.http, &settings.cluster);
    let of_http =
        |address: Option<IpAddr>, port: u16| address.filter(|_| http.enabled).map(|it| SocketAddr::new(it, port));
    let listeners = [
        ("http.port", of_http(Some(http.address), http.port)),
        ("http.public_port", of_http(http.public_address, http.public_port)),
        ("http.monitoring_port", of_http(http.monitoring_address, http.monitoring_port)),
        ("cluster.agent_listen", cluster.agent_listen.filter(|_| cluster.is_on())),
        ("cluster.peers.listen", cluster.peers.listen.filter(|_| cluster.is_on())),
    ];
    // Port 0 is any that is free.
    let listeners: Vec<_> = listeners
        .into_iter()
        .filter_map(|(key, listener)| Some((key, listener?)))
        .filter(|(_, listener)| listener.port() != 0)
        .collect();
    for (index, (key, listener)) in listeners.iter().enumerate() {
        let shares = |(_, other): &&(&str, SocketAddr)| {
            let is_same = other.ip() == listener.ip() || other.ip().is_unspecified() || listener.ip().is_unspecified();
            is_same && other.port() == listener.port()
        };
        if let Some((other, _)) = listeners[..index].iter().find(shares) {
            findings.add(*key, format!("is also `{other}`, on the same address: give one of them another port"));
        }
    }
}
