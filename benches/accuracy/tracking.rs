//! How well the tracker follows what a detector sees in whole clips, beside ByteTrack on the same boxes.
//!
//! Every frame goes through a confined unit as a camera's would. Then each sampling rate is tracked once from each frame at which
//! sampling can start, and the figures are the means of these runs. Only the kinds of objects that the truth has are scored.

use super::Checked;
use super::byte_track::byte_track;
use super::clip::each_frame;
use super::support::package::{Unit, coco_labels, from_testdata, package_of};
use super::support::{from_setup, root};
use super::truth::Truth;
use ocelli::tracking::settings::{SceneSettings, TrackingSettings};
use ocelli::tracking::track_score::{Boxes, TrackScore};
use ocelli::tracking::{CameraTracker, EventKind, NamedDetection, TrackEvent, TrackingRules};
use ocelli::vision::detection::Detection;
use ocelli::vision::frame::Picture;
use ocelli::vision::geometry::NormalizedBox;
use ocelli::vision::monotonic::Monotonic;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What recall and precision of the shipped detector must be on the surveillance clip.
const LEAST_RECALL: f64 = 0.7;
const LEAST_PRECISION: f64 = 0.8;

/// A beginning is false if no object of its kind overlaps its box by this much.
const NEAR_IOU: f32 = 0.3;

struct Scene {
    name: &'static str,
    clip: PathBuf,
    truth: Truth,
    size: (u32, u32),
    frames_per_second: u32,
    /// One frame of so many is tracked, at each of three rates.
    steps: [u32; 3],
}

/// A detection of a frame. Weak: the model's threshold keeps it back.
pub(super) struct Seen {
    pub(super) kind: String,
    pub(super) label: String,
    pub(super) confidence: f32,
    pub(super) place: NormalizedBox,
    pub(super) is_weak: bool,
}

/// The frames that are sampled: every `step`th from `offset` on.
pub(super) struct Sample<'a> {
    pub(super) seen: Vec<(u32, &'a [Seen])>,
    pub(super) frames_per_second: f32,
}

/// A box with its kind and the number of its track.
type Placed = (String, u64, NormalizedBox);

/// The means over the runs of one rate.
#[derive(Default)]
struct Means {
    mota: f64,
    idf1: f64,
    precision: f64,
    recall: f64,
}

pub(super) fn check() -> Vec<Checked> {
    let home = tempfile::tempdir().unwrap();
    let mut checked = Vec::new();
    for scene in scenes() {
        for (name, package) in detectors(home.path()) {
            let seen = look(&scene, &package);
            for step in scene.steps {
                checked.extend(track(&scene, name, &seen, step));
            }
        }
    }
    checked
}

fn scenes() -> Vec<Scene> {
    let street = Scene {
        name: "street",
        clip: from_setup("testdata/vtest.h264"),
        truth: Truth::parse(include_str!("truth/street.txt"), [768.0, 576.0]),
        size: (768, 576),
        frames_per_second: 10,
        steps: [1, 2, 5],
    };
    let car_park = from_testdata("videos/intel-person-bicycle-car-detection.mp4").map(|clip| Scene {
        name: "car park",
        clip,
        truth: Truth::parse(include_str!("truth/car_park.txt"), [768.0, 432.0]),
        size: (768, 432),
        frames_per_second: 12,
        steps: [1, 2, 6],
    });
    [street].into_iter().chain(car_park).collect()
}

/// The default detector as it ships, and a better one with the same thresholds.
pub(super) fn detectors(home: &Path) -> Vec<(&'static str, PathBuf)> {
    from_setup("models/coco-ssd/model.onnx");
    let shipped = ("coco-ssd", root().join("models/coco-ssd"));
    let better = from_testdata("models/picodet_s_320_coco.onnx").map(|model| {
        let manifest = std::fs::read_to_string(root().join("tests/models/picodet_s_320.toml")).unwrap();
        assert!(manifest.contains("confidence = 0.3"));
        let manifest = manifest.replace("confidence = 0.3", "confidence = 0.5\nweak_confidence = 0.2");
        ("picodet", package_of(home, "picodet", &model, &coco_labels(), &manifest))
    });
    [shipped].into_iter().chain(better).collect()
}

/// What the detector sees in each frame, the strong detections first.
fn look(scene: &Scene, package: &Path) -> Vec<Vec<Seen>> {
    let mut unit = Unit::load(package).unwrap();
    let mut all = Vec::new();
    let (width, height) = scene.size;
    each_frame(&scene.clip, width, height, |picture, planes| all.push(seen_by(&mut unit, picture, planes)));
    all
}

/// What the detector sees in a frame, the strong detections first.
pub(super) fn seen_by(unit: &mut Unit, picture: Picture, planes: &[u8]) -> Vec<Seen> {
    let result = unit.look_at_frame(picture, planes);
    let seen = |found: &Detection, is_weak| {
        let label = unit.labels().name(found.class).to_owned();
        let (kind, place) = (kind_of(&label), found.bounding_box?);
        Some(Seen { kind, label, confidence: found.confidence, place, is_weak })
    };
    let strong = result.detections.iter().filter_map(|found| seen(found, false));
    strong.chain(result.weak.iter().filter_map(|found| seen(found, true))).collect()
}

/// The first label of the group that a label belongs to, or the label itself.
fn kind_of(label: &str) -> String {
    let groups = TrackingSettings::default().label_groups;
    let group = groups.iter().find(|group| group.iter().any(|one| one == label));
    group.map_or(label, |group| group[0].as_str()).to_owned()
}

