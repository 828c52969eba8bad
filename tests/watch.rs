//! A capture process that watches a still scene: what it decodes, and what it hands over when something passes.

#![cfg(feature = "capture")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use ocelli::ipc::frame_slots::{Region, SlotReader};
use ocelli::ipc::heartbeat::HEARTBEAT;
use ocelli::ipc::messages::{CameraIndex, CameraSource, FromCapture, Sight, ToCapture, WatchOrder};
use ocelli::vision::attention::Attention;
use ocelli::vision::frame::Frame;
use ocelli::vision::stream_counts::StreamCounts;
use ocelli::vision::stream_signal::SignalUse;
use ocelli::vision::tamper::TamperKind;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};
use support::camera::RtspCamera;
use support::capture::{Capture, START_LIMIT, source_of};
use support::scene_clip::{HEIGHT, Passage, SceneClip, WIDTH, encode_passages};

const CAMERA: CameraIndex = CameraIndex(7);
const FPS: u64 = 5;

/// A frame that was handed over.
struct Seen {
    frame: Frame,
    /// The left edge of what passes, in pixels, if it is in the picture.
    left: Option<usize>,
}

/// Plays the parent for a camera: returns each slot at once, and tells what a model would see.
struct Parent {
    capture: Capture,
    slots: SlotReader,
    seen: Vec<Seen>,
    still: u64,
    counts: StreamCounts,
    /// The newest counts of a still scene.
    watched: StreamCounts,
    /// The first counts of the stillness now.
    still_from: Option<StreamCounts>,
    /// Frames received and decoded in the longest one.
    longest: (u64, u64),
}

impl Parent {
    fn open(home: &std::path::Path, url: &str) -> Self {
        let capture = Capture::start(home);
        capture.expect_started();
        let region = Region::create("test", 6).unwrap();
        let slots = SlotReader::new(region.read_only(), region.slots()).unwrap();
        let open = ToCapture::Open { camera: CAMERA, source: Box::new(watched(url)), slots: region.slots() };
        capture.channel.send(&open, Some(region.writable().as_fd())).unwrap();
        let (counts, watched) = (StreamCounts::default(), StreamCounts::default());
        let (still_from, longest) = (None, (0, 0));
        Self { capture, slots, seen: Vec::new(), still: 0, counts, watched, still_from, longest }
    }

    /// Goes on until `is_done`, which must come within `limit`.
    fn run(&mut self, limit: Duration, what: &str, is_done: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is_done(self) {
            assert!(begun.elapsed() < limit, "{what} did not come: {:?}", self.counts);
            match self.capture.next(10 * HEARTBEAT) {
                Some(FromCapture::Progress { counts, .. }) => {
                    assert!(counts.closes(), "{counts:?}");
                    self.counts = counts;
                    if counts.attention == Attention::Watched {
                        self.watched = counts;
                        let from = self.still_from.get_or_insert(counts);
                        self.longest =
                            self.longest.max((counts.received - from.received, counts.decoded - from.decoded));
                    } else {
                        self.still_from = None;
                    }
                }
                Some(FromCapture::Still { .. }) => self.still += 1,
                Some(FromCapture::Frame { frame, .. }) => self.take(frame),
                Some(FromCapture::Lost { detail, .. }) => panic!("{detail}"),
                Some(FromCapture::Dropped { .. }) => panic!("a frame found no slot"),
                _ => {}
            }
        }
    }

    fn take(&mut self, frame: Frame) {
        let luma = &self.slots.slot(frame.slot).unwrap()[..WIDTH * HEIGHT];
        let left = Passage::left_edge(luma);
        let boxes = left.map(Passage::place).into_iter().collect();
        let sight = Sight { captured_at: frame.captured_at, boxes, moves: left.is_some() };
        self.capture.channel.send(&ToCapture::Seen { camera: CAMERA, sight }, None).unwrap();
        self.capture.channel.send(&ToCapture::Release { camera: CAMERA, slot: frame.slot }, None).unwrap();
        self.seen.push(Seen { frame, left });
    }
}

