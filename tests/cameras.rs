//! Cameras as they are: each quirk of `tests/support/quirks`, and what is reported of it; footage of every kind, and servers
//! that others wrote (`tests/support/served`).
//!
//! A part of the rows by themselves; all of them with `OCELLI_ALL_CAMERAS=1` (`make cameras`), which also writes
//! `target/reports/cameras.json`. `OCELLI_WRITE_TABLE=1` writes the table of `docs/cameras.md` as well.
//! `OCELLI_CAMERAS=PATH,PATH` runs single quirks, `OCELLI_CAMERAS=served` what is not a quirk.

#![cfg(feature = "capture")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

#[path = "support/quirks/mod.rs"]
mod quirks;
#[path = "support/served/mod.rs"]
mod served;

use ocelli::ipc::camera_source::{CameraSource, TlsTrust};
use quirks::drive::{self, Capture, Outcome};
use quirks::footage::Footage;
use quirks::quirk::Quirk;
use quirks::rows::{self, Expected, Row};
use quirks::server::Server;
use quirks::tls_front;
use served::case::Case;
use served::servers::Servers;
use served::table::{self, Line};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use support::certificates::{Authority, VALID};

/// Cameras that are watched at the same time: what two cores decode in real time with ease.
const AT_ONCE: usize = 16;

/// Cameras that mean harm have a process of their own, whose memory is bounded.
const HOSTILE: [Quirk; 4] = [Quirk::EndlessHeaders, Quirk::EndlessLine, Quirk::EndlessSdp, Quirk::HugeBody];
const MEMORY_LIMIT_MIB: u64 = 320;

/// Watches rows in one capture process.
fn watch(home: &Path, footage: &Arc<Footage>, rows: &[Row]) -> Vec<Outcome> {
    // A server for each: what it has seen belongs to these rows.
    let server = Server::start(Arc::clone(footage));
    let capture = Capture::start(home);
    let mut outcomes = capture.watch(&server, rows);
    let memory = capture.peak_memory_mib();
    for outcome in &mut outcomes {
        if HOSTILE.contains(&outcome.row.quirk) && memory > MEMORY_LIMIT_MIB {
            outcome.faults.push(format!("{memory} MiB of memory"));
        }
    }
    outcomes
}

/// Rows that can be watched together: one of a kind, hostile ones alone.
fn batches(rows: &[Row]) -> Vec<Vec<Row>> {
    let mut batches: Vec<Vec<Row>> = Vec::new();
    for row in rows {
        let is_hostile = HOSTILE.contains(&row.quirk);
        let fits = |batch: &&mut Vec<Row>| {
            !is_hostile
                && batch.len() < AT_ONCE
                && batch.iter().all(|other| other.quirk != row.quirk && !HOSTILE.contains(&other.quirk))
        };
        match batches.iter_mut().find(fits) {
            Some(batch) => batch.push(*row),
            None => batches.push(vec![*row]),
        }
    }
    batches
}

fn chosen_rows() -> Vec<Row> {
    let all = [rows::rows(), rows::other_settings()].concat();
    if let Ok(paths) = std::env::var("OCELLI_CAMERAS") {
        let paths: Vec<&str> = paths.split(',').collect();
        return all.into_iter().filter(|row| paths.contains(&row.quirk.path().as_str())).collect();
    }
    all.into_iter().filter(|row| is_long() || row.is_short).collect()
}

fn is_long() -> bool {
    std::env::var_os("OCELLI_ALL_CAMERAS").is_some()
}

/// The quirks, each against a server of our own.
fn quirks(home: &Path) -> Vec<Line> {
    let footage = Arc::new(Footage::make(home));
    let batches = batches(&chosen_rows());
    batches.iter().flat_map(|batch| watch(home, &footage, batch)).map(Line::of_quirk).collect()
}

/// Footage of every kind, and in the long form the servers of others.
fn served(home: &Path) -> Vec<Line> {
    let capture = Capture::start(home);
    let look = |cases: &[Case]| {
        let seen = served::watch::watch(&capture, cases);
        cases.iter().zip(&seen).map(|(case, seen)| Line::of_case(case, seen)).collect::<Vec<Line>>()
    };
    let (server, cases) = served::footage::start(home, is_long());
    let mut lines = look(&cases);
    drop(server);
    if is_long() {
        let (_servers, cases) = Servers::start(home);
        lines.extend(look(&cases));
    }
    lines
}

