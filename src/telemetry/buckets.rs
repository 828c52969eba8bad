//! The bounds of histograms, in seconds.

/// Upper bounds in seconds: from a unit on a GPU to a frame that waited for all of `max_frame_age`.
pub(super) const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// From a refusal to the longest wait.
pub(super) const CALL_BUCKETS: [f64; 10] = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0, 10.0];
