//! The clip that the cameras of this bench send: H.264 1080p25, 2 Mbit/s, a keyframe each two seconds.

use crate::support::{from_setup, root};
use std::path::PathBuf;
use std::process::Command;

/// Encodes the surveillance clip at that size once, and returns the file.
pub(crate) fn full_hd() -> PathBuf {
    let (from, to) = (from_setup("testdata/vtest.h264"), root().join("target/bench-1080p25.h264"));
    if to.exists() {
        return to;
    }
    println!("encoding 1080p25, once");
    let part = to.with_extension("part");
    let text = format!(
        "filesrc location={} ! h264parse ! avdec_h264 ! videoscale ! video/x-raw,width=1920,height=1080 ! videorate \
         ! video/x-raw,framerate=25/1 ! x264enc bitrate=2000 key-int-max=50 bframes=0 speed-preset=veryfast \
         ! video/x-h264,stream-format=byte-stream ! filesink location={}",
        from.display(),
        part.display()
    );
    let status = Command::new("gst-launch-1.0").arg("-q").args(text.split_whitespace()).status().unwrap();
    assert!(status.success(), "gst-launch-1.0: {status}");
    std::fs::rename(&part, &to).unwrap();
    to
}
