#!/usr/bin/env python3
"""Gives the default detector the inputs and outputs that other exports have, with its own weights.

    relayout.py RAW.onnx NMS.onnx OUT_DIR

RAW and NMS are the models of coco-ssd and coco-ssd-nms. Each file in OUT_DIR sees what they see, so that every
tensor decoder and every kind of input can be tested against the same boxes. Classes become the 80 that COCO's labels
have without gaps, but where the file is named after an input.
"""
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import external_data_helper, helper, numpy_helper

SIDE = 300
# COCO numbers its 80 classes from 1 to 90; these numbers are not given.
GAPS = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
NUMBERS = [number for number in range(1, 91) if number not in GAPS]


class Graph:
    """A model that nodes are added to, and whose inputs and outputs are named anew."""

    def __init__(self, path):
        self.model = onnx.load(path)
        self.graph = self.model.graph
        self.count = 0

    def const(self, value, kind=np.float32):
        name = self.fresh("const")
        self.graph.initializer.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def add(self, kind, inputs, name=None, **attributes):
        name = name or self.fresh(kind.lower())
        self.graph.node.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def fresh(self, word):
        self.count += 1
        return f"relayout_{word}_{self.count}"

    def columns(self, tensor, start, end):
        """Some of the last axis of a tensor with three."""
        return self.add("Slice", [tensor, *(self.const([value], np.int64) for value in (start, end, 2))])

    def pick(self, tensor, columns, axis=2):
        return self.add("Gather", [tensor, self.const(columns, np.int64)], axis=axis)

    def scaled(self, tensor, factor):
        return self.add("Mul", [tensor, self.const(factor)])

    def center_and_size(self, boxes, side):
        """Centre and size of boxes with left, top, right and bottom."""
        first, second = self.columns(boxes, 0, 2), self.columns(boxes, 2, 4)
        center = self.scaled(self.add("Add", [first, second]), side / 2)
        return center, self.scaled(self.add("Sub", [second, first]), side)

    def source(self, tensor):
        """The node that gives a tensor."""
        return next(node for node in self.graph.node if tensor in node.output)

    def value(self, tensor):
        return numpy_helper.to_array(next(one for one in self.graph.initializer if one.name == tensor))

    def outputs(self, *wanted):
        """Name, type and shape of each."""
        del self.graph.output[:]
        self.graph.output.extend(helper.make_tensor_value_info(*one) for one in wanted)

    def input(self, kind, shape):
        """Takes the picture in another form; returns its name, which the graph's first node is yet to be fed from."""
        del self.graph.input[:]
        self.graph.input.append(helper.make_tensor_value_info("picture", kind, shape))
        return "picture"

    def feed(self, tensor):
        """Gives what read the old input this tensor instead; its nodes come first."""
        for node in self.graph.node:
            for index, name in enumerate(node.input):
                if name == "images":
                    node.input[index] = tensor
        own = [node for node in self.graph.node if node.output[0] == tensor or tensor_needs(self, tensor, node)]
        rest = [node for node in self.graph.node if node not in own]
        del self.graph.node[:]
        self.graph.node.extend(own + rest)

    def save(self, directory, name, apart=None):
        onnx.checker.check_model(self.model, full_check=True)
        path = os.path.join(directory, f"{name}.onnx")
        if apart:
            external_data_helper.convert_model_to_external_data(self.model, location=apart, size_threshold=1024)
            if os.path.exists(os.path.join(directory, apart)):
                os.remove(os.path.join(directory, apart))
        onnx.save(self.model, path)


def tensor_needs(graph, tensor, node):
    """True for a node that a tensor made of the new input is made with."""
    producer = graph.source(tensor)
    wanted = [name for name in producer.input if any(name in other.output for other in graph.graph.node)]
    return any(node.output[0] == name or tensor_needs(graph, name, node) for name in wanted)


def left_first(graph):
    """Boxes of the raw model as left, top, right, bottom, and the scores of 80 classes."""
    return graph.pick("boxes", [1, 0, 3, 2]), graph.pick("scores", [number - 1 for number in NUMBERS])


def of_raw(raw, directory, places):
    graph = Graph(raw)
    boxes, scores = left_first(graph)
    rows = graph.add("Concat", [*graph.center_and_size(boxes, SIDE), scores], axis=2)
    graph.add("Transpose", [rows], "output0", perm=[0, 2, 1])
    graph.outputs(("output0", T.FLOAT, [1, 84, places]))
    graph.save(directory, "yolov8")

    graph = Graph(raw)
    boxes, scores = left_first(graph)
    best = graph.add("ReduceMax", [scores], axes=[2], keepdims=1)
    shares = graph.add("Div", [scores, graph.add("Max", [best, graph.const(1e-9)])])
    graph.add("Concat", [*graph.center_and_size(boxes, SIDE), best, shares], "output", axis=2)
    graph.outputs(("output", T.FLOAT, [1, places, 85]))
    graph.save(directory, "yolov5")

    graph = Graph(raw)
    boxes, scores = left_first(graph)
    nothing = graph.add("Sub", [graph.const(1.0), graph.add("ReduceMax", [scores], axes=[2], keepdims=1)])
    graph.add("Concat", [nothing, scores], "class_scores", axis=2)
    graph.add("Identity", [boxes], "corners")
    graph.outputs(("class_scores", T.FLOAT, [1, places, 81]), ("corners", T.FLOAT, [1, places, 4]))
    graph.save(directory, "scores_boxes")


