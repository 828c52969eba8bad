//! Clips in files, made by GStreamer's encoders.

use std::path::Path;
use std::process::Command;

/// Three seconds of a moving ball at 10 frames a second through `chain`, such as `x264enc ! mp4mux`, into `file`.
pub fn encode(chain: &str, file: &Path) {
    let pipeline = format!(
        "videotestsrc num-buffers=30 pattern=ball ! video/x-raw,format=I420,width=320,height=240,framerate=10/1 \
         ! {chain} ! filesink"
    );
    let status = Command::new("gst-launch-1.0")
        .arg("-q")
        .args(pipeline.split_whitespace())
        .arg(format!("location={}", file.display()))
        .status()
        .expect("gst-launch-1.0 is missing: run `make setup`");
    assert!(status.success(), "{chain}");
}
