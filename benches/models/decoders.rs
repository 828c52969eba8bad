//! From raw tensors to detections, on a hundred objects in each layout, and at a threshold of 0.

use crate::random::Random;
use crate::scene::{CLASSES, Candidate, OBJECTS, candidates, noise, ratio};
use crate::statistics::median;
use ocelli::model::input_layout::InputLayout;
use ocelli::model::manifest::Thresholds;
use ocelli::model::output_layout::{Activation, AnchorEncoding, Corners, OutputLayout};
use ocelli::unit::picture_fit::Placement;
use ocelli::unit::tensor_decoders::{self, Reading, Tensor};
use ocelli::vision::geometry::NormalizedBox;
use std::time::Instant;

/// Milliseconds, at most.
const BAR: f64 = 1.0;

/// How many finds of an object most layouts have.
const OF_EACH: usize = 10;

/// A line of the table.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Row {
    layout: &'static str,
    milliseconds: f64,
    detections: usize,
    /// None at a threshold of 0.
    bar: Option<f64>,
    ok: Option<bool>,
}

/// A model's output.
struct Output {
    name: &'static str,
    layout: OutputLayout,
    tensors: Vec<(Vec<i64>, Vec<f32>)>,
    /// The side of the input.
    side: u32,
}

pub(crate) fn measure() -> Vec<Row> {
    println!("{:<44} {:>8} {:>10} {:>5}  ok", "decode and suppress, ms", "median", "detections", "bar");
    let thresholds = Thresholds { confidence: 0.3, weak_confidence: None, iou: 0.5, max_detections: 100 };
    let mut rows = Vec::new();
    for output in outputs() {
        let row = measure_one(&output, &thresholds, 300, Some(BAR));
        assert_eq!(row.detections, OBJECTS, "{}", row.layout);
        rows.push(row);
    }
    // As a caller may ask: everything counts, and of each class there are as many boxes as can be.
    let thresholds = Thresholds { confidence: 0.0, weak_confidence: None, iou: 0.5, max_detections: 1000 };
    for output in [everything_ssd(), everything_yolov5()] {
        rows.push(measure_one(&output, &thresholds, 5, None));
    }
    rows
}

fn measure_one(output: &Output, thresholds: &Thresholds, times: u32, bar: Option<f64>) -> Row {
    let input = InputLayout::plain("images", output.side, output.side);
    let placement = Placement::new(&input, (1280, 720), NormalizedBox::WHOLE);
    let reading = Reading { thresholds, placement: &placement };
    let tensors = output.tensors.iter().map(|(shape, values)| Tensor { shape, values });
    let tensors: Vec<Tensor<'_>> = tensors.collect();
    let decode = || tensor_decoders::decode(&output.layout, &tensors, &reading).unwrap();
    let detections = decode().len();
    let times = (0..times).map(|_| {
        let started = Instant::now();
        std::hint::black_box(decode());
        started.elapsed().as_secs_f64() * 1e3
    });
    let milliseconds = median(times.collect());
    let row = Row { layout: output.name, milliseconds, detections, bar, ok: bar.map(|bar| milliseconds <= bar) };
    let (shown, ok) = (row.bar.map_or("-".to_owned(), |bar| bar.to_string()), row.ok);
    let ok = ok.map_or("-", |ok| if ok { "yes" } else { "NO" });
    println!("{:<44} {milliseconds:>8.3} {detections:>10} {shown:>5}  {ok}", row.layout);
    row
}

fn outputs() -> Vec<Output> {
    vec![
        ssd(),
        ssd_anchors(),
        ssd_nms(),
        yolox_grid(),
        yolov5(),
        yolov8(),
        end_to_end(),
        detr("detr, sigmoid 300x80", Activation::Sigmoid, CLASSES),
        detr("detr, softmax 300x92", Activation::Softmax, 92),
        rt_detr(),
        nano_det(),
        fastest_det(),
        classifier(),
    ]
}

/// Candidates spread over so many places, each with one of its own.
fn placed(found: Vec<Candidate>, places: usize) -> impl Iterator<Item = (usize, Candidate)> {
    let count = found.len();
    found.into_iter().enumerate().map(move |(index, one)| (index * places / count, one))
}

/// `[1,N,C]` of scores.
fn scores(places: usize, columns: usize, found: &[(usize, Candidate)]) -> (Vec<i64>, Vec<f32>) {
    let mut values = noise(places * columns);
    for (place, one) in found {
        values[place * columns + one.class] = one.score;
    }
    (shape(&[1, places, columns]), values)
}

