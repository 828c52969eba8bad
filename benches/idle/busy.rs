//! Sixteen cameras that all see something, on two cores: how many frames are analysed, against ONNX Runtime alone beside plain
//! processes that receive the same cameras and decode as many frames.

use crate::bare_loop::{self, BareEngine};
use crate::plain::{Mode, Plain};
use crate::processor::processor_ms;
use crate::report::Figure;
use crate::support::broker::Broker;
use crate::support::camera::RtspCamera;
use crate::support::daemon::{Daemon, camera};
use crate::{busy_clip, seconds};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

const CAMERAS: usize = 16;
const UNITS: usize = 2;

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    let clip = busy_clip::full_hd();
    let start = |_| RtspCamera::start(&["--file", clip.to_str().unwrap(), "--fps", "25", "--count", "8"]);
    let servers: Vec<RtspCamera> = (0..CAMERAS / 8).map(start).collect();
    let urls: Vec<&String> = servers.iter().flat_map(|server| &server.urls).collect();
    let ByDaemon { analysed, decoded, captures, units } = by_daemon(&urls);

    let receivers: Vec<Plain> = urls.iter().map(|url| Plain::start(Mode::Receive, "h264", url)).collect();
    let decoder = PacedDecoder::start(decoded);
    std::thread::sleep(Duration::from_secs(10));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a minute")]
    let bare = bare_loop::rate("bare-loop", &BareEngine::float(), UNITS, seconds(60.0) as u64);
    drop((receivers, decoder));

    let method = "16 cameras of 1080p25, 2 Mbit/s, GOP 2 s, fps = 5, two units; then two bare loops beside plain receivers and a \
                  process that decodes as many frames a second";
    let mut push = |name, value, unit, bar| figures.push(Figure { name, value, unit, bar, method });
    push("16 busy cameras: analysed / bare loop beside plain decoding", analysed / bare, "ratio", Some(0.85));
    push("  frames analysed", analysed, "1/s", None);
    push("  frames decoded", decoded, "1/s", None);
    push("  processor time of capture processes", captures, "%", None);
    push("  processor time of units", units, "%", None);
    push("  bare loop beside plain decoding", bare, "1/s", None);
}

/// Frames a second and per cent of a core, of all cameras.
struct ByDaemon {
    analysed: f64,
    decoded: f64,
    captures: f64,
    units: f64,
}

fn by_daemon(urls: &[&String]) -> ByDaemon {
    let broker = Broker::start();
    let names: Vec<String> = (0..urls.len()).map(|number| format!("cam{number}")).collect();
    let blocks: String = names.iter().zip(urls).map(|(name, url)| camera(name, url, 5)).collect();
    let daemon = Daemon::start(broker.port, &format!("[capture]\nwatch = \"auto\"\n{blocks}"));
    daemon.wait_ready();
    let counts = || {
        let (_, body) = daemon.get("/api/cameras").unwrap();
        let cameras: serde_json::Value = serde_json::from_str(&body).unwrap();
        let sum = |of: fn(&serde_json::Value) -> &serde_json::Value| {
            cameras["cameras"].as_object().unwrap().values().filter_map(|camera| of(camera).as_f64()).sum::<f64>()
        };
        let used = |pids: Vec<u32>| pids.into_iter().map(processor_ms).sum::<f64>() / 10.0;
        let frames = [sum(|camera| &camera["outcomes"]["detected"]), sum(|camera| &camera["decoded"])];
        [frames[0], frames[1], used(daemon.captures()), used(daemon.units())]
    };
    std::thread::sleep(Duration::from_secs_f64(seconds(40.0).max(30.0)));
    let before = counts();
    std::thread::sleep(Duration::from_secs_f64(seconds(60.0)));
    let after = counts();
    let [analysed, decoded, captures, units] = [0, 1, 2, 3].map(|which| (after[which] - before[which]) / seconds(60.0));
    ByDaemon { analysed, decoded, captures, units }
}

/// A process that decodes the busy clip at a rate.
struct PacedDecoder(Child);

impl PacedDecoder {
    fn start(rate: f64) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        Self(command.args(["paced-decoder", &rate.to_string()]).spawn().unwrap())
    }
}

impl Drop for PacedDecoder {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Decodes so many frames of the busy clip a second, until it is killed.
pub(crate) fn decode_at(rate: f64) {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM)).unwrap();
    gst::init().unwrap();
    let begun = Instant::now();
    let mut frames = 0.0;
    loop {
        let text = format!(
            "filesrc location={} ! h264parse ! avdec_h264 max-threads=1 ! appsink name=end sync=false max-buffers=1",
            busy_clip::full_hd().display()
        );
        let pipeline = gst::parse::launch(&text).unwrap();
        let end = pipeline.downcast_ref::<gst::Bin>().unwrap().by_name("end").unwrap();
        let end = end.downcast::<gst_app::AppSink>().unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        while end.pull_sample().is_ok() {
            frames += 1.0;
            std::thread::sleep((begun + Duration::from_secs_f64(frames / rate)).duration_since(Instant::now()));
        }
        pipeline.set_state(gst::State::Null).unwrap();
    }
}
