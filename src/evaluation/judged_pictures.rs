//! Average precision over some of the pictures, or over some of them several times: what a bootstrap needs a thousand times.

use crate::evaluation::average_precision::mean_precision;
use crate::evaluation::coco::ImageId;
use crate::evaluation::matching::Tally;
use std::collections::BTreeMap;

/// The detections of an [`Evaluation`](crate::evaluation::Evaluation), judged picture by picture.
#[derive(Debug)]
pub struct JudgedPictures {
    /// For each category the pictures in which it is annotated or was found.
    categories: Vec<BTreeMap<ImageId, Tally>>,
}

impl JudgedPictures {
    pub(super) fn new(categories: Vec<BTreeMap<ImageId, Tally>>) -> Self {
        Self { categories }
    }

    /// Average precision over these images alone, each counted as often as it is named, as the mean over the categories that
    /// they have: `ap` of [`Figures`](crate::evaluation::Figures). `None` without an annotated object.
    pub fn average_precision(&self, images: &[ImageId]) -> Option<f64> {
        let (mut sum, mut count) = (0.0, 0.0);
        for pictures in &self.categories {
            let mut all = Tally::default();
            for tally in images.iter().filter_map(|image| pictures.get(image)) {
                all.objects += tally.objects;
                all.judged.extend_from_slice(&tally.judged);
            }
            if let Some(precision) = mean_precision(&mut all) {
                sum += precision;
                count += 1.0;
            }
        }
        (count > 0.0).then(|| sum / count)
    }
}
