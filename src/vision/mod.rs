//! The common data types: frames, boxes, detections and outcomes.
//!
//! Pure data and arithmetic without I/O, clock or tokio, so that the parent and both kinds of children can share it.

pub mod attention;
pub mod camera_id;
pub mod camera_status;
pub mod detection;
pub mod error_chain;
pub mod frame;
pub mod framing;
pub mod geometry;
pub mod health_status;
pub mod image_limits;
pub mod line_limit;
pub mod look_options;
pub mod model_state;
pub mod monotonic;
pub mod nms;
pub mod outcome;
pub mod picture_source;
pub mod reconnect_ladder;
pub mod stream_counts;
pub mod stream_signal;
pub mod tamper;
pub mod tile_merge;
pub mod token_bucket;