fn track(scene: &Scene, detector: &str, seen: &[Vec<Seen>], step: u32) -> Vec<Checked> {
    let kinds = scene.truth.kinds();
    let (mut ours, mut theirs) = (Means::default(), Means::default());
    let (mut late_ms, mut false_beginnings) = (Vec::new(), 0_u32);
    for offset in 0..step {
        let frames = (0..).zip(seen).filter(|(number, _)| number % step == offset);
        let sample = Sample {
            seen: frames.map(|(number, seen)| (number, seen.as_slice())).collect(),
            frames_per_second: scene.frames_per_second as f32 / step as f32,
        };
        let (tracks, events) = our_tracks(&sample, scene.frames_per_second);
        ours.add(&score(scene, &sample, |index, kind| of_kind(&tracks[index], kind)), step);
        let by_kind = |kind: &&str| ((*kind).to_owned(), byte_track(&sample, kind, scene.size));
        let byte_tracks: Vec<(String, Vec<Boxes>)> = kinds.iter().map(by_kind).collect();
        let boxes = |index: usize, kind: &str| {
            byte_tracks.iter().find(|(of, _)| of == kind).map(|(_, frames)| frames[index].clone()).unwrap()
        };
        theirs.add(&score(scene, &sample, boxes), step);
        for (frame, event) in events.iter().filter(|(_, event)| kinds.contains(kind_of(&event.label).as_str())) {
            late_ms.push(event.at.since(event.began_at).as_secs_f64() * 1000.0);
            let truth = scene.truth.at(*frame, &kind_of(&event.label));
            let is_there = |place: NormalizedBox| truth.iter().any(|(_, is)| is.iou(&place) >= NEAR_IOU);
            false_beginnings += u32::from(!event.bounding_box.is_some_and(is_there));
        }
    }
    late_ms.sort_by(f64::total_cmp);
    let hours = seen.len() as f64 / f64::from(scene.frames_per_second) / 3600.0 * f64::from(step);
    let name = format!("{}, {} fps, {detector}", scene.name, scene.frames_per_second / step);
    let is_bar = scene.name == "street" && detector == "coco-ssd";
    vec![
        Checked::with_bar(&name, "MOTA (bar: ByteTrack's)", ours.mota, Some(theirs.mota)),
        Checked::with_bar(&name, "IDF1 (bar: ByteTrack's)", ours.idf1, Some(theirs.idf1)),
        Checked::with_bar(&name, "precision", ours.precision, is_bar.then_some(LEAST_PRECISION)),
        Checked::with_bar(&name, "recall", ours.recall, is_bar.then_some(LEAST_RECALL)),
        Checked::with_bar(&name, "precision of ByteTrack", theirs.precision, None),
        Checked::with_bar(&name, "recall of ByteTrack", theirs.recall, None),
        Checked::with_bar(
            &name,
            "began late by, median ms",
            late_ms.get(late_ms.len() / 2).copied().unwrap_or(f64::NAN),
            None,
        ),
        Checked::with_bar(&name, "false began an hour", f64::from(false_beginnings) / hours, None),
    ]
}

/// The tracks of each sampled frame, and what began in which frame.
pub(super) fn our_tracks(sample: &Sample<'_>, frames_per_second: u32) -> (Vec<Vec<Placed>>, Vec<(u32, TrackEvent)>) {
    let rules = TrackingRules::new(&TrackingSettings::as_shipped(), &SceneSettings::default()).unwrap();
    let mut tracker = CameraTracker::new(rules);
    let (mut tracks, mut beginnings) = (Vec::new(), Vec::new());
    for (number, seen) in &sample.seen {
        let at = Monotonic::from_nanos(1 + u64::from(*number) * 1_000_000_000 / u64::from(frames_per_second));
        let named = seen.iter().map(|seen| NamedDetection {
            label: &seen.label,
            confidence: seen.confidence,
            bounding_box: Some(seen.place),
            is_weak: seen.is_weak,
        });
        let tracked = tracker.observe(&named.collect::<Vec<_>>(), at);
        // An object with two labels is one.
        let mut known = BTreeSet::new();
        let boxes = seen.iter().zip(&tracked.tracks).filter_map(|(seen, track)| {
            let track = (*track)?;
            known.insert(track).then(|| (seen.kind.clone(), track, seen.place))
        });
        tracks.push(boxes.collect());
        let began = tracked.events.into_iter().filter(|event| event.kind == EventKind::Began);
        beginnings.extend(began.map(|event| (*number, event)));
    }
    (tracks, beginnings)
}

fn of_kind(tracks: &[Placed], kind: &str) -> Boxes {
    tracks.iter().filter(|(of, ..)| of == kind).map(|(_, track, place)| (*track, *place)).collect()
}

/// Scores tracks, given by the index of the sampled frame and the kind, over all kinds of the truth.
fn score(scene: &Scene, sample: &Sample<'_>, tracks: impl Fn(usize, &str) -> Boxes) -> TrackScore {
    let of_one = |kind: &str| {
        let frames = sample.seen.iter().enumerate();
        let frames: Vec<(Boxes, Boxes)> =
            frames.map(|(index, (number, _))| (scene.truth.at(*number, kind), tracks(index, kind))).collect();
        TrackScore::of(&frames)
    };
    scene.truth.kinds().into_iter().fold(TrackScore::default(), |sum, kind| sum.with(&of_one(kind)))
}

impl Means {
    /// Adds one of `runs` runs.
    fn add(&mut self, score: &TrackScore, runs: u32) {
        let runs = f64::from(runs);
        self.mota += score.mota() / runs;
        self.idf1 += score.idf1() / runs;
        self.precision += score.precision() / runs;
        self.recall += score.recall() / runs;
    }
}
