//! The clips of this bench: a street that stands still, with the noise of a sensor, and one in which something moves at times.

use crate::support::scene_clip::{Noise, decoded};
use crate::support::{from_setup, root};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The size of the surveillance clip.
const SIZE: (usize, usize) = (768, 576);

/// Seconds of a clip, after which it begins anew: a multiple of each group of pictures.
const SECONDS: u32 = 16;

/// How a still street is encoded, at 25 frames a second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StillClip {
    /// `h264` or `h265`.
    pub(crate) codec: &'static str,
    /// Seconds from one keyframe to the next.
    pub(crate) group: u32,
    /// All seconds have the same number of bytes, or all frames the same quality.
    pub(crate) is_constant: bool,
    /// Pixels.
    pub(crate) size: (u32, u32),
    /// A second.
    pub(crate) kilobits: u32,
}

/// 1080p at 2 Mbit/s.
pub(crate) const FULL_HD: StillClip =
    StillClip { codec: "h264", group: 2, is_constant: true, size: (1920, 1080), kilobits: 2000 };

impl StillClip {
    /// Encodes it once, and returns the file.
    pub(crate) fn file(self) -> PathBuf {
        let Self { codec, group, is_constant, size: (width, height), kilobits } = self;
        let rate = if is_constant { "cbr" } else { "vbr" };
        let file = root().join(format!("target/bench-still-{rate}-{group}s-{height}p.{codec}"));
        if file.exists() {
            return file;
        }
        println!("encoding a still street, {codec}, {rate}, a keyframe each {group} s, once");
        let (part, keys) = (file.with_extension("part"), group * 25);
        let encoder = match (codec, is_constant) {
            ("h264", true) => format!("x264enc bitrate={kilobits} vbv-buf-capacity=1000 key-int-max={keys} bframes=0"),
            ("h264", false) => format!("x264enc pass=quant quantizer=30 key-int-max={keys} bframes=0"),
            _ => format!("x265enc bitrate={kilobits} key-int-max={keys} option-string=bframes=0:scenecut=0"),
        };
        let pipeline = format!(
            "fdsrc ! rawvideoparse format=i420 width={} height={} framerate=25/1 ! videoscale \
             ! video/x-raw,width={width},height={height} ! {encoder} speed-preset=veryfast \
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

/// How the cameras of a site send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site {
    pub(crate) size: (u32, u32),
    pub(crate) fps: u32,
    pub(crate) kilobits: u32,
}

/// Clips, each of which moves at another time.
const PHASES: usize = 20;

/// Seconds of movement in each clip, which has `PHASES` times as many.
const MOVING: usize = 10;

/// Of the surveillance clip.
const FOOTAGE_FPS: usize = 10;

/// Frames of the surveillance clip in which most people have walked on.
const WALKERS_PASS: usize = 300;

/// The street without those who walk: of each sample the median over time.
fn without_walkers(footage: &[Vec<u8>]) -> Vec<u8> {
    let moments: Vec<&Vec<u8>> = footage.iter().step_by(15).collect();
    let median = |place: usize| {
        let mut samples: Vec<u8> = moments.iter().map(|picture| picture[place]).collect();
        samples.sort_unstable();
        samples[samples.len() / 2]
    };
    (0..footage[0].len()).map(median).collect()
}

impl Site {
    /// The clips of all phases. Each is put together from the same still and moving parts, which begin with keyframes.
    pub(crate) fn clips(self) -> Vec<PathBuf> {
        let file = |phase: usize| {
            let (width, height) = self.size;
            root().join(format!("target/bench-empty-street-{width}x{height}-{phase}.h264"))
        };
        if !file(PHASES - 1).exists() {
            println!("encoding a street that moves for {MOVING} s in {}, once", MOVING * PHASES);
            let footage = decoded(&from_setup("testdata/vtest.h264"), SIZE, WALKERS_PASS);
            let still = self.encode("still", &vec![&without_walkers(&footage); MOVING * FOOTAGE_FPS]);
            let moving = self.encode("moving", &footage.iter().take(MOVING * FOOTAGE_FPS).collect::<Vec<_>>());
            for phase in 0..PHASES {
                let mut clip = Vec::new();
                (0..phase).for_each(|_| clip.extend_from_slice(&still));
                clip.extend_from_slice(&moving);
                (phase..PHASES - 1).for_each(|_| clip.extend_from_slice(&still));
                std::fs::write(file(phase), clip).unwrap();
            }
        }
        (0..PHASES).map(file).collect()
    }

    /// These pictures of the surveillance clip with a sensor's noise, as a byte stream.
    fn encode(self, name: &str, pictures: &[&Vec<u8>]) -> Vec<u8> {
        let Self { size: (width, height), fps, kilobits } = self;
        let part = root().join(format!("target/bench-site-{name}.part"));
        let pipeline = format!(
            "fdsrc ! rawvideoparse format=i420 width={} height={} framerate={FOOTAGE_FPS}/1 ! videoscale ! videorate \
             ! video/x-raw,width={width},height={height},framerate={fps}/1 \
             ! x264enc bitrate={kilobits} vbv-buf-capacity=1000 key-int-max={} bframes=0 speed-preset=veryfast \
             ! video/x-h264,stream-format=byte-stream ! filesink location={}",
            SIZE.0,
            SIZE.1,
            2 * fps,
            part.display()
        );
        let mut command = Command::new("gst-launch-1.0");
        command.arg("-q").args(pipeline.split_whitespace()).stdin(Stdio::piped());
        let mut running = command.spawn().unwrap();
        let mut input = running.stdin.take().unwrap();
        let mut noise = Noise::default();
        for picture in pictures {
            let mut noisy = (*picture).clone();
            noisy[..SIZE.0 * SIZE.1].iter_mut().for_each(|sample| *sample = sample.saturating_add(noise.next()));
            input.write_all(&noisy).unwrap();
        }
        drop(input);
        assert!(running.wait().unwrap().success());
        std::fs::read(&part).unwrap()
    }
}
