//! From the encoder's input to a message: how long a frame takes at `fps = 0`, against a plain pipeline on the same camera at
//! the same time.
//!
//! The camera's sender reports say when each picture was made; camera, daemon and broker share a clock.

use crate::clock::seconds_of_day;
use crate::plain::{Mode, Plain};
use crate::report::Figure;
use crate::seconds;
use crate::statistics::percentile;
use crate::support::broker::Broker;
use crate::support::camera::RtspCamera;
use crate::support::daemon::{Daemon, camera};
use std::time::Duration;

/// Seconds in a day, after which the times of the messages begin anew.
const DAY: f64 = 86_400.0;

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    let server = RtspCamera::start(&["--size", "1280x720", "--fps", "25"]);
    let broker = Broker::start();
    // The time of arrival, in seconds since 1970, before the message.
    let messages = broker.subscribe_in("ocelli/box/cameras/cam0/detections", "%U %p");
    let daemon = Daemon::start(broker.port, &camera("cam0", server.url(), 0));
    daemon.wait_ready();
    let mut plain = Plain::start(Mode::Latency, "h264", server.url());
    // The first sender report comes within five seconds.
    std::thread::sleep(Duration::from_secs(15));
    drop((messages.take(), plain.answer()));
    std::thread::sleep(Duration::from_secs_f64(seconds(60.0)));
    let plain_ms = plain.answer();

    let (mut whole, mut inference) = (Vec::new(), Vec::new());
    for (arrived, message) in messages.take() {
        let message: serde_json::Value = serde_json::from_str(&message).unwrap();
        let Some(made) = message["camera_time"].as_str().map(seconds_of_day) else { continue };
        let arrived = arrived.parse::<f64>().unwrap() % DAY;
        whole.push((arrived - made).rem_euclid(DAY) * 1000.0);
        inference.push(message["latency_ms"]["inference"].as_f64().unwrap());
    }
    let method = "one camera of 1280x720 at 25 frames a second, every frame analysed; both read it at the same time";
    let mut push = |name, value, unit, bar| figures.push(Figure { name, value, unit, bar, method });
    let middle = |values: &[f64]| percentile(values.to_vec(), 0.5);
    let limit = plain_ms + middle(&inference);
    push("encoder to MQTT / plain pipeline and inference", middle(&whole) / limit, "times", Some(1.1));
    push("  encoder to MQTT, p50", middle(&whole), "ms", None);
    push("  encoder to MQTT, p99", percentile(whole.clone(), 0.99), "ms", None);
    push("  plain: encoder to decoded picture, p50", plain_ms, "ms", None);
    push("  inference, p50", middle(&inference), "ms", None);
    push("  messages", whole.len() as f64, "", None);
}
