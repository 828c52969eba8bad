//! Checks what types cannot express: ranges, required files, and settings that contradict each other.

mod cameras;
mod cluster;
mod findings;
mod http;
mod listeners;
mod models;
mod monitoring;
mod mqtt;
mod tiles;
mod viewers;

use crate::settings::Settings;
use crate::settings::mistake::Finding;
use findings::Findings;

/// Returns the key of each invalid value and what is wrong with it, and the range of each number.
pub(super) fn check(settings: &Settings) -> Vec<(String, Finding)> {
    let mut findings = Findings::default();
    http::check(settings, &mut findings);
    monitoring::check(&settings.http, &mut findings);
    listeners::check(settings, &mut findings);
    viewers::check(settings, &mut findings);
    cameras::check(settings, &mut findings);
    cluster::check(settings, &mut findings);
    models::check(settings, &mut findings);
    mqtt::check(settings, &mut findings);
    findings.into_list()
}

#[cfg(test)]
mod tests;
