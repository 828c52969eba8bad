//! The box under test: eight cameras, a broker behind a line that can be cut, and a daemon whose settings change.

use crate::support::broker::{Broker, Subscriber};
use crate::support::camera::RtspCamera;
use crate::support::daemon::{Daemon, camera};
use crate::support::link::{Line, Link};
use crate::support::{free_port, wait_within};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

pub(crate) const CAMERAS: usize = 8;
pub(crate) const UNITS: usize = 2;

/// A box that needs longer to be well again is not: the longest wait between two tries is a minute.
const RECOVERY: Duration = Duration::from_secs(150);

/// What a reload changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) cameras: usize,
    pub(crate) fps: u32,
}

pub(crate) struct Site {
    pub(crate) daemon: Daemon,
    pub(crate) broker: Broker,
    pub(crate) link: Link,
    pub(crate) cameras: Vec<RtspCamera>,
    pub(crate) messages: Subscriber,
    pub(crate) wanted: Wanted,
    pub(crate) package: &'static str,
}

impl Site {
    pub(crate) fn start() -> Self {
        let cameras: Vec<RtspCamera> = (0..CAMERAS).map(|_| RtspCamera::surveillance(free_port())).collect();
        let broker = Broker::start();
        let link = Link::to(broker.port);
        link.set(Line::Open);
        let messages = broker.subscribe("ocelli/box/cameras/+/detections");
        let wanted = Wanted { cameras: CAMERAS, fps: 2 };
        let daemon = Daemon::start(link.port, &blocks(&cameras, wanted));
        let site = Self { daemon, broker, link, cameras, messages, wanted, package: "coco-ssd" };
        assert!(site.seconds_until_well().is_some(), "{}", site.daemon.log());
        site
    }

    /// The seconds until all that is wanted is there: cameras, units, broker; none if that does not happen in time.
    pub(crate) fn seconds_until_well(&self) -> Option<f64> {
        let begun = Instant::now();
        wait_within(RECOVERY, || {
            let seconds = begun.elapsed().as_secs_f64();
            // What the box says of itself is up to half a second old: a process that has just been killed is not missed yet.
            let is_lasting = self.is_well() && {
                std::thread::sleep(Duration::from_secs(1));
                self.is_well()
            };
            is_lasting.then_some(seconds)
        })
    }

    fn is_well(&self) -> bool {
        let Some((_, body)) = self.daemon.get("/api/status") else { return false };
        let Ok(status) = serde_json::from_str::<Value>(&body) else { return false };
        // Not whether anything is wrong: a busy machine that looks at fewer frames than come says so too.
        status["broker"]["state"] == "connected"
            && status["streaming_cameras"] == self.wanted.cameras
            && status["in_service_units"] == UNITS
            && self.daemon.units().len() == UNITS
    }

    /// Has the daemon read other settings.
    pub(crate) fn reload(&mut self, wanted: Wanted) {
        let file = self.daemon.home().join("ocelli.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let (others, _) = text.split_once("[[cameras]]").unwrap();
        std::fs::write(&file, format!("{others}{}", blocks(&self.cameras, wanted))).unwrap();
        let (status, answer) = self.daemon.post_json("/api/reload", &json!({})).unwrap();
        assert_eq!(status, 200, "{answer}");
        self.wanted = wanted;
    }

    /// Puts another package under the model's name.
    pub(crate) fn swap(&mut self) {
        self.package = if self.package == "coco-ssd" { "coco-ssd-nms" } else { "coco-ssd" };
        let body = json!({ "package": self.package });
        let (status, answer) = self.daemon.post_json("/api/models/coco-ssd/swap", &body).unwrap();
        assert_eq!(status, 202, "{answer}");
        let is_there = || {
            let (_, text) = self.daemon.get("/api/models/coco-ssd")?;
            let model: Value = serde_json::from_str(&text).ok()?;
            (model["package"] == self.package && model["next_version"].is_null()).then_some(())
        };
        assert!(wait_within(RECOVERY, is_there).is_some(), "{}", self.daemon.log());
    }

    /// Ends a camera, which is back later at the same address.
    pub(crate) fn camera_is_away(&mut self, number: usize, lasts: Duration) {
        self.cameras[number].kill();
        std::thread::sleep(lasts);
        let port = self.cameras[number].url().rsplit(':').next().and_then(|rest| rest.split('/').next()?.parse().ok());
        self.cameras[number] = RtspCamera::surveillance(port.unwrap());
    }
}

fn blocks(cameras: &[RtspCamera], wanted: Wanted) -> String {
    let cameras = cameras.iter().enumerate().take(wanted.cameras);
    cameras.map(|(number, server)| camera(&format!("cam{number}"), server.url(), wanted.fps)).collect()
}
