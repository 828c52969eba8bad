//! Opens the cases one after the other in one `ocelli capture`, each until it has shown what it does.

use super::case::{Case, Seen};
use crate::quirks::drive::Capture;
use ocelli::ipc::frame_slots::Region;
use ocelli::ipc::messages::{CameraIndex, FromCapture, ToCapture};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// The longest look at one case.
const LIMIT: Duration = Duration::from_secs(40);

/// One at a time: each begins where its clip does, and a slow box decodes 4K beside nothing else.
pub fn watch(capture: &Capture, cases: &[Case]) -> Vec<Seen> {
    // Indices of their own: a late message of one case must not count for another.
    (1_000..).zip(cases).map(|(index, case)| look(capture, CameraIndex(index), case)).collect()
}

fn look(capture: &Capture, index: CameraIndex, case: &Case) -> Seen {
    let region = Region::create("served", 6).unwrap();
    let open = ToCapture::Open { camera: index, source: Box::new(case.source()), slots: region.slots() };
    capture.send(&open, Some(region.writable().as_fd()));
    let (mut seen, deadline) = (Seen::default(), Instant::now() + LIMIT);
    while !case.is_done(&seen) && Instant::now() < deadline {
        match capture.next(Duration::from_millis(100)) {
            Some(FromCapture::Streaming { camera, info }) if camera == index => seen.info = Some(info),
            Some(FromCapture::Frame { camera, frame }) => {
                capture.send(&ToCapture::Release { camera, slot: frame.slot }, None);
                seen.frames += u64::from(camera == index);
            }
            Some(FromCapture::Progress { camera, counts }) if camera == index => {
                seen.counts = counts;
                seen.open_reports += u64::from(!counts.closes());
            }
            Some(FromCapture::Lost { camera, kind, detail }) if camera == index => {
                seen.lost = Some((format!("{kind:?}"), detail));
            }
            _ => {}
        }
    }
    capture.send(&ToCapture::Close { camera: index }, None);
    seen
}
