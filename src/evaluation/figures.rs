//! COCO's twelve figures, for one category or as the mean of several.

use crate::evaluation::coco::CategoryId;
use serde::Serialize;

/// Average precisions and recalls, each 0..=1; `None` if no such object is annotated.
///
/// Small objects have an area of up to 32 x 32 pixels, large ones of at least 96 x 96. If no IoU is named, the figure
/// is the mean over the IoU thresholds 0.50, 0.55, ... 0.95.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Average precision, COCO's main figure ("mAP", "AP@[.5:.95]").
    pub ap: Option<f64>,
    /// Average precision at an IoU threshold of 0.50.
    pub ap50: Option<f64>,
    /// Average precision at an IoU threshold of 0.75.
    pub ap75: Option<f64>,
    /// Average precision of small objects.
    pub ap_small: Option<f64>,
    /// Average precision of objects that are neither small nor large.
    pub ap_medium: Option<f64>,
    /// Average precision of large objects.
    pub ap_large: Option<f64>,
    /// Recall with the best detection per category and image.
    pub ar1: Option<f64>,
    /// Recall with the 10 best detections per category and image.
    pub ar10: Option<f64>,
    /// Recall with the 100 best detections per category and image, on which the other figures are based as well.
    pub ar100: Option<f64>,
    /// Recall of small objects.
    pub ar_small: Option<f64>,
    /// Recall of objects that are neither small nor large.
    pub ar_medium: Option<f64>,
    /// Recall of large objects.
    pub ar_large: Option<f64>,
}

/// The result of an evaluation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The mean over all categories.
    pub overall: Figures,
    /// All categories of the file, by ascending id.
    pub categories: Vec<CategorySummary>,
}

/// One category of a [`Summary`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CategorySummary {
    /// Its id in the annotation file.
    pub id: CategoryId,
    /// Its name in the annotation file.
    pub name: String,
    /// The number of annotated objects. Crowds do not count, because a detector need not find them.
    pub objects: usize,
    /// The figures of this category alone.
    pub figures: Figures,
}

impl Figures {
    /// The unweighted mean of each figure over the categories that have it.
    fn mean(several: &[&Figures]) -> Self {
        let mean = |figure: fn(&Figures) -> Option<f64>| {
            let (mut sum, mut count) = (0.0, 0.0);
            for value in several.iter().filter_map(|figures| figure(figures)) {
                sum += value;
                count += 1.0;
            }
            (count > 0.0).then(|| sum / count)
        };
        Self {
            ap: mean(|figures| figures.ap),
            ap50: mean(|figures| figures.ap50),
            ap75: mean(|figures| figures.ap75),
            ap_small: mean(|figures| figures.ap_small),
            ap_medium: mean(|figures| figures.ap_medium),
            ap_large: mean(|figures| figures.ap_large),
            ar1: mean(|figures| figures.ar1),
            ar10: mean(|figures| figures.ar10),
            ar100: mean(|figures| figures.ar100),
            ar_small: mean(|figures| figures.ar_small),
            ar_medium: mean(|figures| figures.ar_medium),
            ar_large: mean(|figures| figures.ar_large),
        }
    }
}

// === impl Summary ===

impl Summary {
    pub(super) fn new(categories: Vec<CategorySummary>) -> Self {
        let all: Vec<&Figures> = categories.iter().map(|category| &category.figures).collect();
        Self { overall: Figures::mean(&all), categories }
    }

    /// The mean over some categories only, such as people or all vehicles. Duplicates and unknown ids have no effect.
    pub fn over(&self, wanted: &[CategoryId]) -> Figures {
        let among = self.categories.iter().filter(|category| wanted.contains(&category.id));
        Figures::mean(&among.map(|category| &category.figures).collect::<Vec<_>>())
    }
}
