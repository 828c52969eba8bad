//! The physical limit: the same elements of GStreamer without ocelli, one process a camera, that drop nothing.
//!
//! The bench starts itself with `--plain MODE URL`; the process answers each line on its standard input with its count.

use gstreamer as gst;
use gstreamer::prelude::*;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a plain process does with its camera.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mode {
    Receive,
    Keyframes,
    Decode,
}

impl Mode {
    fn elements(self) -> &'static str {
        match self {
            Self::Receive => "identity name=last",
            Self::Keyframes => "identity drop-buffer-flags=delta-unit ! avdec_h264 max-threads=1 name=last",
            Self::Decode => "avdec_h264 max-threads=1 name=last",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Keyframes => "keyframes",
            Self::Decode => "decode",
        }
    }
}

/// The life of such a process.
pub(crate) fn serve(mode: &str, url: &str) {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM)).unwrap();
    gst::init().unwrap();
    let mode = [Mode::Receive, Mode::Keyframes, Mode::Decode].into_iter().find(|known| known.name() == mode).unwrap();
    let text = format!(
        "rtspsrc location={url} protocols=tcp latency=0 ! rtph264depay ! h264parse ! {} ! fakesink sync=false",
        mode.elements()
    );
    let pipeline = gst::parse::launch(&text).unwrap();
    let count = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&count);
    let last = pipeline.downcast_ref::<gst::Bin>().unwrap().by_name("last").unwrap();
    last.static_pad("src").unwrap().add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        counter.fetch_add(1, Ordering::Relaxed);
        gst::PadProbeReturn::Ok
    });
    pipeline.set_state(gst::State::Playing).unwrap();
    for _ in std::io::stdin().lines() {
        println!("{}", count.load(Ordering::Relaxed));
        std::io::stdout().flush().unwrap();
    }
}

/// A running one. It ends with the value.
pub(crate) struct Plain {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Plain {
    pub(crate) fn start(mode: Mode, url: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--plain", mode.name(), url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        Self { process, input, output }
    }

    /// Frames that it has received or decoded.
    pub(crate) fn count(&mut self) -> f64 {
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
