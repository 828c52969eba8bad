//! What the placer decides.

use crate::vision::camera_id::CameraId;
use std::collections::BTreeMap;

/// Why a camera moves.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum MoveReason {
    /// It has no box yet.
    New,
    /// Its box has died or left.
    BoxGone,
    /// Its box is being drained.
    Draining,
    /// To the box on which the operator wants it.
    Pinned,
    /// Its box can no longer take it.
    CannotTake,
    /// Away from a camera that is to be elsewhere.
    Apart,
    /// From a box that carries more than it can to one with room.
    Overfull,
    /// From a fuller box to an emptier one.
    Balance,
}

impl MoveReason {
    /// All reasons.
    pub const ALL: [Self; 8] = [
        Self::New,
        Self::BoxGone,
        Self::Draining,
        Self::Pinned,
        Self::CannotTake,
        Self::Apart,
        Self::Overfull,
        Self::Balance,
    ];

    /// The value of a label or of a field of JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::BoxGone => "box_gone",
            Self::Draining => "draining",
            Self::Pinned => "pinned",
            Self::CannotTake => "cannot_take",
            Self::Apart => "apart",
            Self::Overfull => "overfull",
            Self::Balance => "balance",
        }
    }

    /// The reason for the operator.
    pub fn words(self) -> &'static str {
        match self {
            Self::New => "it had no box",
            Self::BoxGone => "its box is gone",
            Self::Draining => "its box is being drained",
            Self::Pinned => "it is pinned to this box",
            Self::CannotTake => "its box can no longer take it",
            Self::Apart => "it is to be apart from others that were with it",
            Self::Overfull => "its box carried more than it can",
            Self::Balance => "its box was fuller than this one",
        }
    }

    /// True for moves that could wait: they are limited by `moves_per_second`.
    pub fn is_slow(self) -> bool {
        matches!(self, Self::Pinned | Self::Apart | Self::Overfull | Self::Balance)
    }
}

/// A camera gets a box, or another one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Move {
    /// The camera that moves.
    pub camera: CameraId,
    /// The box in the plan until now.
    pub from: Option<String>,
    /// The box that is to look at it.
    pub to: String,
    /// What made it move.
    pub why: MoveReason,
}

/// A camera that stays where it should not be, or that no box can take.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unplaced {
    /// The camera meant.
    pub camera: CameraId,
    /// The reason, for the operator.
    pub why: String,
}

/// What is to be changed in the plan, and what is wrong with it afterwards.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// At most one for each camera, by the camera's name.
    pub moves: Vec<Move>,
    /// Cameras that no box can take. Their lines of the plan, if any, are void.
    pub unplaced: Vec<Unplaced>,
    /// Cameras whose lines of the plan stay although their box is draining or has not been heard of yet.
    pub held: Vec<Unplaced>,
    /// The use of each box after the moves, 1.0 when full, by the capacity that counts: the measured one within a tenth.
    pub use_of: BTreeMap<String, f32>,
}

impl Decision {
    /// True if the plan stays as it is.
    pub fn is_empty(&self) -> bool {
        self.moves.is_empty()
    }

    /// The boxes that carry more than they can, with their use: their cameras are looked at less often than asked.
    pub fn overfull(&self) -> impl Iterator<Item = (&str, f32)> {
        self.use_of.iter().filter(|(_, used)| **used > 1.0).map(|(name, used)| (name.as_str(), *used))
    }
}
