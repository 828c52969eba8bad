//! Exports of families that are read, or that the trial refuses.

use super::objects::*;
use super::onnx_graph::{Graph, Tensor};

/// The picture of most exports.
const IMAGES: &str = "images float32 [1,3,320,320]";

/// A graph, with what a person knows of it.
pub struct Export {
    pub name: &'static str,
    pub graph: Graph,
    pub labels: usize,
    pub layout: Option<&'static str>,
    /// The layout as which it is recognised.
    pub recognised: &'static str,
    /// Part of what is said to be left out; empty for nothing.
    pub left_out: &'static str,
    /// Part of the trial's refusal; empty for none.
    pub doubt: &'static str,
}

fn export(name: &'static str, graph: Graph, labels: usize, recognised: &'static str) -> Export {
    Export { name, graph, labels, layout: None, recognised, left_out: "", doubt: "" }
}

fn chosen(layout: &'static str, export: Export) -> Export {
    Export { layout: Some(layout), recognised: layout, ..export }
}

fn doubted(doubt: &'static str, export: Export) -> Export {
    Export { doubt, ..export }
}

/// The export of this name.
pub fn called(name: &str) -> Export {
    read().into_iter().find(|export| export.name == name).unwrap()
}

pub fn read() -> Vec<Export> {
    let all = [yolos(), grids_in_pixels(), transformers(), others()];
    all.into_iter().flatten().collect()
}

fn yolos() -> Vec<Export> {
    let ultralytics = |task: &str| Graph::of(IMAGES).noting("author", "Ultralytics").noting("task", task);
    let v8 = ultralytics("detect").output("output0 float32 [1,84,2100]", &columns(2100, 80, 0, center), &[]);
    let masks = ultralytics("segment")
        .output("output0 float32 [1,116,2100]", &columns(2100, 80, 32, center), &[])
        .output("output1 float32 [1,32,80,80]", &Tensor::all(&[1, 32, 80, 80], 0.5), &[]);
    let points = Graph::of(IMAGES).output("output0 float32 [1,56,2100]", &columns(2100, 1, 51, center), &[]);
    let v5 = Graph::of(IMAGES).output("output0 float32 [1,6300,85]", &with_objectness(6300, 80, center), &[]);
    let v6 = Graph::of(IMAGES).output("outputs float32 [1,2100,85]", &with_objectness(2100, 80, center), &["Mul"]);
    let rows = finished(2, |[a, b, c, d], class, score| vec![0.0, a, b, c, d, class, score]);
    let v7 = Graph::of(IMAGES).with_nms().output("output float32 [n,7]", &Tensor::new(&[2, 7], rows), &[]);
    let rows = finished(300, |[a, b, c, d], class, score| vec![a, b, c, d, score, class]);
    let v10 = Graph::of(IMAGES).output("output0 float32 [1,300,6]", &Tensor::new(&[1, 300, 6], rows), &[]);
    let raw = || Graph::of(IMAGES).output("output float32 [1,2100,85]", &yolox_grid(80), &[]);
    let decoded = with_objectness(2100, 80, center);
    let decoded = Graph::of(IMAGES).with("Exp").output("output float32 [1,2100,85]", &decoded, &[]);
    vec![
        export("yolo11", v8, 80, "yolov8"),
        Export { left_out: "output1", ..export("yolo11-seg", masks, 80, "yolov8") },
        Export { left_out: "key points", ..export("yolo11-pose without metadata", points, 1, "yolov8") },
        export("yolov5", v5, 80, "yolov5"),
        export("yolov6", v6, 80, "yolov5"),
        export("yolov7 with nms", v7, 80, "end_to_end_rows"),
        export("yolov10", v10, 80, "end_to_end"),
        export("yolox", raw(), 80, "yolox_grid"),
        export("yolox decoded", decoded, 80, "yolov5"),
    ]
}

fn grids_in_pixels() -> Vec<Export> {
    let (boxes, scores) = ("float32 [1,2100,4]", "float32 [1,2100,80]");
    let nas = Graph::of("input float32 [1,3,320,320]")
        .output(&format!("914 {boxes}"), &boxes_tensor(2100, corners), &["Mul"])
        .output(&format!("906 {scores}"), &scores_tensor(2100, 80), &["Sigmoid"]);
    let damo = Graph::of(IMAGES).output(&format!("output {scores}"), &scores_tensor(2100, 80), &["Sigmoid"]).output(
        &format!("952 {boxes}"),
        &boxes_tensor(2100, corners),
        &["Mul"],
    );
    vec![export("yolo-nas", nas, 80, "pixel_boxes"), export("damo-yolo", damo, 80, "pixel_boxes")]
}

fn transformers() -> Vec<Export> {
    let in_ratios = |pixels| ratios(center(pixels));
    let any = "pixel_values float32 [batch_size,num_channels,height,width]";
    let hugging_face =
        |picture: &str| {
            Graph::of(picture)
                .output("logits float32 [batch_size,num_queries,80]", &logits_tensor(300, 80), &[])
                .output("pred_boxes float32 [batch_size,num_queries,4]", &boxes_tensor(300, in_ratios), &["Sigmoid"])
        };
    let detr = Graph::of("pixel_values float32 [1,3,320,320]")
        .output("logits float32 [1,100,81]", &of_one_class(100, 81), &[])
        .output("pred_boxes float32 [1,100,4]", &boxes_tensor(100, in_ratios), &["Sigmoid"]);
    let rf_detr = Graph::of("input float32 [1,3,320,320]")
        .output("dets float32 [1,300,4]", &boxes_tensor(300, in_ratios), &[])
        .output("labels float32 [1,300,91]", &logits_tensor(300, 91), &[]);
    let flat = |written| finished(300, written);
    let deploy = Graph::of("images float32 [N,3,320,320]")
        .input("orig_target_sizes int64 [N,2]")
        .output("labels int64 [N,300]", &Tensor::new(&[1, 300], flat(|_, class, _| vec![class])), &[])
        .output("boxes float32 [N,300,4]", &Tensor::new(&[1, 300, 4], flat(|place, _, _| place.to_vec())), &[])
        .output("scores float32 [N,300]", &Tensor::new(&[1, 300], flat(|_, _, score| vec![score])), &[]);
    vec![
        export("d-fine of Hugging Face, any channels", hugging_face(any), 80, "detr"),
        export("detr", detr, 80, "detr"),
        export("rf-detr", rf_detr, 91, "detr"),
        export("d-fine as deployed", deploy, 80, "rt_detr"),
    ]
}

