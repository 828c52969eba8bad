//! The preprocessing conventions of model families. A model's file does not include them.

/// The conventions of one family.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habit {
    /// The family's name, for the comments.
    pub(super) of: &'static str,
    pub(super) color: &'static str,
    pub(super) fit: &'static str,
    /// Grey value of the padding.
    pub(super) pad: u8,
    /// Per channel in the order of `color`, for samples of 0 to 255.
    pub(super) mean: [f32; 3],
    pub(super) std: [f32; 3],
    /// The resampling filter with which the family is trained and run.
    pub(super) resize: &'static str,
    /// The share of the shorter side that a centre crop keeps.
    pub(super) crop: Option<f32>,
    /// The usual width and height of the input.
    pub(super) side: u32,
    /// A usual confidence threshold.
    pub(super) confidence: f32,
}

const PLAIN: Habit = Habit {
    of: "",
    color: "rgb",
    fit: "stretch",
    pad: 0,
    mean: [0.0; 3],
    std: [1.0; 3],
    resize: "bilinear",
    crop: None,
    side: 640,
    confidence: 0.4,
};

const IMAGENET_MEAN: [f32; 3] = [123.675, 116.28, 103.53];
const IMAGENET_STD: [f32; 3] = [58.395, 57.12, 57.375];

/// TensorFlow's Object Detection API: -1 to 1.
pub(super) const SSD: Habit =
    Habit { of: "SSD", mean: [127.5; 3], std: [127.5; 3], side: 300, confidence: 0.5, ..PLAIN };
/// ST's model zoo. With `antialias` its detector gained .003 and .005 of average precision on two sets of COCO's pictures.
pub(super) const ST_SSD: Habit = Habit { of: "ST's SSD", resize: "antialias", ..SSD };
/// YOLOv5 to YOLO11, YOLOv7: 0 to 1.
pub(super) const YOLO: Habit = Habit { of: "YOLO", fit: "letterbox_center", pad: 114, std: [255.0; 3], ..PLAIN };
/// SuperGradients: as the YOLOs, with two pixels of padding more on each side.
pub(super) const YOLO_NAS: Habit = Habit { of: "YOLO-NAS", ..YOLO };
/// 0 to 255, with nothing subtracted.
pub(super) const DAMO_YOLO: Habit = Habit { of: "DAMO-YOLO", fit: "letterbox_top_left", ..PLAIN };
/// BGR as OpenCV delivers it, 0 to 255.
pub(super) const YOLOX: Habit =
    Habit { of: "YOLOX", color: "bgr", fit: "letterbox_top_left", pad: 114, side: 416, ..PLAIN };
/// ImageNet's statistics, because the backbone was trained on it. Pillow and torchvision, which scale the pictures of
/// transformers and classifiers, use every sample.
pub(super) const DETR: Habit =
    Habit { of: "DETR", mean: IMAGENET_MEAN, std: IMAGENET_STD, resize: "antialias", confidence: 0.5, ..PLAIN };
/// 0 to 1, without ImageNet's statistics.
pub(super) const RT_DETR: Habit =
    Habit { of: "RT-DETR", std: [255.0; 3], resize: "antialias", confidence: 0.5, ..PLAIN };
/// ImageNet's statistics in BGR order.
pub(super) const NANO_DET: Habit = Habit {
    of: "NanoDet",
    color: "bgr",
    mean: [103.53, 116.28, 123.675],
    std: [57.375, 57.12, 58.395],
    side: 320,
    ..PLAIN
};
/// PaddleDetection trains and evaluates with cubic interpolation.
pub(super) const PICO_DET: Habit =
    Habit { of: "PicoDet", mean: IMAGENET_MEAN, std: IMAGENET_STD, resize: "bicubic", side: 320, ..PLAIN };
/// 0 to 1 in BGR order.
pub(super) const FASTEST_DET: Habit = Habit { of: "FastestDet", color: "bgr", std: [255.0; 3], side: 352, ..PLAIN };
/// The usual evaluation of ImageNet classifiers: a centre crop of 224 of 256 pixels.
pub(super) const CLASSIFIER: Habit = Habit {
    of: "ImageNet",
    fit: "center_crop",
    mean: IMAGENET_MEAN,
    std: IMAGENET_STD,
    resize: "antialias",
    crop: Some(0.875),
    side: 224,
    confidence: 0.3,
    ..PLAIN
};
/// Ultralytics classifiers: 0 to 1, a crop with the whole shorter side.
pub(super) const YOLO_CLASSIFIER: Habit =
    Habit { of: "YOLO", mean: [0.0; 3], std: [255.0; 3], crop: Some(1.0), ..CLASSIFIER };
