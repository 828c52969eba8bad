//! The second file of a package: the same model with 8-bit convolutions.

use crate::model::model_facts::{ModelFacts, TensorFact};
use crate::model::model_file::Int8File;
use crate::model_store::{Staging, StoreError};
use std::path::Path;

/// Its name in a package.
pub(super) const INT8_FILE: &str = "model.int8.onnx";

/// Copies a quantised file beside the model.
pub(super) fn copy(source: &Path, staging: &Staging) -> Result<Int8File, StoreError> {
    let sha256 = staging.copy_model(source, INT8_FILE)?;
    Ok(Int8File { file: INT8_FILE.to_owned(), sha256, judged: None })
}

/// Why a quantised file cannot be read by the manifest of the float one: other inputs or outputs, or weights elsewhere.
pub(super) fn mismatch(float: &ModelFacts, int8: &ModelFacts) -> Option<String> {
    if let Some(file) = int8.external_files.keys().next() {
        return Some(format!("its weights are in `{file}`: save it again with its weights inside"));
    }
    differing("input", &float.inputs, &int8.inputs).or_else(|| differing("output", &float.outputs, &int8.outputs))
}

/// Name, type and shape count; the operators beside them do not.
fn differing(what: &str, float: &[TensorFact], int8: &[TensorFact]) -> Option<String> {
    let shown = |tensor: &TensorFact| TensorFact { nearest: Vec::new(), ..tensor.clone() }.to_string();
    let lacking = float.iter().find(|tensor| !int8.iter().any(|other| shown(other) == shown(tensor)));
    let lacking = lacking.map(|tensor| format!("it has no {what} `{}` as the float model has", shown(tensor)));
    lacking.or_else(|| {
        let extra = int8.iter().find(|tensor| !float.iter().any(|other| shown(other) == shown(tensor)))?;
        Some(format!("it has an {what} `{}`, which the float model has not", shown(extra)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::model_facts::{Element, Size};

    fn facts(width: u64, outputs: &[&str]) -> ModelFacts {
        let tensor = |name: &str, shape: &[u64]| TensorFact {
            name: name.to_owned(),
            element: Element::Float32,
            shape: shape.iter().map(|size| Size::Fixed(*size)).collect(),
            nearest: vec![name.to_uppercase()],
        };
        let outputs = outputs.iter().map(|name| tensor(name, &[1, 100, 4])).collect();
        ModelFacts { inputs: vec![tensor("images", &[1, 3, 300, width])], outputs, ..ModelFacts::default() }
    }

    #[test]
    fn a_twin_has_the_same_inputs_and_outputs() {
        let float = facts(300, &["boxes"]);
        let of = |width, outputs: &[&str]| mismatch(&float, &facts(width, outputs));
        assert_eq!(of(300, &["boxes"]), None);
        assert!(of(320, &["boxes"]).unwrap().contains("no input `images"));
        assert!(of(300, &["scores"]).unwrap().contains("no output `boxes"));
        assert!(of(300, &["boxes", "scores"]).unwrap().contains("an output `scores"));
        let external_files = [("w".to_owned(), 1)].into();
        let apart = mismatch(&float, &ModelFacts { external_files, ..float.clone() });
        assert!(apart.unwrap().contains("weights inside"));
    }
}
