//! The processor time of viewers, against receiving and parsing alone on the same cameras at the same time.

use crate::plain::{Mode, Plain};
use crate::processor::processor_ms;
use crate::report::Figure;
use crate::statistics::median;
use crate::support::camera::RtspCamera;
use crate::support::daemon::Daemon;
use crate::viewers::Viewers;
use crate::{busy_clip, pause, watching};
use std::time::Instant;

const CAMERAS: usize = 2;

/// Each round measures without viewers, with one of each camera, and with so many.
const ROUNDS: usize = 4;
const VIEWERS: [usize; 3] = [0, 1, 5];

/// Seconds of one measurement, and before it, in a whole run.
const MEASURED: f64 = 6.0;
const SETTLES: f64 = 2.0;

/// Processor time of a camera in per cent of a core.
#[derive(Clone, Copy, Debug)]
struct Cost {
    capture: f64,
    daemon: f64,
    plain: f64,
}

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    let clip = busy_clip::full_hd();
    let server = RtspCamera::start(&["--file", clip.to_str().unwrap(), "--fps", "25", "--count", "8"]);
    let urls = &server.urls[..CAMERAS];
    // Decoding is not a viewer's cost, and what it takes varies by more than a viewer does.
    let daemon = watching(urls, 1, "keyframes_only = true\n");
    let mut plain: Vec<Plain> = urls.iter().map(|url| Plain::start(Mode::Receive, "h264", url)).collect();
    pause(5.0);
    // In turns, so that what else the box does meets all of them alike.
    let rounds: Vec<[Cost; 3]> =
        (0..ROUNDS).map(|_| VIEWERS.map(|viewers| with_viewers(&daemon, &plain, viewers))).collect();
    for plain in &mut plain {
        assert!(plain.answer() > 0.0, "a plain process receives nothing");
    }
    let added = |of: fn(&Cost) -> f64, many: usize| {
        median(rounds.iter().map(|round| of(&round[many]) - of(&round[0])).collect())
    };
    let alone = median(rounds.iter().flatten().map(|cost| cost.plain).collect());
    let first = added(|cost| cost.capture, 1);
    let further = |of: fn(&Cost) -> f64| (added(of, 2) - added(of, 1)) / (VIEWERS[2] - VIEWERS[1]) as f64;
    let method = "two cameras of 1080p25, 2 Mbit/s, keyframes decoded; with a viewer less without, of a camera, median of four turns";
    let mut push = |name, value, unit, bar| figures.push(Figure { name, value, unit, bar, method });
    push("receive, parse and a viewer / receive and parse", (alone + first) / alone, "times", Some(1.3));
    push("  plain: receive and parse", alone, "%", None);
    push("  a viewer, in the capture process", first, "%", None);
    push("  each further one there", further(|cost| cost.capture), "%", None);
    push("a viewer, in the daemon", added(|cost| cost.daemon, 1), "%", Some(0.5));
    push("  each further one there", further(|cost| cost.daemon), "%", None);
}

fn with_viewers(daemon: &Daemon, plain: &[Plain], count: usize) -> Cost {
    let _viewers: Vec<Viewers> =
        (0..CAMERAS).map(|number| Viewers::start(daemon, &format!("cam{number}"), count)).collect();
    pause(SETTLES);
    let groups = [daemon.captures(), vec![daemon.pid()], plain.iter().map(Plain::pid).collect()];
    let used = || groups.each_ref().map(|pids| pids.iter().copied().map(processor_ms).sum::<f64>());
    let (before, began) = (used(), Instant::now());
    pause(MEASURED);
    let (after, took_ms) = (used(), began.elapsed().as_secs_f64() * 1000.0);
    let share = |group: usize| 100.0 * (after[group] - before[group]) / took_ms / CAMERAS as f64;
    Cost { capture: share(0), daemon: share(1), plain: share(2) }
}
