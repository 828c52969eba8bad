//! The clips of this bench: a street that stands still, with the noise of a sensor.

use crate::support::scene_clip::{Noise, decoded};
use crate::support::{from_setup, root};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The size of the surveillance clip.
const SIZE: (usize, usize) = (768, 576);

/// Seconds of a clip, after which it begins anew: a multiple of each group of pictures.
const SECONDS: u32 = 16;

/// How a still street is encoded: 1080p25 at 2 Mbit/s.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StillClip {
    /// `h264` or `h265`.
    pub(crate) codec: &'static str,
    /// Seconds from one keyframe to the next.
    pub(crate) group: u32,
    /// All seconds have the same number of bytes, or all frames the same quality.
    pub(crate) is_constant: bool,
}

impl StillClip {
    /// Encodes it once, and returns the file.
    pub(crate) fn file(self) -> PathBuf {
        let Self { codec, group, is_constant } = self;
        let rate = if is_constant { "cbr" } else { "vbr" };
        let file = root().join(format!("target/bench-still-{rate}-{group}s.{codec}"));
        if file.exists() {
            return file;
        }
        println!("encoding a still street, {codec}, {rate}, a keyframe each {group} s, once");
        let (part, keys) = (file.with_extension("part"), group * 25);
        let encoder = match (codec, is_constant) {
            ("h264", true) => format!("x264enc bitrate=2000 vbv-buf-capacity=1000 key-int-max={keys} bframes=0"),
            ("h264", false) => format!("x264enc pass=quant quantizer=30 key-int-max={keys} bframes=0"),
            _ => format!("x265enc bitrate=2000 key-int-max={keys} option-string=bframes=0:scenecut=0"),
        };
        let pipeline = format!(
            "fdsrc ! rawvideoparse format=i420 width={} height={} framerate=25/1 ! videoscale \
             ! video/x-raw,width=1920,height=1080 ! {encoder} speed-preset=veryfast \
             ! video/x-{codec},stream-format=byte-stream ! filesink location={}",
            SIZE.0,
            SIZE.1,
            part.display()
        );
        let mut command = Command::new("gst-launch-1.0");
        command.arg("-q").args(pipeline.split_whitespace()).stdin(Stdio::piped());
        let mut running = command.spawn().unwrap();
        let mut input = running.stdin.take().unwrap();
        let picture = decoded(&from_setup("testdata/vtest.h264"), SIZE, 1).remove(0);
        let mut noise = Noise::default();
        for _ in 0..SECONDS * 25 {
            let mut noisy = picture.clone();
            noisy[..SIZE.0 * SIZE.1].iter_mut().for_each(|sample| *sample = sample.saturating_add(noise.next()));
            input.write_all(&noisy).unwrap();
        }
        drop(input);
        assert!(running.wait().unwrap().success());
        std::fs::rename(&part, &file).unwrap();
        file
    }
}
