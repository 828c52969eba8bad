//! Collects the detections of a decoder, and the post-processing that all decoders share.

use super::reading::Reading;
use super::tensor::{TensorError, all_finite};
use crate::vision::detection::{ClassIndex, Detection};
use crate::vision::nms;

/// At this many candidates, only the best [`nms::MOST_COMPARED`] are kept. With a threshold of 0 a picture can have
/// millions, which would take more memory than the model.
const ROOM: usize = 2 * nms::MOST_COMPARED;

/// The candidate detections of one picture.
#[derive(Debug)]
pub(super) struct Candidates<'a> {
    reading: &'a Reading<'a>,
    found: Vec<Detection>,
    /// The lowest confidence after the last reduction. Later candidates must exceed it.
    floor: Option<f32>,
}

impl<'a> Candidates<'a> {
    pub(super) fn new(reading: &'a Reading<'a>) -> Self {
        Self { reading, found: Vec::new(), floor: None }
    }

    /// The lowest confidence of a detection.
    pub(super) fn threshold(&self) -> f32 {
        self.reading.thresholds.confidence
    }

    /// Width and height of the input in pixels.
    pub(super) fn input_size(&self) -> (u32, u32) {
        (self.reading.placement.input_width, self.reading.placement.input_height)
    }

    /// Adds a box by its left, top, right and bottom in pixels of the input. Boxes outside the picture are dropped.
    ///
    /// # Errors
    /// When a corner is not finite.
    pub(super) fn push_pixels(&mut self, class: usize, score: f32, corners: [f32; 4]) -> Result<(), TensorError> {
        all_finite(&corners)?;
        let confidence = score.min(1.0);
        if self.floor.is_some_and(|floor| confidence <= floor) {
            return Ok(());
        }
        let [left, top, right, bottom] = corners;
        let bounding_box = self.reading.placement.to_picture(left, top, right, bottom);
        if bounding_box.is_some() {
            self.push(Detection { class: class_index(class), confidence, bounding_box });
        }
        Ok(())
    }

    /// Adds a box like [`Self::push_pixels`], with corners normalised to the input.
    ///
    /// # Errors
    /// When a corner is not finite.
    pub(super) fn push_ratios(&mut self, class: usize, score: f32, corners: [f32; 4]) -> Result<(), TensorError> {
        let (width, height) = self.input_size();
        let (width, height) = (width as f32, height as f32);
        let [left, top, right, bottom] = corners;
        self.push_pixels(class, score, [left * width, top * height, right * width, bottom * height])
    }

    /// Adds a label of the whole picture.
    pub(super) fn push_label(&mut self, class: usize, score: f32) {
        self.push(Detection { class: class_index(class), confidence: score.min(1.0), bounding_box: None });
    }

    fn push(&mut self, detection: Detection) {
        if self.found.len() == ROOM {
            nms::keep_best(&mut self.found, nms::MOST_COMPARED);
            self.floor = self.found.iter().map(|one| one.confidence).min_by(f32::total_cmp);
        }
        self.found.push(detection);
    }

    /// Applies NMS and returns the best detections, up to the limit.
    pub(super) fn suppressed(self) -> Vec<Detection> {
        let thresholds = self.reading.thresholds;
        nms::suppress(self.found, thresholds.iou, thresholds.max_detections)
    }

    /// Returns the most confident detections, up to the limit, without NMS.
    pub(super) fn ranked(mut self) -> Vec<Detection> {
        self.found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        self.found.truncate(self.reading.thresholds.max_detections);
        self.found
    }
}

fn class_index(class: usize) -> ClassIndex {
    ClassIndex(u16::try_from(class).unwrap_or(u16::MAX))
}

/// Converts centre and size to left, top, right, bottom.
pub(super) fn around(center_x: f32, center_y: f32, width: f32, height: f32) -> [f32; 4] {
    [center_x - width / 2.0, center_y - height / 2.0, center_x + width / 2.0, center_y + height / 2.0]
}
