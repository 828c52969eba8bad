//! When each frame of a clip is due, round after round.

use std::time::Duration;

/// A frame without a time or a duration lasts so long: 25 frames a second.
const FRAME: Duration = Duration::from_millis(40);

/// So much later than the frame before is no matter of the order of frames.
const GAP: Duration = Duration::from_secs(1);

/// What a file says of a frame.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct FileTimes {
    /// When it is to be decoded.
    pub(super) decode: Option<Duration>,
    /// When it is to be shown.
    pub(super) show: Option<Duration>,
    /// How long it is shown.
    pub(super) duration: Option<Duration>,
}

/// Gives frames times since the start that only rise, whatever the file says.
#[derive(Debug, Default)]
pub(super) struct ClipClock {
    /// The time of the file and ours, where this round began.
    round: Option<(Duration, Duration)>,
    /// Ours of the newest frame, and when the next one is due if it has no time.
    last: Option<Duration>,
    next: Duration,
}

impl ClipClock {
    /// The clip begins anew: its times do too.
    pub(super) fn begin_round(&mut self) {
        self.round = None;
    }

    /// When the next frame is due, from what the file says of it.
    pub(super) fn due(&mut self, FileTimes { decode, show, duration }: FileTimes) -> Duration {
        let due = decode.or(show).map_or(self.next, |time| {
            let (file_start, start) = *self.round.get_or_insert((time, self.next));
            let due = start + time.saturating_sub(file_start);
            // Matroska says when a frame is shown, and frames come in the order of decoding: they follow each other, unless
            // the file has a gap.
            let is_reordered = decode.is_none() && duration.is_some() && due < self.next + GAP;
            if is_reordered { self.next } else { due }
        });
        // Frames that share a time stay frames.
        let due = self.last.map_or(due, |last| due.max(last + Duration::from_nanos(1)));
        let step = self.last.map(|last| due - last).filter(|step| *step >= Duration::from_millis(1));
        self.last = Some(due);
        self.next = due + duration.filter(|duration| !duration.is_zero()).or(step).unwrap_or(FRAME);
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn at(time: u64, duration: Option<u64>) -> FileTimes {
        FileTimes { decode: Some(ms(time)), duration: duration.map(ms), show: None }
    }

    #[test]
    fn a_round_follows_the_one_before_as_a_frame_follows_a_frame() {
        let mut clock = ClipClock::default();
        let mut due = Vec::new();
        for _ in 0..3 {
            clock.begin_round();
            due.extend([500, 600, 700].map(|time| clock.due(at(time, None))));
        }
        assert_eq!(due, [0, 100, 200, 300, 400, 500, 600, 700, 800].map(ms));
    }

    #[test]
    fn frames_without_times_come_at_25_a_second_and_equal_or_falling_times_rise() {
        let mut clock = ClipClock::default();
        let due: Vec<Duration> = (0..4).map(|_| clock.due(FileTimes::default())).collect();
        assert_eq!(due, [0, 40, 80, 120].map(ms));
        let mut clock = ClipClock::default();
        let due: Vec<Duration> = [50, 50, 20, 90].map(|time| clock.due(at(time, Some(10)))).to_vec();
        assert!(due.windows(2).all(|pair| pair[0] < pair[1]) && due[3] == ms(40), "{due:?}");
    }

    #[test]
    fn frames_whose_file_says_only_when_they_are_shown_follow_each_other_and_gaps_stay() {
        let mut clock = ClipClock::default();
        let shown = |time| FileTimes { show: Some(ms(time)), duration: Some(ms(50)), decode: None };
        let due = [0, 200, 100, 50, 150, 5000, 5050].map(|time| clock.due(shown(time)));
        assert_eq!(due, [0, 50, 100, 150, 200, 5000, 5050].map(ms));
    }
}
