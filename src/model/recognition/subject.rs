//! A model as the rules query it.

use crate::model::model_facts::{ModelFacts, Size, TensorFact};
use crate::model::recognition::class_names::class_names;
use crate::model::recognition::picture_input::{self, PictureInput};

/// A model with an input for a picture.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    pub(super) facts: &'a ModelFacts,
    pub(super) picture: PictureInput<'a>,
    /// The number of classes: of the user's labels, else of the names in the file's metadata.
    pub(super) classes: Option<u64>,
    /// The user has named the layout: what only speaks for another one does not count.
    pub(super) is_chosen: bool,
    /// Width and height of the training, which Ultralytics writes to a file with dynamic axes.
    pub(super) trained_size: Option<(u32, u32)>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(facts: &'a ModelFacts, labels: Option<usize>, is_chosen: bool) -> Result<Self, String> {
        let picture = picture_input::find(facts)?;
        let in_file = || facts.metadata.get("names").and_then(|text| class_names(text)).map(|names| names.len());
        let classes = labels.or_else(in_file).map(|count| count as u64);
        Ok(Self { facts, picture, classes, is_chosen, trained_size: trained_size(facts) })
    }

    /// The task in Ultralytics' metadata: `detect`, `segment`, `classify`, `pose` or `obb`.
    pub(super) fn task(&self) -> Option<&str> {
        self.facts.metadata.get("task").map(String::as_str)
    }

    /// True if Ultralytics exported the file.
    pub(super) fn is_ultralytics(&self) -> bool {
        let says = |key: &str| self.facts.metadata.get(key).is_some_and(|text| text.contains("Ultralytics"));
        says("author") || says("description") || (self.task().is_some() && self.facts.metadata.contains_key("stride"))
    }

    /// RF-DETR alone calls its outputs so.
    pub(super) fn is_rf_detr(&self) -> bool {
        self.facts.outputs.len() == 2 && ["dets", "labels"].iter().all(|name| self.facts.output(name).is_some())
    }

    /// True if a text of the metadata, other than the class names, contains `word`.
    pub(super) fn notes(&self, word: &str) -> bool {
        self.facts.metadata.iter().any(|(key, text)| key != "names" && text.contains(word))
    }

    /// Checks that the picture is the only input.
    pub(super) fn only_picture_goes_in(&self) -> Result<(), String> {
        let further: Vec<String> = self.further_inputs().map(|input| input.name.clone()).collect();
        match further.is_empty() {
            true => Ok(()),
            false => Err(format!("needs the picture alone, and not `{}` as well", further.join("`, `"))),
        }
    }

    pub(super) fn further_inputs(&self) -> impl Iterator<Item = &TensorFact> {
        self.facts.inputs.iter().filter(|input| input.name != self.picture.tensor.name)
    }

    /// The only output with this number of axes; outputs with another number may exist.
    pub(super) fn only_output_of(&self, axes: usize, wanted: &str) -> Result<&'a TensorFact, String> {
        let mut fitting = self.facts.outputs.iter().filter(|output| output.shape.len() == axes);
        match (fitting.next(), fitting.next()) {
            (Some(output), None) => Ok(output),
            _ => Err(format!("needs one output {wanted}")),
        }
    }

    /// The number of cells of the grids with these strides, if the input has a static size.
    pub(super) fn cells(&self, strides: &[u32]) -> Option<u64> {
        let (width, height) = (self.picture.width?, self.picture.height?);
        let grid = |stride: &u32| u64::from(width.div_ceil(*stride)) * u64::from(height.div_ceil(*stride));
        Some(strides.iter().map(grid).sum())
    }

    /// Checks that the number of classes in an output's shape equals the number of labels, if that is known.
    pub(super) fn check_classes(&self, found: u64) -> Result<(), String> {
        match self.classes {
            Some(known) if known != found => Err(format!("would have {found} classes, and there are {known} labels")),
            _ => Ok(()),
        }
    }

    /// True if the graph has attention layers, so that it is a transformer.
    pub(super) fn attends(&self) -> bool {
        self.facts.uses("LayerNormalization") > 0 || (self.facts.uses("Softmax") > 3 && self.facts.uses("MatMul") > 7)
    }
}

/// The size of an axis, if it is static.
pub(super) fn size(tensor: &TensorFact, axis: usize) -> Option<u64> {
    tensor.shape.get(axis).and_then(Size::fixed)
}

/// Operators with weights.
pub(super) const WEIGHTED: [&str; 5] = ["Conv", "Gemm", "MatMul", "QLinearConv", "ConvInteger"];

/// True if numbers are computed between the last layer with weights and the output, as where boxes are decoded.
pub(super) fn is_computed(tensor: &TensorFact) -> bool {
    ends_with(tensor, &["Mul", "Add", "Sub", "Div", "Exp", "Pow"])
}

/// True if one of these operators is between the last layer with weights and the output.
pub(super) fn ends_with(tensor: &TensorFact, operators: &[&str]) -> bool {
    let after_weights = tensor.nearest.iter().take_while(|operator| !WEIGHTED.contains(&operator.as_str()));
    after_weights.into_iter().any(|operator| operators.contains(&operator.as_str()))
}

/// Width and height from Ultralytics' `imgsz`: `[height, width]` or one number for both.
fn trained_size(facts: &ModelFacts) -> Option<(u32, u32)> {
    let text = facts.metadata.get("imgsz")?.trim().trim_matches(['[', ']', '(', ')']);
    let sides: Vec<u32> = text.split(',').map(|side| side.trim().parse().ok()).collect::<Option<_>>()?;
    match sides[..] {
        [side] => Some((side, side)),
        [height, width] => Some((width, height)),
        _ => None,
    }
}
