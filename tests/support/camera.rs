//! Real RTSP cameras: the example `rtsp_camera` as a process of its own.

use super::from_setup;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

/// One process with one or more cameras.
pub struct RtspCamera {
    process: Child,
    /// Kept open: the camera may still be naming its URLs.
    _output: BufReader<ChildStdout>,
    pub urls: Vec<String>,
}

/// The most cameras of one process whose URLs are known.
const MOST: usize = 64;

impl RtspCamera {
    /// The surveillance clip, looped.
    pub fn surveillance(port: u16) -> Self {
        let clip = from_setup("testdata/vtest.h264");
        Self::start(&["--port", &port.to_string(), "--file", clip.to_str().unwrap()])
    }

    /// One camera that sees the surveillance clip: its main stream in 1080p, and its sub stream.
    pub fn with_two_streams() -> Self {
        let clip = from_setup("testdata/vtest.h264");
        Self::start(&["--file", clip.to_str().unwrap(), "--streams", "1920x1080,640x360"])
    }

    /// Starts a camera and waits until it listens.
    pub fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(program())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the example rtsp_camera is built with the tests");
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert!(line.starts_with("rtsp://"), "the camera does not listen: {line:?}");
        let port = line.rsplit(':').next().unwrap();
        let urls = (0..MOST)
            .map(|camera| format!("rtsp://127.0.0.1:{}", port.trim().replace("cam0", &format!("cam{camera}"))));
        Self { urls: urls.collect(), _output: output, process }
    }

    pub fn url(&self) -> &str {
        &self.urls[0]
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for RtspCamera {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// `target/<profile>/examples/rtsp_camera`, beside the directory of this test.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(std::path::Path::parent).unwrap().join("examples/rtsp_camera")
}
