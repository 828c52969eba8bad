//! The number of a model's classes, from the shape of an output.

use crate::model::model_facts::ModelFacts;
use crate::model::output_layout::{Activation, OutputLayout};

/// The number of classes that need a label, and the name of the output that determines it. `None` for a dynamic size,
/// and for layouts that return class numbers instead of a score per class.
pub fn class_count<'a>(facts: &ModelFacts, layout: &'a OutputLayout) -> Option<(u64, &'a str)> {
    let (name, axis, others) = match layout {
        OutputLayout::Ssd { scores, background, .. } | OutputLayout::SsdAnchors { scores, background, .. } => {
            (scores, 2, u64::from(*background))
        }
        OutputLayout::PixelBoxes { scores, .. } => (scores, 2, 0),
        OutputLayout::YoloxGrid { output, .. } | OutputLayout::Yolov5 { output } => (output, 2, 5),
        OutputLayout::Yolov8 { output, classes: Some(classes) } => return Some((*classes as u64, output)),
        OutputLayout::Yolov8 { output, classes: None } => (output, 1, 4),
        OutputLayout::Detr { logits, activation, .. } => (logits, 2, u64::from(*activation == Activation::Softmax)),
        OutputLayout::NanoDet { scores, .. } => (scores.first()?, 2, 0),
        OutputLayout::FastestDet { output } => (output, 1, 5),
        OutputLayout::Classifier { output, .. } => (output, 1, 0),
        OutputLayout::SsdNms { .. }
        | OutputLayout::EndToEnd { .. }
        | OutputLayout::EndToEndRows { .. }
        | OutputLayout::RtDetr { .. } => return None,
    };
    let columns = facts.output(name)?.shape.get(axis)?.fixed()?;
    Some((columns.checked_sub(others)?, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::model_facts::{Element, Size, TensorFact};

    fn facts(shape: &[u64]) -> ModelFacts {
        let shape = shape.iter().map(|size| Size::Fixed(*size)).collect();
        let output = TensorFact { name: "o".into(), element: Element::Float32, shape, nearest: Vec::new() };
        ModelFacts { outputs: vec![output], ..ModelFacts::default() }
    }

    #[test]
    fn the_shape_tells_the_classes_of_a_layout() {
        let output = || "o".to_owned();
        for (layout, shape, count) in [
            (OutputLayout::Yolov8 { output: output(), classes: None }, vec![1, 84, 8400], Some(80)),
            (OutputLayout::Yolov8 { output: output(), classes: Some(3) }, vec![1, 39, 8400], Some(3)),
            (OutputLayout::Yolov5 { output: output() }, vec![1, 25200, 85], Some(80)),
            (OutputLayout::FastestDet { output: output() }, vec![1, 85, 22, 22], Some(80)),
            (OutputLayout::Classifier { output: output(), activation: Activation::None }, vec![1, 1000], Some(1000)),
            (OutputLayout::Classifier { output: "gone".into(), activation: Activation::None }, vec![1, 1000], None),
            (OutputLayout::EndToEnd { output: output() }, vec![1, 300, 6], None),
            (OutputLayout::Yolov5 { output: output() }, vec![1, 9, 3], None),
        ] {
            assert_eq!(class_count(&facts(&shape), &layout).map(|(count, _)| count), count, "{layout:?}");
        }
    }
}
