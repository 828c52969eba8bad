//! A clip of a still scene with sensor noise, through which a bright block passes at a known time.

use ocelli::vision::geometry::NormalizedBox;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub const WIDTH: usize = 320;
pub const HEIGHT: usize = 180;

/// Frames of the clip: 30 s at 25 frames a second.
const FRAMES: usize = 750;

/// The luma of the block, of the brightest background, and between them.
const BLOCK: u8 = 230;
const BACKGROUND: u8 = 120;
const BETWEEN: u8 = 190;

/// A block that goes from the left to the right.
#[derive(Clone, Copy, Debug)]
pub struct Passage {
    /// The first frame with it.
    pub from: usize,
    /// Pixels a frame.
    pub speed: usize,
}

impl Passage {
    /// None.
    pub const NEVER: Self = Self { from: usize::MAX, speed: 0 };

    const SIZE: (usize, usize) = (24, 40);
    const TOP: usize = 100;

    /// The left edge of the block in a picture, if enough of it is there.
    pub fn left_edge(luma: &[u8]) -> Option<usize> {
        let row = &luma[(Self::TOP + Self::SIZE.1 / 2) * WIDTH..][..WIDTH];
        let bright = row.iter().filter(|sample| **sample > BETWEEN).count();
        (bright >= Self::SIZE.0 / 3).then(|| row.iter().position(|sample| *sample > BETWEEN)).flatten()
    }

    /// Where the block is whose left edge is at this pixel.
    pub fn place(left: usize) -> NormalizedBox {
        let of = |part: usize, whole: usize| part as f32 / whole as f32;
        let (width, height) = (of(Self::SIZE.0, WIDTH), of(Self::SIZE.1, HEIGHT));
        NormalizedBox { left: of(left, WIDTH), top: of(Self::TOP, HEIGHT), width, height }
    }

    fn draw(&self, frame: usize, luma: &mut [u8]) {
        let Some(step) = frame.checked_sub(self.from) else { return };
        let left = step * self.speed;
        for row in luma.chunks_exact_mut(WIDTH).skip(Self::TOP).take(Self::SIZE.1) {
            row.iter_mut().skip(left).take(Self::SIZE.0).for_each(|sample| *sample = BLOCK);
        }
    }
}

/// What the clip shows and how it is encoded.
#[derive(Clone, Copy, Debug)]
pub struct SceneClip {
    /// Frames from one keyframe to the next.
    pub group: u64,
    pub b_frames: u32,
    pub passage: Passage,
    /// In these frames something lies on the lens.
    pub covered: (usize, usize),
    /// From this frame on there is one group of pictures.
    pub last_keyframe: usize,
}

impl Default for SceneClip {
    fn default() -> Self {
        let passage = Passage { from: 14 * 25 + 20, speed: 4 };
        Self { group: 50, b_frames: 0, passage, covered: (0, 0), last_keyframe: FRAMES }
    }
}

impl SceneClip {
    /// Encodes it as an H.264 byte stream.
    pub fn encode(&self, directory: &Path) -> PathBuf {
        let mut noise = Noise::default();
        let mut picture = vec![128; WIDTH * HEIGHT * 3 / 2];
        let mut draw = |frame: usize| {
            let luma = &mut picture[..WIDTH * HEIGHT];
            draw_scene(luma, &mut noise);
            self.passage.draw(frame, luma);
            if (self.covered.0..self.covered.1).contains(&frame) {
                luma.iter_mut().for_each(|sample| *sample = 20 + noise.next());
            }
            picture.clone()
        };
        let (size, rate) = ((WIDTH, HEIGHT), Rate::Kilobits(800));
        let encoding = Encoding { size, fps: 25, group: self.group, b_frames: self.b_frames, rate };
        let file = encoding.encode(directory, self.last_keyframe, &mut draw);
        if self.last_keyframe < FRAMES {
            let mut clip = std::fs::read(&file).unwrap();
            let last = Encoding { group: FRAMES as u64, ..encoding };
            let rest = last.encode(directory, FRAMES - self.last_keyframe, |frame| draw(self.last_keyframe + frame));
            clip.extend(std::fs::read(rest).unwrap());
            std::fs::write(&file, clip).unwrap();
        }
        file
    }
}

