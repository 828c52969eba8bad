//! The physical limit: the same elements of GStreamer without ocelli, one process a camera, that drop nothing.
//!
//! The bench starts itself with `--plain MODE URL`; the process answers each line on its standard input with its count.

#[path = "plain/latency.rs"]
mod latency;

use crate::statistics::median;
use gstreamer as gst;
use gstreamer::prelude::*;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// What a plain process does with its camera.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mode {
    Receive,
    Keyframes,
    Decode,
    /// Decodes all, and compares each picture with the one before at a small size.
    Compare,
    /// Decodes all, and holds the time of each picture against that of the camera.
    Latency,
}

impl Mode {
    fn elements(self, codec: &str) -> String {
        let decoder = format!("avdec_{codec} max-threads=1 name=last");
        match self {
            Self::Receive => "identity name=last".into(),
            Self::Keyframes => format!("identity drop-buffer-flags=delta-unit ! {decoder}"),
            Self::Decode | Self::Latency => decoder,
            Self::Compare => format!("{decoder} ! videoscale ! video/x-raw,width=320,height=180"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Keyframes => "keyframes",
            Self::Decode => "decode",
            Self::Compare => "compare",
            Self::Latency => "latency",
        }
    }
}

/// The life of such a process.
pub(crate) fn serve(mode: &str, codec: &str, url: &str) {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM)).unwrap();
    gst::init().unwrap();
    let modes = [Mode::Receive, Mode::Keyframes, Mode::Decode, Mode::Compare, Mode::Latency];
    let mode = modes.into_iter().find(|known| known.name() == mode).unwrap();
    let text = format!(
        "rtspsrc name=source location={url} protocols=tcp latency=0 ! rtp{codec}depay name=depay ! {codec}parse ! {} ! fakesink sync=false name=end",
        mode.elements(codec)
    );
    let pipeline = gst::parse::launch(&text).unwrap();
    let count = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&count);
    let last = pipeline.downcast_ref::<gst::Bin>().unwrap().by_name("last").unwrap();
    last.static_pad("src").unwrap().add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        counter.fetch_add(1, Ordering::Relaxed);
        gst::PadProbeReturn::Ok
    });
    if mode == Mode::Compare {
        compare(&pipeline.downcast_ref::<gst::Bin>().unwrap().by_name("end").unwrap());
    }
    let latencies = Arc::new(Mutex::new(Vec::new()));
    if mode == Mode::Latency {
        latency::collect(&pipeline, Arc::clone(&latencies));
    }
    pipeline.set_state(gst::State::Playing).unwrap();
    for _ in std::io::stdin().lines() {
        match mode {
            Mode::Latency => println!("{}", median(std::mem::take(&mut latencies.lock().unwrap()))),
            _ => println!("{}", count.load(Ordering::Relaxed)),
        }
        std::io::stdout().flush().unwrap();
    }
}

/// What a script does that looks for movement: the differences of each pixel to the picture before.
fn compare(end: &gst::Element) {
    let before = Mutex::new(Vec::<u8>::new());
    end.static_pad("sink").unwrap().add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let map = info.buffer().unwrap().map_readable().unwrap();
        let luma = &map[..320 * 180];
        let mut before = before.lock().unwrap();
        let changed = before.iter().zip(luma).filter(|(before, now)| before.abs_diff(**now) > 25).count();
        std::hint::black_box(changed);
        before.clear();
        before.extend_from_slice(luma);
        gst::PadProbeReturn::Ok
    });
}

/// A running one. It ends with the value.
pub(crate) struct Plain {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Plain {
    /// The camera sends `h264` or `h265`.
    pub(crate) fn start(mode: Mode, codec: &str, url: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--plain", mode.name(), codec, url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        Self { process, input, output }
    }

    /// Frames that it has received or decoded; the median of milliseconds in the mode [`Mode::Latency`].
    pub(crate) fn answer(&mut self) -> f64 {
        writeln!(self.input).unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim().parse().unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
