//! `[cluster]`.

use crate::settings::Settings;
use crate::settings::check::findings::Findings;
use crate::vision::camera_id::CameraId;

pub(super) fn check(settings: &Settings, findings: &mut Findings) {
    let cluster = &settings.cluster;
    findings.range("cluster.lease_seconds", f64::from(cluster.lease_seconds), 2.0, 60.0);
    findings.range("cluster.alone_seconds", f64::from(cluster.alone_seconds), 10.0, 2_592_000.0);
    if !cluster.is_on() {
        return;
    }
    // The same letters as in other levels of topics and keys.
    if CameraId::new(cluster.name.as_str()).is_err() {
        findings.add("cluster.name", "must be 1 to 64 of a-z, 0-9, `_` and `-`: it is a level of topics");
    } else if cluster.name == settings.box_id {
        findings.add("cluster.name", "is this box's id too: topics of the cluster's cameras would be those of its own");
    }
    if cluster.endpoints.is_empty() {
        findings.add(
            "cluster.endpoints",
            "is required in a cluster: name the members of etcd, such as [\"http://10.0.0.1:2379\"]",
        );
    }
    for (index, endpoint) in cluster.endpoints.iter().enumerate() {
        let host = ["http://", "https://"].iter().find_map(|scheme| endpoint.strip_prefix(scheme));
        if host.is_none_or(|host| host.is_empty() || host.contains(['/', '@', ' '])) {
            findings.add(format!("cluster.endpoints[{index}]"), "must be http://host:port or https://host:port");
        }
    }
    if cluster.agent_listen.is_some_and(|listen| listen.port() == 0) {
        findings.add("cluster.agent_listen", "must have a port, such as \"0.0.0.0:8444\": a load balancer asks there");
    }
    let tls = &cluster.tls;
    if tls.ca_file.is_none() && cluster.endpoints.iter().any(|endpoint| endpoint.starts_with("https://")) {
        let what = "is required for https:// endpoints: give the certificate of the authority that signed the members' certificates";
        findings.add("cluster.tls.ca_file", what);
    }
    if tls.certificate_file.is_some() != tls.key_file.is_some() {
        let what = "must be set together with `cluster.tls.certificate_file`: set both or neither";
        findings.add("cluster.tls.key_file", what);
    }
    findings.readable("cluster.key_file", cluster.key_file.as_ref());
    findings.readable("cluster.tls.ca_file", tls.ca_file.as_ref());
    findings.readable("cluster.tls.certificate_file", tls.certificate_file.as_ref());
    findings.readable("cluster.tls.key_file", tls.key_file.as_ref());
    check_peers(settings, findings);
    findings.credentials("cluster.credentials", &cluster.credentials);
}

/// `[cluster.peers]`: all of it or nothing.
fn check_peers(settings: &Settings, findings: &mut Findings) {
    let (cluster, peers) = (&settings.cluster, &settings.cluster.peers);
    let files = [
        ("cluster.peers.certificate_file", &peers.certificate_file),
        ("cluster.peers.key_file", &peers.key_file),
        ("cluster.peers.ca_file", &peers.ca_file),
    ];
    let Some(listen) = peers.listen else {
        if let Some((key, _)) = files.iter().find(|(_, file)| file.is_some()) {
            findings.add(
                *key,
                "is of no use without `cluster.peers.listen`: set that too, such as \"0.0.0.0:8445\", or neither",
            );
        }
        return;
    };
    if listen.port() == 0 {
        findings.add(
            "cluster.peers.listen",
            "must have a port, such as \"0.0.0.0:8445\": other boxes hand calls over there",
        );
    } else if let Some(address) = cluster.call_address() {
        // Other boxes connect to it, and hold the certificate against it.
        let host = address.rsplit_once(':').map_or("", |(host, _)| host);
        let is_bracketed = host.starts_with('[') && host.ends_with(']');
        if host.contains(['/', ' ', '@']) || (host.contains(':') && !is_bracketed) {
            findings.add(
                "cluster.address",
                "must be host:port with this `cluster.peers.listen`, such as \"10.0.0.7:8443\" or \"[fd00::7]:8443\"",
            );
        }
    } else {
        let what = "is required with this `cluster.peers.listen`: give the host under which other boxes reach this one, such as \"10.0.0.7:8443\"";
        findings.add("cluster.address", what);
    }
    for (key, file) in files {
        match file {
            Some(_) => findings.readable(key, file.as_ref()),
            None => findings.add(
                key,
                "is required with `cluster.peers.listen`: boxes show each other certificates of one authority",
            ),
        }
    }
}
