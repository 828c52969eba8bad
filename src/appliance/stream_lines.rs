//! How many log lines the streams of one camera may cause. A camera can change its size with each picture, and a capture
//! process that it has taken over can tell whatever it likes.

use crate::vision::line_limit::{LeftOut, LineLimit};
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;

/// Cameras that were removed from the settings leave an entry, until there are so many.
const MOST_CAMERAS: usize = 1024;

/// The limits of all cameras.
#[derive(Debug, Default)]
pub(super) struct StreamLines(BTreeMap<String, LineLimit>);

impl StreamLines {
    /// Says whether to log a line about a stream of this camera at `now`; `None`: leave it out. What belongs to no camera
    /// shares one limit.
    pub(super) fn admit(&mut self, camera: Option<&str>, now: Monotonic) -> Option<LeftOut> {
        if self.0.len() > MOST_CAMERAS {
            self.0.clear();
        }
        self.0.entry(camera.unwrap_or_default().to_owned()).or_default().admit(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_that_changes_without_end_takes_no_lines_of_another() {
        let mut lines = StreamLines::default();
        let now = Monotonic::default();
        let logged = (0..1000).filter(|_| lines.admit(Some("yard"), now).is_some()).count();
        assert_eq!(logged, 10);
        assert!(lines.admit(Some("gate"), now).is_some() && lines.admit(None, now).is_some());
    }
}