/// `[1,N,4]` of what `four` makes of each candidate, and of a box in the middle elsewhere.
fn boxes(places: usize, found: &[(usize, Candidate)], four: impl Fn(&Candidate) -> [f32; 4]) -> (Vec<i64>, Vec<f32>) {
    let nothing = Candidate { class: 0, score: 0.0, center: (0.5, 0.5), size: (0.1, 0.1) };
    let mut values = vec![four(&nothing); places];
    for (place, one) in found {
        values[*place] = four(one);
    }
    (shape(&[1, places, 4]), values.concat())
}

fn shape(sizes: &[usize]) -> Vec<i64> {
    sizes.iter().map(|size| i64::try_from(*size).unwrap()).collect()
}

fn yxyx(one: &Candidate) -> [f32; 4] {
    let [left, top, right, bottom] = one.corners();
    [top, left, bottom, right]
}

fn ssd() -> Output {
    let found: Vec<_> = placed(candidates(OF_EACH), 1917).collect();
    let layout = OutputLayout::Ssd { boxes: "b".into(), scores: "s".into(), corners: Corners::Yxyx, background: false };
    let tensors = vec![boxes(1917, &found, yxyx), scores(1917, 90, &found)];
    Output { name: "ssd 1917x90", layout, tensors, side: 300 }
}

fn ssd_anchors() -> Output {
    let found: Vec<_> = placed(candidates(OF_EACH), 1917).collect();
    let layout = OutputLayout::SsdAnchors {
        offsets: "o".into(),
        anchors: "a".into(),
        scores: "s".into(),
        encoding: AnchorEncoding::Centers,
        corners: Corners::Yxyx,
        background: false,
    };
    let offsets = boxes(1917, &found, |_| [0.0; 4]);
    let tensors = vec![offsets, boxes(1917, &found, yxyx), scores(1917, 90, &found)];
    Output { name: "ssd_anchors 1917x90", layout, tensors, side: 300 }
}

fn ssd_nms() -> Output {
    let found: Vec<_> = placed(candidates(1), OBJECTS).collect();
    let layout = OutputLayout::SsdNms { boxes: "b".into(), scores: "s".into(), classes: "c".into(), count: "n".into() };
    let row = |value: fn(&Candidate) -> f32| {
        (shape(&[1, OBJECTS]), found.iter().map(|(_, one)| value(one)).collect::<Vec<f32>>())
    };
    let (scores, classes) = (row(|one| one.score), row(|one| one.class as f32 + 1.0));
    let tensors = vec![boxes(OBJECTS, &found, yxyx), scores, classes, (vec![1], vec![OBJECTS as f32])];
    Output { name: "ssd_nms 100", layout, tensors, side: 300 }
}

fn yolox_grid() -> Output {
    let strides: [u32; 3] = [8, 16, 32];
    let cells = strides.iter().flat_map(|stride| {
        let side = 640 / stride;
        (0..side * side).map(move |cell| (cell % side, cell / side, *stride))
    });
    let cells: Vec<(u32, u32, u32)> = cells.collect();
    let mut values = noise(cells.len() * 85);
    for (place, one) in placed(candidates(OF_EACH), cells.len()) {
        let (cell_x, cell_y, stride) = cells[place];
        let of_stride = |ratio: f32| ratio * 640.0 / stride as f32;
        let row = &mut values[place * 85..(place + 1) * 85];
        row[0] = of_stride(one.center.0) - cell_x as f32;
        row[1] = of_stride(one.center.1) - cell_y as f32;
        row[2] = of_stride(one.size.0).ln();
        row[3] = of_stride(one.size.1).ln();
        (row[4], row[5 + one.class]) = (1.0, one.score);
    }
    let layout = OutputLayout::YoloxGrid { output: "o".into(), strides: strides.to_vec() };
    Output { name: "yolox_grid 8400x85", layout, tensors: vec![(vec![1, 8400, 85], values)], side: 640 }
}

/// Centre and size in pixels of an input of 640.
fn centered(one: &Candidate) -> [f32; 4] {
    [one.center.0, one.center.1, one.size.0, one.size.1].map(|ratio| ratio * 640.0)
}

