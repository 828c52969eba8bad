//! The constants of a graph: initializers, and nodes that are constants.

use crate::unit::quantization::messages::{Attribute, Graph, Node, Tensor};
use prost::Message;
use std::borrow::Cow;
use std::collections::HashMap;

/// Constants by the name of their value.
pub(super) struct Constants<'a>(HashMap<&'a str, Cow<'a, Tensor>>);

impl<'a> Constants<'a> {
    /// Collects the constants. An initializer that is an input too could be given by a caller, but no unit does.
    pub(super) fn new(graph: &'a Graph) -> Self {
        let initializers = graph.initializer.iter().map(|tensor| (tensor.name.as_str(), Cow::Borrowed(tensor)));
        let nodes = graph.node.iter().filter(|node| node.op_type == "Constant").filter_map(|node| {
            let tensor = attribute(node, "value")?.t?;
            Some((node.output.first()?.as_str(), Cow::Owned(tensor)))
        });
        Self(initializers.chain(nodes).collect())
    }

    /// A constant as it is.
    pub(super) fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.0.get(name).map(Cow::as_ref)
    }

    /// The values of a constant of 32-bit floats.
    pub(super) fn floats(&self, name: &str) -> Option<Vec<f32>> {
        self.tensor(name)?.as_floats()
    }

    /// A constant that has one value for each channel of `[N,C,H,W]`, or one for all.
    pub(super) fn per_channel(&self, name: &str, channels: usize) -> Option<Vec<f32>> {
        let tensor = self.tensor(name)?;
        let values = tensor.as_floats()?;
        if values.len() == 1 {
            return Some(vec![values[0]; channels]);
        }
        // `[C,1,1]` and `[1,C,1,1]`; `[C]` would be one value for each column.
        let is_per_channel = matches!(tensor.dims[..], [_, 1, 1] | [1, _, 1, 1]);
        (is_per_channel && values.len() == channels).then_some(values)
    }
}

/// An attribute of a node that can be read.
pub(super) fn attribute(node: &Node, name: &str) -> Option<Attribute> {
    let attributes = node.attribute.iter().filter_map(|bytes| Attribute::decode(bytes.clone()).ok());
    attributes.into_iter().find(|attribute| attribute.name == name)
}
