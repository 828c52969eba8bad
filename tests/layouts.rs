//! What every layout and every kind of input gives for real pictures: the default detector in other clothes, whose
//! boxes are known, and the models of the test data.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use ocelli::supervisor::one_shot::ImageResult;
use ocelli::vision::framing::{Framing, Tiling};
use ocelli::vision::geometry::NormalizedBox;
use ocelli::vision::look_options::LookOptions;
use std::path::Path;
use support::exports;
use support::package::{Unit, coco_labels, from_testdata, package, package_of};
use support::tried::Tried;
use support::unread_exports;
use support::{from_setup, root};

/// Everything from here on is compared.
const LEAST: f32 = 0.3;

fn options() -> LookOptions {
    LookOptions { min_confidence: Some(LEAST), ..LookOptions::default() }
}

fn photo() -> Vec<u8> {
    std::fs::read(from_setup("testdata/photo.jpg")).unwrap()
}

/// Label, confidence and left, top, right, bottom of what was seen.
type Seen = Vec<(String, f32, [f32; 4])>;

fn seen(unit: &Unit, result: &ImageResult) -> Seen {
    let detections = result.detections.iter();
    let all = detections.map(|found| {
        let place = found.bounding_box.unwrap();
        let corners = [place.left, place.top, place.right(), place.bottom()];
        (unit.labels().name(found.class).to_owned(), found.confidence, corners)
    });
    all.collect()
}

fn overlap(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    let area = |[left, top, right, bottom]: [f32; 4]| (right - left).max(0.0) * (bottom - top).max(0.0);
    let common = area([a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])]);
    common / (area(*a) + area(*b) - common)
}

/// What the model of the product sees in the photograph.
fn original() -> Seen {
    let mut unit = Unit::load(&root().join("models/coco-ssd")).unwrap();
    let result = unit.look(&photo(), options());
    seen(&unit, &result)
}

/// Fails unless both saw the same: IoU of each box at least 0.99, confidence within 0.001.
fn assert_same(kind: &str, found: &Seen, expected: &Seen) {
    for (label, confidence, corners) in expected {
        // What is as near to the limit as the tolerance may fall on its other side.
        let must_be_there = *confidence > LEAST + 0.001;
        let same = found.iter().any(|(name, score, place)| {
            name == label && (score - confidence).abs() <= 0.001 && overlap(place, corners) >= 0.99
        });
        assert!(same || !must_be_there, "{kind} does not see {label} {confidence} at {corners:?}: {found:?}");
    }
    let more = found.iter().filter(|(_, confidence, _)| *confidence > LEAST + 0.001).count();
    assert!(more <= expected.len(), "{kind} sees more than there is: {found:?}");
}

#[test]
fn the_same_detector_in_other_layouts_and_inputs_sees_the_same() {
    let expected = original();
    assert!(expected.len() >= 3, "{expected:?}");
    let home = tempfile::tempdir().unwrap();
    let dense = coco_labels();
    let gaps = std::fs::read_to_string(from_setup("models/coco-ssd/labels.txt")).unwrap();
    for (kind, labels) in [
        ("yolov8", &dense),
        ("yolov5", &dense),
        ("scores_boxes", &dense),
        ("end_to_end", &dense),
        ("detr", &dense),
        ("rt_detr", &dense),
        ("anchors", &gaps),
        ("input_uint8_nhwc_bgr", &gaps),
        ("input_any_batch_and_size", &gaps),
        ("input_batch_of_two", &gaps),
        ("weights_apart", &gaps),
    ] {
        let model = from_setup(&format!("testdata/layouts/{kind}.onnx"));
        let package = package(home.path(), kind, &model, labels);
        // A trial has no doubt about any of them.
        let mut unit = Unit::load_changed(&package, |load| load.is_trial = true).unwrap();
        let result = unit.look(&photo(), options());
        assert_same(kind, &seen(&unit, &result), &expected);
    }
}

#[test]
fn a_model_of_half_precision_sees_nearly_the_same() {
    let home = tempfile::tempdir().unwrap();
    let labels = std::fs::read_to_string(from_setup("models/coco-ssd/labels.txt")).unwrap();
    let model = from_setup("testdata/layouts/input_float16.onnx");
    let mut unit = Unit::load(&package(home.path(), "input_float16", &model, &labels)).unwrap();
    let result = unit.look(&photo(), options());
    let found = seen(&unit, &result);
    // Halves have 11 bits: of a box in ratios of the picture that is half a thousandth.
    for (label, confidence, corners) in original().iter().filter(|(_, confidence, _)| *confidence > LEAST + 0.005) {
        let same = found.iter().any(|(name, score, place)| {
            name == label && (score - confidence).abs() <= 0.005 && overlap(place, corners) >= 0.97
        });
        assert!(same, "{label} {confidence} is not in {found:?}");
    }
}

