//! Brokers that mean harm, in both versions of MQTT.

use crate::hostile::broker;
use crate::hostile::cost;
use crate::neighbour::{self, NEIGHBOUR};
use crate::report::{self, Bars};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// All of them.
const MODES: [&str; 13] = [
    "never-answers",
    "silent-after-connack",
    "garbage",
    "giant-length",
    "command-flood",
    "acknowledged-flood",
    "huge-retained",
    "unknown-acks",
    "closes-after-each",
    "trickle",
    "refuses",
    "invented-cameras",
    "goodbyes",
];
/// Those of a short run.
const SOME: [&str; 2] = ["huge-retained", "command-flood"];

/// The daemon itself speaks MQTT: what is read as fast as it comes takes a core, and what is carried out some of another. In ten
/// seconds sixty lines may be about commands and messages, of four kinds.
const BARS: Bars = Bars { process: None, daemon_mib: 64.0, daemon_cores: 1.5, lines: 140.0 };

#[test]
fn a_broker_that_means_harm_costs_its_own_connection() {
    let _alone = report::alone();
    let modes = report::chosen(&MODES, &SOME);
    if modes.is_empty() {
        return;
    }
    let time = Duration::from_secs(if report::is_whole() { 12 } else { 8 });
    let none = "[mqtt]\nport = 1\n";
    let site = neighbour::start(none);
    let mut rows = Vec::new();
    for mode in modes {
        let (port, clients) = broker::start(mode);
        let protocols = if report::is_whole() { &["5", "3.1.1"][..] } else { &["5"] };
        for protocol in protocols {
            let broker = format!("[mqtt]\nport = {port}\nprotocol = \"{protocol}\"\ncommands = true\n");
            let begin = || site.reload_changed(|settings| settings.replacen(none, &broker, 1));
            let nobody = |(): &()| Vec::new();
            let (cost, ()) = cost::measure(&site.daemon, &NEIGHBOUR, begin, nobody, |(), so_far| so_far < time);
            assert!(clients.swap(0, Ordering::Relaxed) > 0, "{mode}, MQTT {protocol}: the daemon never connected");
            rows.extend(report::rows(&format!("{mode}, MQTT {protocol}"), cost, BARS));
        }
    }
    site.reload("");
    site.daemon.assert_ledger_closes();
    report::judge("broker", &rows);
}
