//! Recognition of every layout from shapes as exporters write them, and the reasons for a refusal.

mod yolos;

use super::*;
use crate::model::model_facts::{Element, Size, TensorFact};

/// Parses a tensor as it is displayed: `images float32 [1,3,640,640]`, then the nearest operators.
fn tensor(text: &str) -> TensorFact {
    let (shown, operators) = text.split_once("] ").unwrap_or((text.trim_end_matches(']'), ""));
    let mut words = shown.split(' ');
    let name = words.next().unwrap().to_owned();
    let element = match words.next().unwrap() {
        "float32" => Element::Float32,
        "float16" => Element::Float16,
        "uint8" => Element::Uint8,
        "int64" => Element::Int64,
        other => panic!("{other}"),
    };
    let size = |text: &str| text.parse().map_or_else(|_| Size::Named(text.to_owned()), Size::Fixed);
    let shape = words.next().unwrap().trim_start_matches('[').split(',').map(size).collect();
    let nearest = operators.split_whitespace().map(str::to_owned).collect();
    TensorFact { name, element, shape, nearest }
}

fn model(inputs: &[&str], outputs: &[&str]) -> ModelFacts {
    let tensors = |texts: &[&str]| texts.iter().map(|text| tensor(text)).collect();
    ModelFacts { inputs: tensors(inputs), outputs: tensors(outputs), ..ModelFacts::default() }
}

impl ModelFacts {
    fn using(mut self, operator: &str, times: u64) -> Self {
        self.operators.insert(operator.to_owned(), times);
        self
    }

    fn noting(mut self, key: &str, value: &str) -> Self {
        self.metadata.insert(key.to_owned(), value.to_owned());
        self
    }
}

fn with_outputs(count: usize) -> ModelFacts {
    let outputs: Vec<String> = (0..count).map(|at| format!("y{at} float32 [1,7,7,1024] Conv")).collect();
    model(&["x float32 [1,3,320,320] Conv"], &outputs.iter().map(String::as_str).collect::<Vec<_>>())
}

fn of_labels(labels: usize) -> Hints<'static> {
    Hints { labels: Some(labels), ..Hints::default() }
}

/// Recognises `facts` and requires these lines in the proposal.
fn check_with(facts: &ModelFacts, hints: Hints<'_>, layout: &str, lines: &[&str]) {
    let proposal = recognise(facts, hints).unwrap_or_else(|error| panic!("{layout}: {error}"));
    let sections = proposal.sections();
    assert_eq!(proposal.layout, layout, "{sections}");
    for line in lines {
        assert!(sections.lines().any(|has| has == *line), "{line} is not in\n{sections}");
    }
}

fn check(facts: &ModelFacts, layout: &str, lines: &[&str]) {
    check_with(facts, Hints::default(), layout, lines);
}

fn refusal(facts: &ModelFacts, hints: Hints<'_>) -> String {
    recognise(facts, hints).unwrap_err().to_string()
}

#[test]
fn ssd_in_its_three_forms() {
    let raw = model(
        &["images float32 [1,3,300,300] Mul Sub Conv"],
        &["boxes float32 [1,1917,4] Concat", "scores float32 [1,1917,90] Slice Sigmoid Concat"],
    );
    let raw = raw.noting("boxes", "ymin,xmin,ymax,xmax normalised").noting("input", "RGB 0..255, stretched");
    check(&raw, "ssd", &["corners = \"yxyx\"", "background = false", "mean = [0.0, 0.0, 0.0]", "color = \"rgb\""]);
    check_with(&raw, of_labels(90), "ssd", &["background = false"]);
    check_with(&raw, of_labels(89), "ssd", &["background = true"]);
    assert!(refusal(&raw, of_labels(80)).contains("90 columns of scores, and there are 80 labels"));

    let faces = model(
        &["input float32 [1,3,240,320] Conv"],
        &["scores float32 [1,4420,2] Concat Softmax", "boxes float32 [1,4420,4] Concat"],
    );
    let lines = ["scores = \"scores\"", "corners = \"xyxy\"", "background = true", "width = 320", "height = 240"];
    check(&faces, "ssd", &lines);

    let anchored = model(
        &["serving_default_input_1:0 uint8 [n,256,256,3] Cast Transpose Conv"],
        &[
            "StatefulPartitionedCall:2 float32 [n,6820,81] DequantizeLinear Softmax Concat Conv",
            "StatefulPartitionedCall:1 float32 [n,6820,4] DequantizeLinear Concat Reshape Conv",
            "StatefulPartitionedCall:0 float32 [n,6820,4] DequantizeLinear Concat Reshape Tile",
        ],
    );
    let lines =
        ["anchors = \"StatefulPartitionedCall:0\"", "samples = \"uint8\"", "axes = \"nhwc\"", "background = true"];
    check(&anchored, "ssd_anchors", &lines);
    assert!(
        !recognise(&anchored, Hints::default()).unwrap().sections().contains("mean"),
        "bytes are taken as they are"
    );

    let with_nms = model(
        &["image_tensor:0 uint8 [batch,height,width,3] Cast"],
        &[
            "detection_boxes:0 float32 [batch,n,4]",
            "detection_classes:0 float32 [batch,n]",
            "detection_scores:0 float32 [batch,n]",
            "num_detections:0 float32 [batch]",
        ],
    );
    check(&with_nms, "ssd_nms", &["count = \"num_detections:0\"", "width = 300"]);
}

