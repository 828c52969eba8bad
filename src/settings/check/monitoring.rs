//! `[http]`: the monitoring address.

use crate::http::settings::HttpSettings;
use crate::settings::check::findings::Findings;
use crate::vision::error_chain::describe;

pub(super) fn check(http: &HttpSettings, findings: &mut Findings) {
    if http.monitoring_address.is_none() {
        return;
    }
    let key = "http.monitoring_token_file";
    match (&http.monitoring_token_file, http.monitoring_token()) {
        (None, _) => findings.add(key, "is missing: name a file that holds the token of `http.monitoring_address`"),
        (Some(_), Err(error)) => findings.add(key, describe(&error)),
        (Some(_), Ok(_)) => {}
    }
}
