//! How families of networks want their pictures. None of this stands in a file.

/// What a family takes for granted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habit {
    /// Whose habit it is, for the comments.
    pub(super) of: &'static str,
    pub(super) color: &'static str,
    pub(super) fit: &'static str,
    /// Grey of the padding.
    pub(super) pad: u8,
    /// By colour in the order of the tensor, for samples of 0 to 255.
    pub(super) mean: [f32; 3],
    pub(super) std: [f32; 3],
    /// How a picture is made smaller, where the family does it unlike everybody else.
    pub(super) resize: Option<&'static str>,
    /// Share of the shorter side that is kept.
    pub(super) crop: Option<f32>,
    /// The usual side of an input.
    pub(super) side: u32,
    /// A confidence from which on detections are worth showing.
    pub(super) confidence: f32,
}

const PLAIN: Habit = Habit {
    of: "",
    color: "rgb",
    fit: "stretch",
    pad: 0,
    mean: [0.0; 3],
    std: [1.0; 3],
    resize: None,
    crop: None,
    side: 640,
    confidence: 0.4,
};

const IMAGENET_MEAN: [f32; 3] = [123.675, 116.28, 103.53];
const IMAGENET_STD: [f32; 3] = [58.395, 57.12, 57.375];

/// TensorFlow's Object Detection API: -1 to 1.
pub(super) const SSD: Habit =
    Habit { of: "SSD", mean: [127.5; 3], std: [127.5; 3], side: 300, confidence: 0.5, ..PLAIN };
/// YOLOv5 to YOLO11, YOLOv7: 0 to 1.
pub(super) const YOLO: Habit = Habit { of: "YOLO", fit: "letterbox_center", pad: 114, std: [255.0; 3], ..PLAIN };
/// The samples as they come from OpenCV.
pub(super) const YOLOX: Habit =
    Habit { of: "YOLOX", color: "bgr", fit: "letterbox_top_left", pad: 114, side: 416, ..PLAIN };
/// Trained from an ImageNet backbone.
pub(super) const DETR: Habit = Habit { of: "DETR", mean: IMAGENET_MEAN, std: IMAGENET_STD, confidence: 0.5, ..PLAIN };
/// 0 to 1, no ImageNet statistics.
pub(super) const RT_DETR: Habit = Habit { of: "RT-DETR", std: [255.0; 3], confidence: 0.5, ..PLAIN };
/// ImageNet's statistics in the order of OpenCV.
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
    Habit { of: "PicoDet", mean: IMAGENET_MEAN, std: IMAGENET_STD, resize: Some("bicubic"), side: 320, ..PLAIN };
/// 0 to 1 in the order of OpenCV.
pub(super) const FASTEST_DET: Habit = Habit { of: "FastestDet", color: "bgr", std: [255.0; 3], side: 352, ..PLAIN };
/// As almost every network for ImageNet is evaluated.
pub(super) const CLASSIFIER: Habit = Habit {
    of: "ImageNet",
    fit: "center_crop",
    mean: IMAGENET_MEAN,
    std: IMAGENET_STD,
    crop: Some(0.875),
    side: 224,
    confidence: 0.3,
    ..PLAIN
};
/// Classifiers of Ultralytics: 0 to 1, the whole of the shorter side.
pub(super) const YOLO_CLASSIFIER: Habit =
    Habit { of: "YOLO", fit: "center_crop", std: [255.0; 3], crop: Some(1.0), side: 224, confidence: 0.3, ..PLAIN };