#[test]
fn tiles_are_looked_at_together_by_a_model_of_any_batch_and_show_the_same() {
    let home = tempfile::tempdir().unwrap();
    let labels = std::fs::read_to_string(from_setup("models/coco-ssd/labels.txt")).unwrap();
    let model = from_setup("testdata/layouts/input_any_batch_and_size.onnx");
    let any = package(home.path(), "input_any_batch_and_size", &model, &labels);
    let tiling = Some(Tiling { columns: 2, rows: 2, overlap: 0.2, whole: true });
    let options = LookOptions { framing: Framing { region: None, tiling }, ..options() };
    let look = |max_batch| {
        let mut unit = Unit::load_with_batch(&any, max_batch).unwrap();
        let result = unit.look(&photo(), options);
        seen(&unit, &result)
    };
    let one_by_one = look(1);
    assert_same("tiles", &look(4), &one_by_one);
    let fixed = from_setup("testdata/layouts/input_batch_of_two.onnx");
    let fixed = package(home.path(), "input_batch_of_two", &fixed, &labels);
    let mut unit = Unit::load(&fixed).unwrap();
    let result = unit.look(&photo(), options);
    assert_same("tiles by two", &seen(&unit, &result), &one_by_one);
    for (label, confidence, corners) in original().iter().filter(|(_, confidence, _)| *confidence > 0.6) {
        let is_there = one_by_one.iter().any(|(name, _, place)| name == label && overlap(place, corners) > 0.5);
        assert!(is_there, "{label} {confidence} is lost among tiles: {one_by_one:?}");
    }
}

#[test]
fn weak_detections_are_given_apart_and_only_to_who_asks_for_them() {
    let mut unit = Unit::load(&root().join("models/coco-ssd")).unwrap();
    let tiling = Some(Tiling { columns: 2, rows: 2, overlap: 0.2, whole: true });
    for framing in [Framing::default(), Framing { region: None, tiling }] {
        let usual = LookOptions { framing, ..LookOptions::default() };
        let (plain, both) = (unit.look(&photo(), usual), unit.look(&photo(), LookOptions { weak: true, ..usual }));
        assert_eq!(both.detections, plain.detections, "what everybody gets is as before");
        assert!(plain.weak.is_empty() && plain.detections.iter().all(|found| found.confidence >= 0.5), "{plain:?}");
        assert!(!both.weak.is_empty(), "{framing:?}");
        assert!(both.weak.iter().all(|found| (0.2..0.5).contains(&found.confidence)), "{:?}", both.weak);
        let asked = unit.look(&photo(), LookOptions { weak: true, min_confidence: Some(0.3), ..usual });
        assert!(asked.weak.is_empty(), "a caller with a threshold of its own gets all above it as detections");
    }
}

#[test]
fn of_a_region_of_interest_boxes_are_told_in_ratios_of_the_whole_picture() {
    let region = NormalizedBox { left: 0.5, top: 0.6, width: 0.4, height: 0.4 };
    let framing = Framing { region: Some(region), tiling: None };
    let mut unit = Unit::load(&root().join("models/coco-ssd")).unwrap();
    let result = unit.look(&photo(), LookOptions { framing, ..options() });
    let found = seen(&unit, &result);
    let ball = |all: &Seen| all.iter().find(|(label, ..)| label == "sports ball").map(|(.., corners)| *corners);
    let (here, there) = (ball(&found).unwrap(), ball(&original()).unwrap());
    assert!(overlap(&here, &there) > 0.7, "{here:?} and {there:?}");
}

