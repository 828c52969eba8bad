//! Collects detections image by image and computes the figures.

use crate::evaluation::average_precision;
use crate::evaluation::coco::{Annotation, CategoryId, GroundTruth, ImageId};
use crate::evaluation::figures::{CategorySummary, Summary};
use crate::evaluation::judged_pictures::JudgedPictures;
use crate::evaluation::matching::{self, AREA_RANGES, Scene, ScoredBox, Tally, Truth};
use crate::evaluation::pixel_box::PixelBox;
use std::collections::BTreeMap;

/// One detection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// A category of the ground truth ([`GroundTruth::category`]).
    pub category: CategoryId,
    /// The confidence: any finite number. Only the order of scores matters.
    pub score: f64,
    /// The box in pixels of the annotated picture.
    pub bounding_box: PixelBox,
}

/// Why detections were not added.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refused {
    /// The image is not in the annotation file.
    #[error("image {} is not in the ground truth", .0.0)]
    UnknownImage(ImageId),
    /// The category is not in the annotation file. The caller should report the label and leave it out.
    #[error("category {} is not in the ground truth", .0.0)]
    UnknownCategory(CategoryId),
    /// A score is NaN or infinite.
    #[error("the score of a detection in image {} is not a finite number", .0.0)]
    ScoreNotFinite(ImageId),
}

/// Collects the detections in the images of a ground truth.
///
/// All of its images are evaluated: an image without added detections counts as one in which nothing was detected.
#[derive(Debug)]
pub struct Evaluation<'a> {
    ground_truth: &'a GroundTruth,
    /// By category first, so that its scenes are a range, in the order of the images. A pair without annotations and
    /// detections has no scene.
    scenes: BTreeMap<(CategoryId, ImageId), Scene>,
}

impl<'a> Evaluation<'a> {
    /// An evaluation without detections.
    pub fn new(ground_truth: &'a GroundTruth) -> Self {
        let mut scenes: BTreeMap<_, Scene> = BTreeMap::new();
        for annotation in ground_truth.annotations() {
            let scene = scenes.entry((annotation.category, annotation.image)).or_default();
            let &Annotation { bounding_box, area, is_crowd, .. } = annotation;
            scene.truths.push(Truth { bounding_box, area, is_crowd });
        }
        Self { ground_truth, scenes }
    }

    /// Adds detections in one image, in any order and in any number of calls. Of equal scores, the earlier detection
    /// ranks higher. Only the 100 best of a category in an image count, but all are kept in memory: the caller must
    /// limit them.
    ///
    /// # Errors
    /// [`Refused`] for an image or a category that is not in the ground truth, or a score that is not finite. None of
    /// `found` is added then.
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

    /// The figures of the detections so far. The time depends on the number of annotations and detections, not on
    /// images times categories.
    pub fn summary(&self) -> Summary {
        let categories = self.ground_truth.categories().map(|category| {
            let mut tallies: [Tally; AREA_RANGES.len()] = Default::default();
            let mut objects = 0;
            for (_, scene) in self.scenes_of(category.id) {
                objects += scene.truths.iter().filter(|truth| !truth.is_crowd).count();
                matching::judge(scene, &mut tallies);
            }
            let figures = average_precision::figures(&mut tallies);
            CategorySummary { id: category.id, name: category.name.clone(), objects, figures }
        });
        Summary::new(categories.collect())
    }

    /// The detections so far, judged picture by picture.
    pub fn judged(&self) -> JudgedPictures {
        let of_category = |category: CategoryId| {
            let scenes = self.scenes_of(category).map(|(image, scene)| {
                let mut tallies: [Tally; AREA_RANGES.len()] = Default::default();
                matching::judge(scene, &mut tallies);
                let [all, ..] = tallies;
                (image, all)
            });
            scenes.collect()
        };
        JudgedPictures::new(self.ground_truth.categories().map(|category| of_category(category.id)).collect())
    }

    /// The scenes of a category, in the order of the images.
    fn scenes_of(&self, category: CategoryId) -> impl Iterator<Item = (ImageId, &Scene)> {
        let all = (category, ImageId(0))..=(category, ImageId(u64::MAX));
        self.scenes.range(all).map(|((_, image), scene)| (*image, scene))
    }
}
