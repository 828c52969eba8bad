//! How many log lines the streams of one camera may cause. A camera can change its size with each picture, a capture process that it
//! has taken over can tell whatever it likes, and a camera without power is tried each minute for months.

use crate::vision::line_limit::{LeftOut, LineLimit};
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;

/// Cameras that were removed from the settings leave an entry, until there are so many.
const MOST_CAMERAS: usize = 1024;

/// A loss that repeats is logged the 1st, 2nd, 4th, 8th ... time, and at each multiple of this: every eight hours at a try a minute.
const EACH: u64 = 512;

/// The limits of all cameras.
#[derive(Debug, Default)]
pub(super) struct StreamLines(BTreeMap<String, Lines>);

/// Those of one camera.
#[derive(Debug, Default)]
struct Lines {
    limit: LineLimit,
    /// Why its stream and its main stream were lost last, unless they have streamed since, and how often so.
    losses: [Option<(String, u64)>; 2],
}

impl StreamLines {
    /// Says whether to log at `now` that a stream of this camera has begun; `None`: leave it out. What belongs to no camera shares one
    /// limit.
    pub(super) fn admit_stream(&mut self, camera: Option<&str>, is_main: bool, now: Monotonic) -> Option<LeftOut> {
        let lines = self.of(camera);
        lines.losses[usize::from(is_main)] = None;
        lines.limit.admit(now)
    }

    /// Says whether to log at `now` that a stream of this camera is lost for a reason, and how often that has happened since it streamed
    /// or was lost for another one; `None`: leave it out.
    pub(super) fn admit_loss(
        &mut self,
        camera: Option<&str>,
        is_main: bool,
        why: &str,
        now: Monotonic,
    ) -> Option<(LeftOut, u64)> {
        let lines = self.of(camera);
        let loss = &mut lines.losses[usize::from(is_main)];
        let times = match loss.take() {
            Some((before, times)) if before == why => times + 1,
            _ => 1,
        };
        *loss = Some((why.to_owned(), times));
        if !times.is_power_of_two() && times % EACH != 0 {
            return None;
        }
        Some((lines.limit.admit(now)?, times))
    }

    fn of(&mut self, camera: Option<&str>) -> &mut Lines {
        if self.0.len() > MOST_CAMERAS {
            self.0.clear();
        }
        self.0.entry(camera.unwrap_or_default().to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_that_changes_without_end_takes_no_lines_of_another() {
        let mut lines = StreamLines::default();
        let now = Monotonic::default();
        let logged = (0..1000).filter(|_| lines.admit_stream(Some("yard"), false, now).is_some()).count();
        assert_eq!(logged, 10);
        assert!(
            lines.admit_stream(Some("gate"), false, now).is_some() && lines.admit_stream(None, false, now).is_some()
        );
    }

    #[test]
    fn a_camera_that_is_away_for_days_is_told_ever_more_rarely_and_what_is_new_at_once() {
        let mut lines = StreamLines::default();
        let mut lose = |why: &str, minute: u64| {
            let now = Monotonic::from_nanos(minute * 60_000_000_000);
            lines.admit_loss(Some("yard"), false, why, now).map(|(_, times)| times)
        };
        let logged: Vec<u64> = (0..1500).filter_map(|minute| lose("no route", minute)).collect();
        assert_eq!(logged, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]);
        assert_eq!(
            (lose("refused", 1500), lose("no route", 1501), lose("no route", 1502)),
            (Some(1), Some(1), Some(2))
        );
        assert_eq!(lose("no route", 1503), None);
        let now = Monotonic::from_nanos(1504 * 60_000_000_000);
        let mut times = |is_main| lines.admit_loss(Some("yard"), is_main, "no route", now).map(|(_, times)| times);
        assert_eq!((times(true), times(false), times(true)), (Some(1), Some(4), Some(2)), "each stream by itself");
        assert!(lines.admit_stream(Some("yard"), false, now).is_some());
        assert_eq!(lines.admit_loss(Some("yard"), false, "no route", now).map(|(_, times)| times), Some(1));
    }
}
