//! A model's input tensor, with the type, axes, colour order and normalisation of its manifest.

use crate::model::input_layout::{ColorOrder, InputLayout, SampleType, TensorAxes};
use half::f16;

/// The values of the tensor.
#[derive(Debug)]
pub enum Values {
    /// Normalised samples.
    Float32(Vec<f32>),
    /// Normalised samples in half precision.
    Float16(Vec<f16>),
    /// Samples 0..=255, not normalised.
    Uint8(Vec<u8>),
}

/// The lookup table of unchanged samples.
const AS_IT_IS: [u8; 256] = {
    let (mut table, mut sample) = ([0; 256], 0_u8);
    while sample < u8::MAX {
        sample += 1;
        table[sample as usize] = sample;
    }
    table
};

/// A reusable buffer for a batch of pictures.
#[derive(Debug)]
pub struct InputTensor {
    values: Values,
    axes: TensorAxes,
    /// For each colour channel of the tensor, its index in RGB.
    order: [usize; 3],
    /// Normalised value of each sample, by colour channel of the tensor.
    normalised: [[f32; 256]; 3],
    /// The same in half precision.
    halves: [[f16; 256]; 3],
    pixels: usize,
}

impl InputTensor {
    /// Allocates a tensor for `batch` pictures.
    pub fn new(input: &InputLayout, batch: usize) -> Self {
        let table = |color: usize| {
            let mut values = [0.0; 256];
            for (sample, value) in (0_u8..=255).zip(&mut values) {
                *value = (f32::from(sample) - input.mean[color]) / input.std[color];
            }
            values
        };
        let pixels = input.width as usize * input.height as usize;
        let length = batch * 3 * pixels;
        let values = match input.samples {
            SampleType::Float32 => Values::Float32(vec![0.0; length]),
            SampleType::Float16 => Values::Float16(vec![f16::ZERO; length]),
            SampleType::Uint8 => Values::Uint8(vec![0; length]),
        };
        let order = match input.color {
            ColorOrder::Rgb => [0, 1, 2],
            ColorOrder::Bgr => [2, 1, 0],
        };
        let normalised = [table(0), table(1), table(2)];
        let halves = normalised.map(|table| table.map(f16::from_f32));
        Self { values, axes: input.axes, order, normalised, halves, pixels }
    }

    /// All values, `[batch,3,height,width]` or `[batch,height,width,3]` as in the manifest, row-major.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Writes a picture, interleaved RGB of the input's size, to place `item` of the batch.
    pub fn write(&mut self, item: usize, rgb: &[u8]) {
        let place = item * 3 * self.pixels..(item + 1) * 3 * self.pixels;
        let [first, second, third] = &self.normalised;
        match &mut self.values {
            Values::Float32(values) => fill(&mut values[place], rgb, self.order, self.axes, [first, second, third]),
            Values::Float16(values) => {
                let [first, second, third] = &self.halves;
                fill(&mut values[place], rgb, self.order, self.axes, [first, second, third]);
            }
            // The picture already has this layout.
            Values::Uint8(values) if self.axes == TensorAxes::Nhwc && self.order == [0, 1, 2] => {
                values[place].copy_from_slice(rgb);
            }
            Values::Uint8(values) => fill(&mut values[place], rgb, self.order, self.axes, [&AS_IT_IS; 3]),
        }
    }
}

/// Converts a picture in one pass, with one table lookup per sample.
fn fill<T: Copy>(values: &mut [T], rgb: &[u8], order: [usize; 3], axes: TensorAxes, tables: [&[T; 256]; 3]) {
    let pixels = rgb.as_chunks::<3>().0;
    match axes {
        TensorAxes::Nchw => {
            let (first, rest) = values.split_at_mut(pixels.len());
            let (second, third) = rest.split_at_mut(pixels.len());
            let planes = first.iter_mut().zip(second).zip(third);
            for (pixel, ((first, second), third)) in pixels.iter().zip(planes) {
                *first = tables[0][usize::from(pixel[order[0]])];
                *second = tables[1][usize::from(pixel[order[1]])];
                *third = tables[2][usize::from(pixel[order[2]])];
            }
        }
        TensorAxes::Nhwc => {
            for (pixel, target) in pixels.iter().zip(values.as_chunks_mut::<3>().0) {
                for color in 0..3 {
                    target[color] = tables[color][usize::from(pixel[order[color]])];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two pixels, red 200, green 100, blue 50, and their negative.
    const RGB: [u8; 6] = [200, 100, 50, 55, 155, 205];

    fn written(input: &InputLayout) -> Values {
        let mut tensor = InputTensor::new(input, 2);
        tensor.write(1, &RGB);
        tensor.values
    }

    fn input() -> InputLayout {
        InputLayout::plain("images", 2, 1)
    }

    #[test]
    fn colours_are_in_the_order_of_the_manifest_and_normalised() {
        let bgr = InputLayout { color: ColorOrder::Bgr, mean: [10.0, 0.0, 0.0], std: [2.0, 1.0, 1.0], ..input() };
        let Values::Float32(values) = written(&bgr) else { panic!() };
        assert_eq!(values[..6], [0.0; 6], "the first picture of the batch is another");
        assert_eq!(values[6..], [20.0, 97.5, 100.0, 155.0, 200.0, 55.0]);
    }

    #[test]
    fn every_type_and_order_of_axes_holds_the_same_samples() {
        let Values::Uint8(values) =
            written(&InputLayout { samples: SampleType::Uint8, axes: TensorAxes::Nhwc, ..input() })
        else {
            panic!()
        };
        assert_eq!(values[6..], RGB);
        let half = InputLayout { samples: SampleType::Float16, axes: TensorAxes::Nhwc, std: [255.0; 3], ..input() };
        let Values::Float16(values) = written(&half) else { panic!() };
        for (value, sample) in values[6..].iter().zip(RGB) {
            assert!((value.to_f32() - f32::from(sample) / 255.0).abs() < 1e-3);
        }
    }
}
