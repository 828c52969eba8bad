//! What a rule says of a model that is in its layout.

use crate::model::recognition::habits::Habit;
use crate::model::recognition::setting::Setting;

/// How sure a rule is. Later is surer.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Certainty {
    /// The shapes allow it.
    Possible,
    /// Shapes, and sizes or names that other layouts do not have.
    Sure,
}

/// A model that is in a layout.
#[derive(Debug)]
pub(super) struct Match {
    pub(super) certainty: Certainty,
    /// What to look at where another layout is as likely.
    pub(super) choose_if: &'static str,
    /// `[output]` but for the layout's name.
    pub(super) output: Vec<Setting>,
    pub(super) habit: Habit,
}