def of_anchors(raw, directory, places):
    """The offsets that the raw model's last nodes make boxes of, with its anchors as an output."""
    graph = Graph(raw)
    corner = graph.source(graph.source("boxes").input[0])
    center = graph.source(corner.input[0])
    middle, tenth = graph.value(center.input[1]), graph.source(center.input[0])
    size = graph.value(tenth.input[1]) * 10
    graph.add("Identity", [graph.source(tenth.input[0]).input[0]], "offsets")
    anchors = np.concatenate([middle - size / 2, middle + size / 2], axis=2)
    graph.add("Identity", [graph.const(anchors)], "anchors")
    shape = [1, places, 4]
    graph.outputs(("offsets", T.FLOAT, shape), ("anchors", T.FLOAT, shape), ("scores", T.FLOAT, [1, places, 90]))
    graph.save(directory, "anchors")


def of_nms(nms, directory):
    dense = np.zeros(91, np.float32)
    dense[NUMBERS] = np.arange(80)

    def begin():
        graph = Graph(nms)
        number = graph.add("Cast", ["detection_classes"], to=T.INT64)
        graph.k = graph.add("Gather", [graph.const(dense), number], axis=0)
        return graph, graph.pick("detection_boxes", [1, 0, 3, 2])

    graph, boxes = begin()
    last = graph.const([2], np.int64)
    columns = [graph.add("Unsqueeze", [tensor, last]) for tensor in ("detection_scores", graph.k)]
    graph.add("Concat", [graph.scaled(boxes, SIDE), *columns], "output0", axis=2)
    graph.outputs(("output0", T.FLOAT, [1, 100, 6]))
    graph.save(directory, "end_to_end")

    graph, boxes = begin()
    graph.add("Concat", list(graph.center_and_size(boxes, 1.0)), "pred_boxes", axis=2)
    score = graph.add("Clip", ["detection_scores", graph.const(1e-4), graph.const(0.9999)])
    odds = graph.add("Div", [score, graph.add("Sub", [graph.const(1.0), score])])
    logit = graph.add("Unsqueeze", [graph.add("Log", [odds]), graph.const([2], np.int64)])
    index = graph.add("Cast", [graph.k], to=T.INT64)
    is_class = graph.add("OneHot", [index, graph.const(80, np.int64), graph.const([0.0, 1.0])], axis=2)
    is_other = graph.scaled(graph.add("Sub", [graph.const(1.0), is_class]), -10.0)
    graph.add("Add", [graph.add("Mul", [is_class, logit]), is_other], "pred_logits")
    graph.outputs(("pred_logits", T.FLOAT, [1, 100, 80]), ("pred_boxes", T.FLOAT, [1, 100, 4]))
    graph.save(directory, "detr")

    graph, boxes = begin()
    graph.graph.input.append(helper.make_tensor_value_info("orig_target_sizes", T.INT64, [1, 2]))
    size = graph.add("Cast", ["orig_target_sizes"], to=T.FLOAT)
    sides = graph.add("Unsqueeze", [graph.add("Concat", [size, size], axis=1), graph.const([1], np.int64)])
    graph.add("Mul", [boxes, sides], "boxes")
    graph.add("Cast", [graph.k], "labels", to=T.INT64)
    graph.add("Identity", ["detection_scores"], "scores")
    graph.outputs(
        ("labels", T.INT64, [1, 100]), ("boxes", T.FLOAT, [1, 100, 4]), ("scores", T.FLOAT, [1, 100])
    )
    graph.save(directory, "rt_detr")


def of_inputs(raw, directory, places):
    graph = Graph(raw)
    graph.feed(graph.add("Cast", [graph.input(T.FLOAT16, [1, 3, SIDE, SIDE])], to=T.FLOAT))
    for name, half in (("boxes", "half_boxes"), ("scores", "half_scores")):
        graph.add("Cast", [name], half, to=T.FLOAT16)
    graph.outputs(("half_boxes", T.FLOAT16, [1, places, 4]), ("half_scores", T.FLOAT16, [1, places, 90]))
    graph.save(directory, "input_float16")

    graph = Graph(raw)
    picture = graph.pick(graph.input(T.UINT8, [1, SIDE, SIDE, 3]), [2, 1, 0], axis=3)
    graph.feed(graph.add("Transpose", [graph.add("Cast", [picture], to=T.FLOAT)], perm=[0, 3, 1, 2]))
    graph.save(directory, "input_uint8_nhwc_bgr")

    for name, batch, height, width in (
        ("input_any_batch_and_size", "batch", "height", "width"),
        ("input_batch_of_two", 2, SIDE, SIDE),
    ):
        graph = Graph(raw)
        graph.feed(graph.add("Identity", [graph.input(T.FLOAT, [batch, 3, height, width])]))
        for one in graph.graph.initializer:
            value = numpy_helper.to_array(one)
            # The sizes that the heads are reshaped to begin with the batch; 0 keeps what is there.
            if value.dtype == np.int64 and value.shape == (3,) and value[0] == 1:
                one.CopyFrom(numpy_helper.from_array(np.array([0, *value[1:]], np.int64), one.name))
        graph.outputs(("boxes", T.FLOAT, [batch, places, 4]), ("scores", T.FLOAT, [batch, places, 90]))
        graph.save(directory, name)

    graph = Graph(raw)
    graph.save(directory, "weights_apart", apart="weights_apart.data")


def main(raw, nms, directory):
    os.makedirs(directory, exist_ok=True)
    places = onnx.load(raw).graph.output[0].type.tensor_type.shape.dim[1].dim_value
    of_raw(raw, directory, places)
    of_anchors(raw, directory, places)
    of_nms(nms, directory)
    of_inputs(raw, directory, places)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
