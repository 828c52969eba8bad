//! Metrics of the people at the page: how logins ended, and what had no room. No name is a label: whoever reads metrics need
//! not know who looks.

use crate::telemetry::labels::Counters;
use prometheus_client::registry::Registry;

/// How a login ends.
const RESULTS: [&str; 8] =
    ["password", "link", "token", "wrong_password", "wrong_link", "wrong_token", "limited", "busy"];

/// What has a bound, and is forgotten when that is reached.
const BOUNDED: [&str; 5] = ["session", "link", "name", "address", "access"];

/// The series of all listeners.
#[derive(Debug, Default)]
pub struct VisitorMetrics {
    logins: Counters,
    forgotten: Counters,
}

impl VisitorMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("http_logins", "Logins at the page, by their result", self.logins.clone());
        let help = "Sessions, links, failed logins and accesses that were forgotten because there were too many";
        registry.register("http_visits_forgotten", help, self.forgotten.clone());
        for result in RESULTS {
            drop(self.logins.get_or_create(&vec![("result", result.to_owned())]));
        }
        for what in BOUNDED {
            drop(self.forgotten.get_or_create(&vec![("what", what.to_owned())]));
        }
    }

    /// Counts a login with one of the results of this file.
    pub fn login(&self, result: &'static str) {
        self.logins.get_or_create(&vec![("result", result.to_owned())]).inc();
    }

    /// Counts what had to make room.
    pub fn forgotten(&self, what: &'static str, count: u64) {
        self.forgotten.get_or_create(&vec![("what", what.to_owned())]).inc_by(count);
    }
}
