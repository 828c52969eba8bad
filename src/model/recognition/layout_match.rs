//! The result of a rule for a model that fits its layout.

use crate::model::recognition::habits::Habit;
use crate::model::recognition::setting::Setting;

/// How certain a match is, in ascending order.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Certainty {
    /// Only the shapes match.
    Possible,
    /// Sizes or names match as well, and no other layout has them.
    Sure,
}

/// A match of a model with a layout.
#[derive(Debug)]
pub(super) struct Match {
    pub(super) certainty: Certainty,
    /// How a person recognises this layout, for a choice between equally likely ones.
    pub(super) choose_if: &'static str,
    /// `[output]` without the layout's name.
    pub(super) output: Vec<Setting>,
    /// What else the outputs hold, and is not read.
    pub(super) left_out: Option<String>,
    pub(super) habit: Habit,
}
