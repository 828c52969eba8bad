//! What watching loses of footage in which something moves for most of the time: the detections of a daemon that analyses every
//! frame, and those of one that watches, of the same frames at the same time.

use crate::clock::seconds_of_day;
use crate::report::Figure;
use crate::seconds;
use crate::support::broker::{Broker, Subscriber};
use crate::support::camera::RtspCamera;
use crate::support::daemon::{Daemon, camera};
use crate::support::package::from_testdata;
use crate::support::{from_setup, root};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A box is found again if so much of both is common to both.
const OVERLAP: f64 = 0.5;

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    compare("surveillance clip", &from_setup("testdata/vtest.h264"), 10, figures);
    if let Some(clip) = from_testdata("videos/intel-person-bicycle-car-detection.mp4") {
        compare("car park", &byte_stream(&clip), 12, figures);
    }
}

/// The H.264 stream of a file, as it is.
fn byte_stream(file: &Path) -> PathBuf {
    let stream = root().join("target/bench-car-park.h264");
    if !stream.exists() {
        let pipeline = format!(
            "filesrc location={} ! qtdemux ! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream \
             ! filesink location={}",
            file.display(),
            stream.display()
        );
        assert!(Command::new("gst-launch-1.0").arg("-q").args(pipeline.split_whitespace()).status().unwrap().success());
    }
    stream
}

/// The objects of a frame: when the camera made it, and each one's label and box (left, top, width, height).
struct Seen {
    made: f64,
    objects: Vec<(String, [f64; 4])>,
}

fn compare(what: &str, clip: &Path, fps: u32, figures: &mut Vec<Figure>) {
    let server = RtspCamera::start(&["--file", clip.to_str().unwrap(), "--fps", &fps.to_string()]);
    let (broker, plain_broker) = (Broker::start(), Broker::start());
    let block = camera("cam0", server.url(), 0);
    let watching = Daemon::start(broker.port, &format!("[capture]\nwatch = \"auto\"\n{block}"));
    let analysing = Daemon::start(plain_broker.port, &block);
    watching.wait_ready();
    analysing.wait_ready();
    let topic = "ocelli/box/cameras/cam0/detections";
    let (watched, followed) = (broker.subscribe(topic), plain_broker.subscribe(topic));
    std::thread::sleep(Duration::from_secs_f64(seconds(180.0)));
    let (watched, followed) = (seen(&watched), seen(&followed));
    let (mut all, mut found) = (0.0, 0.0);
    for frame in followed.iter().skip_while(|frame| watched.first().is_none_or(|first| frame.made < first.made)) {
        // What was seen last stands while nothing changes.
        let known = &watched[..watched.partition_point(|other| other.made <= frame.made + 0.01)];
        let known = known.last().map_or(&[][..], |last| &last.objects);
        for (label, place) in &frame.objects {
            all += 1.0;
            found += f64::from(known.iter().any(|(other, at)| other == label && overlap(place, at) >= OVERLAP));
        }
    }
    let method = "objects of every frame that are also known to a daemon that watches, by label and overlap of 0.5";
    let mut push = |name: &str, value, unit, bar| {
        let name: &'static str = format!("{what}: {name}").leak();
        figures.push(Figure { name, value, unit, bar, method });
    };
    push("recall of watching, of all that is analysed otherwise", found / f64::max(all, 1.0), "ratio", Some(0.99));
    push("  objects", all, "", None);
    push("  frames analysed with watching / without", watched.len() as f64 / followed.len() as f64, "ratio", None);
}

fn seen(subscriber: &Subscriber) -> Vec<Seen> {
    let number = |value: &Value| value.as_f64().unwrap();
    let object = |detection: &Value| {
        let place = &detection["box"];
        let place = ["left", "top", "width", "height"].map(|side| number(&place[side]));
        (detection["label"].as_str().unwrap().to_owned(), place)
    };
    let frame = |(_, message): (String, String)| {
        let message: Value = serde_json::from_str(&message).unwrap();
        let made = seconds_of_day(message["camera_time"].as_str()?);
        Some(Seen { made, objects: message["detections"].as_array().unwrap().iter().map(object).collect() })
    };
    subscriber.take().into_iter().filter_map(frame).collect()
}

/// Intersection over union.
fn overlap(one: &[f64; 4], other: &[f64; 4]) -> f64 {
    let common = |side: usize| {
        let end = (one[side] + one[side + 2]).min(other[side] + other[side + 2]);
        (end - one[side].max(other[side])).max(0.0)
    };
    let intersection = common(0) * common(1);
    intersection / (one[2] * one[3] + other[2] * other[3] - intersection).max(f64::EPSILON)
}
