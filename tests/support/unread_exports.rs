//! Exports that no layout reads, by the signatures that their exporters give them, with a part of the refusal.

use super::onnx_graph::{Graph, Tensor};
use ocelli::model::recognition::{Hints, recognise};
use ocelli::unit::onnx_file;
use std::path::Path;

/// An export that is refused.
pub struct UnreadExport {
    pub name: &'static str,
    pub graph: Graph,
    /// The number of labels, if they are given.
    pub labels: Option<usize>,
    /// What it is said to be.
    pub said: &'static str,
}

impl UnreadExport {
    /// Why it is not recognised, or the layout for which it is taken.
    pub fn refusal(&self, home: &Path) -> Result<String, &'static str> {
        let file = home.join("unread.onnx");
        std::fs::write(&file, self.graph.bytes()).unwrap();
        let facts = onnx_file::read(&file).unwrap();
        match recognise(&facts, Hints { labels: self.labels, layout: None }) {
            Ok(proposal) => Err(proposal.layout),
            Err(why) => Ok(why.to_string()),
        }
    }
}

fn unread(name: &'static str, graph: Graph, labels: Option<usize>, said: &'static str) -> UnreadExport {
    UnreadExport { name, graph, labels, said }
}

/// A graph with these inputs, the picture first, and outputs that hold nothing worth reading.
fn graph(inputs: &[&str], outputs: &[&str], operators: &[&str]) -> Graph {
    let (picture, further) = inputs.split_first().unwrap();
    let graph = further.iter().fold(Graph::of(picture), |graph, input| graph.input(input));
    outputs.iter().fold(graph, |graph, output| graph.output(output, &Tensor::all(&[1], 0.5), operators))
}

const IMAGES: &str = "images float32 [1,3,640,640]";

pub fn all() -> Vec<UnreadExport> {
    let named = [nms(), toolkits(), ultralytics(), faces(), heads(), other_axes()];
    named.into_iter().flatten().collect()
}

fn nms() -> Vec<UnreadExport> {
    let trt = [
        "num_dets int32 [1,1]",
        "det_boxes float32 [1,100,4]",
        "det_scores float32 [1,100]",
        "det_classes int32 [1,100]",
    ];
    let batch = [
        "graph2_num_predictions int64 [1,1]",
        "graph2_pred_boxes float32 [1,1000,4]",
        "graph2_pred_scores float32 [1,1000]",
        "graph2_pred_classes int64 [1,1000]",
    ];
    let flat = ["graph2_flat_predictions float32 [n,7]"];
    let automl = ["detections:0 float32 [1,100,7]"];
    let zoo = [
        "yolonms_layer_1/ExpandDims_1:0 float32 [1,n,4]",
        "yolonms_layer_1/ExpandDims_3:0 float32 [1,80,n]",
        "yolonms_layer_1/concat_2:0 int32 [n,3]",
    ];
    let nas = "export it with `postprocessing=False`";
    vec![
        unread("yolov7 for tensorrt", graph(&[IMAGES], &trt, &[]).with("EfficientNMS_TRT"), None, "TensorRT"),
        unread("yolov7 with nms in four outputs", graph(&[IMAGES], &trt, &[]), None, "NMS in four outputs"),
        unread("yolo-nas with nms, by picture", graph(&["input uint8 [1,3,640,640]"], &batch, &[]), None, nas),
        unread("yolo-nas with nms, flat", graph(&["input uint8 [1,3,640,640]"], &flat, &[]), Some(80), nas),
        unread(
            "efficientdet of automl",
            graph(&["image_arrays:0 uint8 [1,512,512,3]"], &automl, &[]),
            None,
            "an EfficientDet export",
        ),
        unread(
            "efficientdet of automl, with labels",
            graph(&["image_arrays:0 uint8 [1,512,512,3]"], &automl, &[]),
            Some(90),
            "an EfficientDet export",
        ),
        unread(
            "yolov3 of the onnx model zoo",
            graph(&["input_1 float32 [n,3,h,w]", "image_shape float32 [n,2]"], &zoo, &[]),
            None,
            "YOLOv3",
        ),
    ]
}

fn toolkits() -> Vec<UnreadExport> {
    let batch = "p2o.DynamicDimension.0";
    let (image, scale) = (format!("image float32 [{batch},3,640,640]"), format!("scale_factor float32 [{batch},2]"));
    let with_nms = ["multiclass_nms3_0.tmp_0 float32 [n,6]", "multiclass_nms3_0.tmp_2 int32 [m]"];
    let without_nms = ["tmp_16 float32 [1,8400,4]", "concat_14.tmp_0 float32 [1,80,8400]"];
    let mmdeploy = ["dets float32 [1,n,5]", "labels int64 [1,n]"];
    let mmyolo = ["num_dets int64 [1,1]", "boxes float32 [1,100,4]", "scores float32 [1,100]", "labels int64 [1,100]"];
    let torchvision = ["boxes float32 [n,4]", "labels int64 [n]", "scores float32 [n]"];
    let pico = format!("image float32 [{batch},3,320,320]");
    let paddle = "a PaddleDetection export";
    vec![
        unread("pp-yoloe", graph(&[&image, &scale], &with_nms, &[]), Some(80), paddle),
        unread("pp-yoloe without nms", graph(&[&image, &scale], &without_nms, &[]), Some(80), paddle),
        unread("picodet with post-processing", graph(&[&pico, &scale], &with_nms, &[]), Some(80), paddle),
        unread(
            "rt-detr of paddledetection",
            graph(&["im_shape float32 [n,2]", &image, &scale], &with_nms, &[]),
            Some(80),
            paddle,
        ),
        unread("rtmdet of mmdeploy", graph(&["input float32 [1,3,h,w]"], &mmdeploy, &[]), Some(80), "MMDeploy"),
        unread("rtmdet of mmyolo", graph(&[IMAGES], &mmyolo, &[]), Some(80), "NMS in four outputs"),
        unread(
            "a detector of torchvision",
            graph(&["input float32 [1,3,h,w]"], &torchvision, &[]),
            None,
            "torchvision",
        ),
    ]
}

