//! The weights of one convolution: what follows it is folded into them, then they become whole numbers by channel.

use crate::unit::quantization::constants::{Constants, attribute};
use crate::unit::quantization::messages::{Node, Tensor};

/// Weights `[channels, ...]` and a bias.
#[derive(Clone, Debug)]
pub(super) struct Weights {
    pub(super) dims: Vec<i64>,
    values: Vec<f32>,
    /// One for each channel; `None` as long as nothing has added one.
    bias: Option<Vec<f32>>,
    channels: usize,
}

/// Weights as whole numbers: `value = number * scale of its channel`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Quantized {
    pub(super) numbers: Vec<i8>,
    pub(super) scales: Vec<f32>,
    /// The bias in units of the input's scale times the channel's.
    pub(super) bias: Option<Vec<i32>>,
}

impl Weights {
    /// `None` for weights that are not finite 32-bit floats in the file.
    pub(super) fn new(tensor: &Tensor, bias: Option<Vec<f32>>) -> Option<Self> {
        let values = tensor.as_floats()?;
        let channels = usize::try_from(*tensor.dims.first()?).ok().filter(|channels| *channels > 0)?;
        let is_whole = bias.as_ref().is_none_or(|bias| bias.len() == channels);
        let is_finite = values.iter().chain(bias.iter().flatten()).all(|value| value.is_finite());
        (is_whole && is_finite && !values.is_empty()).then(|| Self {
            dims: tensor.dims.clone(),
            values,
            bias,
            channels,
        })
    }

    /// Takes over the work of a node that reads `value`, if that is a scale, a sum or a normalisation of channels.
    pub(super) fn fold(&mut self, node: &Node, value: &str, constants: &Constants<'_>) -> bool {
        let other = || {
            let [one, other] = &node.input[..] else { return None };
            let other = if one == value { other } else { one };
            constants.per_channel(other, self.channels)
        };
        let terms = match node.op_type.as_str() {
            "Mul" => other().map(|scale| (scale, vec![0.0; self.channels])),
            "Add" => other().map(|shift| (vec![1.0; self.channels], shift)),
            "BatchNormalization" => self.normalisation(node, constants),
            _ => None,
        };
        let Some((scale, shift)) = terms else { return false };
        if !scale.iter().chain(&shift).all(|term| term.is_finite()) {
            return false;
        }
        let of_channel = self.values.len() / self.channels;
        for (values, scale) in self.values.chunks_mut(of_channel).zip(&scale) {
            values.iter_mut().for_each(|value| *value *= scale);
        }
        let bias = self.bias.get_or_insert_with(|| vec![0.0; self.channels]);
        for ((bias, scale), shift) in bias.iter_mut().zip(&scale).zip(&shift) {
            *bias = *bias * scale + shift;
        }
        true
    }

    /// Scale and shift of a batch normalisation.
    fn normalisation(&self, node: &Node, constants: &Constants<'_>) -> Option<(Vec<f32>, Vec<f32>)> {
        let [_, scale, shift, mean, variance] = &node.input[..] else { return None };
        let of = |name: &String| constants.floats(name).filter(|values| values.len() == self.channels);
        let (scale, shift, mean, variance) = (of(scale)?, of(shift)?, of(mean)?, of(variance)?);
        let epsilon = attribute(node, "epsilon").and_then(|attribute| attribute.f).unwrap_or(1e-5);
        let scale: Vec<f32> =
            scale.iter().zip(&variance).map(|(scale, variance)| scale / (variance + epsilon).sqrt()).collect();
        let shift = shift.iter().zip(&mean).zip(&scale).map(|((shift, mean), scale)| shift - mean * scale).collect();
        Some((scale, shift))
    }

    /// The whole numbers for an input of this scale. A channel whose bias would not fit into 32 bits gets a coarser scale.
    #[expect(clippy::cast_possible_truncation, reason = "rounded numbers within the bounds of their type")]
    pub(super) fn quantized(&self, input_scale: f32) -> Quantized {
        let of_channel = self.values.len() / self.channels;
        let (mut numbers, mut scales) = (Vec::with_capacity(self.values.len()), Vec::with_capacity(self.channels));
        let mut bias = self.bias.as_ref().map(|_| Vec::with_capacity(self.channels));
        for (channel, values) in self.values.chunks(of_channel).enumerate() {
            let most = values.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
            let own_bias = self.bias.as_ref().map_or(0.0, |bias| bias[channel]);
            let for_bias = own_bias.abs() / (input_scale * MOST_BIAS);
            let scale = match (most / 127.0).max(for_bias) {
                scale if scale >= f32::MIN_POSITIVE => scale,
                // All weights are zero.
                _ => 1.0,
            };
            numbers.extend(values.iter().map(|value| (value / scale).round().clamp(-127.0, 127.0) as i8));
            if let Some(bias) = &mut bias {
                bias.push((own_bias / (input_scale * scale)).round().clamp(-MOST_BIAS, MOST_BIAS) as i32);
            }
            scales.push(scale);
        }
        Quantized { numbers, scales, bias }
    }
}

/// Half of what 32 bits hold: the other half is for the sums.
const MOST_BIAS: f32 = 1_073_741_824.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(values: &[f32], bias: Option<Vec<f32>>) -> Weights {
        Weights::new(&Tensor::floats("w", &[2, 1, 1, 2], values), bias).unwrap()
    }

    #[test]
    fn each_channel_has_a_scale_of_its_own_and_the_bias_that_of_its_products() {
        let quantized = weights(&[1.27, -0.635, 12.7, 0.0], Some(vec![1.0, -2.0])).quantized(0.5);
        assert_eq!(quantized.numbers, [127, -64, 127, 0]);
        assert!((quantized.scales[0] - 0.01).abs() < 1e-6 && (quantized.scales[1] - 0.1).abs() < 1e-6);
        assert_eq!(quantized.bias, Some(vec![200, -40]));
    }

    #[test]
    fn a_channel_of_zeros_and_a_large_bias_stay_within_their_types() {
        let quantized = weights(&[0.0, 0.0, 1e-9, 0.0], Some(vec![0.0, 1e6])).quantized(1e-3);
        assert_eq!((quantized.scales[0], quantized.numbers[0]), (1.0, 0));
        let bias = quantized.bias.unwrap()[1];
        let value = f64::from(bias) * 1e-3 * f64::from(quantized.scales[1]);
        assert!((value / 1e6 - 1.0).abs() < 1e-3, "{value}");
    }

    #[test]
    fn weights_that_are_not_finite_or_not_whole_are_none() {
        let of = |values: &[f32], bias| Weights::new(&Tensor::floats("w", &[2, 1, 1, 2], values), bias);
        assert!(of(&[1.0, 2.0, f32::NAN, 1.0], None).is_none());
        assert!(of(&[1.0, 2.0, 3.0], None).is_none());
        assert!(of(&[1.0; 4], Some(vec![0.0; 3])).is_none());
    }
}