#[test]
fn a_model_that_is_not_what_its_manifest_says_does_not_load_and_says_what_it_is() {
    let home = tempfile::tempdir().unwrap();
    for (index, (kind, from, to, expected)) in [
        ("yolov8", "width = 300", "width = 320", "Correct the manifest"),
        ("yolov8", "color = ", "samples = \"uint8\"\ncolor = ", "Correct the manifest"),
        ("yolov8", "color = ", "axes = \"nhwc\"\ncolor = ", "Correct the manifest"),
        ("yolov8", "tensor = \"images\"", "tensor = \"pictures\"", "it has: images"),
        ("yolov8", "output = \"output0\"", "output = \"output1\"", "it has: output0"),
        ("yolov8", "layout = \"yolov8\"", "layout = \"end_to_end\"", "[1,N,6]"),
        ("rt_detr", "sizes = \"orig_target_sizes\"", "sizes = \"sizes\"", "it has: images, orig_target_sizes"),
    ]
    .into_iter()
    .enumerate()
    {
        let manifest = std::fs::read_to_string(root().join(format!("tests/models/{kind}.toml"))).unwrap();
        assert!(manifest.contains(from), "{kind} has no {from}");
        let model = from_setup(&format!("testdata/layouts/{kind}.onnx"));
        let name = format!("wrong-{index}");
        let package = package_of(home.path(), &name, &model, &coco_labels(), &manifest.replacen(from, to, 1));
        let error = Unit::load(&package).err().unwrap_or_else(|| panic!("{to} is taken"));
        let told = ocelli::vision::error_chain::describe(&error);
        assert!(told.contains(expected), "{to}: {told}");
    }
    let unfed = std::fs::read_to_string(root().join("tests/models/yolov8.toml")).unwrap();
    let unfed =
        unfed.replace("layout = \"yolov8\"\noutput = \"output0\"", "layout = \"classifier\"\noutput = \"scores\"");
    let model = from_setup("testdata/layouts/rt_detr.onnx");
    let package = package_of(home.path(), "unfed", &model, &coco_labels(), &unfed);
    let told = ocelli::vision::error_chain::describe(&Unit::load(&package).err().unwrap());
    assert!(told.contains("orig_target_sizes"), "{told}");
}

/// The person in the photograph is where the default detector sees it.
fn sees_the_person(kind: &str, model: &Path, labels: &str) {
    let home = tempfile::tempdir().unwrap();
    let package = package(home.path(), kind, model, labels);
    let mut unit = Unit::load_changed(&package, |load| load.is_trial = true).unwrap();
    let result = unit.look(&photo(), options());
    let person = |all: &Seen| all.iter().find(|(label, ..)| label == "person").map(|(.., corners)| *corners);
    let (found, expected) = (person(&seen(&unit, &result)), person(&original()).unwrap());
    let found = found.unwrap_or_else(|| panic!("{kind} sees no person"));
    assert!(overlap(&found, &expected) > 0.6, "{kind}: {found:?} and {expected:?}");
}

#[test]
fn detectors_of_the_test_data_see_the_person_where_the_default_detector_does() {
    for (kind, file) in [
        ("yolox_nano", "yolox_nano.onnx"),
        ("picodet_s_320", "picodet_s_320_coco.onnx"),
        ("nanodet_m_416", "nanodet_m_416.onnx"),
        ("fastest_det", "FastestDet.onnx"),
        ("stm_ssd_mnv2_fpnlite_256", "stm_ssd_mnv2_fpnlite_256_int8.onnx"),
    ] {
        let Some(model) = from_testdata(&format!("models/{file}")) else { continue };
        sees_the_person(kind, &model, &coco_labels());
    }
}

#[test]
fn exports_of_known_families_are_recognised_and_their_boxes_are_right() {
    let home = tempfile::tempdir().unwrap();
    for export in exports::read() {
        let (name, tried) = (export.name, Tried::new(home.path(), &export));
        assert_eq!(tried.recognised, Ok(export.recognised), "{name}");
        let left_out = &tried.left_out;
        assert!(left_out.contains(export.left_out), "{name}: {left_out}");
        assert_eq!(left_out.is_empty(), export.left_out.is_empty(), "{name}: {left_out}");
        assert_eq!((tried.right, tried.seen), (tried.encoded, tried.encoded), "{name}: {tried:?}");
    }
}

#[test]
fn what_only_seems_to_fit_is_refused_by_what_comes_out() {
    let home = tempfile::tempdir().unwrap();
    for export in exports::doubtful() {
        let (name, tried) = (export.name, Tried::new(home.path(), &export));
        assert_eq!(tried.recognised, Ok(export.recognised), "{name}");
        let told = tried.doubt.unwrap_or_else(|| panic!("{name} is taken"));
        assert!(told.contains(export.doubt) && told.contains("--accept-doubts"), "{name}: {told}");
    }
}

#[test]
fn exports_that_are_not_read_are_refused_by_their_names() {
    let home = tempfile::tempdir().unwrap();
    for export in unread_exports::all() {
        let told = export.refusal(home.path()).expect(export.name);
        assert!(told.contains(export.said), "{}: {told}", export.name);
        assert!(told.contains("ocelli does not read it yet"), "{}: {told}", export.name);
        assert!(told.lines().count() <= 2 && told.len() < 240, "{told}");
    }
}
