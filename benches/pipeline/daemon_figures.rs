//! The daemon as a whole: detections a second against the bare loop, latency, memory.

use crate::bare_loop::{self, BareEngine};
use crate::footage::clip_at;
use crate::processor::processor_ms;
use crate::report::Figure;
use crate::statistics::median;
use crate::support::broker::Broker;
use crate::support::camera::RtspCamera;
use crate::support::daemon::{Daemon, camera};
use crate::support::from_setup;
use crate::unit_figures;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const UNITS: usize = 2;
const ROUNDS: usize = 3;
const SECONDS: u64 = 8;

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    measure_throughput(figures);
    measure_latency_and_memory(figures);
}

fn models() -> String {
    format!("[[models]]\nname = \"coco-ssd\"\nmin_inference_units = {UNITS}\n")
}

/// Detections a second over a while.
fn detected_per_second(daemon: &Daemon) -> f64 {
    let (before, started) = (daemon.sum("ocelli_frames_detected_total"), Instant::now());
    std::thread::sleep(Duration::from_secs(SECONDS));
    (daemon.sum("ocelli_frames_detected_total") - before) / started.elapsed().as_secs_f64()
}

/// A bare receiver and decoder of each camera; killed with the value.
struct Receivers(Vec<Child>);

impl Receivers {
    fn start(urls: &[String]) -> Self {
        let receive = |url: &String| {
            let pipeline = format!(
                "rtspsrc location={url} protocols=tcp ! rtph264depay ! h264parse ! avdec_h264 max-threads=1 ! fakesink sync=false"
            );
            let words = pipeline.split_whitespace();
            Command::new("gst-launch-1.0").arg("-q").args(words).stdout(Stdio::null()).spawn().unwrap()
        };
        Self(urls.iter().map(receive).collect())
    }
}

impl Drop for Receivers {
    fn drop(&mut self) {
        for receiver in &mut self.0 {
            drop(receiver.kill());
            drop(receiver.wait());
        }
    }
}

/// Detections a second end to end; medians of the rounds.
pub(crate) struct EndToEnd {
    /// Against the float file in bare processes alone.
    pub(crate) of_float: f64,
    /// Against bare processes with the same engine beside bare decoders.
    pub(crate) of_beside: f64,
    pub(crate) rate: f64,
    pub(crate) float: f64,
    pub(crate) beside: f64,
}

impl EndToEnd {
    /// With this engine in the bare processes, and these settings of the model and of units.
    pub(crate) fn measure(engine: Option<&BareEngine>, of_model: &str, more: &str) -> Self {
        let float = BareEngine::float();
        let engine = engine.unwrap_or(&float);
        let (mut of_float, mut of_beside, mut rates, mut floats, mut besides) =
            (vec![], vec![], vec![], vec![], vec![]);
        for _ in 0..ROUNDS {
            let bare = bare_loop::rate("bare-loop", &float, UNITS, SECONDS);
            let same = match engine.model == float.model && engine.provider == float.provider {
                true => bare,
                false => bare_loop::rate("bare-loop", engine, UNITS, SECONDS),
            };
            // Four cameras that together bring what the bare loop can do: more than the units can, on cores that also
            // decode. What is decoded beyond that is decoded in vain.
            let fps = (same / 20.0).ceil() * 5.0;
            let clip = clip_at(fps);
            let names = ["one", "two", "three", "four"];
            let cameras =
                RtspCamera::start(&["--file", clip.to_str().unwrap(), "--fps", &fps.to_string(), "--count", "4"]);
            let beside = {
                let _receivers = Receivers::start(&cameras.urls[..names.len()]);
                std::thread::sleep(Duration::from_secs(2));
                bare_loop::rate("bare-loop", engine, UNITS, SECONDS)
            };
            let broker = Broker::start();
            let blocks: String = names.iter().zip(&cameras.urls).map(|(name, url)| camera(name, url, 0)).collect();
            let daemon = Daemon::start(broker.port, &(models() + of_model + &blocks + more));
            let messages = broker.subscribe("ocelli/box/cameras/#");
            daemon.wait_ready();
            for name in names {
                messages.wait_json(name, 30, &format!("{name}/detections"), |_| true);
            }
            let rate = detected_per_second(&daemon);
            daemon.assert_ledger_closes();
            of_float.push(rate / bare);
            of_beside.push(rate / beside);
            rates.push(rate);
            floats.push(bare);
            besides.push(beside);
        }
        let [of_float, of_beside, rate, float, beside] = [of_float, of_beside, rates, floats, besides].map(median);
        Self { of_float, of_beside, rate, float, beside }
    }
}

