//! Weights, and who cannot push whom aside.

use crate::figure;
use crate::footage::clip_at;
use crate::load;
use crate::report::Figure;
use crate::support::broker::Broker;
use crate::support::camera::RtspCamera;
use crate::support::daemon::{Daemon, camera};
use std::time::{Duration, Instant};

const MODEL: &str = "[[models]]\nname = \"coco-ssd\"\nmin_inference_units = 1\n";

fn detected(daemon: &Daemon, camera: &str) -> f64 {
    daemon.sum(&format!("ocelli_frames_detected_total{{camera=\"{camera}\"}}"))
}

/// Frames a second of each camera over `seconds`, while `meanwhile` happens.
fn rates(daemon: &Daemon, cameras: &[String], seconds: u64, meanwhile: impl FnOnce()) -> Vec<f64> {
    let before: Vec<f64> = cameras.iter().map(|id| detected(daemon, id)).collect();
    let begun = Instant::now();
    meanwhile();
    std::thread::sleep(Duration::from_secs(seconds).saturating_sub(begun.elapsed()));
    let elapsed = begun.elapsed().as_secs_f64();
    cameras.iter().zip(before).map(|(id, before)| (detected(daemon, id) - before) / elapsed).collect()
}

fn wait_streaming(broker: &Broker, cameras: &[String]) {
    for id in cameras {
        let messages = broker.subscribe(&format!("ocelli/box/cameras/{id}/detections"));
        messages.wait("a frame", Duration::from_secs(60), |_, _| true);
    }
}

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    let clip = clip_at(110.0);
    let fast = RtspCamera::start(&["--file", clip.to_str().unwrap(), "--fps", "110", "--count", "2"]);
    let broker = Broker::start();
    let names = ["heavy".to_owned(), "light".to_owned()];
    let heavy = camera("heavy", &fast.urls[0], 0) + "weight = 2\n";
    let daemon = Daemon::start(broker.port, &format!("{MODEL}{heavy}{}", camera("light", &fast.urls[1], 0)));
    wait_streaming(&broker, &names);
    let shares = rates(&daemon, &names, 15, || {});
    drop(daemon);
    let method = "two cameras of 110 frames a second each and one unit, 15 s; promised 1.8 to 2.2";
    figures.push(figure("fairness: weights 2:1", shares[0] / shares[1], "ratio", Some(1.8), method));
    figures.push(figure("  and not more than", shares[0] / shares[1], "", Some(2.2), method));

    let slow = RtspCamera::start(&["--size", "320x240", "--fps", "10", "--count", "7"]);
    let names: Vec<String> = (0..7).map(|index| format!("slow-{index}")).collect();
    let blocks = names.iter().zip(&slow.urls).map(|(name, url)| camera(name, url, 1)).collect::<String>();
    let greedy = camera("greedy", &fast.urls[0], 0);
    let broker = Broker::start();
    let daemon = Daemon::start(broker.port, &format!("{MODEL}{greedy}{blocks}"));
    wait_streaming(&broker, &names);
    let least = |rates: Vec<f64>| rates.into_iter().fold(f64::MAX, f64::min);
    let pushed = least(rates(&daemon, &names, 20, || {}));
    let method = "the least of seven cameras at 1 fps beside one of 110 frames a second, one unit, 20 s";
    figures.push(figure("fairness: camera at 1 fps beside a greedy one", pushed, "ratio", Some(0.9), method));
    let port = daemon.http_port();
    let flooded = least(rates(&daemon, &names, 15, || drop(load::run(port, 500.0, 15))));
    let method = "the same while 500 images a second are sent, 15 s";
    figures.push(figure("fairness: and in a flood of images", flooded, "ratio", Some(0.9), method));
    daemon.assert_ledger_closes();
}
