//! One form of export, and what the forms ask of a graph.

use crate::model::model_facts::{ModelFacts, TensorFact};
use crate::model::recognition::subject::{Subject, size};

/// One form of export.
pub(in crate::model::recognition) struct UnreadForm {
    /// What it is, after "this is".
    pub(in crate::model::recognition) what: &'static str,
    /// What can be done instead; empty if nothing is known to help.
    pub(in crate::model::recognition) instead: &'static str,
    pub(super) is: fn(&Subject<'_>) -> bool,
}

/// True if outputs have all of these names, also with a number of TensorFlow's behind it, as in `boxes:0`.
pub(super) fn has_outputs(facts: &ModelFacts, names: &[&str]) -> bool {
    let has = |name: &&str| facts.outputs.iter().any(|output| output.name.split(':').next() == Some(name));
    names.iter().all(has)
}

/// The only output, if it has this number of axes.
pub(super) fn only_output(facts: &ModelFacts, axes: usize) -> Option<&TensorFact> {
    match &facts.outputs[..] {
        [output] if output.shape.len() == axes => Some(output),
        _ => None,
    }
}

/// How many outputs have this size as their last axis.
pub(super) fn ending_in(facts: &ModelFacts, last: u64) -> usize {
    let is_it = |output: &&TensorFact| !output.shape.is_empty() && size(output, output.shape.len() - 1) == Some(last);
    facts.outputs.iter().filter(is_it).count()
}
