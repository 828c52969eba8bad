//! What a camera costs, against the same elements of GStreamer without ocelli, all at the same time.

use crate::plain::{Mode, Plain};
use crate::processor::processor_ms;
use crate::report::Figure;
use crate::support::broker::Broker;
use crate::support::camera::RtspCamera;
use crate::support::daemon::Daemon;
use crate::{busy_clip, seconds};
use std::time::Duration;

/// Cameras of each kind.
const CAMERAS: usize = 2;

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    let clip = busy_clip::full_hd();
    let server = RtspCamera::start(&["--file", clip.to_str().unwrap(), "--fps", "25", "--count", "8"]);
    let urls = &server.urls[..CAMERAS];
    let all = run(urls, "");
    let keyframes = run(urls, "keyframes_only = true\n");
    let method =
        "processor time of capture processes at fps = 0.2 against plain processes on the same cameras at the same time";
    let mut push = |name, value, unit, bar| figures.push(Figure { name, value, unit, bar, method });
    push("capture / receive and decode all", all.own / all.decode, "times", Some(1.05));
    push("  capture process", all.own, "%", None);
    push("  plain: receive, parse, decode all", all.decode, "%", None);
    push("capture / receive and decode keyframes", keyframes.own / keyframes.keyframes, "times", Some(1.1));
    push("  capture process, keyframes only", keyframes.own, "%", None);
    push("  plain: receive, parse, decode keyframes", keyframes.keyframes, "%", None);
    push("  plain: receive and parse", keyframes.receive, "%", None);
}

/// Processor time of a camera in per cent of a core.
struct Cost {
    own: f64,
    receive: f64,
    keyframes: f64,
    decode: f64,
}

fn run(urls: &[String], extra: &str) -> Cost {
    let broker = Broker::start();
    let block = |(number, url): (usize, &String)| {
        format!("[[cameras]]\nid = \"cam{number}\"\nurl = \"{url}\"\nfps = 0.2\n{extra}")
    };
    let daemon = Daemon::start(broker.port, &urls.iter().enumerate().map(block).collect::<String>());
    daemon.wait_ready();
    let start = |mode| urls.iter().map(|url| Plain::start(mode, "h264", url)).collect::<Vec<Plain>>();
    let plain = [Mode::Receive, Mode::Keyframes, Mode::Decode].map(start);
    std::thread::sleep(Duration::from_secs_f64(seconds(8.0)));
    let pids_of = |group: &Vec<Plain>| group.iter().map(Plain::pid).collect::<Vec<u32>>();
    let groups: Vec<Vec<u32>> = std::iter::once(daemon.captures()).chain(plain.iter().map(pids_of)).collect();
    let used = || groups.iter().map(|pids| pids.iter().copied().map(processor_ms).sum()).collect::<Vec<f64>>();
    let before = used();
    std::thread::sleep(Duration::from_secs_f64(seconds(30.0)));
    let after = used();
    let share = |group: usize| (after[group] - before[group]) / (seconds(30.0) * 10.0) / urls.len() as f64;
    Cost { own: share(0), receive: share(1), keyframes: share(2), decode: share(3) }
}
