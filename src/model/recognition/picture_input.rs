//! Finds the input for the picture, with what the file specifies about it.

use crate::model::model_facts::{Element, ModelFacts, Size, TensorFact};

/// The input that takes the picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct PictureInput<'a> {
    pub(super) tensor: &'a TensorFact,
    /// `input.samples` of the manifest.
    pub(super) samples: &'static str,
    /// `input.axes` of the manifest.
    pub(super) axes: &'static str,
    /// No axis has a fixed size of 3: names tell the axis of the channels.
    pub(super) names_channels: bool,
    /// In pixels; `None` for a dynamic axis.
    pub(super) width: Option<u32>,
    pub(super) height: Option<u32>,
    /// The graph normalises the samples itself.
    pub(super) scales_itself: bool,
}

/// Operators before the first layer with weights that do not change the samples' range.
const NEUTRAL: [&str; 7] =
    ["Cast", "Transpose", "Identity", "QuantizeLinear", "DequantizeLinear", "Resize", "Unsqueeze"];
/// Operators there that normalise the samples.
const SCALING: [&str; 5] = ["Mul", "Div", "Sub", "Add", "BatchNormalization"];

/// Finds the one input with four axes and three channels.
pub(super) fn find(facts: &ModelFacts) -> Result<PictureInput<'_>, String> {
    let mut found: Vec<PictureInput<'_>> = Vec::new();
    let mut reasons = Vec::new();
    for tensor in &facts.inputs {
        match picture(tensor) {
            Ok(input) => found.push(input),
            Err(why) => reasons.push(format!("{tensor} {why}")),
        }
    }
    match found[..] {
        [input] => Ok(input),
        [] => Err(reasons.join("; ")),
        _ => Err("more than one takes three channels, and only one picture per inference is supported".to_owned()),
    }
}

fn picture(tensor: &TensorFact) -> Result<PictureInput<'_>, String> {
    let [batch, a, b, c] = &tensor.shape[..] else {
        return Err("does not have the four axes of a picture, [1,3,height,width] or [1,height,width,3]".to_owned());
    };
    if batch.fixed() == Some(0) {
        return Err("has a batch size of 0".to_owned());
    }
    let samples = match tensor.element {
        Element::Float32 => "float32",
        Element::Float16 => "float16",
        Element::Uint8 => "uint8",
        other => return Err(format!("has elements of {other}; float32, float16 and uint8 are supported")),
    };
    let (axes, height, width) = match (a.fixed(), c.fixed()) {
        (Some(3), _) => ("nchw", b, c),
        (_, Some(3)) => ("nhwc", a, b),
        _ if names_channels(a) || (a.fixed().is_none() && tensor.name == "pixel_values") => ("nchw", b, c),
        _ if names_channels(c) => ("nhwc", a, b),
        _ => return Err("does not have three channels".to_owned()),
    };
    let names_channels = a.fixed() != Some(3) && c.fixed() != Some(3);
    let pixels = |size: &Size| size.fixed().and_then(|pixels| u32::try_from(pixels).ok());
    let first = tensor.nearest.iter().find(|operator| !NEUTRAL.contains(&operator.as_str()));
    let scales_itself = first.is_some_and(|operator| SCALING.contains(&operator.as_str()));
    Ok(PictureInput {
        tensor,
        samples,
        axes,
        names_channels,
        width: pixels(width),
        height: pixels(height),
        scales_itself,
    })
}

/// True for an axis without a fixed size that is named after channels, as Hugging Face's Optimum does.
fn names_channels(size: &Size) -> bool {
    matches!(size, Size::Named(name) if name.contains("channel"))
}
