//! What a throttled camera decodes: no more than the units look at.
//!
//! Only one frame of a few is analysed, and all before it in its group must be decoded for that. Decoding everything and
//! analysing less takes the processor's time from the units, and what they do not look at was decoded for nothing. So the
//! decoder waits until a unit has taken the last frame; when it is too far behind by then, it goes on at the newest keyframe.

use std::time::Duration;

/// Groups that last longer would leave a camera blind for as long: of these every frame is decoded, and fewer are analysed.
const LONGEST_GROUP: Duration = Duration::from_secs(12);

/// A camera that is granted fewer frames of a group has its keyframe analysed: others cost the decoding of those before them.
const LEAST_OF_GROUP: f32 = 2.0;

/// What is decoded of the next group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Share {
    /// Everything.
    All,
    /// As much as units take.
    Paced,
    /// The keyframe.
    Keyframe,
}

/// The frames that a camera may have analysed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ration {
    /// Frames a second; `None`: as many as it wants.
    granted: Option<f32>,
    /// Those that the settings want; 0: all.
    wanted: f32,
    /// The rate at which frames are due.
    rate: Option<f32>,
}

impl Ration {
    /// From now on the camera is granted so many frames a second of those that it wants; `None`: all.
    pub(super) fn grant(&mut self, granted: Option<f32>, wanted: f32) {
        *self = Self { granted, wanted, rate: None };
    }

    /// Frames a second that are due with this share, if that has changed; 0: all. Of what is decoded as units take it, all that
    /// are wanted are due.
    pub(super) fn changed_rate(&mut self, share: Share) -> Option<f32> {
        let rate = self.granted.filter(|_| share == Share::All).unwrap_or(self.wanted);
        (self.rate.replace(rate) != Some(rate)).then_some(rate)
    }

    /// What is decoded of groups that last for `interval`, zero if unknown.
    pub(super) fn share(&self, interval: Duration) -> Share {
        match self.granted {
            None => Share::All,
            Some(_) if interval.is_zero() || interval > LONGEST_GROUP => Share::All,
            Some(granted) if granted * interval.as_secs_f32() < LEAST_OF_GROUP => Share::Keyframe,
            Some(_) => Share::Paced,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttled_camera_is_decoded_as_units_take_its_frames_or_by_its_keyframes() {
        let (seconds, mut ration) = (Duration::from_secs, Ration::default());
        assert_eq!(ration.share(seconds(2)), Share::All);
        ration.grant(Some(2.5), 5.0);
        assert_eq!((ration.changed_rate(Share::Paced), ration.changed_rate(Share::Paced)), (Some(5.0), None));
        assert_eq!(ration.changed_rate(Share::All), Some(2.5), "the groups of the camera have become long");
        assert_eq!(ration.share(seconds(2)), Share::Paced);
        ration.grant(Some(0.9), 5.0);
        assert_eq!((ration.share(seconds(2)), ration.share(seconds(4))), (Share::Keyframe, Share::Paced));
        assert_eq!((ration.share(seconds(60)), ration.share(Duration::ZERO)), (Share::All, Share::All));
        ration.grant(None, 5.0);
        assert_eq!(ration.share(seconds(2)), Share::All);
    }
}
