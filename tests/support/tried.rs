//! What becomes of an export: the layout that it is recognised as, and what a unit sees of the objects in it.

use super::exports::Export;
use super::objects;
use super::package::{Unit, package_of};
use ocelli::model::recognition::{Hints, recognise};
use ocelli::unit::onnx_file;
use ocelli::vision::error_chain::describe;
use ocelli::vision::frame::{Colorimetry, Picture, PixelFormat};
use ocelli::vision::geometry::NormalizedBox;
use std::path::Path;

/// How far a confidence may be from what is encoded.
const SCORE_TOLERANCE: f32 = 0.001;

/// How much of what is encoded a box must be.
const LEAST_IOU: f32 = 0.99;

/// The result of one export.
#[derive(Debug)]
pub struct Tried {
    /// The layout, or why there is none.
    pub recognised: Result<&'static str, String>,
    /// What is said to be left out.
    pub left_out: String,
    /// Why the trial refuses it, if it does.
    pub doubt: Option<String>,
    /// The boxes that are encoded, and how many of them were seen with their label and score.
    pub encoded: usize,
    pub right: usize,
    /// All that was seen.
    pub seen: usize,
}

impl Tried {
    /// Recognises an export, puts it into a package as proposed, and has a unit try it and look at a grey picture.
    pub fn new(home: &Path, export: &Export) -> Self {
        let file = home.join("given.onnx");
        std::fs::write(&file, export.graph.bytes()).unwrap();
        let mut tried = Self {
            recognised: Err(String::new()),
            left_out: String::new(),
            doubt: None,
            encoded: objects::OBJECTS.len(),
            right: 0,
            seen: 0,
        };
        let facts = onnx_file::read(&file).unwrap();
        let proposal = match recognise(&facts, Hints { labels: Some(export.labels), layout: export.layout }) {
            Ok(proposal) => proposal,
            Err(why) => return Self { recognised: Err(why.to_string()), ..tried },
        };
        (tried.recognised, tried.left_out) = (Ok(proposal.layout), proposal.left_out.join("; "));
        let classes = export.labels;
        let labels: String = (0..classes).map(|class| format!("class {class}\n")).collect();
        let package = package_of(home, "export", &file, &labels, &proposal.sections());
        let mut unit = match Unit::load_changed(&package, |load| load.is_trial = true) {
            Ok(unit) => unit,
            Err(why) => return Self { doubt: Some(describe(&why)), ..tried },
        };
        let side = u32::try_from(objects::SIDE).unwrap();
        let picture = Picture::new(PixelFormat::I420, side, side, Colorimetry::default()).unwrap();
        let found = unit.look_raw(picture).detections;
        tried.seen = found.len();
        for (place, class, score) in objects::OBJECTS {
            let [left, top, right, bottom] = objects::ratios(place);
            let (label, place) = (
                format!("class {}", class.min(classes - 1)),
                NormalizedBox::from_corners(left, top, right, bottom).unwrap(),
            );
            tried.right += usize::from(found.iter().any(|one| {
                unit.labels().name(one.class) == label
                    && (one.confidence - score).abs() <= SCORE_TOLERANCE
                    && one.bounding_box.is_some_and(|is| is.iou(&place) >= LEAST_IOU)
            }));
        }
        tried
    }

    /// Of the boxes that are encoded or seen, the share that is both.
    pub fn share(&self) -> f64 {
        self.right as f64 / (self.encoded + self.seen - self.right) as f64
    }
}