#[test]
fn of_each_camera_is_reported_what_it_does() {
    let home = tempfile::tempdir().unwrap();
    let only = std::env::var("OCELLI_CAMERAS").ok();
    let mut lines = Vec::new();
    if only.as_deref() != Some("served") {
        lines.extend(quirks(home.path()));
    }
    if only.as_deref().is_none_or(|only| only == "served") {
        lines.extend(served(home.path()));
    }
    let mut wrong = Vec::new();
    for line in &lines {
        println!("{:<24} {:<40} {:<40} {:?}", line.key, line.name, line.reported, line.faults);
        if !line.faults.is_empty() {
            wrong.push(format!("{} ({}): {}", line.key, line.name, line.faults.join("; ")));
        }
    }
    if is_long() && only.is_none() {
        table::write_report(&lines);
    }
    if std::env::var_os("OCELLI_WRITE_TABLE").is_some() {
        table::write_table(&lines);
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), lines.len(), wrong.join("\n"));
}

#[test]
fn synchronisation_sources_that_are_replaced_leave_no_threads_behind() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(Arc::new(Footage::make(home.path())));
    let capture = Capture::start(home.path());
    let row = rows::rows().into_iter().find(|row| row.quirk == Quirk::SsrcOften).unwrap();
    // It changes its source every two seconds.
    let row = Row { seconds: 16, ..row };
    let begun = Instant::now();
    let is_over = AtomicBool::new(false);
    let (outcomes, threads) = std::thread::scope(|scope| {
        let counter = scope.spawn(|| {
            let mut threads = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                threads.push((begun.elapsed(), capture.threads()));
                std::thread::sleep(Duration::from_millis(100));
            }
            threads
        });
        let outcomes = capture.watch(&server, &[row]);
        is_over.store(true, Ordering::Relaxed);
        (outcomes, counter.join().unwrap())
    });
    assert!(outcomes[0].faults.is_empty(), "{:?}", outcomes[0].faults);
    let most = |range: Range<u64>| {
        let within = threads.iter().filter(|(at, _)| range.contains(&at.as_secs()));
        within.map(|(_, threads)| *threads).max().unwrap_or_default()
    };
    assert!(most(13..16) <= most(2..6) + 2, "{threads:?}");
}

/// A case of `rtsps://`: whom the settings trust, for which address, and what is said.
type TlsCase = (&'static str, TlsTrust, &'static str, Expected);

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_of_a_camera_is_trusted_by_authority_by_fingerprint_or_not_at_all() {
    let authority = Authority::new("the authority of the site");
    let identity = authority.sign(&["127.0.0.1"], VALID);
    let pem = std::fs::read_to_string(authority.file()).unwrap();
    let other = std::fs::read_to_string(Authority::new("another").file()).unwrap();
    let fingerprint = tls_front::fingerprint(&identity);
    let refused = |words| Expected::Lost("Certificate", words);
    let cases: [TlsCase; 7] = [
        ("127.0.0.1", TlsTrust::System, "the box's authorities", refused("no authority that this box knows")),
        ("127.0.0.1", TlsTrust::Fingerprint(fingerprint), "its fingerprint", Expected::Streams(0.9)),
        ("127.0.0.1", TlsTrust::Fingerprint([7; 32]), "another fingerprint", refused("not the one of the settings")),
        ("127.0.0.1", TlsTrust::Authorities(pem.clone()), "its authority", Expected::Streams(0.9)),
        ("127.0.0.1", TlsTrust::Authorities(other), "another authority", refused("no authority of `tls.ca_file`")),
        ("localhost", TlsTrust::Authorities(pem), "its authority, another name", refused("not made for localhost")),
        ("127.0.0.1", TlsTrust::Anybody, "anybody", Expected::Streams(0.9)),
    ];
    let home = tempfile::tempdir().unwrap();
    let footage = Arc::new(Footage::make(home.path()));
    let capture = Capture::start(home.path());
    let hex: String = fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
    for (host, tls, name, expected) in cases {
        let server = Server::start(Arc::clone(&footage));
        let port = tls_front::start(&identity, server.port()).await;
        let row = Row { expected, name, seconds: 2, ..rows::rows()[0] };
        let url = format!("rtsps://{host}:{port}/{}", row.quirk.path());
        let source = CameraSource { url, tls, ..drive::source(&server, row) };
        let outcome = tokio::task::block_in_place(|| capture.watch_sources(&server, vec![(row, source)]).remove(0));
        assert!(outcome.faults.is_empty(), "{name}: {:?}", outcome.faults);
        // What a person needs to trust it by `tls.fingerprint`.
        assert!(outcome.reported == "streams" || outcome.reported.contains(&hex), "{}", outcome.reported);
    }
}

#[test]
fn there_are_eighty_rows_and_each_quirk_has_one() {
    let rows = rows::rows();
    assert!(rows.len() >= 80, "{}", rows.len());
    let mut paths: Vec<String> = rows.iter().map(|row| row.quirk.path()).collect();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), rows.len(), "a quirk has two rows: the second belongs to `other_settings`");
}
