//! A still scene with the noise of a sensor, through which a block passes, as an encoder of GStreamer makes it.

use crate::capture::watch::quantiser::Quantiser;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;

pub(super) const FPS: usize = 10;

const H264: &str = "video/x-h264,stream-format=byte-stream";

const WIDTH: usize = 320;
const HEIGHT: usize = 180;

/// What passes, in pixels.
const BLOCK: (usize, usize) = (16, 28);
const TOP: usize = 100;

/// Of each frame: whether it is a keyframe, and its bytes, weighed by its quantiser where that is known.
pub(super) type Sizes = Vec<(bool, f32)>;

/// How a scene is seen and encoded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stream {
    encoder: &'static str,
    caps: &'static str,
    /// In grey levels, from the least to the most.
    noise: u8,
    /// The sizes of H.264 frames are weighed by their quantiser.
    is_weighed: bool,
}

impl Stream {
    pub(super) const CONSTANT_QUALITY: Self = Self {
        encoder: "x264enc pass=qual quantizer=26 bframes=0 option-string=scenecut=0",
        caps: H264,
        noise: 2,
        is_weighed: true,
    };
    /// With one thread, since what several choose to keep a rate depends on which of them is ahead.
    pub(super) const CONSTANT_RATE: Self = Self {
        encoder: "x264enc threads=1 bitrate=100 vbv-buf-capacity=400 tune=zerolatency option-string=scenecut=0",
        caps: H264,
        noise: 8,
        is_weighed: true,
    };
    pub(super) const H265: Self = Self {
        encoder: "x265enc option-string=crf=28:bframes=0:scenecut=0",
        caps: "video/x-h265,stream-format=byte-stream",
        noise: 2,
        is_weighed: true,
    };

    /// A constant rate over some seconds, with little noise.
    pub(super) const STEADY_RATE: Self = Self {
        encoder: "x264enc threads=1 bitrate=100 vbv-buf-capacity=1000 bframes=0 option-string=scenecut=0",
        noise: 2,
        ..Self::CONSTANT_RATE
    };

    /// The same with the bytes as they are.
    pub(super) fn unweighed(self) -> Self {
        Self { is_weighed: false, ..self }
    }

    /// The same with other noise, in grey levels.
    pub(super) fn with_noise(self, noise: u8) -> Self {
        Self { noise, ..self }
    }

    /// Encodes so many frames with a keyframe each `group`, in which a block passes while `moves`.
    pub(super) fn encode(self, group: usize, frames: usize, moves: impl Fn(usize) -> bool) -> Sizes {
        gst::init().unwrap();
        let description = format!(
            "appsrc name=in format=time max-bytes=0 \
             caps=video/x-raw,format=I420,width={WIDTH},height={HEIGHT},framerate={FPS}/1 \
             ! {} key-int-max={group} speed-preset=ultrafast ! {} ! appsink name=out sync=false",
            self.encoder, self.caps
        );
        let pipeline = gst::parse::launch(&description).unwrap().downcast::<gst::Pipeline>().unwrap();
        let source = pipeline.by_name("in").unwrap().downcast::<gst_app::AppSrc>().unwrap();
        let sink = pipeline.by_name("out").unwrap().downcast::<gst_app::AppSink>().unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        let mut scene = Scene::new(self.noise);
        for frame in 0..frames {
            let mut buffer = gst::Buffer::from_mut_slice(scene.picture(moves(frame)));
            let time = |frame: usize| gst::ClockTime::from_mseconds(frame as u64 * 1000 / FPS as u64);
            let (pts, duration) = (time(frame), time(frame + 1) - time(frame));
            let times = buffer.make_mut();
            times.set_pts(pts);
            times.set_duration(duration);
            source.push_buffer(buffer).unwrap();
        }
        source.end_of_stream().unwrap();
        let (mut sizes, mut quantiser) = (Sizes::new(), Quantiser::default());
        while let Ok(sample) = sink.pull_sample() {
            let buffer = sample.buffer().unwrap();
            let unit = buffer.map_readable().unwrap();
            let bytes = if self.is_weighed && self.caps == H264 { quantiser.weigh(&unit) } else { unit.len() as f32 };
            sizes.push((!buffer.flags().contains(gst::BufferFlags::DELTA_UNIT), bytes));
        }
        pipeline.set_state(gst::State::Null).unwrap();
        assert_eq!(sizes.len(), frames);
        sizes
    }
}

/// The scene, which is the same each time.
struct Scene {
    noise: Vec<u8>,
    random: u32,
    /// Where the block is, if it moves.
    left: usize,
}

impl Scene {
    fn new(most: u8) -> Self {
        let mut scene = Self { noise: Vec::new(), random: 7, left: 0 };
        scene.noise =
            (0..2 * WIDTH * HEIGHT).map(|_| u8::try_from(scene.next() % (u32::from(most) + 1)).unwrap()).collect();
        scene
    }

    fn next(&mut self) -> u32 {
        self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.random >> 16
    }

    fn picture(&mut self, is_block_there: bool) -> Vec<u8> {
        self.left = if is_block_there { (self.left + 6) % (WIDTH - BLOCK.0) } else { 0 };
        // Each frame has its own part of the noise.
        let noise = self.next() as usize % (WIDTH * HEIGHT);
        let mut picture = vec![128; WIDTH * HEIGHT * 3 / 2];
        for (y, row) in picture[..WIDTH * HEIGHT].chunks_exact_mut(WIDTH).enumerate() {
            let noise = &self.noise[noise + y * WIDTH..][..WIDTH];
            for (x, (sample, noise)) in row.iter_mut().zip(noise).enumerate() {
                let is_in_block = is_block_there
                    && (self.left..self.left + BLOCK.0).contains(&x)
                    && (TOP..TOP + BLOCK.1).contains(&y);
                let texture = 40 * u8::from((x / 20 + y / 20) % 2 == 0) + u8::try_from(y / 6).unwrap();
                *sample = if is_in_block { 170 + 30 * u8::from((x + y) % 8 < 4) } else { 50 + texture } + noise;
            }
        }
        picture
    }
}
