//! The boxes that the page draws, in a real browser, and those that are published of the same frames.

#![cfg(feature = "capture")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::Value;
use std::collections::BTreeMap;
use std::net::TcpStream;
use std::time::{Duration, Instant};
use support::broker::Broker;
use support::browser::Browser;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use tungstenite::Message;

const LIMIT: Duration = Duration::from_secs(90);

/// Frames with boxes that are compared.
const COMPARED: usize = 20;

/// How much a box that is drawn and the published one have in common, at least.
const LEAST_IOU: f64 = 0.8;

/// Left, top, width and height in ratios of the picture.
type Box4 = [f64; 4];

/// Starts a player in an element that has another form than the picture, and notes of each frame what is drawn on its canvas: the
/// rectangles, in pixels of the window, and where the picture of the video lies.
const NOTED: &str = "
    const { LivePlayer } = await import('/page/live.js');
    let strokes = [];
    const real = CanvasRenderingContext2D.prototype.strokeRect;
    CanvasRenderingContext2D.prototype.strokeRect = function (...rectangle) {
        const at = this.getTransform();
        const scale = this.canvas.clientWidth / this.canvas.width;
        strokes.push(rectangle.map((side, index) => side * (index % 2 ? at.d : at.a) * scale));
        return real.apply(this, rectangle);
    };
    const host = document.createElement('div');
    Object.assign(host.style, { width: '700px', height: '300px' });
    document.body.replaceChildren(host);
    window.noted = [];
    const player = new LivePlayer(host, 'yard', { mode: 'exact', labels: true });
    player.onframe = ({ pts, exact }) => {
        const video = host.querySelector('video');
        const [outer, canvas] = [video.getBoundingClientRect(), host.querySelector('canvas').getBoundingClientRect()];
        const fit = Math.min(outer.width / video.videoWidth, outer.height / video.videoHeight);
        const [width, height] = [video.videoWidth * fit, video.videoHeight * fit];
        const [left, top] = [outer.left + (outer.width - width) / 2 - canvas.left, outer.top + (outer.height - height) / 2 - canvas.top];
        const boxes = strokes.map(([x, y, across, down]) => [(x - left) / width, (y - top) / height, across / width, down / height]);
        if (exact) window.noted.push([pts, boxes]);
        strokes = [];
    };
    player.start();
    true";

/// The numbers of frames, by their place on the timeline of the video in microseconds, as a viewer without a browser is told.
fn frames_by_place(daemon: &Daemon, until: impl Fn(&BTreeMap<u64, u64>) -> bool) -> BTreeMap<u64, u64> {
    let stream = TcpStream::connect(("127.0.0.1", daemon.http_port())).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let url = format!("ws://localhost:{}/api/cameras/yard/live", daemon.http_port());
    let mut socket = tungstenite::client(url, stream).unwrap().0;
    let (mut frames, begun) = (BTreeMap::new(), Instant::now());
    while !until(&frames) {
        assert!(begun.elapsed() < LIMIT, "{frames:?}");
        let Message::Text(text) = socket.read().unwrap() else { continue };
        let told: Value = serde_json::from_str(&text).unwrap();
        if told["type"] == "detections" {
            frames.insert(told["pts"].as_u64().unwrap(), told["frame"].as_u64().unwrap());
        }
    }
    frames
}

/// What two boxes have in common, of what they cover together.
fn iou(one: &Box4, other: &Box4) -> f64 {
    let along = |side: usize| {
        let end = |of: &Box4| of[side] + of[side + 2];
        (end(one).min(end(other)) - one[side].max(other[side])).max(0.0)
    };
    let common = along(0) * along(1);
    common / (one[2] * one[3] + other[2] * other[3] - common)
}

#[test]
fn a_box_is_drawn_where_the_message_of_its_very_frame_says() {
    let (broker, rtsp) = (Broker::start(), RtspCamera::surveillance(0));
    let published = broker.settled_subscriber("ocelli/box/cameras/yard/detections");
    let settings = format!("[http]\nlocal_api = \"open\"\n{}", camera("yard", rtsp.url(), 5));
    let daemon = Daemon::start(broker.port, &settings);
    daemon.wait_ready();
    let mut browser = Browser::start();
    browser.open(&format!("http://localhost:{}/", daemon.http_port()));
    // The player takes the place of the whole page, which must not be in the middle of its own beginning.
    browser.wait("the page", "!!document.querySelector('#top .box-name')");
    browser.evaluate(&format!("(async () => {{ {NOTED} }})()"));
    browser.wait("the video", "noted.length > 0");
    // Both are told of the same frames from here on.
    let frames = frames_by_place(&daemon, |frames| frames.len() >= 2 * COMPARED);
    let last = frames.keys().last().unwrap();
    browser.wait("the last of them", &format!("noted.at(-1)[0] >= {last}"));
    let noted = browser.evaluate("noted");
    let drawn: Vec<(u64, Vec<Box4>)> = serde_json::from_value(noted).unwrap();

    let messages: Vec<Value> =
        published.take().iter().map(|(_, payload)| serde_json::from_str(payload).unwrap()).collect();
    let by_frame: BTreeMap<u64, &Value> = messages.iter().map(|it| (it["frame"].as_u64().unwrap(), it)).collect();
    let (mut compared, mut boxes, mut worst) = (0, 0, 1.0_f64);
    for (pts, drawn) in &drawn {
        // The browser counts in seconds, so that a microsecond may be lost.
        let Some((_, frame)) = frames.range(pts - 2..=pts + 2).next() else { continue };
        let Some(message) = by_frame.get(frame) else { continue };
        let told: Vec<Box4> = message["detections"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| ["left", "top", "width", "height"].map(|side| it["box"][side].as_f64().unwrap()))
            .collect();
        assert_eq!(drawn.len(), told.len(), "of frame {frame}: {drawn:?} {message}");
        for box_told in &told {
            let best = drawn.iter().map(|one| iou(one, box_told)).fold(0.0, f64::max);
            assert!(best >= LEAST_IOU, "of frame {frame}: {box_told:?} {drawn:?}");
            worst = worst.min(best);
        }
        compared += usize::from(!told.is_empty());
        boxes += told.len();
    }
    println!("{compared} frames with {boxes} boxes; the least in common: {worst:.4}");
    assert!(compared >= COMPARED, "{compared} of {}", drawn.len());
    assert_eq!(browser.console_errors(), Vec::<String>::new());
}
