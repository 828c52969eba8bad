//! What one camera costs before which nothing moves, in all processes of the box, against plain GStreamer that decodes the
//! same stream at the same time.

use crate::clips::{FULL_HD, StillClip};
use crate::plain::{Mode, Plain};
use crate::processor::processor_ms;
use crate::report::Figure;
use crate::seconds;
use crate::support::broker::Broker;
use crate::support::camera::RtspCamera;
use crate::support::daemon::Daemon;
use std::time::Duration;

/// The clips, and how much of a plain decoder's time the box may take.
const CASES: [(StillClip, f64); 5] = [
    (StillClip { codec: "h264", group: 1, is_constant: true, ..FULL_HD }, 0.35),
    (StillClip { codec: "h264", group: 2, is_constant: true, ..FULL_HD }, 0.25),
    (StillClip { codec: "h264", group: 4, is_constant: true, ..FULL_HD }, 0.20),
    (StillClip { codec: "h264", group: 2, is_constant: false, ..FULL_HD }, 0.25),
    (StillClip { codec: "h265", group: 2, is_constant: true, ..FULL_HD }, 0.25),
];

const METHOD: &str = "processor time of daemon, capture process and units at fps = 5 against plain processes on the same \
                      camera at the same time";

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    for (clip, bar) in CASES {
        let cost = run(clip);
        let rate = if clip.is_constant { "constant" } else { "variable" };
        let name = |what: &str| format!("{}, {rate} bit rate, keyframes each {} s: {what}", clip.codec, clip.group);
        let mut push = |what: &str, value, unit, bar| {
            figures.push(Figure { name: name(what).leak(), value, unit, bar, method: METHOD });
        };
        push("idle camera / full decode", cost.own / cost.decode, "times", Some(bar));
        push("idle camera / decode and compare", cost.own / cost.compare, "times", Some(0.2));
        push("  all processes", cost.own, "%", None);
        push("  of these the capture process", cost.capture, "%", None);
        push("  plain: receive, parse, decode all", cost.decode, "%", None);
        push("  plain: the same, and compare", cost.compare, "%", None);
        push("  plain: receive, parse, decode keyframes", cost.keyframes, "%", None);
        push("  plain: receive and parse", cost.receive, "%", None);
    }
}

/// Processor time of a camera in per cent of a core.
struct Cost {
    own: f64,
    capture: f64,
    receive: f64,
    decode: f64,
    compare: f64,
    keyframes: f64,
}

fn run(clip: StillClip) -> Cost {
    let broker = Broker::start();
    let file = clip.file();
    let server = RtspCamera::start(&["--file", file.to_str().unwrap(), "--fps", "25"]);
    let camera = format!("[[cameras]]\nid = \"yard\"\nurl = \"{}\"\nfps = 5\n", server.url());
    let daemon = Daemon::start(broker.port, &format!("[capture]\nwatch = \"auto\"\n{camera}"));
    daemon.wait_ready();
    let start = |mode| Plain::start(mode, clip.codec, server.url());
    let modes = [Mode::Receive, Mode::Decode, Mode::Compare, Mode::Keyframes];
    let mut plain = modes.map(start);
    // Until the scene is known and watched.
    std::thread::sleep(Duration::from_secs_f64(seconds(30.0).max(25.0)));
    let children = [daemon.captures(), daemon.units()].concat();
    let own = || children.iter().chain([&daemon.pid()]).map(|pid| processor_ms(*pid)).sum::<f64>();
    let capture = || daemon.captures().into_iter().map(processor_ms).sum::<f64>();
    let used = |plain: &[Plain]| {
        let plain = plain.iter().map(|plain| processor_ms(plain.pid()));
        [own(), capture()].into_iter().chain(plain).collect::<Vec<f64>>()
    };
    let (before, frames) = (used(&plain), plain.each_mut().map(Plain::answer));
    std::thread::sleep(Duration::from_secs_f64(seconds(60.0)));
    let after = used(&plain);
    let all_frames = plain.iter_mut().zip(frames).zip(modes).filter(|(_, mode)| *mode != Mode::Keyframes);
    for ((process, before), _) in all_frames {
        let rate = (process.answer() - before) / seconds(60.0);
        assert!(rate > 24.0, "a plain process had {rate} of 25 frames a second: the box is too busy to compare");
    }
    let share = |which: usize| (after[which] - before[which]) / (seconds(60.0) * 10.0);
    Cost {
        own: share(0),
        capture: share(1),
        receive: share(2),
        decode: share(3),
        compare: share(4),
        keyframes: share(5),
    }
}
