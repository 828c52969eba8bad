//! A daemon with all cameras in one capture process, and what it says of them.

use crate::support::broker::Broker;
use crate::support::camera::RtspCamera;
use crate::support::daemon::{Daemon, camera};
use crate::support::{free_port, wait_for};
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What a slow box may take to start everything.
const START_LIMIT: Duration = Duration::from_secs(100);
/// How long a camera may take that does not come back in time: then it counts as so many seconds.
pub const GIVEN_UP: Duration = Duration::from_secs(90);
/// Pictures that show a stream to be back that was not lost, at ten a second.
const BACK: u64 = 5;

/// 1 Mbit/s of noise at ten pictures a second, a keyframe each second: what a narrow line cannot carry.
pub fn launch(width: u32, height: u32) -> String {
    format!(
        "videotestsrc is-live=true pattern=snow ! video/x-raw,format=I420,width={width},height={height},framerate=10/1 \
         ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 threads=1 bitrate=1000 \
         ! rtph264pay config-interval=-1 name=pay0 pt=96"
    )
}

/// A camera of GStreamer's server at a port that stays its own.
pub struct Place {
    pub port: u16,
}

impl Place {
    pub fn new() -> Self {
        Self { port: free_port() }
    }

    pub fn start(&self) -> RtspCamera {
        RtspCamera::start(&["--port", &self.port.to_string(), "--launch", &launch(320, 240)])
    }

    pub fn url(&self) -> String {
        url(self.port)
    }
}

pub fn url(port: u16) -> String {
    format!("rtsp://127.0.0.1:{port}/cam0")
}

pub struct Site {
    _broker: Broker,
    pub daemon: Daemon,
}

/// What a neighbour has noticed.
#[derive(Clone, Copy, Debug)]
pub struct Noticed {
    /// The longest time in which no frame of it was received.
    pub longest_gap: Duration,
    pub reconnects: u64,
    /// Frames that came damaged, and packets that did not come.
    pub losses: u64,
}

impl Site {
    /// With these cameras, by id and URL. Waits until all of them stream.
    pub fn start(cameras: &[(&str, String)]) -> Self {
        let blocks = cameras.iter().map(|(id, url)| camera(id, url, 1));
        // One process has them all: what one camera does to it, its neighbours notice.
        let settings = format!("[capture]\ncameras_per_process = 16\n{}", blocks.collect::<String>());
        let broker = Broker::start();
        let daemon = Daemon::start(broker.port, &settings);
        let site = Self { _broker: broker, daemon };
        for (id, _) in cameras {
            wait_for(id, START_LIMIT, || (site.decoded(id) > 0).then_some(()));
        }
        site
    }

    /// A camera as the daemon shows it.
    pub fn look(&self, id: &str) -> Value {
        let (_, body) = self.daemon.get(&format!("/api/cameras/{id}")).unwrap_or_default();
        serde_json::from_str(&body).unwrap_or_default()
    }

    pub fn decoded(&self, id: &str) -> u64 {
        self.look(id)["decoded"].as_u64().unwrap_or(0)
    }

    /// Waits for pictures of a camera that is well from now on, in seconds. One that is lost streams again with its first
    /// picture; of one that is not lost, new pictures must be counted.
    pub fn seconds_until_back(&self, id: &str) -> f64 {
        let (begun, before) = (Instant::now(), self.look(id));
        let (was_streaming, decoded) = (before["state"] == "streaming", before["decoded"].as_u64().unwrap_or(0));
        while begun.elapsed() < GIVEN_UP {
            let now = self.look(id);
            let has_new = now["decoded"].as_u64().unwrap_or(0) >= decoded + BACK;
            if now["state"] == "streaming" && (has_new || !was_streaming) {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        begun.elapsed().as_secs_f64()
    }

    /// Watches a camera until `is_over`.
    pub fn watch(&self, id: &str, is_over: &AtomicBool) -> Noticed {
        let received = |now: &Value| now["stream"]["received"].as_u64().unwrap_or(0);
        let (mut last, mut grown_at, mut longest_gap) = (received(&self.look(id)), Instant::now(), Duration::ZERO);
        while !is_over.load(Ordering::Relaxed) {
            let now = received(&self.look(id));
            longest_gap = longest_gap.max(grown_at.elapsed());
            if now > last {
                (last, grown_at) = (now, Instant::now());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let end = self.look(id);
        let number = |value: &Value| value.as_u64().unwrap_or(u64::MAX);
        Noticed {
            longest_gap,
            reconnects: number(&end["reconnects"]),
            losses: number(&end["stream"]["packets_lost"]) + number(&end["stream"]["skipped"]["undecodable"]),
        }
    }
}