fn yolov5() -> Output {
    let mut values = noise(25_200 * 85);
    for (place, one) in placed(candidates(OF_EACH), 25_200) {
        let row = &mut values[place * 85..(place + 1) * 85];
        row[..4].copy_from_slice(&centered(&one));
        (row[4], row[5 + one.class]) = (1.0, one.score);
    }
    let layout = OutputLayout::Yolov5 { output: "o".into() };
    Output { name: "yolov5 25200x85", layout, tensors: vec![(vec![1, 25_200, 85], values)], side: 640 }
}

fn yolov8() -> Output {
    let mut values = noise(84 * 8400);
    for (place, one) in placed(candidates(OF_EACH), 8400) {
        for (row, value) in centered(&one).into_iter().enumerate() {
            values[row * 8400 + place] = value;
        }
        values[(4 + one.class) * 8400 + place] = one.score;
    }
    let layout = OutputLayout::Yolov8 { output: "o".into(), classes: None };
    Output { name: "yolov8 84x8400", layout, tensors: vec![(vec![1, 84, 8400], values)], side: 640 }
}

fn end_to_end() -> Output {
    let mut values = noise(300 * 6);
    for (place, one) in placed(candidates(1), 300) {
        let row = &mut values[place * 6..(place + 1) * 6];
        row[..4].copy_from_slice(&one.corners().map(|ratio| ratio * 640.0));
        (row[4], row[5]) = (one.score, one.class as f32);
    }
    let layout = OutputLayout::EndToEnd { output: "o".into() };
    Output { name: "end_to_end 300", layout, tensors: vec![(vec![1, 300, 6], values)], side: 640 }
}

fn detr(name: &'static str, activation: Activation, columns: usize) -> Output {
    let found: Vec<_> = placed(candidates(1), 300).collect();
    // Under softmax the last column, "no object", wins where there is none.
    let mut logits: Vec<f32> = noise(300 * columns).into_iter().map(|noise| noise - 5.0).collect();
    if activation == Activation::Softmax {
        logits.chunks_exact_mut(columns).for_each(|row| row[columns - 1] = 5.0);
    }
    for (place, one) in &found {
        let row = &mut logits[place * columns..(place + 1) * columns];
        row[one.class] = (one.score / (1.0 - one.score)).ln();
        if activation == Activation::Softmax {
            row[columns - 1] = 0.0;
        }
    }
    let layout = OutputLayout::Detr { logits: "l".into(), boxes: "b".into(), activation };
    let boxes = boxes(300, &found, |one| [one.center.0, one.center.1, one.size.0, one.size.1]);
    Output { name, layout, tensors: vec![(shape(&[1, 300, columns]), logits), boxes], side: 640 }
}

fn rt_detr() -> Output {
    let found: Vec<_> = placed(candidates(1), 300).collect();
    let (mut labels, mut scores) = (vec![0.0; 300], noise(300));
    for (place, one) in &found {
        (labels[*place], scores[*place]) = (one.class as f32, one.score);
    }
    let layout = OutputLayout::RtDetr { sizes: "z".into(), labels: "l".into(), boxes: "b".into(), scores: "s".into() };
    let boxes = boxes(300, &found, |one| one.corners().map(|ratio| ratio * 640.0));
    let tensors = vec![(vec![1, 300], labels), boxes, (vec![1, 300], scores)];
    Output { name: "rt_detr 300", layout, tensors, side: 640 }
}

/// An object is seen by nine cells of the finest grid and by one of the next.
fn nano_det() -> Output {
    const SIDE: usize = 416;
    const BINS: usize = 8;
    let strides = [8_usize, 16, 32];
    let places = strides.map(|stride| (SIDE / stride) * (SIDE / stride));
    let mut scores = places.map(|places| noise(places * CLASSES));
    let mut distances = places.map(|places| noise(places * 4 * BINS));
    for (index, one) in candidates(OF_EACH).into_iter().enumerate() {
        let near = index % OF_EACH;
        let (grid, step_x, step_y) = if near == 9 { (1, 1, 1) } else { (0, near % 3, near / 3) };
        let columns = SIDE / strides[grid];
        let cell = |center: f32, step: usize| {
            let mut cells = (0..columns).rev().filter(|cell| *cell as f32 <= center * columns as f32);
            cells.next().unwrap() + step - 1
        };
        let (x, y) = (cell(one.center.0, step_x), cell(one.center.1, step_y));
        let place = y * columns + x;
        scores[grid][place * CLASSES + one.class] = one.score;
        let [left, top, right, bottom] = one.corners().map(|ratio| ratio * columns as f32);
        let (x, y) = (x as f32 + 0.5, y as f32 + 0.5);
        let row = &mut distances[grid][place * 4 * BINS..(place + 1) * 4 * BINS];
        for (bins, distance) in row.chunks_exact_mut(BINS).zip([x - left, y - top, right - x, bottom - y]) {
            // Its two neighbours share what is in between.
            for (bin, logit) in bins.iter_mut().enumerate() {
                *logit = (1.0 - (bin as f32 - distance).abs()).max(1e-6).ln();
            }
        }
    }
    let layout = OutputLayout::NanoDet {
        scores: vec!["s".into(); 3],
        distances: vec!["d".into(); 3],
        strides: vec![8, 16, 32],
        center: 0.5,
    };
    let scores = places.iter().zip(scores).map(|(places, values)| (shape(&[1, *places, CLASSES]), values));
    let distances = places.iter().zip(distances).map(|(places, values)| (shape(&[1, *places, 4 * BINS]), values));
    Output { name: "nano_det 416, strides 8 16 32", layout, tensors: scores.chain(distances).collect(), side: 416 }
}