fn measure_throughput(figures: &mut Vec<Figure>) {
    let EndToEnd { of_float, of_beside, rate, float, beside } = EndToEnd::measure(None, "", "");
    figures.push(Figure {
        name: "detections end to end / bare loop",
        value: of_float,
        unit: "ratio",
        bar: Some(0.9),
        method: "four 768x576 H.264 cameras over RTSP saturate 2 units of 1 thread on the cores that also decode and \
                 serve the cameras, against 2 bare ONNX Runtime processes alone just before; median of 3 rounds of 8 s",
    });
    figures.push(Figure {
        name: "detections end to end / bare loop beside bare decoders",
        value: of_beside,
        unit: "ratio",
        bar: None,
        method: "against the same bare processes while gst-launch receives and decodes the same four cameras and drops \
                 the frames: what these cores can do for anybody",
    });
    let plain = |name, value| Figure { name, value, unit: "1/s", bar: None, method: "as above" };
    figures.push(plain("  detections end to end", rate));
    figures.push(plain("  bare loop", float));
    figures.push(plain("  bare loop beside bare decoders", beside));
}

/// Milliseconds of processor time that processes have used, and frames detected with it.
struct Processor {
    frames: f64,
    daemon: f64,
    captures: f64,
    units: f64,
}

impl Processor {
    fn now(daemon: &Daemon) -> Self {
        let all = |pids: Vec<u32>| pids.into_iter().map(processor_ms).sum();
        Self {
            frames: daemon.sum("ocelli_frames_detected_total"),
            daemon: processor_ms(daemon.pid()),
            captures: all(daemon.captures()),
            units: all(daemon.units()),
        }
    }

    fn report(&self, daemon: &Daemon, figures: &mut Vec<Figure>) {
        let now = Self::now(daemon);
        let a_frame = |before: f64, after: f64| (after - before) / (now.frames - self.frames);
        let mut push = |name, value, method| figures.push(Figure { name, value, unit: "ms", bar: None, method });
        let method = "processor time of the parent for each detected frame, 4 cameras at 5 fps, 200 frames";
        push("daemon: processor time a frame", a_frame(self.daemon, now.daemon), method);
        push("  its capture processes", a_frame(self.captures, now.captures), "as above; they decode 10 fps each");
        push("  its units", a_frame(self.units, now.units), "as above");
    }
}

fn measure_latency_and_memory(figures: &mut Vec<Figure>) {
    let clip = from_setup("testdata/vtest.h264");
    let broker = Broker::start();
    let cameras = RtspCamera::start(&["--file", clip.to_str().unwrap(), "--count", "4"]);
    let names = ["one", "two", "three", "four"];
    let blocks = names.iter().zip(&cameras.urls).map(|(name, url)| camera(name, url, 5));
    let daemon = Daemon::start(broker.port, &(models() + &blocks.collect::<String>()));
    let messages = broker.subscribe("ocelli/box/cameras/#");
    daemon.wait_ready();
    for name in names {
        messages.wait_json(name, 30, &format!("{name}/detections"), |_| true);
    }
    let before = Processor::now(&daemon);
    let overheads = (0..200).map(|_| {
        let message = messages.wait_json("a frame", 10, "detections", |_| true);
        let latency = |part: &str| message["latency_ms"][part].as_f64().unwrap();
        latency("total") - latency("inference")
    });
    let overheads: Vec<f64> = overheads.collect();
    before.report(&daemon, figures);
    figures.push(Figure {
        name: "capture to publish minus inference, p50",
        value: median(overheads),
        unit: "ms",
        bar: Some(10.0),
        method: "latency_ms.total - latency_ms.inference of 200 messages, 4 cameras at 5 fps",
    });
    let resident = |pid: u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    };
    figures.push(Figure {
        name: "daemon: resident memory, 4 cameras",
        value: resident(daemon.pid()),
        unit: "MB",
        bar: Some(60.0),
        method: "VmRSS of the parent",
    });
    let private = |pids: Vec<u32>| median(pids.into_iter().map(|pid| unit_figures::private_kb(pid) / 1024.0).collect());
    let method = "Private_Clean + Private_Dirty, median of the processes";
    figures.push(Figure {
        name: "  each capture process",
        value: private(daemon.captures()),
        unit: "MB",
        bar: None,
        method,
    });
    figures.push(Figure { name: "  each unit", value: private(daemon.units()), unit: "MB", bar: None, method });
}
