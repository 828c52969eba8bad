//! Three boxes, three members of etcd, a broker and cameras. Between each box and the rest are lines that can go silent.

use crate::support::broker::{Broker, Subscriber};
use crate::support::camera::RtspCamera;
use crate::support::daemon::Daemon;
use crate::support::etcd::Etcd;
use crate::support::link::{Line, Link};
use crate::support::{from_setup, wait_for, wait_within};
use crate::trace::Trace;
use serde_json::Value;
use std::time::Duration;

/// How many cameras the boxes share.
const CAMERAS: usize = 6;

/// How long anything may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// How long balance and needs are given to come to rest, and how long changes are counted after that.
const REST: Duration = Duration::from_secs(120);
const IDLE: Duration = Duration::from_secs(150);

/// The three of them.
pub const BOXES: [&str; 3] = ["box-a", "box-b", "box-c"];

/// What a box is connected by.
struct Lines {
    etcd: Vec<Link>,
    broker: Link,
}

impl Lines {
    fn open(etcd: &Etcd, broker: &Broker) -> Self {
        let lines = Self { etcd: etcd.ports().map(Link::to).collect(), broker: Link::to(broker.port) };
        lines.set_etcd(Line::Open);
        lines.broker.set(Line::Open);
        lines
    }

    fn set_etcd(&self, line: Line) {
        self.etcd.iter().for_each(|member| member.set(line));
    }

    fn endpoints(&self) -> String {
        let urls: Vec<_> = self.etcd.iter().map(|member| format!("\"http://127.0.0.1:{}\"", member.port)).collect();
        format!("[{}]", urls.join(", "))
    }
}

/// The settings of a box that is in no cluster.
pub fn settings_without_cluster(name: &str) -> String {
    format!(
        "box_id = \"{name}\"\n[[models]]\nname = \"coco-ssd\"\nmin_inference_units = 1\n[http]\nlocal_api = \"open\"\n"
    )
}

/// The whole site.
pub struct Site {
    pub etcd: Etcd,
    broker: Broker,
    camera: RtspCamera,
    boxes: Vec<Daemon>,
    lines: Vec<Lines>,
    everything: Subscriber,
    trace: Trace,
}

impl Site {
    /// Starts all of it but the cameras, and waits until the boxes know each other.
    pub fn start() -> Self {
        let clip = from_setup("testdata/vtest.h264");
        let camera = RtspCamera::start(&["--count", &CAMERAS.to_string(), "--file", clip.to_str().unwrap()]);
        let (etcd, broker) = (Etcd::start(3), Broker::start());
        let lines: Vec<Lines> = BOXES.iter().map(|_| Lines::open(&etcd, &broker)).collect();
        let start = |(name, lines): (&&str, &Lines)| {
            let cluster = format!("[cluster]\nname = \"hall\"\nendpoints = {}\n", lines.endpoints());
            Daemon::start(lines.broker.port, &(settings_without_cluster(name) + &cluster))
        };
        let boxes: Vec<Daemon> = BOXES.iter().zip(&lines).map(start).collect();
        let everything = broker.settled_subscriber("ocelli/hall/#");
        let site = Self { etcd, broker, camera, boxes, lines, everything, trace: Trace::default() };
        wait_for("the boxes", LIMIT, || (site.status()?["boxes"].as_object()?.len() == BOXES.len()).then_some(()));
        site
    }

    /// Gives the cameras to the cluster, and waits until every one is looked at.
    pub fn add_cameras(&mut self) {
        for (number, url) in self.camera.urls.iter().take(CAMERAS).enumerate() {
            let add = ["cluster", "cameras", "add", &format!("cam{number}"), url, "--fps", "2"];
            let (status, text) = self.boxes[0].subcommand(&add);
            assert!(status.success(), "{text}");
        }
        assert!(self.settle(), "the cluster does not begin");
    }

    /// The cluster by the first box that answers.
    pub fn status(&self) -> Option<Value> {
        self.boxes.iter().find_map(|daemon| serde_json::from_str(&daemon.get("/api/cluster")?.1).ok())
    }

    pub fn daemons(&self) -> impl Iterator<Item = &Daemon> {
        self.boxes.iter()
    }

    pub fn broker(&self) -> &Broker {
        &self.broker
    }

    pub fn daemon(&mut self, number: usize) -> &mut Daemon {
        &mut self.boxes[number]
    }

    /// What passes between a box and etcd, and between it and the broker.
    pub fn set_lines(&self, number: usize, etcd: Line, broker: Line) {
        self.lines[number].set_etcd(etcd);
        self.lines[number].broker.set(broker);
    }

    /// Waits until every camera has an owner that is where it is planned, every box is there, and each publishes. False: they
    /// did not in time.
    pub fn settle(&mut self) -> bool {
        let owned = wait_within(LIMIT, || {
            self.gather();
            let status = self.status()?;
            let cameras = status["cameras"].as_object()?;
            let is_owned = |place: &Value| place["owner"].is_string() && place["owner"] == place["planned"];
            let all = cameras.len() == CAMERAS && cameras.values().all(is_owned);
            (all && status["boxes"].as_object()?.len() == BOXES.len()).then_some(())
        });
        let since = now_ms();
        let seen = wait_within(LIMIT, || {
            self.gather();
            let is_seen = |number: usize| {
                let name = format!("cam{number}");
                let mut newest = self.trace.seen.iter().rev();
                newest.any(|seen| seen.camera == name && seen.arrived > since && seen.kind == "detections")
            };
            (0..CAMERAS).all(is_seen).then_some(())
        });
        owned.is_some() && seen.is_some()
    }

    /// Takes what has arrived.
    pub fn gather(&mut self) {
        let arrived = now_ms();
        for (topic, payload) in self.everything.take() {
            self.trace.take(arrived, &topic, &payload, unix_ms);
        }
    }

    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    pub fn lease_seconds(&self) -> f64 {
        3.0
    }

    /// The keyframe interval of the footage.
    pub fn keyframe_seconds(&self) -> f64 {
        2.5
    }

    /// The changes of keys in a time in which nothing happens: longer than the minute after which a need may be written again.
    pub fn changes_of_an_idle_cluster(&mut self) -> f64 {
        std::thread::sleep(REST);
        let before = self.revision();
        std::thread::sleep(IDLE);
        self.revision() - before
    }

    /// How many changes etcd has had.
    pub fn revision(&self) -> f64 {
        let output = self.etcd.ctl(&["endpoint", "status", "-w", "json"]);
        let status: Value = serde_json::from_slice(&output.stdout).unwrap();
        status[0]["Status"]["header"]["revision"].as_f64().unwrap()
    }
}

/// The wall time, in milliseconds since 1970.
pub fn now_ms() -> i64 {
    ocelli::os::clock::wall_now_ms()
}

fn unix_ms(text: &str) -> Option<i64> {
    // "2026-11-30T03:12:09.204Z" without the library's help: the basic form, and the milliseconds.
    let (seconds, ms) = text.trim_end_matches('Z').split_once('.')?;
    let basic: String = seconds.chars().filter(|one| !"-:".contains(*one)).collect();
    Some(ocelli::os::clock::unix_ms_of_basic_time(&format!("{basic}Z"))? + ms.parse::<i64>().ok()?)
}
