//! A camera that ends its stream after the first picture, thousands of times, and is connected anew without any wait.

use super::extent::Extent;
use super::figure::Figure;
use crate::quirks::drive::{self, Capture};
use crate::quirks::footage::Footage;
use crate::quirks::quirk::Quirk;
use crate::quirks::rows;
use crate::quirks::server::Server;
use ocelli::ipc::frame_slots::Region;
use ocelli::ipc::messages::{CameraIndex, FromCapture, ToCapture};
use std::collections::BTreeSet;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A connection may take so long on a busy box.
const LIMIT: Duration = Duration::from_secs(60);
/// Connections at the same time.
const CAMERAS: u64 = 5;
/// GStreamer keeps some threads and pools for further use: so many connections fill them.
const WARM: u64 = 100;
const MEMORY_BAR_KB: f64 = 10_000.0;
const THREADS_BAR: f64 = 2.0;

pub fn run(extent: &Extent) -> Vec<Figure> {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(Arc::new(Footage::make(home.path())));
    let capture = Capture::start(home.path());
    let mut figures = Vec::new();
    let mut warm = (0, 0);
    for time in (CAMERAS..=extent.reconnects).step_by(usize::try_from(CAMERAS).unwrap()) {
        connect_once(&capture, &server, time);
        if time == WARM {
            warm = use_of(&capture);
        }
        // The thousandth is a promise of its own.
        if time > WARM && (time == 1_000 || time == extent.reconnects) {
            let now = use_of(&capture);
            let name = |what: &str| format!("{time} connections that the camera ends: growth of {what}");
            let method = format!(
                "one capture process, {CAMERAS} at a time, reconnected without a wait; since connection {WARM}"
            );
            let (memory, threads) = (now.0 - warm.0, now.1 - warm.1);
            figures.push(Figure::new(name("memory"), memory as f64, "kB", MEMORY_BAR_KB, method.clone()));
            figures.push(Figure::new(name("threads"), threads as f64, "", THREADS_BAR, method));
        }
    }
    assert!(!figures.is_empty(), "{} connections are too few to judge", extent.reconnects);
    figures
}

/// Opens the cameras, waits for a frame of each, has the server hang up, and waits for the losses.
fn connect_once(capture: &Capture, server: &Server, first: u64) {
    let row = rows::rows().into_iter().find(|row| row.quirk == Quirk::PlainH264).unwrap();
    let count = usize::try_from(CAMERAS).unwrap();
    for index in first..first + CAMERAS {
        let region = Region::create("reconnects", 6).unwrap();
        let source = Box::new(drive::source(server, row));
        let open = ToCapture::Open { camera: CameraIndex(index), source, slots: region.slots() };
        capture.send(&open, Some(region.writable().as_fd()));
    }
    let deadline = Instant::now() + LIMIT;
    let all = first..first + CAMERAS;
    let (mut with_frame, mut lost) = (BTreeSet::new(), BTreeSet::new());
    while lost.len() < count {
        assert!(Instant::now() < deadline, "connections {all:?}: frames of {with_frame:?}, losses of {lost:?}");
        match capture.next(Duration::from_secs(1)) {
            Some(FromCapture::Frame { camera, frame }) => {
                capture.send(&ToCapture::Release { camera, slot: frame.slot }, None);
                let is_new = all.contains(&camera.0) && with_frame.insert(camera.0);
                if is_new && with_frame.len() == count {
                    server.hang_up();
                }
            }
            Some(FromCapture::Lost { camera, kind, detail }) if all.contains(&camera.0) => {
                assert!(with_frame.len() == count, "connection {}: {kind:?}, {detail}", camera.0);
                lost.insert(camera.0);
            }
            _ => {}
        }
    }
}

/// Resident kB and threads. What the last connection leaves goes within moments.
fn use_of(capture: &Capture) -> (i64, i64) {
    let begun = Instant::now();
    let mut least = capture.memory_and_threads();
    while begun.elapsed() < Duration::from_secs(3) {
        capture.next(Duration::from_millis(100));
        let (memory, threads) = capture.memory_and_threads();
        least = (least.0.min(memory), least.1.min(threads));
    }
    least
}
