//! `[http]`: the monitoring address.

use crate::http::settings::HttpSettings;
use crate::settings::check::findings::Findings;
use crate::vision::error_chain::describe;
use std::net::IpAddr;

pub(super) fn check(http: &HttpSettings, findings: &mut Findings) {
    let Some(address) = http.monitoring_address else { return };
    let key = "http.monitoring_token_file";
    match (&http.monitoring_token_file, http.monitoring_token()) {
        (None, _) => findings.add(key, "is missing: name a file that holds the token of `http.monitoring_address`"),
        (Some(_), Err(error)) => findings.add(key, describe(&error)),
        (Some(_), Ok(_)) => {}
    }
    let port = http.monitoring_port;
    if !http.enabled || port == 0 {
        return;
    }
    let shares = |other: IpAddr| address == other || address.is_unspecified() || other.is_unspecified();
    let local = Some((http.address, http.port, "http.port"));
    let public = http.public_address.map(|address| (address, http.public_port, "http.public_port"));
    for (other, other_port, key) in local.into_iter().chain(public) {
        if shares(other) && other_port == port {
            let what = format!("is also `{key}`, on the same address: give one of them another port");
            findings.add("http.monitoring_port", what);
        }
    }
}