fn draw_scene(luma: &mut [u8], noise: &mut Noise) {
    for (place, sample) in luma.iter_mut().enumerate() {
        let (x, y) = (place % WIDTH, place / WIDTH);
        let texture = 40 * u8::from((x / 20 + y / 20) % 2 == 0) + u8::try_from(y / 6).unwrap();
        *sample = (BACKGROUND - 70) + texture.min(70) + noise.next();
    }
}

/// The frames in which something passes begin at these; the block is gone again after `WIDTH / speed` frames. Encoded with
/// constant quality.
pub fn encode_passages(directory: &Path, group: u64, frames: usize, starts: &[usize], speed: usize) -> PathBuf {
    let mut noise = Noise::default();
    let encoding = Encoding { size: (WIDTH, HEIGHT), fps: 25, group, b_frames: 0, rate: Rate::Quality(32) };
    encoding.encode(directory, frames, |frame| {
        let mut picture = vec![128; WIDTH * HEIGHT * 3 / 2];
        draw_scene(&mut picture[..WIDTH * HEIGHT], &mut noise);
        starts.iter().for_each(|from| Passage { from: *from, speed }.draw(frame, &mut picture[..WIDTH * HEIGHT]));
        picture
    })
}

/// The noise of a sensor: 0 to 7 grey levels, the same each time.
#[derive(Debug, Default)]
pub struct Noise(u32);

impl Noise {
    pub fn next(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u8::try_from(self.0 >> 29).unwrap()
    }
}

/// What an encoder keeps to.
#[derive(Clone, Copy, Debug)]
pub enum Rate {
    /// So many kilobits a second in the mean.
    Kilobits(u32),
    /// The same quality, by its quantizer.
    Quality(u32),
}

/// How pictures are encoded.
#[derive(Clone, Copy, Debug)]
pub struct Encoding {
    /// Width and height in pixels.
    pub size: (usize, usize),
    pub fps: u32,
    /// Frames from one keyframe to the next.
    pub group: u64,
    pub b_frames: u32,
    pub rate: Rate,
}

impl Encoding {
    /// Encodes these I420 pictures as an H.264 byte stream.
    pub fn encode(&self, directory: &Path, frames: usize, mut picture: impl FnMut(usize) -> Vec<u8>) -> PathBuf {
        let file = directory.join("scene.h264");
        let Self { size: (width, height), fps, group, b_frames, rate } = self;
        let rate = match rate {
            Rate::Kilobits(kilobits) => format!("bitrate={kilobits}"),
            Rate::Quality(quantizer) => format!("pass=qual quantizer={quantizer}"),
        };
        let pipeline = format!(
            "fdsrc ! rawvideoparse format=i420 width={width} height={height} framerate={fps}/1 \
             ! x264enc {rate} key-int-max={group} bframes={b_frames} speed-preset=veryfast threads=1 \
             option-string=scenecut=0:min-keyint={group} ! video/x-h264,stream-format=byte-stream \
             ! filesink location={}",
            file.display()
        );
        let mut encoder = gst_launch(&pipeline).stdin(Stdio::piped()).spawn().unwrap();
        let mut input = encoder.stdin.take().unwrap();
        (0..frames).for_each(|frame| input.write_all(&picture(frame)).unwrap());
        drop(input);
        assert!(encoder.wait().unwrap().success());
        file
    }
}

/// The first pictures of an H.264 byte stream as I420.
pub fn decoded(clip: &Path, (width, height): (usize, usize), frames: usize) -> Vec<Vec<u8>> {
    let pipeline = format!(
        "filesrc location={} ! h264parse ! avdec_h264 max-threads=1 ! videoconvert ! video/x-raw,format=I420 ! fdsink",
        clip.display()
    );
    let mut decoder = gst_launch(&pipeline).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = decoder.stdout.take().unwrap();
    let mut next = || {
        let mut picture = vec![0; width * height * 3 / 2];
        output.read_exact(&mut picture).unwrap();
        picture
    };
    let pictures = (0..frames).map(|_| next()).collect();
    decoder.kill().unwrap();
    decoder.wait().unwrap();
    pictures
}

fn gst_launch(pipeline: &str) -> Command {
    let mut command = Command::new("gst-launch-1.0");
    command.arg("-q").args(pipeline.split_whitespace());
    command
}
