//! Two objects, and how families write them into their outputs for an input of 320 x 320.

use super::onnx_graph::Tensor;

/// Left, top, right, bottom in pixels of the input, class and score.
pub const OBJECTS: [([f32; 4], usize, f32); 2] =
    [([64.0, 96.0, 192.0, 224.0], 0, 0.9), ([160.0, 32.0, 288.0, 128.0], 2, 0.8)];

pub const SIDE: usize = 320;

/// Centre and size.
pub fn center([left, top, right, bottom]: [f32; 4]) -> [f32; 4] {
    [(left + right) / 2.0, (top + bottom) / 2.0, right - left, bottom - top]
}

pub fn corners(pixels: [f32; 4]) -> [f32; 4] {
    pixels
}

pub fn ratios(pixels: [f32; 4]) -> [f32; 4] {
    pixels.map(|value| value / SIDE as f32)
}

/// Each cell of the grids with these strides: left, top, right, bottom in pixels.
fn cells(strides: &[usize]) -> Vec<[f32; 4]> {
    let mut all = Vec::new();
    for stride in strides {
        for cell in 0..(SIDE / stride).pow(2) {
            let (x, y) = (cell % (SIDE / stride) * stride, cell / (SIDE / stride) * stride);
            all.push([x, y, x + stride, y + stride].map(|value| value as f32));
        }
    }
    all
}

/// Boxes of `rows` places, which show the grids' cells again and again, and the objects at the places 500 and 901 of them.
pub fn boxes(rows: usize, written: fn([f32; 4]) -> [f32; 4]) -> Vec<[f32; 4]> {
    let cells = cells(&[8, 16, 32]);
    let mut all: Vec<[f32; 4]> = (0..rows).map(|row| written(cells[row % cells.len()])).collect();
    for (at, (place, ..)) in OBJECTS.into_iter().enumerate() {
        all[place_of(at, rows)] = written(place);
    }
    all
}

/// Where an object is among so many rows.
fn place_of(object: usize, rows: usize) -> usize {
    [500, 901][object] % rows
}

/// Scores of `rows` places and `classes` classes.
pub fn scores(rows: usize, classes: usize) -> Vec<Vec<f32>> {
    let mut all = vec![vec![0.01; classes]; rows];
    for (at, (_, class, score)) in OBJECTS.into_iter().enumerate() {
        all[place_of(at, rows)][class.min(classes - 1)] = score;
    }
    all
}

/// Boxes as `[1,rows,4]`.
pub fn boxes_tensor(rows: usize, written: fn([f32; 4]) -> [f32; 4]) -> Tensor {
    Tensor::new(&[1, rows, 4], boxes(rows, written).concat())
}

/// Scores as `[1,rows,classes]`.
pub fn scores_tensor(rows: usize, classes: usize) -> Tensor {
    Tensor::new(&[1, rows, classes], scores(rows, classes).concat())
}

/// Logits as `[1,rows,classes]`.
pub fn logits_tensor(rows: usize, classes: usize) -> Tensor {
    let logits = scores(rows, classes).concat().into_iter().map(|score| (score / (1.0 - score)).ln());
    Tensor::new(&[1, rows, classes], logits.collect())
}

/// `[1,rows,4+1+classes]`: box, objectness, classes.
pub fn with_objectness(rows: usize, classes: usize, written: fn([f32; 4]) -> [f32; 4]) -> Tensor {
    let (boxes, scores) = (boxes(rows, written), scores(rows, classes));
    let all = boxes.iter().zip(&scores).flat_map(|(place, scores)| [&place[..], &[1.0], scores].concat());
    Tensor::new(&[1, rows, 5 + classes], all.collect())
}

/// `[1,4+classes+further,rows]`: YOLOv8.
pub fn columns(rows: usize, classes: usize, further: usize, written: fn([f32; 4]) -> [f32; 4]) -> Tensor {
    let (boxes, scores) = (boxes(rows, written), scores(rows, classes));
    let mut all = Vec::new();
    for at in 0..4 {
        all.extend(boxes.iter().map(|place| place[at]));
    }
    for at in 0..classes {
        all.extend(scores.iter().map(|scores| scores[at]));
    }
    all.extend(vec![77.0; further * rows]);
    Tensor::new(&[1, 4 + classes + further, rows], all)
}

/// A YOLOX that is not decoded: the objects are in the grid of 32 pixels per cell.
pub fn yolox_grid(classes: usize) -> Tensor {
    let rows = 1600 + 400 + 100;
    let mut all = vec![vec![0.0; 5 + classes]; rows];
    for (place, class, score) in OBJECTS {
        let [x, y, width, height] = center(place).map(|value| value / 32.0);
        let row = &mut all[2000 + whole(y.floor() * 10.0 + x.floor())];
        row[..5].copy_from_slice(&[x.fract(), y.fract(), width.ln(), height.ln(), 1.0]);
        row[5 + class] = score;
    }
    Tensor::new(&[1, rows, 5 + classes], all.concat())
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cells and bins are whole and positive")]
fn whole(value: f32) -> usize {
    value as usize
}

/// PicoDet: scores and distances of the grid with this stride; the objects are in that of 32.
pub fn pico(stride: usize, classes: usize) -> (Tensor, Tensor) {
    let side = SIDE / stride;
    let (mut scores, mut distances) = (vec![vec![0.01; classes]; side * side], vec![vec![0.0; 32]; side * side]);
    for (place, class, score) in OBJECTS.into_iter().filter(|_| stride == 32) {
        let [x, y, ..] = center(place).map(|value| (value / 32.0).floor());
        let cell = whole(y * 10.0 + x);
        scores[cell][class] = score;
        let (x, y) = (x * 32.0 + 16.0, y * 32.0 + 16.0);
        for (side, distance) in [x - place[0], y - place[1], place[2] - x, place[3] - y].into_iter().enumerate() {
            // A distance of 2.5 cells is half in the bin 2 and half in the bin 3.
            for bin in [(distance / 32.0).floor(), (distance / 32.0).ceil()] {
                distances[cell][8 * side + whole(bin)] = 50.0;
            }
        }
    }
    (Tensor::new(&[1, side * side, classes], scores.concat()), Tensor::new(&[1, side * side, 32], distances.concat()))
}

/// Finished detections, `rows` of them, each as `written` from corners, class and score; further ones have a score of 0.
pub fn finished(rows: usize, written: fn([f32; 4], f32, f32) -> Vec<f32>) -> Vec<f32> {
    let objects = OBJECTS.into_iter().map(|(place, class, score)| written(place, class as f32, score));
    let rest = (OBJECTS.len()..rows).map(|_| written([8.0, 8.0, 16.0, 16.0], 0.0, 0.0));
    objects.chain(rest).flatten().collect()
}
