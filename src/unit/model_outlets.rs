//! Compares the inputs and outputs of a model with its manifest at load time, before a frame fails on them.

use crate::model::input_layout::{InputLayout, SampleType};
use crate::model::manifest::Manifest;
use crate::unit::load_error::LoadError;
use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};
use std::path::Path;

/// Checks the inputs and outputs. Returns the batch size if the graph fixes it.
///
/// # Errors
/// [`LoadError::Tensor`] for a missing name, [`LoadError::UnfedInput`] for an additional input,
/// [`LoadError::Shape`] for a different type or shape of the input.
pub(super) fn check(session: &Session, manifest: &Manifest, path: &Path) -> Result<Option<usize>, LoadError> {
    let input = &manifest.input;
    let picture = find(session.inputs(), &input.tensor, "input", path)?;
    let extra = manifest.output.sizes_input();
    if let Some(sizes) = extra {
        find(session.inputs(), sizes, "input", path)?;
    }
    for name in manifest.output.tensors() {
        find(session.outputs(), name, "output", path)?;
    }
    let unfed = session.inputs().iter().find(|has| has.name() != input.tensor && Some(has.name()) != extra);
    if let Some(unfed) = unfed {
        let path = path.display().to_string();
        return Err(LoadError::UnfedInput { path, name: unfed.name().to_owned() });
    }
    let batch = check_picture(picture, input, path)?;
    if batch.is_some_and(|batch| batch > 1) && !manifest.output.takes_batches() {
        return Err(wrong_shape(picture, input, path));
    }
    Ok(batch)
}

fn find<'a>(outlets: &'a [Outlet], name: &str, what: &'static str, path: &Path) -> Result<&'a Outlet, LoadError> {
    outlets.iter().find(|outlet| outlet.name() == name).ok_or_else(|| {
        let found: Vec<&str> = outlets.iter().map(Outlet::name).collect();
        let (path, name) = (path.display().to_string(), name.to_owned());
        LoadError::Tensor { path, what, name, found: found.join(", ") }
    })
}

/// Negative sizes are variable.
fn check_picture(picture: &Outlet, input: &InputLayout, path: &Path) -> Result<Option<usize>, LoadError> {
    let expected = input.shape(1);
    let wrong = || wrong_shape(picture, input, path);
    let ValueType::Tensor { ty, shape, .. } = picture.dtype() else { return Err(wrong()) };
    let fits = |(size, expected): (&i64, &usize)| *size < 0 || usize::try_from(*size) == Ok(*expected);
    if *ty != element_type(input.samples) || shape.len() != 4 || !shape.iter().zip(&expected).skip(1).all(fits) {
        return Err(wrong());
    }
    // A batch size of 0 is useless.
    match usize::try_from(shape[0]) {
        Ok(0) => Err(wrong()),
        fixed => Ok(fixed.ok()),
    }
}

fn wrong_shape(picture: &Outlet, input: &InputLayout, path: &Path) -> LoadError {
    LoadError::Shape {
        path: path.display().to_string(),
        what: "input",
        name: input.tensor.clone(),
        found: picture.dtype().to_string(),
        expected: format!("{} {:?}", element_type(input.samples), input.shape(1)),
    }
}

fn element_type(samples: SampleType) -> TensorElementType {
    match samples {
        SampleType::Float32 => TensorElementType::Float32,
        SampleType::Float16 => TensorElementType::Float16,
        SampleType::Uint8 => TensorElementType::Uint8,
    }
}
