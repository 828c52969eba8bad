//! Labels of metrics, and the kinds of metric that have them.

use crate::vision::camera_id::CameraId;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

/// Label names and values.
pub(super) type Labels = Vec<(&'static str, String)>;
pub(super) type Counters = Family<Labels, Counter>;
pub(super) type Gauges = Family<Labels, Gauge>;

/// The labels of a camera's metric.
pub(super) fn camera(id: &CameraId) -> Labels {
    vec![("camera", id.to_string())]
}

/// A camera's labels and one more.
pub(super) fn with(id: &CameraId, name: &'static str, value: &str) -> Labels {
    vec![("camera", id.to_string()), (name, value.to_owned())]
}

/// Gauges are signed: a count beyond their range stays at its end.
pub(super) fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
