//! The outputs of a model in few lines, for refusals.

use crate::model::model_facts::TensorFact;

/// More outputs are counted only.
const SHOWN: usize = 4;

/// The first outputs, one per line with two spaces before it, and how many more there are.
pub(super) fn outputs_text(outputs: &[TensorFact]) -> String {
    let mut lines: Vec<String> = outputs.iter().take(SHOWN).map(|output| format!("  {output}")).collect();
    if outputs.len() > SHOWN {
        lines.push(format!("  and {} more", outputs.len() - SHOWN));
    }
    lines.join("\n")
}
