//! The YOLOs, whose outputs have nearly the same shapes.

use super::*;

#[test]
fn the_yolos_are_told_apart_by_their_rows_and_operators() {
    let undecoded = model(&["images float32 [1,3,416,416] Slice"], &["output float32 [1,3549,85] Transpose Concat"]);
    let lines = ["strides = [8, 16, 32]", "color = \"bgr\"", "fit = \"letterbox_top_left\"", "pad = 114"];
    check(&undecoded, "yolox_grid", &lines);
    let decoded = undecoded.using("Exp", 1);
    check(&decoded, "yolov5", &["output = \"output\"", "color = \"bgr\"", "fit = \"letterbox_top_left\""]);

    let v5 = model(
        &["images float32 [1,3,640,640] Conv"],
        &["output0 float32 [1,25200,85] Concat", "raw float32 [1,3,80,80,85] Transpose"],
    );
    check(&v5, "yolov5", &["fit = \"letterbox_center\"", "std = [255.0, 255.0, 255.0]", "color = \"rgb\""]);
    assert!(refusal(&v5, of_labels(20)).contains("80 classes, and there are 20 labels"));

    let v8 = model(&["images float16 [1,3,640,640] Conv"], &["output0 float16 [1,84,8400] Concat Sigmoid"]);
    check(&v8, "yolov8", &["classes = 80", "samples = \"float16\"", "fit = \"letterbox_center\""]);
    let masks = model(
        &["images float32 [1,3,640,640] Conv"],
        &["output0 float32 [1,116,8400] Concat", "output1 float32 [1,32,160,160] Mul"],
    );
    check(&masks, "yolov8", &["classes = 80"]);
    let open = model(&["images float32 [batch,3,height,width] Conv"], &["output0 float32 [batch,6,anchors] Concat"]);
    let open = open.noting("task", "detect").noting("stride", "32").noting("imgsz", "[384, 672]");
    check(&open.noting("names", "{0: 'cat', 1: 'dog'}"), "yolov8", &["classes = 2", "width = 672", "height = 384"]);
    let exchanged = model(&["images float32 [1,3,640,640] Conv"], &["output0 float32 [1,8400,84] Transpose"]);
    assert!(refusal(&exchanged, Hints::default()).contains("axes exchanged"));
    assert!(refusal(&exchanged, of_labels(80)).contains("axes exchanged"));
    check_with(&exchanged, of_labels(79), "yolox_grid", &["color = \"bgr\""]);
    let pose = model(&["images float32 [1,3,640,640] Conv"], &["output0 float32 [1,56,8400] Concat"]);
    check(&pose.noting("task", "pose").noting("names", "{0: 'person'}"), "yolov8", &["classes = 1"]);
    let turned = model(&["images float32 [1,3,640,640] Conv"], &["output0 float32 [1,20,8400] Concat"]);
    assert!(refusal(&turned.noting("task", "obb"), Hints::default()).contains("rotated boxes"));

    let finished = model(&["images float32 [1,3,640,640] Conv"], &["output0 float32 [1,300,6] Concat"]);
    check(&finished, "end_to_end", &["fit = \"letterbox_center\""]);
}

#[test]
fn yolov6_computes_its_boxes_without_an_exponential() {
    let v6 = model(&["images float32 [1,3,640,640] Conv"], &["outputs float32 [1,8400,85] Concat Mul Concat Div Add"]);
    check(&v6, "yolov5", &["color = \"rgb\"", "fit = \"letterbox_center\"", "std = [255.0, 255.0, 255.0]"]);
    let raw = model(&["images float32 [1,3,640,640] Conv"], &["outputs float32 [1,8400,85] Transpose Concat Conv Mul"]);
    check(&raw, "yolox_grid", &["color = \"bgr\""]);
    // What a person says goes before what the operators seem to say.
    check_with(&raw, Hints { layout: Some("yolov5"), labels: Some(80) }, "yolov5", &["output = \"outputs\""]);
    check_with(&v6, Hints { layout: Some("yolox_grid"), labels: Some(80) }, "yolox_grid", &["output = \"outputs\""]);
}

#[test]
fn key_points_and_masks_are_not_taken_for_classes() {
    let of = |rows: u64| {
        let output = format!("output0 float32 [1,{rows},8400] Concat");
        model(&["images float32 [1,3,640,640] Conv"], &[&output])
    };
    assert!(refusal(&of(56), Hints::default()).contains("52 classes, or 1 and 17 key points"));
    let pose = recognise(&of(56), of_labels(1)).unwrap();
    assert_eq!(pose.left_out, ["51 rows of key points"]);
    check_with(&of(56), of_labels(52), "yolov8", &["classes = 52"]);
    assert!(refusal(&of(20), of_labels(15)).contains("one row more than 15 labels: rotated boxes?"));
    let masks = model(
        &["images float32 [1,3,640,640] Conv"],
        &["output0 float32 [1,116,8400] Concat", "output1 float32 [1,32,160,160] Mul"],
    );
    let left_out = recognise(&masks, of_labels(80)).unwrap().left_out;
    assert!(
        left_out[0] == "32 rows of masks" && left_out[1] == "the output output1 float32 [1,32,160,160]",
        "{left_out:?}"
    );
}

#[test]
fn rows_of_seven_are_detections_where_the_graph_suppresses_and_classes_else() {
    let rows = model(&["images float32 [1,3,384,384] Conv"], &["output float32 [n,7] Concat"]);
    check(&rows.clone().using("NonMaxSuppression", 1), "end_to_end_rows", &["fit = \"letterbox_center\""]);
    check(&rows, "classifier", &["output = \"output\""]);
}

#[test]
fn one_box_per_cell_is_in_pixels() {
    let (boxes, scores) = ("a float32 [1,8400,4] Mul", "b float32 [1,8400,80] Sigmoid");
    let nas = model(&["input float32 [1,3,640,640] Conv"], &[boxes, scores]);
    check(&nas, "pixel_boxes", &["boxes = \"a\"", "fit = \"letterbox_center\"", "std = [255.0, 255.0, 255.0]"]);
    let damo = model(&["images float32 [1,3,640,640] Conv"], &[scores, boxes]);
    check(&damo, "pixel_boxes", &["boxes = \"a\"", "fit = \"letterbox_top_left\"", "std = [1.0, 1.0, 1.0]"]);
    check_with(&nas, Hints { layout: Some("ssd"), ..of_labels(80) }, "ssd", &["boxes = \"a\""]);
}
