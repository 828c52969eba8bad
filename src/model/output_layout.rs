//! The names of output layouts; `unit/tensor_decoders/` has one file for each.

use serde::{Deserialize, Serialize};

/// The order of a box's corners.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Corners {
    /// ymin, xmin, ymax, xmax: TensorFlow.
    #[default]
    Yxyx,
    /// xmin, ymin, xmax, ymax.
    Xyxy,
}

/// How offsets move an anchor.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnchorEncoding {
    /// Each corner by its offset times the anchor's size.
    Corners,
    /// The centre by a tenth of the offset times the size, the size by the exponential of a fifth of its offset.
    Centers,
}

/// What makes probabilities of a model's scores.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// They are some already.
    #[default]
    None,
    /// Each for itself: several classes may hold.
    Sigmoid,
    /// One class holds. Of a DETR the last column is then "no object".
    Softmax,
}

/// How a model's output tensors are to be read. `N` places, `C` classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "layout", rename_all = "snake_case", deny_unknown_fields)]
pub enum OutputLayout {
    /// SSD with anchors decoded in the graph: boxes `[1,N,4]` as ratios and scores `[1,N,C]`.
    Ssd {
        /// Name of the boxes tensor.
        boxes: String,
        /// Name of the scores tensor.
        scores: String,
        /// Of each box.
        #[serde(default)]
        corners: Corners,
        /// The first column of the scores is "nothing", and no line of the labels.
        #[serde(default)]
        background: bool,
    },
    /// SSD with its anchors as an output: offsets and anchors `[1,N,4]`, scores `[1,N,C]`.
    SsdAnchors {
        /// Name of the offsets tensor.
        offsets: String,
        /// Name of the anchors tensor, corners as ratios.
        anchors: String,
        /// Name of the scores tensor.
        scores: String,
        /// How the offsets move the anchors.
        encoding: AnchorEncoding,
        /// Of each anchor, and of its offsets.
        #[serde(default)]
        corners: Corners,
        /// The first column of the scores is "nothing", and no line of the labels.
        #[serde(default)]
        background: bool,
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
    /// YOLOv5, YOLOv7 and YOLOX decoded in the graph: `[1,N,5+C]`, centre and size in pixels of the input,
    /// objectness, class scores.
    Yolov5 {
        /// Name of the tensor.
        output: String,
    },
    /// YOLOv8, v9, v11: `[1,4+C,N]`, centre and size in pixels of the input, class scores.
    Yolov8 {
        /// Name of the tensor.
        output: String,
        /// C, where more rows follow (masks, key points); none: all rows are classes.
        #[serde(default)]
        classes: Option<usize>,
    },
    /// Detectors that need no suppression, as YOLOv10 and CenterNet: `[1,N,6]`, corners (left, top, right, bottom) in
    /// pixels of the input, score, class.
    EndToEnd {
        /// Name of the tensor.
        output: String,
    },
    /// DETR and its kin: logits `[1,N,C]` and boxes `[1,N,4]`, centre and size as ratios.
    Detr {
        /// Name of the logits tensor.
        logits: String,
        /// Name of the boxes tensor.
        boxes: String,
        /// What makes probabilities of the logits.
        activation: Activation,
    },
    /// RT-DETR, D-FINE and DEIM as they are deployed: labels `[1,N]`, boxes `[1,N,4]` (left, top, right, bottom) in
    /// pixels of a size that is a second input, scores `[1,N]`.
    RtDetr {
        /// Name of the input `[1,2]` that is given width and height.
        sizes: String,
        /// Name of the labels tensor.
        labels: String,
        /// Name of the boxes tensor.
        boxes: String,
        /// Name of the scores tensor.
        scores: String,
    },
    /// NanoDet and PicoDet: for each stride scores `[1,N,C]` after the sigmoid and the distributions of four
    /// distances `[1,N,4*bins]`.
    NanoDet {
        /// Names of the scores tensors, in the order of the strides.
        scores: Vec<String>,
        /// Names of the distances tensors, in the order of the strides.
        distances: Vec<String>,
        /// Pixels a cell.
        strides: Vec<u32>,
        /// Where in its cell a place lies: 0.5 in the middle, 0 at its corner (NanoDet-Plus).
        #[serde(default = "middle")]
        center: f32,
    },
    /// FastestDet: `[1,5+C,rows,columns]`, objectness, centre, size, class scores of each cell.
    FastestDet {
        /// Name of the tensor.
        output: String,
    },
    /// Labels of the whole picture: `[1,C]`.
    Classifier {
        /// Name of the tensor.
        output: String,
        /// What makes probabilities of its values.
        #[serde(default)]
        activation: Activation,
    },
}

fn middle() -> f32 {
    0.5
}

impl OutputLayout {
    /// The tensors that the decoder reads, in its order.
    pub fn tensors(&self) -> Vec<&str> {
        match self {
            Self::Ssd { boxes, scores, .. } => vec![boxes, scores],
            Self::SsdAnchors { offsets, anchors, scores, .. } => vec![offsets, anchors, scores],
            Self::SsdNms { boxes, scores, classes, count } => vec![boxes, scores, classes, count],
            Self::Detr { logits, boxes, .. } => vec![logits, boxes],
            Self::RtDetr { labels, boxes, scores, .. } => vec![labels, boxes, scores],
            Self::NanoDet { scores, distances, .. } => scores.iter().chain(distances).map(String::as_str).collect(),
            Self::YoloxGrid { output, .. }
            | Self::Yolov5 { output }
            | Self::Yolov8 { output, .. }
            | Self::EndToEnd { output }
            | Self::FastestDet { output }
            | Self::Classifier { output, .. } => vec![output],
        }
    }

    /// The input beside the picture's that is given the size in which boxes are wanted.
    pub fn sizes_input(&self) -> Option<&str> {
        match self {
            Self::RtDetr { sizes, .. } => Some(sizes),
            _ => None,
        }
    }

    /// True if it finds objects with boxes, and not labels of the whole picture.
    pub fn has_boxes(&self) -> bool {
        !matches!(self, Self::Classifier { .. })
    }

    /// The first value that cannot be, and what it must be.
    pub(super) fn mistake(&self) -> Option<(&'static str, &'static str)> {
        let are_sizes = |strides: &[u32]| !strides.is_empty() && !strides.contains(&0);
        match self {
            Self::YoloxGrid { strides, .. } | Self::NanoDet { strides, .. } if !are_sizes(strides) => {
                Some(("output.strides", "must be positive numbers"))
            }
            Self::NanoDet { scores, distances, strides, .. }
                if scores.len() != strides.len() || distances.len() != strides.len() =>
            {
                Some(("output.scores", "must be as many as the strides, and so `output.distances`"))
            }
            Self::NanoDet { center, .. } if !(0.0..=1.0).contains(center) => Some(("output.center", "must be 0 to 1")),
            Self::Yolov8 { classes: Some(0), .. } => Some(("output.classes", "must be 1 or more")),
            Self::Detr { activation: Activation::None, .. } => {
                Some(("output.activation", "must be `sigmoid` or `softmax`"))
            }
            _ => None,
        }
    }
}