#[test]
fn transformers() {
    let outputs = ["pred_logits float32 [1,100,92] MatMul", "pred_boxes float32 [1,100,4] Sigmoid"];
    let detr = model(&["pixel_values float32 [1,3,800,800] Conv"], &outputs);
    check(&detr, "detr", &["activation = \"softmax\"", "mean = [123.675, 116.28, 103.53]"]);
    check_with(&detr, of_labels(92), "detr", &["activation = \"sigmoid\""]);
    let unnamed = model(
        &["input float32 [1,3,560,560] Conv"],
        &["dets float32 [1,300,4] Concat", "labels float32 [1,300,91] Add MatMul"],
    );
    check(&unnamed.using("LayerNormalization", 40), "detr", &["boxes = \"dets\"", "logits = \"labels\""]);

    let rf_detr = model(
        &["input float32 [1,3,560,560] Conv"],
        &["dets float32 [1,300,4] Concat", "labels float32 [1,300,91] Add MatMul"],
    );
    check(&rf_detr, "detr", &["activation = \"sigmoid\"", "mean = [123.675, 116.28, 103.53]"]);
    check_with(&rf_detr, of_labels(91), "detr", &["activation = \"sigmoid\""]);
    // No column is "no object", and which of 91 has no name is not known.
    assert!(refusal(&rf_detr, of_labels(90)).contains("91 columns of logits, and there are 90 labels"));

    let any = ["logits float32 [batch_size,num_queries,n]", "pred_boxes float32 [batch_size,num_queries,4] Sigmoid"];
    let any = model(&["pixel_values float32 [batch_size,num_channels,height,width] Conv"], &any);
    let lines = ["axes = \"nchw\"", "width = 640", "resize = \"antialias\"", "activation = \"sigmoid\""];
    check(&any, "detr", &lines);
    check(&any.using("TopK", 1), "detr", &["std = [255.0, 255.0, 255.0]"]);

    let deploy = model(
        &["images float32 [N,3,640,640] Conv", "orig_target_sizes int64 [N,2] Unsqueeze"],
        &["labels int64 [N,300]", "boxes float32 [N,300,4]", "scores float32 [N,300]"],
    );
    check(&deploy, "rt_detr", &["sizes = \"orig_target_sizes\"", "fit = \"stretch\"", "std = [255.0, 255.0, 255.0]"]);
}

#[test]
fn maps_and_classifiers() {
    let mut outputs = Vec::new();
    for (at, cells) in [1600, 400, 100, 25].iter().enumerate() {
        outputs.push(format!("cls{at} float32 [1,{cells},80] Transpose Reshape Sigmoid Conv"));
    }
    for (at, cells) in [1600, 400, 100, 25].iter().enumerate() {
        outputs.push(format!("dis{at} float32 [1,{cells},32] Transpose Reshape Conv"));
    }
    let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
    let pico = model(&["image float32 [1,3,320,320] Conv"], &outputs);
    let distances = "distances = [\"dis0\", \"dis1\", \"dis2\", \"dis3\"]";
    check(&pico, "nano_det", &["strides = [8, 16, 32, 64]", distances, "resize = \"bicubic\"", "color = \"rgb\""]);
    let nano = model(
        &["input.1 float32 [1,3,320,320] Conv"],
        &[outputs[0], outputs[1], outputs[2], outputs[4], outputs[5], outputs[6]],
    );
    check(&nano, "nano_det", &["strides = [8, 16, 32]", "color = \"bgr\"", "mean = [103.53, 116.28, 123.675]"]);

    let map = model(&["input.1 float32 [1,3,352,352] Conv"], &["758 float32 [1,85,22,22] Concat Sigmoid"]);
    check(&map, "fastest_det", &["output = \"758\"", "std = [255.0, 255.0, 255.0]"]);

    let softmax = model(&["x uint8 [n,224,224,3] Cast"], &["y float32 [n,1000] DequantizeLinear Softmax MatMul"]);
    check(&softmax, "classifier", &["activation = \"none\"", "fit = \"center_crop\"", "crop = 0.875"]);
    let logits = model(&["x float32 [1,3,224,224] Conv"], &["y float32 [1,1000] Gemm Flatten Mul Sigmoid"]);
    check(&logits, "classifier", &["activation = \"softmax\"", "mean = [123.675, 116.28, 103.53]"]);
}

