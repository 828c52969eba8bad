//! What fifty viewers take from the detections of eight cameras.

use crate::report::Figure;
use crate::seconds;
use crate::statistics::median;
use crate::support::camera::RtspCamera;
use crate::support::daemon::Daemon;
use crate::support::from_setup;
use crate::viewers::Viewers;
use crate::{pause, watching};
use std::sync::atomic::Ordering;

const CAMERAS: usize = 8;
const VIEWERS: usize = 50;

/// Each round measures without and with viewers.
const ROUNDS: usize = 3;

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    let clip = from_setup("testdata/vtest.h264");
    let server = RtspCamera::start(&["--file", clip.to_str().unwrap(), "--count", "8"]);
    let daemon = watching(&server.urls[..CAMERAS], 5, "");
    pause(5.0);
    let (mut without, mut with, mut gaps, mut frames) = (Vec::new(), Vec::new(), 0, 0);
    for _ in 0..ROUNDS {
        without.push(detections(&daemon));
        let viewers: Vec<Viewers> = (0..CAMERAS)
            .map(|number| {
                // 50 among 8: six or seven each.
                let count = (VIEWERS + number) / CAMERAS;
                Viewers::start(&daemon, &format!("cam{number}"), count)
            })
            .collect();
        with.push(detections(&daemon));
        gaps += viewers.iter().map(|some| some.received.gaps.load(Ordering::Relaxed)).sum::<u64>();
        frames += viewers.iter().map(|some| some.received.frames.load(Ordering::Relaxed)).sum::<u64>();
    }
    let (without, with) = (median(without), median(with));
    let method = "eight cameras of 768x576 at 10 frames a second, 5 wanted of each, two units; 50 viewers beside them, on \
                  the same cores; median of three turns of 10 s each";
    let mut push = |name, value, unit, bar| figures.push(Figure { name, value, unit, bar, method });
    push("detections with 50 viewers / without", with / without, "ratio", Some(0.95));
    push("  detections a second, without", without, "1/s", None);
    push("  detections a second, with 50 viewers", with, "1/s", None);
    push("  frames that came to viewers", frames as f64, "", None);
    push("  gaps in what came", gaps as f64, "", None);
}

/// Frames a second that units have looked at.
fn detections(daemon: &Daemon) -> f64 {
    pause(1.0);
    let before = daemon.sum("ocelli_frames_detected");
    pause(10.0);
    (daemon.sum("ocelli_frames_detected") - before) / seconds(10.0)
}
