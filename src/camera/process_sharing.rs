//! How many cameras share a capture process.

use crate::camera::settings::CaptureSettings;

/// With so many cameras or fewer, each has a capture process of its own, unless the settings say otherwise.
pub(crate) const FEW_CAMERAS: usize = 8;

/// Cameras in each capture process where there are more. Measured with 16 cameras of 640x360: one in each takes 29 MB a
/// camera, four 16 MB, sixteen 13 MB.
const SHARED_BY: u16 = 4;

impl CaptureSettings {
    /// The most cameras in a capture process, on a box that has this many.
    pub fn most_per_process(&self, cameras: usize) -> u16 {
        match self.cameras_per_process {
            0 if cameras <= FEW_CAMERAS => 1,
            0 => SHARED_BY,
            most => most,
        }
    }
}
