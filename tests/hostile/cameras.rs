//! Cameras that mean harm.

use crate::hostile::clips::Clips;
use crate::hostile::cost::{self, captures_of};
use crate::hostile::server::HostileServer;
use crate::neighbour::{self, NEIGHBOUR};
use crate::report::{self, Bars, ProcessBars};
use crate::support::daemon::camera;
use crate::support::wait_for;
use std::time::Duration;

/// All of them.
const MODES: [&str; 27] = [
    "endless-headers",
    "endless-line",
    "same-header",
    "endless-sdp",
    "many-attributes",
    "many-tracks",
    "redirect-loop",
    "new-challenges",
    "trickle",
    "strange-reason",
    "tls-without-end",
    "sources",
    "rtcp-flood",
    "lying-lengths",
    "huge-picture",
    "large-picture",
    "new-sets",
    "endless-fragment",
    "flood",
    "junk",
    "mutated",
    "http-endless-headers",
    "http-endless-chunks",
    "http-endless-part",
    "http-trickle",
    "http-redirect-loop",
    "http-bomb",
];
/// Those of a short run: one that answers, one that sends, one over HTTP.
const SOME: [&str; 3] = ["endless-sdp", "sources", "http-endless-part"];

/// What `capture.memory_megabytes` is here: what a process allocates.
const MEMORY_MIB: u32 = 512;
/// Beside what it allocates: libraries, the plugins of GStreamer, its slots.
const MAPPED_MIB: f64 = 192.0;

const BARS: Bars = Bars {
    process: Some(ProcessBars {
        name: "its process",
        memory_mib: MEMORY_MIB as f64 + MAPPED_MIB,
        cores: 2.0,
        threads: 64.0,
    }),
    daemon_mib: 24.0,
    daemon_cores: 0.5,
    lines: 60.0,
};

#[test]
fn a_camera_that_means_harm_costs_its_own_process() {
    let _alone = report::alone();
    let modes = report::chosen(&MODES, &SOME);
    if modes.is_empty() {
        return;
    }
    let time = Duration::from_secs(if report::is_whole() { 20 } else { 8 });
    let server = HostileServer::start(Clips::make(), Duration::from_millis(20));
    let site = neighbour::start(&format!("[mqtt]\nenabled = false\n[capture]\nmemory_megabytes = {MEMORY_MIB}\n"));
    let mut rows = Vec::new();
    for mode in modes {
        // Not the backoff of the one before.
        let id = format!("evil-{mode}");
        let trust = if mode.starts_with("tls-") { "tls = { verify = false }\n" } else { "" };
        let begin = || site.reload(&format!("{}{trust}", camera(&id, &server.url(mode), 5)));
        let daemon = &site.daemon;
        let whose = |(): &()| captures_of(daemon, &id);
        let (cost, ()) = cost::measure(daemon, &NEIGHBOUR, begin, whose, |(), so_far| so_far < time);
        rows.extend(report::rows(mode, cost, BARS));
        println!("{mode}: {} processes", cost.processes);
        assert!(cost.processes > 0, "{mode}: no process was seen");
        // The next one begins with a process of its own.
        site.reload("");
        wait_for("its end", Duration::from_secs(20), || (site.daemon.captures().len() == 1).then_some(()));
    }
    site.daemon.assert_ledger_closes();
    report::judge("camera", &rows);
}
