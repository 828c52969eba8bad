//! Exports that no layout reads, by the signatures that their exporters give them, with a part of the refusal.

use crate::support::onnx_graph::{Graph, Tensor};

/// A graph with these inputs, the picture first, and outputs that hold nothing worth reading.
fn graph(inputs: &[&str], outputs: &[&str], operators: &[&str]) -> Graph {
    let (picture, further) = inputs.split_first().unwrap();
    let graph = further.iter().fold(Graph::of(picture), |graph, input| graph.input(input));
    outputs.iter().fold(graph, |graph, output| graph.output(output, &Tensor::all(&[1], 0.5), operators))
}

/// The graph, the number of labels if they are given, and what it is said to be.
pub(crate) fn all() -> Vec<(Graph, Option<usize>, &'static str)> {
    let named = [nms(), faces(), heads()];
    named.into_iter().flatten().collect()
}

fn nms() -> Vec<(Graph, Option<usize>, &'static str)> {
    let images = "images float32 [1,3,640,640]";
    let trt = ["num_dets int64 [1,1]", "det_boxes float32 [1,100,4]", "det_scores float32 [1,100]"];
    let paddle = ["image float32 [n,3,640,640]", "scale_factor float32 [n,2]"];
    let nas = ["graph2_num_predictions int64 [1,1]", "graph2_pred_boxes float32 [1,1000,4]"];
    let ultralytics = |task: &str, graph: Graph| graph.noting("author", "Ultralytics").noting("task", task);
    let names = "['a', 'b', 'c']";
    vec![
        (graph(&[images], &trt, &[]).with("EfficientNMS_TRT"), None, "TensorRT"),
        (graph(&[images], &trt, &[]), None, "NMS in four outputs"),
        (graph(&paddle, &["multiclass_nms3_0 float32 [n,6]", "num int64 [1]"], &[]), Some(80), "PaddleDetection"),
        (graph(&[images], &nas, &[]), None, "export it with `postprocessing=False`"),
        (graph(&[images], &["graph2_flat_predictions float32 [n,7]"], &[]), Some(80), "a YOLO-NAS export with NMS"),
        (graph(&[images], &["dets float32 [1,n,5]", "labels int64 [1,n]"], &[]), Some(80), "MMDeploy"),
        (
            graph(&[images], &["boxes float32 [n,4]", "labels int64 [n]", "scores float32 [n]"], &[]),
            None,
            "torchvision",
        ),
        (
            graph(&["image_arrays uint8 [1,512,512,3]"], &["detections float32 [1,100,7]"], &[]),
            None,
            "an EfficientDet export",
        ),
        (
            ultralytics("detect", graph(&[images], &["output0 float32 [1,300,7]"], &[])).noting("names", names),
            None,
            "an Ultralytics RT-DETR export",
        ),
        (
            ultralytics("detect", graph(&[images], &["output0 float32 [1,300,84]"], &[])),
            Some(80),
            "an Ultralytics RT-DETR export",
        ),
        (
            ultralytics("segment", graph(&[images], &["output0 float32 [1,300,38]", "p float32 [1,32,160,160]"], &[])),
            Some(80),
            "with NMS of a model for masks",
        ),
        (
            graph(
                &["input_1 float32 [n,3,h,w]", "image_shape float32 [n,2]"],
                &["yolonms_layer_1 float32 [1,n,4]"],
                &[],
            ),
            None,
            "YOLOv3",
        ),
    ]
}

fn faces() -> Vec<(Graph, Option<usize>, &'static str)> {
    let input = "input float32 [1,3,640,640]";
    let of = |kinds: &[(&str, usize)], batch: &str| {
        let all = kinds.iter().flat_map(|(kind, columns)| {
            [(8, 6400), (16, 1600), (32, 400)]
                .map(|(stride, rows)| format!("{kind}_{stride} float32 [{batch}{rows},{columns}]"))
        });
        let all: Vec<String> = all.collect();
        graph(&[input], &all.iter().map(String::as_str).collect::<Vec<_>>(), &[])
    };
    let retina = ["loc float32 [1,16800,4]", "conf float32 [1,16800,2]", "landms float32 [1,16800,10]"];
    vec![
        (of(&[("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)], "1,"), Some(1), "a YuNet export (faces)"),
        (of(&[("s", 1), ("b", 4), ("k", 10)], ""), Some(1), "an SCRFD export (faces)"),
        (of(&[("s", 1), ("b", 4)], "1,"), None, "an SCRFD export (faces)"),
        (graph(&[input], &retina, &[]), None, "a RetinaFace export (faces)"),
        (
            graph(&[input], &["regressors float32 [1,896,16]", "classificators float32 [1,896,1]"], &[]),
            None,
            "BlazeFace",
        ),
    ]
}

fn heads() -> Vec<(Graph, Option<usize>, &'static str)> {
    let images = "images float32 [1,3,640,640]";
    let v3 = ["a float32 [1,255,20,20]", "b float32 [1,255,40,40]", "c float32 [1,255,80,80]"];
    let v4 = ["a float32 [1,80,80,3,85]", "b float32 [1,40,40,3,85]", "c float32 [1,20,20,3,85]"];
    let rtm = [
        "a float32 [1,80,80,80]",
        "b float32 [1,80,40,40]",
        "c float32 [1,80,20,20]",
        "d float32 [1,4,80,80]",
        "e float32 [1,4,40,40]",
        "f float32 [1,4,20,20]",
    ];
    let plus = graph(&["data float32 [1,3,416,416]"], &["output float32 [1,3598,112]"], &["Sigmoid"]);
    let exchanged = || graph(&[images], &["output0 float32 [1,8400,84]"], &[]);
    let text = ["softmax_2.tmp_0 float32 [n,40,6625]"];
    vec![
        (
            graph(&[images], &["boxes float32 [1,22743,1,4]", "confs float32 [1,22743,80]"], &[]),
            None,
            "a YOLOv4 export",
        ),
        (graph(&[images], &v3, &[]), Some(80), "offsets from anchors"),
        (graph(&[images], &v4, &[]), None, "offsets from anchors"),
        (graph(&[images], &rtm, &[]), Some(80), "an RTMDet export of its raw heads"),
        (plus.clone(), None, "a NanoDet-Plus export"),
        (plus, Some(80), "a NanoDet-Plus export"),
        (exchanged(), None, "axes exchanged"),
        (exchanged(), Some(80), "axes exchanged"),
        (graph(&["x float32 [n,3,48,w]"], &text, &["Softmax"]), None, "a reader of text"),
    ]
}
