//! `[output]` of a manifest: the layout of the output tensors. `unit/tensor_decoders/` has one decoder for each.

use serde::{Deserialize, Serialize};

/// The order of a box's corner coordinates.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Corners {
    /// ymin, xmin, ymax, xmax: TensorFlow.
    #[default]
    Yxyx,
    /// xmin, ymin, xmax, ymax: most others.
    Xyxy,
}

/// How offsets are applied to an anchor.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnchorEncoding {
    /// Each corner moves by its offset times the anchor's size.
    Corners,
    /// SSD's box coder: the centre moves by a tenth of the offset times the anchor's size, and the size is multiplied
    /// by the exponential of a fifth of its offset.
    Centers,
}

/// The activation that turns a model's scores into probabilities.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// The scores are probabilities already.
    #[default]
    None,
    /// Independent per class: several classes can apply.
    Sigmoid,
    /// Exactly one class applies. In a DETR the last column is then "no object".
    Softmax,
}

/// The layout of a model's output tensors. `N`: candidates, `C`: classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "layout", rename_all = "snake_case", deny_unknown_fields)]
pub enum OutputLayout {
    /// SSD with anchors decoded in the graph: boxes `[1,N,4]` as ratios and scores `[1,N,C]`.
    Ssd {
        /// Name of the boxes tensor.
        boxes: String,
        /// Name of the scores tensor.
        scores: String,
        /// Coordinate order of the boxes.
        #[serde(default)]
        corners: Corners,
        /// The first column of the scores is the background, which has no line in the labels.
        #[serde(default)]
        background: bool,
    },
    /// YOLO-NAS and DAMO-YOLO: boxes `[1,N,4]` (left, top, right, bottom) in pixels of the input and scores `[1,N,C]`.
    PixelBoxes {
        /// Name of the boxes tensor.
        boxes: String,
        /// Name of the scores tensor.
        scores: String,
    },
    /// SSD with its anchors as an output: offsets and anchors `[1,N,4]`, scores `[1,N,C]`.
    SsdAnchors {
        /// Name of the offsets tensor.
        offsets: String,
        /// Name of the anchors tensor: corners in ratios of the picture.
        anchors: String,
        /// Name of the scores tensor.
        scores: String,
        /// How the offsets are applied to the anchors.
        encoding: AnchorEncoding,
        /// Coordinate order of the anchors and offsets.
        #[serde(default)]
        corners: Corners,
        /// The first column of the scores is the background, which has no line in the labels.
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
    /// YOLOX not decoded in the graph: `[1,N,5+C]`, centre relative to the grid cell, logarithm of the size,
    /// objectness and class scores after the sigmoid. N runs over the grids in the order of the strides.
    YoloxGrid {
        /// Name of the output tensor.
        output: String,
        /// Pixels per cell of each grid.
        strides: Vec<u32>,
    },
    /// YOLOv5, YOLOv7 and YOLOX decoded in the graph: `[1,N,5+C]`, centre and size in pixels of the input,
    /// objectness, class scores.
    Yolov5 {
        /// Name of the output tensor.
        output: String,
    },
    /// YOLOv8, v9, v11: `[1,4+C,N]`, centre and size in pixels of the input, class scores.
    Yolov8 {
        /// Name of the output tensor.
        output: String,
        /// C, if other rows follow (masks, key points). `None`: all rows after the box are classes.
        #[serde(default)]
        classes: Option<usize>,
    },
    /// Detectors without NMS, such as YOLOv10 and CenterNet: `[1,N,6]`, corners (left, top, right, bottom) in pixels of
    /// the input, score, class.
    EndToEnd {
        /// Name of the output tensor.
        output: String,
    },
    /// YOLOv7 and YOLOv9 with NMS in the graph: `[N,7]`, number of the picture, corners (left, top, right, bottom) in
    /// pixels of the input, class, score. One picture at a time.
    EndToEndRows {
        /// Name of the output tensor.
        output: String,
    },
    /// DETR and its successors: logits `[1,N,C]` and boxes `[1,N,4]`, centre and size as ratios.
    Detr {
        /// Name of the logits tensor.
        logits: String,
        /// Name of the boxes tensor.
        boxes: String,
        /// The activation of the logits: sigmoid or softmax.
        activation: Activation,
    },
    /// RT-DETR, D-FINE and DEIM in their deploy form: labels `[1,N]`, boxes `[1,N,4]` (left, top, right, bottom) in
    /// pixels of a size that is a second input, scores `[1,N]`.
    RtDetr {
        /// Name of the input `[1,2]` for width and height.
        sizes: String,
        /// Name of the labels tensor.
        labels: String,
        /// Name of the boxes tensor.
        boxes: String,
        /// Name of the scores tensor.
        scores: String,
    },
    /// NanoDet and PicoDet: for each stride, scores `[1,N,C]` after the sigmoid and the distributions of four distances
    /// `[1,N,4*bins]`.
    NanoDet {
        /// Names of the scores tensors, in the order of the strides.
        scores: Vec<String>,
        /// Names of the distances tensors, in the order of the strides.
        distances: Vec<String>,
        /// Pixels per cell of each grid.
        strides: Vec<u32>,
        /// Position of the point in its cell: 0.5 is the middle, 0 the top left corner (NanoDet-Plus).
        #[serde(default = "middle")]
        center: f32,
    },
    /// FastestDet: `[1,5+C,rows,columns]`, for each cell objectness, centre, size and class scores.
    FastestDet {
        /// Name of the output tensor.
        output: String,
    },
    /// Labels of the whole picture: `[1,C]`.
    Classifier {
        /// Name of the output tensor.
        output: String,
        /// The activation of the scores.
        #[serde(default)]
        activation: Activation,
    },
}

fn middle() -> f32 {
    0.5
}

impl OutputLayout {
    /// The name, as in the manifest.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ssd { .. } => "ssd",
            Self::PixelBoxes { .. } => "pixel_boxes",
            Self::SsdAnchors { .. } => "ssd_anchors",
            Self::SsdNms { .. } => "ssd_nms",
            Self::YoloxGrid { .. } => "yolox_grid",
            Self::Yolov5 { .. } => "yolov5",
            Self::Yolov8 { .. } => "yolov8",
            Self::EndToEnd { .. } => "end_to_end",
            Self::EndToEndRows { .. } => "end_to_end_rows",
            Self::Detr { .. } => "detr",
            Self::RtDetr { .. } => "rt_detr",
            Self::NanoDet { .. } => "nano_det",
            Self::FastestDet { .. } => "fastest_det",
            Self::Classifier { .. } => "classifier",
        }
    }

    /// The names of the output tensors, in the order in which the decoder takes them.
    pub fn tensors(&self) -> Vec<&str> {
        match self {
            Self::Ssd { boxes, scores, .. } => vec![boxes, scores],
            Self::PixelBoxes { boxes, scores } => vec![boxes, scores],
            Self::SsdAnchors { offsets, anchors, scores, .. } => vec![offsets, anchors, scores],
            Self::SsdNms { boxes, scores, classes, count } => vec![boxes, scores, classes, count],
            Self::Detr { logits, boxes, .. } => vec![logits, boxes],
            Self::RtDetr { labels, boxes, scores, .. } => vec![labels, boxes, scores],
            Self::NanoDet { scores, distances, .. } => scores.iter().chain(distances).map(String::as_str).collect(),
            Self::YoloxGrid { output, .. }
            | Self::Yolov5 { output }
            | Self::Yolov8 { output, .. }
            | Self::EndToEnd { output }
            | Self::EndToEndRows { output }
            | Self::FastestDet { output }
            | Self::Classifier { output, .. } => vec![output],
        }
    }

    /// The second input, if there is one: the size in whose pixels the boxes are returned.
    pub fn sizes_input(&self) -> Option<&str> {
        match self {
            Self::RtDetr { sizes, .. } => Some(sizes),
            _ => None,
        }
    }

    /// True if the outputs of several pictures can be told apart by their first axis.
    pub fn takes_batches(&self) -> bool {
        !matches!(self, Self::EndToEndRows { .. })
    }

    /// True for a detector, false for a classifier.
    pub fn has_boxes(&self) -> bool {
        !matches!(self, Self::Classifier { .. })
    }

    /// The first invalid key, and what it must be.
    pub(super) fn mistake(&self) -> Option<(&'static str, &'static str)> {
        let are_sizes = |strides: &[u32]| !strides.is_empty() && !strides.contains(&0);
        match self {
            Self::YoloxGrid { strides, .. } | Self::NanoDet { strides, .. } if !are_sizes(strides) => {
                Some(("output.strides", "must be positive numbers"))
            }
            Self::NanoDet { scores, distances, strides, .. }
                if scores.len() != strides.len() || distances.len() != strides.len() =>
            {
                Some(("output.scores", "and `output.distances` must be as many as the strides"))
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