fn watched(url: &str) -> CameraSource {
    CameraSource {
        frames_per_second: FPS as f32,
        watch: Some(WatchOrder {
            sensitivity: 0.5,
            still_for_ms: 2_000,
            look_every_ms: 3_600_000,
            longest_interval_ms: 12_000,
            tamper_after_ms: 5_000,
            ignore: Vec::new(),
        }),
        ..source_of(url)
    }
}

/// Runs a clip of 30 s in which something passes from 14 s on, and returns what became of it.
fn watch_a_passage(clip: &SceneClip) -> Parent {
    let home = tempfile::tempdir().unwrap();
    let file = clip.encode(home.path());
    let camera = RtspCamera::start(&["--file", file.to_str().unwrap(), "--fps", "25"]);
    let mut parent = Parent::open(home.path(), camera.url());
    parent.run(START_LIMIT, "the still scene", |parent| parent.counts.attention == Attention::Watched);
    let (before, frames) = (parent.counts, parent.seen.len());
    parent.run(Duration::from_secs(25), "what passes", |parent| parent.seen.last().is_some_and(|it| it.left.is_some()));
    let still = parent.watched;
    // What was told last is older than what was seen.
    parent.counts.attention = Attention::Followed;
    parent.run(Duration::from_secs(25), "the end of it", |parent| parent.counts.attention == Attention::Watched);

    // While the scene was still, keyframes were decoded and nothing was handed over.
    let first = parent.seen.iter().position(|it| it.left.is_some()).unwrap();
    let (received, decoded) = (still.received - before.received, still.decoded - before.decoded);
    assert!(decoded <= received / clip.group + 2 && received > 4 * clip.group, "{decoded} of {received} were decoded");
    assert!(still.skipped.still > received / 2 && parent.still >= decoded.saturating_sub(2), "{still:?}");
    // Those that came before it in its group of pictures were looked at too.
    let early = (first - frames) as u64;
    assert!(early <= clip.group * FPS / 25 + 1, "{early} frames of a still scene were handed over");

    // What passed was followed from its first frame to its last, in order.
    let times: Vec<_> = parent.seen.iter().map(|it| it.frame.captured_at).collect();
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
    let edges: Vec<usize> = parent.seen.iter().filter_map(|it| it.left).collect();
    let (speed, period) = (clip.passage.speed, usize::try_from(25 / FPS).unwrap());
    assert!(edges[0] <= speed * (period + 1), "seen from {} on", edges[0]);
    let expected = WIDTH / speed / period;
    assert!(edges.len() + 2 >= expected, "{} of {expected} frames: {edges:?}", edges.len());
    assert!(edges.windows(2).all(|pair| pair[0] < pair[1]), "{edges:?}");
    assert_eq!(parent.counts.skipped.behind, 0, "{:?}", parent.counts);
    parent
}

#[test]
fn a_still_scene_is_watched_by_its_keyframes_and_what_passes_is_seen_from_its_beginning() {
    watch_a_passage(&SceneClip { group: 50, b_frames: 0, ..SceneClip::default() });
}

#[test]
fn frames_that_are_sent_out_of_order_are_watched_and_handed_over_in_their_order() {
    watch_a_passage(&SceneClip { group: 50, b_frames: 2, ..SceneClip::default() });
}

#[test]
fn what_passes_is_seen_from_its_beginning_when_keyframes_stop_coming() {
    // A smart codec makes its groups longer when nothing moves: there is none from the tenth second on.
    let passage = Passage { from: 20 * 25, speed: 4 };
    let clip = SceneClip { passage, last_keyframe: 10 * 25, ..SceneClip::default() };
    let home = tempfile::tempdir().unwrap();
    let file = clip.encode(home.path());
    let camera = RtspCamera::start(&["--file", file.to_str().unwrap(), "--fps", "25"]);
    let mut parent = Parent::open(home.path(), camera.url());
    parent.run(START_LIMIT, "the still scene", |parent| parent.counts.attention == Attention::Watched);
    let edges = |parent: &Parent| parent.seen.iter().filter_map(|it| it.left).collect::<Vec<usize>>();
    parent.run(Duration::from_secs(28), "what passes", |parent| edges(parent).len() > 12);
    // Not only when the clip begins anew, with a keyframe.
    assert!(parent.counts.received < 28 * 25, "{:?}", parent.counts);
    let edges = edges(&parent);
    assert!(edges[0] <= passage.speed * 6 && edges.windows(2).all(|pair| pair[0] < pair[1]), "{edges:?}");
}

