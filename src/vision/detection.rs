//! A detection in one picture.

use crate::vision::geometry::NormalizedBox;
use serde::{Deserialize, Serialize};

/// The index of a class: its line in the model's `labels.txt`, counted from 0.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct ClassIndex(pub u16);

/// A class with its confidence and, for an object, its box.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// Index into the labels of the model.
    pub class: ClassIndex,
    /// The model's confidence, 0..=1.
    pub confidence: f32,
    /// `None` for a label of the whole picture (classification).
    pub bounding_box: Option<NormalizedBox>,
}
