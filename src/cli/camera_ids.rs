//! The id of a camera on the command line.

use crate::vision::camera_id::CameraId;
use crate::vision::error_chain::describe;

/// Reads an id.
pub(super) fn parse_id(text: &str) -> Result<CameraId, String> {
    CameraId::new(text).map_err(|error| describe(&error))
}
