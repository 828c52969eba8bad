//! What types cannot say: ranges, files that must be there, settings that contradict each other.

mod cameras;
mod findings;
mod http;
mod models;
mod mqtt;
mod tiles;

use crate::settings::Settings;
use findings::Findings;

/// Keys of values that can be read but not used, and what is wrong with them.
pub(super) fn check(settings: &Settings) -> Vec<(String, String)> {
    let mut findings = Findings::default();
    http::check(settings, &mut findings);
    cameras::check(settings, &mut findings);
    models::check(settings, &mut findings);
    mqtt::check(settings, &mut findings);
    findings.into_found()
}

#[cfg(test)]
mod tests;