/// Its grid has room for four finds of an object.
fn fastest_det() -> Output {
    const SIDE: usize = 22;
    let cells = SIDE * SIDE;
    let mut values = noise((5 + CLASSES) * cells);
    for (index, one) in candidates(4).into_iter().enumerate() {
        let in_cells = |ratio: f32| ratio * SIDE as f32;
        let (x, y) = (in_cells(one.center.0), in_cells(one.center.1));
        let cell = |value: f32, step: usize| {
            let cells = (0..SIDE).filter(|cell| (*cell as f32 - value).abs() < 1.0);
            cells.min().unwrap() + step
        };
        let (column, row) = (cell(x, index % 2), cell(y, index / 2 % 2));
        let inverse = |value: f32| (value / (1.0 - value)).ln();
        let of_cell =
            [1.0, (x - column as f32).atanh(), (y - row as f32).atanh(), inverse(one.size.0), inverse(one.size.1)];
        for (channel, value) in of_cell.into_iter().enumerate() {
            values[channel * cells + row * SIDE + column] = value;
        }
        values[(5 + one.class) * cells + row * SIDE + column] = one.score;
    }
    let layout = OutputLayout::FastestDet { output: "o".into() };
    let shape = shape(&[1, 5 + CLASSES, SIDE, SIDE]);
    Output { name: "fastest_det 85x22x22", layout, tensors: vec![(shape, values)], side: 352 }
}

/// A hundred labels of a thousand hold.
fn classifier() -> Output {
    let mut logits: Vec<f32> = noise(1000).into_iter().map(|noise| noise - 5.0).collect();
    logits.iter_mut().step_by(10).for_each(|logit| *logit = 1.0);
    let layout = OutputLayout::Classifier { output: "o".into(), activation: Activation::Sigmoid };
    Output { name: "classifier 1000, sigmoid", layout, tensors: vec![(vec![1, 1000], logits)], side: 224 }
}

/// Boxes about eleven objects, so that all classes together stay just below the limit of detections and none of the
/// candidates is spared.
fn crowd(places: usize) -> Vec<Candidate> {
    let mut random = Random(13);
    let of_place = |place: usize| {
        let x = 0.05 + (place % 11) as f32 * 0.09;
        let mut near = |value: f32, by: f32| value + (ratio(&mut random) - 0.5) * by;
        Candidate { class: 0, score: 0.0, center: (near(x, 0.006), 0.5), size: (near(0.08, 0.004), 0.5) }
    };
    (0..places).map(of_place).collect()
}

fn everything_ssd() -> Output {
    let crowd = crowd(1917);
    let Output { layout, tensors, .. } = ssd();
    let boxes = (vec![1, 1917, 4], crowd.iter().map(yxyx).collect::<Vec<_>>().concat());
    let scores = (tensors[1].0.clone(), noise(1917 * 90));
    Output { name: "ssd 1917x90, threshold 0, at most 1000", layout, tensors: vec![boxes, scores], side: 300 }
}

fn everything_yolov5() -> Output {
    let mut values = noise(25_200 * 85);
    for (row, one) in values.chunks_exact_mut(85).zip(crowd(25_200)) {
        row[..4].copy_from_slice(&centered(&one));
        row[4] = 1.0;
    }
    let layout = OutputLayout::Yolov5 { output: "o".into() };
    let tensors = vec![(vec![1, 25_200, 85], values)];
    Output { name: "yolov5 25200x80, threshold 0, at most 1000", layout, tensors, side: 640 }
}
