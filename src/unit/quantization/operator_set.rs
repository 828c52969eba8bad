//! Raises a graph from operator set 11 or 12 to 13, the first with a scale for each channel, where that changes nothing else.
//!
//! Between them five operators got an input in place of an attribute, and three compute along one axis instead of over all from
//! there on. All others take what they took, and more.

use crate::unit::quantization::constants::attribute;
use crate::unit::quantization::error::{LEAST_SET, QuantizeError};
use crate::unit::quantization::messages::{Attribute, Model, Node, Tensor, element};
use prost::Message;

/// The oldest that can be raised.
const OLDEST: i64 = 11;

/// Operators with an attribute that has become an input.
const MOVED: [(&str, &str); 4] =
    [("Squeeze", "axes"), ("Unsqueeze", "axes"), ("ReduceSum", "axes"), ("Split", "split")];

/// Raises the model's operators if they are older.
///
/// # Errors
/// [`QuantizeError::Opset`] for a set or an operator that cannot be raised.
pub(super) fn raise(model: &mut Model) -> Result<(), QuantizeError> {
    let Some(set) = model.opset_import.iter_mut().find(|set| set.domain.is_empty() || set.domain == "ai.onnx") else {
        return Err(QuantizeError::Opset { set: 0, operator: "operators".to_owned() });
    };
    if set.version >= LEAST_SET {
        return Ok(());
    }
    let of = set.version;
    let refused = |operator: &str| QuantizeError::Opset { set: of, operator: operator.to_owned() };
    if of < OLDEST {
        return Err(refused("operators"));
    }
    let graph = model.graph.as_mut().ok_or(QuantizeError::NothingToDo)?;
    let mut constants = Vec::new();
    for node in graph.node.iter_mut().filter(|node| ["", "ai.onnx"].contains(&node.domain.as_str())) {
        let name = node.op_type.clone();
        if ["Softmax", "LogSoftmax", "Hardmax"].contains(&name.as_str()) {
            // Along the last axis both mean the same.
            let is_last = attribute(node, "axis").and_then(|axis| axis.i) == Some(-1);
            is_last.then_some(()).ok_or_else(|| refused(&name))?;
        }
        if name == "Dropout" {
            // Its ratio means nothing to a model that is not being trained.
            remove_attribute(node, "ratio");
        }
        if let Some((_, moved)) = MOVED.into_iter().find(|(operator, _)| *operator == name) {
            constants.extend(move_to_input(node, moved));
        }
    }
    graph.initializer.extend(constants);
    set.version = LEAST_SET;
    Ok(())
}

/// Makes a constant of an attribute with whole numbers, and an input of that.
fn move_to_input(node: &mut Node, name: &str) -> Option<Tensor> {
    let numbers = attribute(node, name)?.ints;
    remove_attribute(node, name);
    let constant = format!("{}_ocelli_{name}", node.output.first()?);
    node.input.truncate(1);
    node.input.push(constant.clone());
    let length = i64::try_from(numbers.len()).ok()?;
    let bytes = numbers.into_iter().flat_map(i64::to_le_bytes).collect();
    Some(Tensor::raw(&constant, &[length], element::INT64, bytes))
}

fn remove_attribute(node: &mut Node, name: &str) {
    node.attribute.retain(|bytes| Attribute::decode(bytes.clone()).map_or(true, |attribute| attribute.name != name));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::quantization::messages::{Graph, OperatorSet};

    fn model(set: i64, op_type: &str, attributes: &[Attribute]) -> Model {
        let attribute = attributes.iter().map(|attribute| attribute.encode_to_vec().into()).collect();
        let (input, output) = (vec!["x".to_owned()], vec!["y".to_owned()]);
        let node = Node { op_type: op_type.to_owned(), input, output, attribute, ..Node::default() };
        let opset_import = vec![OperatorSet { domain: String::new(), version: set }];
        Model { graph: Some(Graph { node: vec![node], ..Graph::default() }), opset_import, ..Model::default() }
    }

    fn ints(name: &str, values: &[i64]) -> Attribute {
        Attribute { name: name.to_owned(), ints: values.to_vec(), r#type: 7, ..Attribute::default() }
    }

    #[test]
    fn an_attribute_becomes_an_input_and_others_stay() {
        let mut split = model(11, "Split", &[ints("split", &[24, 48]), Attribute::int("axis", 1)]);
        raise(&mut split).unwrap();
        let graph = split.graph.unwrap();
        assert_eq!(split.opset_import[0].version, 13);
        assert_eq!(graph.node[0].input, ["x", "y_ocelli_split"]);
        assert_eq!(attribute(&graph.node[0], "axis").unwrap().i, Some(1));
        assert!(attribute(&graph.node[0], "split").is_none());
        assert_eq!(graph.initializer[0].raw_data.as_ref().unwrap()[8], 48);
        let mut equal = model(12, "Split", &[]);
        raise(&mut equal).unwrap();
        assert_eq!(equal.graph.unwrap().node[0].input, ["x"]);
    }

    #[test]
    fn the_ratio_of_a_dropout_goes() {
        let mut dropout = model(11, "Dropout", &[Attribute { f: Some(0.5), r#type: 1, ..Attribute::int("ratio", 0) }]);
        raise(&mut dropout).unwrap();
        assert!(dropout.graph.unwrap().node[0].attribute.is_empty());
    }

    #[test]
    fn what_would_mean_something_else_is_refused_by_name() {
        let refused = |model: &mut Model| raise(model).unwrap_err().to_string();
        assert!(refused(&mut model(11, "Softmax", &[])).contains("`Softmax` of operator set 11"));
        assert!(raise(&mut model(11, "Softmax", &[Attribute::int("axis", -1)])).is_ok());
        assert!(refused(&mut model(9, "Relu", &[])).contains("opset=13"));
        let mut newer = model(17, "Softmax", &[]);
        raise(&mut newer).unwrap();
        assert_eq!(newer, model(17, "Softmax", &[]));
    }
}
