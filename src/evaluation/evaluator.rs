//! Takes what was found, image by image, and gives the figures.

use crate::evaluation::average_precision;
use crate::evaluation::coco::{Annotation, CategoryId, GroundTruth, ImageId};
use crate::evaluation::figures::{CategorySummary, Summary};
use crate::evaluation::matching::{self, AREA_RANGES, Scene, ScoredBox, Tally, Truth};
use crate::evaluation::pixel_box::PixelBox;
use std::collections::BTreeMap;

/// One detection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Of the ground truth that is evaluated against ([`GroundTruth::category`]).
    pub category: CategoryId,
    /// How sure the detector is; any finite number, of which only the order counts.
    pub score: f64,
    /// Where, in the picture as it was annotated.
    pub bounding_box: PixelBox,
}

/// Why detections were not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refused {
    /// Nobody knows what should have been found there.
    #[error("image {} is not in the ground truth", .0.0)]
    UnknownImage(ImageId),
    /// Nothing was annotated as such: the caller has to tell of the label, and leave it out.
    #[error("category {} is not in the ground truth", .0.0)]
    UnknownCategory(CategoryId),
    /// NaN or infinite.
    #[error("the score of a detection in image {} is not a finite number", .0.0)]
    ScoreNotFinite(ImageId),
}

/// Collects what was found in the images of a ground truth.
///
/// All of its images are evaluated: one for which nothing is added counts as one where nothing was found.
#[derive(Debug)]
pub struct Evaluation<'a> {
    ground_truth: &'a GroundTruth,
    /// By category first, so that each has its scenes side by side, in the order of the images. Without annotations and
    /// detections there is no scene.
    scenes: BTreeMap<(CategoryId, ImageId), Scene>,
}

impl<'a> Evaluation<'a> {
    /// Nothing found yet.
    pub fn new(ground_truth: &'a GroundTruth) -> Self {
        let mut scenes: BTreeMap<_, Scene> = BTreeMap::new();
        for annotation in ground_truth.annotations() {
            let scene = scenes.entry((annotation.category, annotation.image)).or_default();
            let &Annotation { bounding_box, area, is_crowd, .. } = annotation;
            scene.truths.push(Truth { bounding_box, area, is_crowd });
        }
        Self { ground_truth, scenes }
    }

    /// Adds what was found in one image, in any order and in as many calls as the caller likes. Among detections with the
    /// same score the earlier one is first in line. What is beyond the 100 best of a category in an image counts for
    /// nothing; all of it is kept until the figures are computed, so the caller bounds it.
    ///
    /// # Errors
    /// [`Refused`] for an image or a category that the ground truth does not have, or a score that is not finite; then none
    /// of `found` is added. A box that is not finite cannot come here, as [`PixelBox::new`] refuses it.
    pub fn add(&mut self, image: ImageId, found: &[Found]) -> Result<(), Refused> {
        if !self.ground_truth.has_image(image) {
            return Err(Refused::UnknownImage(image));
        }
        for one in found {
            if !self.ground_truth.has_category(one.category) {
                return Err(Refused::UnknownCategory(one.category));
            }
            if !one.score.is_finite() {
                return Err(Refused::ScoreNotFinite(image));
            }
        }
        for &Found { category, score, bounding_box } in found {
            self.scenes.entry((category, image)).or_default().found.push(ScoredBox { score, bounding_box });
        }
        Ok(())
    }

    /// The figures of what was added so far. Takes time by annotations and detections, not by images times categories.
    pub fn summary(&self) -> Summary {
        let categories = self.ground_truth.categories().map(|category| {
            let mut tallies: [Tally; AREA_RANGES.len()] = Default::default();
            let of_category = (category.id, ImageId(0))..=(category.id, ImageId(u64::MAX));
            let scenes = self.scenes.range(of_category).map(|(_, scene)| scene);
            let mut objects = 0;
            for scene in scenes {
                objects += scene.truths.iter().filter(|truth| !truth.is_crowd).count();
                matching::judge(scene, &mut tallies);
            }
            let figures = average_precision::figures(&mut tallies);
            CategorySummary { id: category.id, name: category.name.clone(), objects, figures }
        });
        Summary::new(categories.collect())
    }
}