#[test]
fn colours_that_the_file_notes_take_mean_and_deviation_along() {
    let map = model(
        &["input.1 float32 [1,3,416,416] Conv"],
        &[
            "a float32 [1,2704,80] Sigmoid",
            "b float32 [1,676,80] Sigmoid",
            "c float32 [1,2704,32] Conv",
            "d float32 [1,676,32] Conv",
        ],
    );
    check(&map.noting("input", "RGB"), "nano_det", &["color = \"rgb\"", "mean = [123.675, 116.28, 103.53]"]);
}

#[test]
fn what_the_producer_notes_goes_before_the_habit() {
    let center_net = model(&["images float32 [1,3,512,512] Conv"], &["detections float32 [1,100,6] Concat"]);
    let center_net = center_net.noting("input", "RGB 0..255 NCHW, stretched to 512x512");
    check(&center_net, "end_to_end", &["fit = \"stretch\"", "std = [1.0, 1.0, 1.0]", "# from the file's metadata"]);
    assert!(!recognise(&center_net, Hints::default()).unwrap().sections().contains("pad"), "nothing is padded");
}

#[test]
fn what_is_assumed_says_so() {
    let v8 = model(&["images float32 [1,3,640,640] Conv"], &["output0 float32 [1,84,8400] Concat"]);
    let sections = recognise(&v8, Hints::default()).unwrap().sections();
    let comment_of = |key: &str| {
        let lines: Vec<&str> = sections.lines().collect();
        let at = lines.iter().position(|line| line.starts_with(key)).unwrap();
        lines[at - 1].starts_with("# assumed: ")
    };
    let assumed = ["color", "fit", "resize", "mean", "std", "output =", "confidence", "iou"];
    assert!(assumed.into_iter().all(comment_of), "{sections}");
    assert!(!["tensor", "width", "classes"].into_iter().any(comment_of), "{sections}");
}

#[test]
fn where_shapes_fit_two_layouts_people_choose() {
    let unclear =
        model(&["x float32 [1,3,320,320] Conv"], &["a float32 [1,400,4] Concat", "b float32 [1,400,80] Concat"]);
    let error = refusal(&unclear, Hints::default());
    assert!(error.contains("--layout NAME") && error.contains("ssd ") && error.contains("detr "), "{error}");
    check_with(&unclear, Hints { layout: Some("detr"), ..Hints::default() }, "detr", &["boxes = \"a\""]);
    let error = refusal(&unclear, Hints { layout: Some("yolov8"), ..Hints::default() });
    assert!(error.contains("yolov8") && !error.contains("ssd"), "{error}");
    let error = refusal(&unclear, Hints { layout: Some("yolo"), ..Hints::default() });
    assert!(error.contains("`yolo` is not a layout") && error.contains("yolov8"), "{error}");
}

#[test]
fn what_fits_no_layout_is_told_of_each() {
    let strange = model(&["x float32 [1,3,320,320] Conv"], &["y float32 [1,7,7,1024] Conv"]);
    let error = refusal(&strange, Hints::default());
    for layout in layouts() {
        assert!(error.contains(layout), "{layout} is not in {error}");
    }
    assert!(error.contains("needs one output [1,4+C,N]") && error.contains("y float32 [1,7,7,1024]"), "{error}");
    assert!(error.lines().count() < 20 && error.lines().all(|line| line.len() <= 80), "{error}");
    for (input, word) in [
        ("ids int64 [1,128]", "does not have the four axes of a picture"),
        ("x float32 [0,3,320,320]", "has a batch size of 0"),
        ("x float32 [1,1,28,28]", "does not have three channels"),
        ("x int64 [1,3,28,28]", "has elements of int64"),
    ] {
        let error = refusal(&model(&[input], &["y float32 [1,10]"]), Hints::default());
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn many_outputs_are_counted_and_not_listed() {
    let error = refusal(&with_outputs(12), Hints::default());
    assert!(error.contains("y3 float32") && error.contains("and 8 more") && !error.contains("y4"), "{error}");
    assert!(error.lines().count() < 22 && error.lines().all(|line| line.len() <= 80), "{error}");
}