#[test]
fn a_camera_that_sends_jpegs_is_watched_and_each_frame_is_counted_once() {
    let home = tempfile::tempdir().unwrap();
    let file = SceneClip::default().encode(home.path());
    let launch = format!(
        "multifilesrc location={} loop=true caps=video/x-h264,stream-format=byte-stream,alignment=nal,framerate=25/1 \
         ! h264parse name=parse ! avdec_h264 ! identity sync=true ! jpegenc ! rtpjpegpay name=pay0 pt=96",
        file.display()
    );
    let camera = RtspCamera::start(&["--launch", &launch]);
    let mut parent = Parent::open(home.path(), camera.url());
    for _ in 0..2 {
        parent.counts.attention = Attention::Followed;
        // Each report of counts is held to have each frame once.
        parent.run(START_LIMIT, "the still scene", |parent| parent.counts.attention == Attention::Watched);
        let passed = parent.seen.len();
        parent.run(Duration::from_secs(40), "what passes", |parent| {
            parent.seen[passed..].iter().any(|it| it.left.is_some())
        });
    }
    assert!(parent.counts.skipped.still > 100, "{:?}", parent.counts);
}

#[test]
fn a_camera_with_a_hand_on_its_lens_is_told_of_and_well_again_afterwards() {
    let clip = SceneClip { passage: Passage::NEVER, covered: (20 * 25, 30 * 25), ..SceneClip::default() };
    let home = tempfile::tempdir().unwrap();
    let file = clip.encode(home.path());
    let camera = RtspCamera::start(&["--file", file.to_str().unwrap(), "--fps", "25"]);
    let mut parent = Parent::open(home.path(), camera.url());
    parent.run(START_LIMIT, "the hand", |parent| parent.counts.tampered == Some(TamperKind::Covered));
    let handed = parent.seen.len();
    parent.run(Duration::from_secs(10), "a picture of it", |parent| parent.seen.len() > handed);
    parent.run(Duration::from_secs(40), "the scene again", |parent| parent.counts.tampered.is_none());
}

#[test]
fn where_sizes_tell_what_moves_fewer_keyframes_are_decoded_and_what_passes_is_seen_from_its_beginning() {
    // 24 s of stillness, then four passages of 6 s with as much between them, again and again.
    const SPEED: usize = 2;
    let starts = [24 * 25, 36 * 25, 48 * 25, 60 * 25];
    let home = tempfile::tempdir().unwrap();
    let file = encode_passages(home.path(), 12, 72 * 25, &starts, SPEED);
    let camera = RtspCamera::start(&["--file", file.to_str().unwrap(), "--fps", "25"]);
    let mut parent = Parent::open(home.path(), camera.url());
    let used = |parent: &Parent| parent.counts.signal.is_some_and(|signal| signal.used == SignalUse::Sizes);
    parent.run(Duration::from_secs(150), "a signal", used);
    // In the long stillness keyframes are 10 s apart instead of one.
    parent.longest = (0, 0);
    parent.run(Duration::from_secs(80), "a long stillness", |parent| parent.longest.0 > 14 * 25);
    assert!(parent.longest.1 <= 4, "{:?}, {:?}", parent.longest, parent.counts);

    let handed = parent.seen.len();
    let passing = |it: &Seen| it.left.is_some();
    parent.run(Duration::from_secs(25), "what passes", |parent| parent.seen[handed..].iter().any(passing));
    parent.run(Duration::from_secs(15), "its end", |parent| parent.seen.last().is_some_and(|it| it.left.is_none()));
    let edges: Vec<usize> = parent.seen[handed..].iter().filter_map(|it| it.left).collect();
    let period = usize::try_from(25 / FPS).unwrap();
    assert!(edges[0] <= SPEED * (period + 1), "seen from {} on", edges[0]);
    assert!(edges.len() + 2 >= WIDTH / SPEED / period && edges.windows(2).all(|pair| pair[0] < pair[1]), "{edges:?}");
    assert!(used(&parent) && parent.counts.skipped.behind == 0, "{:?}", parent.counts);
}