fn ultralytics() -> Vec<UnreadExport> {
    let export = |task: &str, outputs: &[&str]| {
        graph(&[IMAGES], outputs, &[]).noting("author", "Ultralytics").noting("task", task)
    };
    let names = "{0: 'a', 1: 'b', 2: 'c'}";
    let rt_detr = "an Ultralytics RT-DETR export";
    let masks = ["output0 float32 [1,300,38]", "output1 float32 [1,32,160,160]"];
    vec![
        unread("rt-detr", export("detect", &["output0 float32 [1,300,7]"]).noting("names", names), None, rt_detr),
        unread("rt-detr, with labels", export("detect", &["output0 float32 [1,300,84]"]), Some(80), rt_detr),
        unread("yolo11-seg with nms", export("segment", &masks), Some(80), "with NMS of a model for masks"),
        unread(
            "yolo11-obb with nms",
            export("obb", &["output0 float32 [1,300,7]"]),
            Some(15),
            "with NMS of a model for masks",
        ),
    ]
}

fn faces() -> Vec<UnreadExport> {
    let of = |input: &str, kinds: &[(&str, usize)], batch: &str, anchors: usize| {
        let all = kinds.iter().flat_map(|(kind, columns)| {
            [(8, 6400), (16, 1600), (32, 400)]
                .map(|(stride, cells)| format!("{kind}_{stride} float32 [{batch}{},{columns}]", cells * anchors))
        });
        let all: Vec<String> = all.collect();
        graph(&[input], &all.iter().map(String::as_str).collect::<Vec<_>>(), &[])
    };
    let input = "input.1 float32 [1,3,640,640]";
    let yunet = of("input float32 [1,3,640,640]", &[("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)], "1,", 1);
    let scrfd = of(input, &[("score", 1), ("bbox", 4), ("kps", 10)], "", 2);
    let retina = ["loc float32 [1,16800,4]", "conf float32 [1,16800,2]", "landms float32 [1,16800,10]"];
    let blaze = ["regressors float32 [1,896,16]", "classificators float32 [1,896,1]"];
    vec![
        unread("yunet", yunet, Some(1), "a YuNet export (faces)"),
        unread("scrfd with key points", scrfd, Some(1), "an SCRFD export (faces)"),
        unread(
            "scrfd without key points",
            of(input, &[("score", 1), ("bbox", 4)], "1,", 2),
            None,
            "an SCRFD export (faces)",
        ),
        unread(
            "retinaface",
            graph(&["input0 float32 [1,3,640,640]"], &retina, &[]),
            None,
            "a RetinaFace export (faces)",
        ),
        unread("blazeface", graph(&["input float32 [1,3,128,128]"], &blaze, &[]), None, "BlazeFace"),
    ]
}

fn heads() -> Vec<UnreadExport> {
    let darknet = [
        "082_convolutional float32 [1,255,19,19]",
        "094_convolutional float32 [1,255,38,38]",
        "106_convolutional float32 [1,255,76,76]",
    ];
    let zoo = [
        "Identity:0 float32 [n,52,52,3,85]",
        "Identity_1:0 float32 [n,26,26,3,85]",
        "Identity_2:0 float32 [n,13,13,3,85]",
    ];
    let v4 = ["boxes float32 [1,22743,1,4]", "confs float32 [1,22743,80]"];
    let rtm = [
        "a float32 [1,80,80,80]",
        "b float32 [1,80,40,40]",
        "c float32 [1,80,20,20]",
        "d float32 [1,4,80,80]",
        "e float32 [1,4,40,40]",
        "f float32 [1,4,20,20]",
    ];
    let anchors = "offsets from anchors";
    let square = "input float32 [1,3,608,608]";
    vec![
        unread("yolov3 of darknet", graph(&["000_net float32 [1,3,608,608]"], &darknet, &[]), Some(80), anchors),
        unread("yolov4 of the onnx model zoo", graph(&["input_1:0 float32 [n,416,416,3]"], &zoo, &[]), None, anchors),
        unread("yolov4 of pytorch", graph(&[square], &v4, &[]), None, "a YOLOv4 export"),
        unread("rtmdet's raw heads", graph(&[IMAGES], &rtm, &[]), Some(80), "an RTMDet export of its raw heads"),
    ]
}

fn other_axes() -> Vec<UnreadExport> {
    let plus = graph(&["data float32 [1,3,416,416]"], &["output float32 [1,3598,112]"], &["Sigmoid"]);
    let exchanged = || graph(&[IMAGES], &["output0 float32 [1,8400,84]"], &[]);
    let paddle = graph(&["image float32 [1,3,640,640]"], &["concat_15.tmp_0 float32 [1,8400,84]"], &[]);
    let text = ["softmax_2.tmp_0 float32 [n,40,6625]"];
    vec![
        unread("nanodet-plus", plus.clone(), None, "a NanoDet-Plus export"),
        unread("nanodet-plus, with labels", plus, Some(80), "a NanoDet-Plus export"),
        unread("yolov8 with its axes exchanged", exchanged(), None, "axes exchanged"),
        unread("yolov8 with its axes exchanged, with labels", exchanged(), Some(80), "axes exchanged"),
        unread("pp-yoloe without post-processing", paddle, Some(80), "a PP-YOLOE without its post-processing"),
        unread("a reader of text", graph(&["x float32 [n,3,48,w]"], &text, &["Softmax"]), None, "a reader of text"),
    ]
}
