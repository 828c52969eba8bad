//! Writes the QDQ graph: which values and convolutions become whole numbers, and the nodes that say so.

use crate::ipc::quantize_messages::{ActivationRange, FloatPart};
use crate::unit::quantization::convolutions::{Convolution, activations};
use crate::unit::quantization::messages::{Attribute, Graph, Node, Tensor, element};
use prost::Message;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How a value becomes an unsigned number: `value = (number - zero) * scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Scale {
    scale: f32,
    zero: u8,
}

impl Scale {
    /// The range always has zero in it, which padding needs.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
    fn of(range: ActivationRange, ceiling: Option<f32>) -> Self {
        let (mut low, mut high) = (range.low.min(0.0), range.high.max(0.0));
        if let Some(ceiling) = ceiling {
            (low, high) = (0.0, high.min(ceiling));
        }
        let scale = (high - low) / 255.0;
        // A value that is always zero, or none that a float can say.
        let scale = if scale.is_finite() && scale >= f32::MIN_POSITIVE { scale } else { 1.0 };
        Self { scale, zero: (-low / scale).round().clamp(0.0, 255.0) as u8 }
    }
}

/// The graph with 8-bit convolutions, and their number. `None` if there is not a range for each value.
pub(super) fn write(
    graph: &Graph,
    found: &[Convolution],
    ranges: &[ActivationRange],
    float: FloatPart,
) -> Option<(Graph, usize)> {
    let values = activations(found);
    if values.len() != ranges.len() {
        return None;
    }
    let ranges: HashMap<&str, ActivationRange> = values.into_iter().zip(ranges.iter().copied()).collect();
    let chosen: BTreeMap<usize, &Convolution> = chosen(found, float).map(|one| (one.node, one)).collect();
    let dropped: BTreeSet<usize> = chosen.values().flat_map(|one| one.dropped.iter().copied()).collect();
    // What an 8-bit convolution gives has been in 8 bits under its own name.
    let given = chosen.values().filter_map(|one| {
        let scale = Scale::of(*ranges.get(one.output.as_str())?, one.ceiling);
        Some((one.output.as_str(), (one.output.clone(), scale)))
    });
    let given = given.collect();
    let mut writer = Writer { ranges, given, nodes: Vec::with_capacity(graph.node.len()), constants: Vec::new() };
    for (index, node) in graph.node.iter().enumerate() {
        match chosen.get(&index) {
            Some(convolution) => writer.convolution(node, convolution)?,
            None if dropped.contains(&index) => {}
            None => writer.nodes.push(node.clone()),
        }
    }
    let mut written = Graph { node: writer.nodes, ..graph.clone() };
    written.initializer.extend(writer.constants);
    remove_unused(&mut written);
    Some((written, chosen.len()))
}

/// The convolutions that do not stay in 32 bits.
fn chosen(found: &[Convolution], float: FloatPart) -> impl Iterator<Item = &Convolution> {
    let stays = move |place: usize, one: &Convolution| (float.is_first && place == 0) || (float.is_last && one.is_last);
    found.iter().enumerate().filter(move |(place, one)| !stays(*place, one)).map(|(_, one)| one)
}

struct Writer<'a> {
    ranges: HashMap<&'a str, ActivationRange>,
    /// The values that are in 8 bits already, with the name under which they are read and their scale.
    given: HashMap<&'a str, (String, Scale)>,
    nodes: Vec<Node>,
    constants: Vec<Tensor>,
}

impl<'a> Writer<'a> {
    /// Writes a convolution in the place of its first node.
    fn convolution(&mut self, node: &Node, one: &'a Convolution) -> Option<()> {
        let (input, input_scale) = self.input(&one.input)?;
        let name = node.output.first()?;
        let quantized = one.weights.quantized(input_scale.scale);
        let numbers = quantized.numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let channels = i64::try_from(quantized.scales.len()).ok()?;
        let weights = Tensor::raw(&new_name(name, "weights"), &one.weights.dims, element::INT8, numbers);
        let zeros =
            Tensor::raw(&new_name(name, "weights_zero"), &[channels], element::INT8, vec![0; quantized.scales.len()]);
        let mut inputs = vec![input, self.by_channel(weights, &quantized.scales, zeros)];
        if let Some(bias) = quantized.bias {
            let scales: Vec<f32> = quantized.scales.iter().map(|scale| scale * input_scale.scale).collect();
            let zeros = Tensor::raw(&new_name(name, "bias_zero"), &[channels], element::INT32, vec![0; 4 * bias.len()]);
            let bias = bias.into_iter().flat_map(i32::to_le_bytes).collect();
            let bias = Tensor::raw(&new_name(name, "bias"), &[channels], element::INT32, bias);
            inputs.push(self.by_channel(bias, &scales, zeros));
        }
        let sums = new_name(name, "sums");
        self.nodes.push(Node { input: inputs, output: vec![sums.clone()], ..node.clone() });
        let scale = self.given.get(one.output.as_str())?.1;
        self.through_8_bits(&sums, &one.output, scale);
        Some(())
    }

    /// The value that a convolution reads, in 8 bits, and its scale.
    fn input(&mut self, value: &'a str) -> Option<(String, Scale)> {
        if let Some(given) = self.given.get(value) {
            return Some(given.clone());
        }
        let scale = Scale::of(*self.ranges.get(value)?, None);
        let read = new_name(value, "read");
        self.through_8_bits(value, &read, scale);
        self.given.insert(value, (read.clone(), scale));
        Some((read, scale))
    }

    /// Quantises a value and reads it back under another name.
    fn through_8_bits(&mut self, value: &str, result: &str, Scale { scale, zero }: Scale) {
        let [in_8_bits, scale_name, zero_name] = ["8bit", "scale", "zero"].map(|what| new_name(value, what));
        self.constants.push(Tensor::floats(&scale_name, &[], &[scale]));
        self.constants.push(Tensor::raw(&zero_name, &[], element::UINT8, vec![zero]));
        let node = |op_type: &str, from: &str, to: &str| Node {
            op_type: op_type.to_owned(),
            name: new_name(value, op_type),
            input: vec![from.to_owned(), scale_name.clone(), zero_name.clone()],
            output: vec![to.to_owned()],
            ..Node::default()
        };
        self.nodes.push(node("QuantizeLinear", value, &in_8_bits));
        self.nodes.push(node("DequantizeLinear", &in_8_bits, result));
    }

    /// Reads constants with a scale for each channel, and returns the name of the result.
    fn by_channel(&mut self, numbers: Tensor, scales: &[f32], zeros: Tensor) -> String {
        let result = new_name(&numbers.name, "read");
        let scales = Tensor::floats(&new_name(&numbers.name, "scales"), &zeros.dims, scales);
        self.nodes.push(Node {
            op_type: "DequantizeLinear".to_owned(),
            name: new_name(&numbers.name, "DequantizeLinear"),
            input: vec![numbers.name.clone(), scales.name.clone(), zeros.name.clone()],
            output: vec![result.clone()],
            attribute: vec![Attribute::int("axis", 0).encode_to_vec().into()],
            ..Node::default()
        });
        self.constants.extend([numbers, scales, zeros]);
        result
    }
}

fn new_name(of: &str, what: &str) -> String {
    format!("{of}_ocelli_{what}")
}

/// Removes constants that nothing reads any more: the weights as floats.
fn remove_unused(graph: &mut Graph) {
    let readers = graph.node.iter().flat_map(|node| &node.input).chain(graph.output.iter().map(|output| &output.name));
    let used: BTreeSet<String> = readers.cloned().collect();
    // Up to IR version 3 constants are listed as inputs too, and some exporters still do that.
    let is_constant = |name: &String| graph.initializer.iter().any(|tensor| tensor.name == *name);
    let gone: BTreeSet<String> = graph.input.iter().map(|input| input.name.clone()).filter(is_constant).collect();
    graph.input.retain(|input| used.contains(&input.name) || !gone.contains(&input.name));
    graph.initializer.retain(|tensor| used.contains(&tensor.name));
    graph.node.retain(|node| node.op_type != "Constant" || node.output.iter().any(|output| used.contains(output)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_zero_in_it_and_a_rectified_one_begins_there() {
        let of = |low, high, ceiling| Scale::of(ActivationRange { low, high }, ceiling);
        assert_eq!(of(-1.0, 1.55, None).zero, 100);
        assert_eq!(of(2.0, 5.1, None), Scale { scale: 0.02, zero: 0 });
        assert_eq!(of(-3.0, 9.0, Some(6.0)), Scale { scale: 6.0 / 255.0, zero: 0 });
        assert_eq!(of(0.0, 2.55, Some(f32::INFINITY)), Scale { scale: 0.01, zero: 0 });
        assert_eq!(of(0.0, 0.0, None), Scale { scale: 1.0, zero: 0 });
        assert_eq!(of(f32::MIN, f32::MAX, None).scale, 1.0);
    }
}
