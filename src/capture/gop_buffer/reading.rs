//! What a buffer gives out and takes in at the moment.

/// What is given out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reading {
    /// Everything, in its order.
    All,
    /// The newest keyframe.
    Keyframes,
}

/// Why units are skipped until the next keyframe.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Awaits {
    Nothing,
    KeyframeAfterRation,
    KeyframeAfterLag,
    KeyframeAfterOverflow,
    FirstKeyframe,
}
