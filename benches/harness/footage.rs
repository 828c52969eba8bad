//! Footage at any rate.

use crate::support::{from_setup, root};
use std::path::PathBuf;
use std::process::Command;

/// The surveillance clip, declared at another rate.
pub(crate) fn clip_at(fps: f64) -> PathBuf {
    let target = root().join(format!("target/bench/vtest-{fps}.h264"));
    if !target.exists() {
        std::fs::create_dir_all(root().join("target/bench")).unwrap();
        let source = from_setup("testdata/vtest.h264");
        let pipeline = format!(
            "filesrc location={} ! h264parse ! avdec_h264 ! capssetter caps=video/x-raw,framerate={fps}/1 ! x264enc \
             speed-preset=veryfast key-int-max=50 bframes=0 bitrate=2000 \
             ! video/x-h264,stream-format=byte-stream,profile=main ! filesink location={}",
            source.display(),
            target.display()
        );
        let status = Command::new("gst-launch-1.0").arg("-q").args(pipeline.split_whitespace()).status().unwrap();
        assert!(status.success(), "the clip could not be made");
    }
    target
}
