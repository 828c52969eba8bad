"""Reads a TensorFlow.js graph model and writes it as ONNX, with numpy and onnx alone.

Tensors of four dimensions are NCHW on the way: the graph's own NHWC order is gone after `Graph.tensor`. Only what the
detectors of `tfjs_to_onnx.py` need is known; anything else ends with the name of what is missing.
Names are numbered in the order of the calls, so that the same calls give the same bytes.
"""
import base64
import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Old enough for the compilers of accelerators; ONNX Runtime reads newer ones as well.
OPSET, IR_VERSION = 13, 8
STORED = {"float32": "<f4", "float16": "<f2", "int32": "<i4"}


def value_info(name, shape):
    """A float32 input or output of the model."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def read_weights(model, directory):
    """The arrays of a model by name. What is stored as float16 is float32 again."""
    weights = {}
    for group in model["weightsManifest"]:
        stored = b"".join((directory / path).read_bytes() for path in group["paths"])
        offset = 0
        for entry in group["weights"]:
            dtype = entry.get("quantization", entry)["dtype"]
            if dtype not in STORED:
                sys.exit(f"the weight {entry['name']} is stored as {dtype}: known are {', '.join(STORED)}")
            count = int(np.prod(entry["shape"], dtype=np.int64))
            array = np.frombuffer(stored, STORED[dtype], count, offset)
            offset += array.nbytes
            weights[entry["name"]] = array.astype(entry["dtype"]).reshape(entry["shape"])
    return weights


def attribute(node, name, default=None):
    """What an attribute holds: text, a number, a truth, or a list of texts or numbers."""
    value = node.get("attr", {}).get(name)
    if value is None:
        return default

    def text(stored):
        return (bytes(stored) if isinstance(stored, list) else base64.b64decode(stored)).decode()

    for kind, read in (("s", text), ("i", int), ("f", float), ("b", bool)):
        if kind in value:
            return read(value[kind])
    entries = value.get("list", {})
    for kind, read in (("i", int), ("s", text)):
        if kind in entries:
            return [read(entry) for entry in entries[kind]]
    return default


def padding(node, size, kernel, strides, dilations=(1, 1)):
    """The pads of ONNX, and height and width of the result."""
    reach = [(kernel[axis] - 1) * dilations[axis] + 1 for axis in (0, 1)]
    if attribute(node, "padding") == "VALID":
        return [0] * 4, [(size[axis] - reach[axis]) // strides[axis] + 1 for axis in (0, 1)]
    result = [-(-size[axis] // strides[axis]) for axis in (0, 1)]
    missing = [max((result[axis] - 1) * strides[axis] + reach[axis] - size[axis], 0) for axis in (0, 1)]
    before = [amount // 2 for amount in missing]
    return before + [missing[axis] - before[axis] for axis in (0, 1)], result


class Graph:
    """A TensorFlow.js model, and the ONNX graph that is made of it node by node."""

    def __init__(self, path):
        model = json.loads(Path(path).read_text())
        self.source = {node["name"]: node for node in model["modelTopology"]["node"]}
        self.weights = read_weights(model, Path(path).parent)
        self.nodes, self.constants, self.count = [], [], 0
        # By name in the source: the ONNX tensor and its NCHW shape.
        self.done = {}

    def constant(self, array):
        self.count += 1
        name = f"c{self.count}"
        self.constants.append(numpy_helper.from_array(np.array(array, order="C"), name))
        return name

    def integers(self, *values):
        return self.constant(np.array(values, np.int64))

    def number(self, value):
        return self.constant(np.float32(value))

    def operation(self, kind, inputs, name=None, **attributes):
        self.count += 1
        name = name or f"{kind.lower()}_{self.count}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def weight(self, name):
        return self.weights.get(name.split(":")[0])

    def tensor(self, name):
        """The ONNX tensor of a node of the source and its shape, with all that it needs before it."""
        name = name.split(":")[0]
        if name not in self.done:
            node = self.source[name]
            convert = CONVERSIONS.get(node["op"])
            if convert is None:
                sys.exit(f"the operation {node['op']} of {name} is not known: add it to CONVERSIONS")
            inputs = [input for input in node.get("input", []) if not input.startswith("^")]
            self.done[name] = convert(self, node, inputs)
        return self.done[name]

    def save(self, path, inputs, outputs, properties):
        graph = helper.make_graph(self.nodes, "tfjs2onnx", inputs, outputs, self.constants)
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="tfjs2onnx")
        helper.set_model_props(model, properties)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)


def convolution(graph, node, inputs):
    tensor, shape = graph.tensor(inputs[0])
    kernel = graph.weight(inputs[1]).astype(np.float32)
    strides = attribute(node, "strides")[1:3]
    dilations = attribute(node, "dilations", [1] * 4)[1:3]
    height, width, channels, filters = kernel.shape
    if "Depthwise" in node["op"]:
        kernel, groups = kernel.transpose(2, 3, 0, 1).reshape(channels * filters, 1, height, width), channels
    else:
        kernel, groups = kernel.transpose(3, 2, 0, 1), 1
    pads, size = padding(node, shape[2:], (height, width), strides, dilations)
    operands = [tensor, graph.constant(kernel)]
    fused = attribute(node, "fused_ops", [])
    if "BiasAdd" in fused:
        operands.append(graph.constant(graph.weight(inputs[2]).astype(np.float32)))
    geometry = {"kernel_shape": [height, width], "strides": strides, "dilations": dilations, "pads": pads}
    result = graph.operation("Conv", operands, group=groups, **geometry)
    for activation in fused:
        if activation == "Relu":
            result = graph.operation("Relu", [result])
        elif activation == "Relu6":
            result = graph.operation("Clip", [result, graph.number(0), graph.number(6)])
        elif activation != "BiasAdd":
            sys.exit(f"the activation {activation} of {node['name']} is not known")
    return result, [1, kernel.shape[0]] + size


def normalization(graph, node, inputs):
    tensor, shape = graph.tensor(inputs[0])
    parameters = [graph.constant(graph.weight(input).astype(np.float32)) for input in inputs[1:5]]
    epsilon = attribute(node, "epsilon", 1e-3)
    return graph.operation("BatchNormalization", [tensor, *parameters], epsilon=epsilon), shape


def bias(graph, _node, inputs):
    tensor, shape = graph.tensor(inputs[0])
    values = graph.weight(inputs[1]).astype(np.float32).reshape(1, -1, 1, 1)
    return graph.operation("Add", [tensor, graph.constant(values)]), shape


def arithmetic(graph, node, inputs):
    operands, shapes = [], []
    for input in inputs:
        values = graph.weight(input)
        if values is None:
            tensor, shape = graph.tensor(input)
            operands.append(tensor)
            shapes.append(shape)
        elif values.ndim > 1:
            sys.exit(f"{node['name']} has a constant of shape {values.shape}: a number or one per channel is known")
        else:
            values = values.astype(np.float32)
            operands.append(graph.constant(values.reshape(() if values.size == 1 else (1, -1, 1, 1))))
    kind = {"AddN": "Add" if len(operands) == 2 else "Sum"}.get(node["op"], node["op"])
    return graph.operation(kind, operands), max(shapes, key=np.prod)


def unary(graph, node, inputs):
    tensor, shape = graph.tensor(inputs[0])
    return graph.operation(node["op"], [tensor]), shape


def relu6(graph, _node, inputs):
    tensor, shape = graph.tensor(inputs[0])
    return graph.operation("Clip", [tensor, graph.number(0), graph.number(6)]), shape


def same(graph, _node, inputs):
    return graph.tensor(inputs[0])


def mean(graph, node, inputs):
    tensor, shape = graph.tensor(inputs[0])
    axes = sorted(graph.weight(inputs[1]).reshape(-1).tolist())
    if axes != [1, 2] or not attribute(node, "keep_dims"):
        sys.exit(f"{node['name']} is no mean of the whole picture")
    return graph.operation("GlobalAveragePool", [tensor]), shape[:2] + [1, 1]


def concatenation(graph, node, inputs):
    if int(graph.weight(inputs[-1])) not in (3, -1):
        sys.exit(f"{node['name']} does not join channels")
    tensors, shapes = zip(*(graph.tensor(input) for input in inputs[:-1]))
    channels = sum(shape[1] for shape in shapes)
    return graph.operation("Concat", list(tensors), axis=1), [1, channels] + shapes[0][2:]


def upsampling(graph, node, inputs):
    tensor, shape = graph.tensor(inputs[0])
    size = graph.weight(inputs[1]).astype(int).tolist()
    if attribute(node, "align_corners"):
        mode = "align_corners"
    else:
        mode = "half_pixel" if attribute(node, "half_pixel_centers") else "asymmetric"
    scales = graph.constant(np.array([1, 1, size[0] / shape[2], size[1] / shape[3]], np.float32))
    result = graph.operation("Resize", [tensor, "", scales], mode="linear", coordinate_transformation_mode=mode)
    return result, shape[:2] + size


def max_pool(graph, node, inputs):
    tensor, shape = graph.tensor(inputs[0])
    kernel, strides = attribute(node, "ksize")[1:3], attribute(node, "strides")[1:3]
    pads, size = padding(node, shape[2:], kernel, strides)
    result = graph.operation("MaxPool", [tensor], kernel_shape=kernel, strides=strides, pads=pads)
    return result, shape[:2] + size


CONVERSIONS = {
    "Conv2D": convolution,
    "_FusedConv2D": convolution,
    "DepthwiseConv2dNative": convolution,
    "FusedDepthwiseConv2dNative": convolution,
    "FusedBatchNorm": normalization,
    "BiasAdd": bias,
    "Add": arithmetic,
    "AddN": arithmetic,
    "Sub": arithmetic,
    "Mul": arithmetic,
    "Relu": unary,
    "Relu6": relu6,
    "Sigmoid": unary,
    "Identity": same,
    "Mean": mean,
    "ConcatV2": concatenation,
    "ResizeBilinear": upsampling,
    "MaxPool": max_pool,
}