/// Logits for a softmax, with "no object" in the last column.
fn of_one_class(rows: usize, columns: usize) -> Tensor {
    let mut all = scores(rows, columns);
    for row in &mut all {
        let found = row.iter().any(|score| *score > 0.5);
        // Of `e^x / (e^x + columns - 1)`, the x that gives the score; else "no object" has nearly all.
        row.iter_mut()
            .for_each(|it| *it = if *it > 0.5 { (*it / (1.0 - *it) * (columns - 1) as f32).ln() } else { 0.0 });
        row[columns - 1] = if found { 0.0 } else { 12.0 };
    }
    Tensor::new(&[1, rows, columns], all.concat())
}

fn others() -> Vec<Export> {
    let rows = |written| finished(100, written);
    let tensor = |shape: &[usize], values| Tensor::new(shape, values);
    let in_ratios = rows(|[left, top, right, bottom], _, _| ratios([top, left, bottom, right]).to_vec());
    let api = Graph::of("image_tensor uint8 [batch,320,320,3]")
        .output("detection_boxes float32 [batch,100,4]", &tensor(&[1, 100, 4], in_ratios), &[])
        .output("detection_classes float32 [batch,100]", &tensor(&[1, 100], rows(|_, class, _| vec![class + 1.0])), &[])
        .output("detection_scores float32 [batch,100]", &tensor(&[1, 100], rows(|_, _, score| vec![score])), &[])
        .output("num_detections float32 [batch]", &tensor(&[1], vec![2.0]), &[]);
    let mut pico_det = Graph::of("image float32 [1,3,320,320]");
    for (kind, columns) in [("scores", 80), ("distances", 32)] {
        for (at, stride) in [8, 16, 32, 64].into_iter().enumerate() {
            let (scores, distances) = pico(stride, 80);
            let (rows, is_scores) = ((320 / stride) * (320 / stride), kind == "scores");
            let tensor = if is_scores { scores } else { distances };
            let number = if is_scores { at } else { 4 + at };
            let text = format!("save_infer_model/scale_{number}.tmp_0 float32 [1,{rows},{columns}]");
            pico_det = pico_det.output(&text, &tensor, if is_scores { &["Sigmoid"] } else { &[] });
        }
    }
    vec![
        export("ssd", ssd(ratios), 80, "ssd"),
        export("tensorflow object detection api", api, 80, "ssd_nms"),
        export("picodet", pico_det, 80, "nano_det"),
        chosen("pixel_boxes", export("ssd in pixels, and told so", ssd(corners), 80, "pixel_boxes")),
    ]
}

/// An SSD whose boxes are so written.
fn ssd(written: fn([f32; 4]) -> [f32; 4]) -> Graph {
    Graph::of(IMAGES).output("boxes float32 [1,2034,4]", &boxes_tensor(2034, written), &[]).output(
        "scores float32 [1,2034,80]",
        &scores_tensor(2034, 80),
        &["Sigmoid"],
    )
}

/// What the shapes fit and the values do not.
pub fn doubtful() -> Vec<Export> {
    let in_ratios = |pixels| ratios(center(pixels));
    let v8 = |tensor: &Tensor| Graph::of(IMAGES).output("output0 float32 [1,84,2100]", tensor, &[]);
    let mut equal = columns(2100, 80, 0, center);
    equal.values[4 * 2100..].fill(0.5);
    let mut logits = columns(2100, 80, 0, center);
    logits.values[4 * 2100..].iter_mut().for_each(|score| *score = *score * 10.0 - 5.0);
    let decoded = Graph::of(IMAGES).output("output float32 [1,2100,85]", &with_objectness(2100, 80, center), &[]);
    let rows = finished(300, |[a, b, c, d], class, score| vec![a, b, c, d, score, class + 88.0]);
    let far = Graph::of(IMAGES).output("output0 float32 [1,300,6]", &Tensor::new(&[1, 300, 6], rows), &[]);
    let rows = finished(300, |[a, b, c, d], class, score| vec![a, b, c, d, class, score]);
    let turned = Graph::of(IMAGES).output("output0 float32 [1,300,6]", &Tensor::new(&[1, 300, 6], rows), &[]);
    vec![
        doubted("try --layout pixel_boxes", export("ssd in pixels", ssd(corners), 80, "ssd")),
        doubted("of 320 pixels only", export("yolov8 in ratios", v8(&columns(2100, 80, 0, in_ratios)), 80, "yolov8")),
        doubted("all its scores are 0.5", export("yolov8 of one score", v8(&equal), 80, "yolov8")),
        doubted("no probabilities", export("yolov8 with logits", v8(&logits), 80, "yolov8")),
        doubted("try --layout yolov5", export("decoded, and nothing says so", decoded, 80, "yolox_grid")),
        doubted("a class 88, and there are 80 labels", export("more classes than labels", far, 80, "end_to_end")),
        doubted("no probabilities", export("score and class exchanged", turned, 80, "end_to_end")),
    ]
}
