//! Types of labelled metrics, and their common labels.

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

/// The value for a gauge, which is signed; saturates.
pub(super) fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
