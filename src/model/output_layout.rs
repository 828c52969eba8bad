//! The names of output layouts; `unit/tensor_decoders/` has one file for each.

use serde::{Deserialize, Serialize};

/// How a model's output tensors are to be read.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "layout", rename_all = "snake_case", deny_unknown_fields)]
pub enum OutputLayout {
    /// SSD with anchors decoded in the graph: boxes `[1,N,4]` (ymin, xmin, ymax, xmax as ratios) and
    /// scores `[1,N,C]` without a background column.
    Ssd {
        /// Name of the boxes tensor.
        boxes: String,
        /// Name of the scores tensor.
        scores: String,
    },
    /// The outputs of the TensorFlow Object Detection API with NMS in the graph: boxes `[1,K,4]`
    /// (ymin, xmin, ymax, xmax), scores `[1,K]`, classes `[1,K]` counted from 1, and a count `[1]`.
    SsdNms {
        /// Name of the boxes tensor.
        boxes: String,
        /// Name of the scores tensor.
        scores: String,
        /// Name of the classes tensor.
        classes: String,
        /// Name of the count tensor.
        count: String,
    },
    /// YOLOX without decoding in the graph: `[1,N,5+C]`, centre relative to the grid cell, logarithm of the
    /// size, objectness and class scores after the sigmoid. N runs over the grids of the strides in order.
    YoloxGrid {
        /// Name of the tensor.
        output: String,
        /// Pixels a cell, in the order of the grids.
        strides: Vec<u32>,
    },
}

impl OutputLayout {
    /// The tensors that the decoder reads, in its order.
    pub fn tensors(&self) -> Vec<&str> {
        match self {
            Self::Ssd { boxes, scores } => vec![boxes, scores],
            Self::SsdNms { boxes, scores, classes, count } => vec![boxes, scores, classes, count],
            Self::YoloxGrid { output, .. } => vec![output],
        }
    }
}
