//! Sizes that several families have in common.

/// No transformer has more queries than this, and no NMS in a graph leaves more detections.
pub(in crate::model::recognition) const MANY: u64 = 1000;

/// Pixels per cell of a YOLO's grids.
pub(in crate::model::recognition) const STRIDES: [u32; 3] = [8, 16, 32];
