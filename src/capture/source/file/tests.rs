//! Clips that are made here and played by a source.

use super::*;
use crate::capture::decoder_choice::Codec;
use crate::capture::lock::lock;
use crate::ipc::camera_source::{RtpTransport, TlsTrust};
use gstreamer::prelude::*;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

/// What a source has told.
#[derive(Default)]
struct Told {
    codecs: Vec<Codec>,
    /// When each unit came, and its times.
    units: Vec<(Instant, gst::ClockTime, gst::ClockTime)>,
    loss: Option<Loss>,
}

#[derive(Default)]
struct Listener(Mutex<Told>);

impl SourceUser for Listener {
    fn track(&self, codec: Codec) -> Result<(), String> {
        lock(&self.0).codecs.push(codec);
        Ok(())
    }

    fn unit(&self, unit: gst::Sample, _: Option<i64>) {
        let buffer = unit.buffer().unwrap();
        lock(&self.0).units.push((Instant::now(), buffer.dts().unwrap(), buffer.pts().unwrap()));
    }

    fn lost(&self, loss: Loss) {
        lock(&self.0).loss = Some(loss);
    }
}

/// Half a second of H.264 at 20 frames a second through `chain`, into `file`.
fn encode(chain: &str, file: &Path) {
    gst::init().unwrap();
    let text = format!(
        "videotestsrc num-buffers=10 ! video/x-raw,width=160,height=120,framerate=20/1,format=I420 ! {chain} \
         ! filesink location={}",
        file.display()
    );
    let pipeline = gst::parse::launch(&text).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let bus = pipeline.bus().unwrap();
    let kinds = [gst::MessageType::Eos, gst::MessageType::Error];
    let end = bus.timed_pop_filtered(gst::ClockTime::from_seconds(60), &kinds).unwrap();
    assert_eq!(end.type_(), gst::MessageType::Eos, "{end:?}");
    pipeline.set_state(gst::State::Null).unwrap();
}

fn camera(url: String, video_track: Option<u16>) -> CameraSource {
    CameraSource {
        name: "clip".into(),
        url,
        user: None,
        password: None,
        transport: RtpTransport::Auto,
        basic_auth: true,
        follow_redirects: false,
        video_track,
        motion_events: false,
        tls: TlsTrust::System,
        frames_per_second: 0.0,
        keyframes_only: false,
        watch: None,
        latency_ms: None,
        connect_timeout_ms: 1000,
        hardware_decoders: false,
        keep_ms: 0,
        has_live_view: true,
        blackout: Vec::new(),
    }
}

/// Plays a file until `is_enough`.
fn play(file: &Path, video_track: Option<u16>, is_enough: impl Fn(&Told) -> bool) -> Told {
    gst::init().unwrap();
    let listener = Arc::new(Listener::default());
    let descriptor = std::fs::File::open(file).unwrap().into();
    let camera = camera(format!("file://{}", file.display()), video_track);
    let source = FileSource::open(&camera, descriptor, Arc::<Listener>::clone(&listener)).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_enough(&lock(&listener.0)) {
        assert!(Instant::now() < deadline, "{} units", lock(&listener.0).units.len());
        std::thread::sleep(Duration::from_millis(5));
    }
    let begun = Instant::now();
    drop(source);
    assert!(begun.elapsed() < Duration::from_secs(5), "its thread does not end");
    std::mem::take(&mut *lock(&listener.0))
}

#[test]
fn rounds_follow_each_other_without_a_gap_and_times_rise_through_all_of_them() {
    let home = tempfile::tempdir().unwrap();
    for (chain, name) in [
        ("x264enc bframes=2 b-adapt=false ! mp4mux", "end.mp4"),
        ("x264enc bframes=2 b-adapt=false ! mp4mux faststart=true", "start.mp4"),
        ("x264enc ! matroskamux", "clip.mkv"),
        ("x264enc bframes=2 b-adapt=false ! video/x-h264,stream-format=byte-stream", "clip.264"),
    ] {
        let file = home.path().join(name);
        encode(chain, &file);
        let told = play(&file, None, |told| told.units.len() >= 35 || told.loss.is_some());
        assert!(told.loss.is_none(), "{name}: {:?}", told.loss);
        assert_eq!(told.codecs, [Codec::H264], "{name}: one decoder for all rounds");
        let steps: Vec<u64> = told.units.windows(2).map(|pair| (pair[1].1 - pair[0].1).mseconds()).collect();
        assert!(steps.iter().all(|step| (49..=50).contains(step)), "{name}: {steps:?}");
        assert!(told.units.iter().all(|(_, dts, pts)| dts <= pts), "{name}");
        // 34 frames of 50 ms; a box that is busy may be late with the last one.
        let seconds = (told.units[34].0 - told.units[0].0).as_secs_f64();
        assert!((1.65..4.0).contains(&seconds), "{name}: {seconds} s");
    }
}

#[test]
fn a_file_without_a_video_that_can_be_read_is_lost_with_what_is_in_it() {
    let home = tempfile::tempdir().unwrap();
    let lost = |name: &str, track| {
        let told = play(&home.path().join(name), track, |told| told.loss.is_some());
        assert!(told.units.is_empty(), "{name}");
        told.loss.unwrap()
    };
    encode("vp8enc deadline=1 ! matroskamux", &home.path().join("vp8.mkv"));
    let loss = lost("vp8.mkv", None);
    assert_eq!(loss.kind, LossKind::Codec, "{loss:?}");
    assert!(loss.detail.contains("VP8"), "{loss:?}");
    encode("x264enc ! mp4mux", &home.path().join("one.mp4"));
    let loss = lost("one.mp4", Some(2));
    assert_eq!(loss.kind, LossKind::NoVideo, "{loss:?}");
    assert!(loss.detail.contains("video track 2"), "{loss:?}");
    std::fs::write(home.path().join("noise.mkv"), [7; 10_000]).unwrap();
    std::fs::write(home.path().join("noise.265"), [7; 10_000]).unwrap();
    std::fs::write(home.path().join("empty.mp4"), []).unwrap();
    std::fs::write(home.path().join("empty.h264"), []).unwrap();
    for name in ["noise.mkv", "noise.265", "empty.mp4", "empty.h264"] {
        let loss = lost(name, None);
        assert!(loss.kind == LossKind::NoVideo && loss.detail.contains("no video"), "{name}: {loss:?}");
    }
}
