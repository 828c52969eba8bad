//! YOLOX in its default ONNX export, with undecoded grids: `[1,N,5+C]`.
//!
//! `xy = (p + cell) * stride`, `wh = exp(p) * stride`, `score = objectness * class`. Source: `demo_postprocess` of the
//! YOLOX reference implementation.

use super::candidates::{Candidates, around};
use super::tensor::{Tensor, TensorError, all_finite};
use super::yolov5::each_class;

pub(super) fn decode(output: Tensor<'_>, strides: &[u32], found: &mut Candidates<'_>) -> Result<(), TensorError> {
    let (width, height) = found.input_size();
    let cells: usize = strides.iter().map(|stride| (width / stride) as usize * (height / stride) as usize).sum();
    let [_, _, columns] = output.expect([Some(1), Some(cells), None])?;
    if columns < 6 {
        return Err(output.wrong(&format!("[1,{cells},5+C]")));
    }
    let mut rows = output.values.chunks_exact(columns);
    for &stride in strides {
        for cell_y in 0..height / stride {
            for (cell_x, row) in (0..width / stride).zip(&mut rows) {
                let size = stride as f32;
                let [x, y, log_width, log_height] = [row[0], row[1], row[2], row[3]];
                each_class(row, found, |found, class, score| {
                    all_finite(&row[..4])?;
                    let (x, y) = ((x + cell_x as f32) * size, (y + cell_y as f32) * size);
                    found.push_pixels(class, score, around(x, y, log_width.exp() * size, log_height.exp() * size))
                })?;
            }
        }
    }
    Ok(())
}
