//! What is lost on a busy box: 1, 4, 8 and 16 cameras of 1080p25, with units busy, beside as many plain decoders.

use crate::plain::{Mode, Plain};
use crate::report::Figure;
use crate::support::broker::Broker;
use crate::support::camera::RtspCamera;
use crate::support::daemon::{Daemon, camera};
use crate::{busy_clip, seconds, statistics};
use std::time::Duration;

/// Names of a row's figures: a figure's name lives as long as the program.
const ROWS: [(usize, [&str; 4]); 4] = [
    (
        1,
        ["decoded / plain decoders beside, 1 camera", "  decoded a camera", "  skipped, behind", "  packets lost, TCP"],
    ),
    (
        4,
        [
            "decoded / plain decoders beside, 4 cameras",
            "  decoded a camera",
            "  skipped, behind",
            "  packets lost, TCP",
        ],
    ),
    (
        8,
        [
            "decoded / plain decoders beside, 8 cameras",
            "  decoded a camera",
            "  skipped, behind",
            "  packets lost, TCP",
        ],
    ),
    (
        16,
        [
            "decoded / plain decoders beside, 16 cameras",
            "  decoded a camera",
            "  skipped, behind",
            "  packets lost, TCP",
        ],
    ),
];

/// The counts of one camera, from the daemon.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    received: f64,
    decoded: f64,
    behind: f64,
    lost: f64,
}

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    for (cameras, names) in ROWS {
        measure_row(cameras, names, figures);
    }
}

fn measure_row(count: usize, [ratio, decoded, behind, lost]: [&'static str; 4], figures: &mut Vec<Figure>) {
    let clip = busy_clip::full_hd();
    // A server for each eight cameras, as the support names eight URLs.
    let servers: Vec<RtspCamera> = (0..count.div_ceil(8))
        .map(|_| RtspCamera::start(&["--file", clip.to_str().unwrap(), "--fps", "25", "--count", "8"]))
        .collect();
    let urls: Vec<&String> = servers.iter().flat_map(|server| &server.urls).take(count).collect();
    let broker = Broker::start();
    let names: Vec<String> = (0..count).map(|number| format!("cam{number}")).collect();
    let blocks = names.iter().zip(&urls).map(|(name, url)| camera(name, url, 5));
    let daemon = Daemon::start(broker.port, &blocks.collect::<String>());
    daemon.wait_ready();
    let mut plain: Vec<Plain> = urls.iter().map(|url| Plain::start(Mode::Decode, "h264", url)).collect();
    std::thread::sleep(Duration::from_secs_f64(seconds(15.0)));
    let plain_before: Vec<f64> = plain.iter_mut().map(Plain::answer).collect();
    let before: Vec<Counts> = names.iter().map(|name| counts(&daemon, name)).collect();
    std::thread::sleep(Duration::from_secs_f64(seconds(30.0)));
    let after: Vec<Counts> = names.iter().map(|name| counts(&daemon, name)).collect();
    let plain_after: Vec<f64> = plain.iter_mut().map(Plain::answer).collect();

    let sum = |of: fn(&Counts) -> f64| after.iter().map(of).sum::<f64>() - before.iter().map(of).sum::<f64>();
    let by_plain = plain_after.iter().sum::<f64>() - plain_before.iter().sum::<f64>();
    let each: Vec<f64> = after.iter().zip(&before).map(|(after, before)| after.decoded - before.decoded).collect();
    println!(
        "{count} cameras: {:.0} received, {:.0} decoded ({:.0} to {:.0} each), {:.0} behind, {by_plain:.0} by plain decoders",
        sum(|it| it.received),
        sum(|it| it.decoded),
        each.iter().copied().fold(f64::INFINITY, f64::min),
        each.iter().copied().fold(0.0, f64::max),
        sum(|it| it.behind),
    );
    let method = "1080p25 H.264, 2 Mbit/s, GOP 50, TCP, fps = 5 on two units; over 30 s, all decoders at the same time";
    figures.push(Figure {
        name: ratio,
        value: sum(|it| it.decoded) / by_plain,
        unit: "ratio",
        bar: Some(0.95),
        method,
    });
    let a_second = statistics::median(each) / seconds(30.0);
    figures.push(Figure { name: decoded, value: a_second, unit: "1/s", bar: None, method: "median; 25 are sent" });
    let share = 100.0 * sum(|it| it.behind) / sum(|it| it.received);
    figures.push(Figure { name: behind, value: share, unit: "%", bar: None, method: "of the received frames" });
    figures.push(Figure { name: lost, value: sum(|it| it.lost), unit: "", bar: Some(0.0), method: "by RTP numbers" });
}

/// The counts of a camera.
///
/// # Panics
/// When a frame has no outcome, or two.
fn counts(daemon: &Daemon, camera: &str) -> Counts {
    let (_, body) = daemon.get(&format!("/api/cameras/{camera}")).unwrap();
    let health: serde_json::Value = serde_json::from_str(&body).unwrap();
    let stream = &health["stream"];
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let skipped = stream["skipped"].as_object().unwrap();
    let (received, decoded) = (number(&stream["received"]), number(&health["decoded"]));
    let ends = decoded + skipped.values().map(number).sum::<f64>() + number(&stream["waiting"]);
    assert!((received - ends).abs() < 0.5, "{camera}: {received} received, {ends} accounted for: {health}");
    Counts { received, decoded, behind: number(&skipped["behind"]), lost: number(&stream["packets_lost"]) }
}
