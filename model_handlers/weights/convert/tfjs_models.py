"""The TensorFlow.js models of the catalogue -> ONNX of any batch; sources: `model.json`, then its `.bin`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from onnx import TensorProto

from model_handlers.weights.convert import ConversionError
from model_handlers.weights.convert.mobilefacenet import mended
from model_handlers.weights.convert.onnx_graph import OnnxGraph
from model_handlers.weights.convert.tfjs import Value, channels_first, convert_nodes, plain
from model_handlers.weights.convert.tfjs_file import TfjsGraph, node_of, read_graph

KEYPOINTS = 17
NANODET_SIDE = 416  # of the file, pixels
_CALL = "StatefulPartitionedCall/"


def nanodet(paths: Sequence[Path]) -> bytes:
    """NanoDet, 416 px.

    input (N,3,416,416) float32, normalised BGR -> scores (N,3549,80), probabilities, and distances (N,3549,44), logits
    of 4 x 11 bins. The 3549 points are those of stride 8 (52 x 52, row by row), then 16 (26 x 26), then 32 (13 x 13).
    """
    return _nanodet(_read(paths), "nanodet", (NANODET_SIDE,))


def nanodet_two_sizes(paths: Sequence[Path]) -> bytes:
    """NanoDet with the same weights on an image at 416 and at 288 px.

    input (N,3,416,416) and input_288 (N,3,288,288), as of `nanodet` -> scores (N,5250,80) and distances (N,5250,44):
    the 3549 points of the first, then the 1701 of the second.
    """
    return _nanodet(_read(paths), "nanodet_two_sizes", (NANODET_SIDE, 288))


def _nanodet(source: TfjsGraph, name: str, sides: tuple[int, ...]) -> bytes:
    """The network once for each side, a multiple of 32; the first input is called `input`."""
    graph = OnnxGraph(name, shared=len(sides) > 1)
    inputs = {"input" if side == sides[0] else f"input_{side}": side for side in sides}
    names = ("Identity", "Identity_1", "Identity_2", "Identity_3", "Identity_4", "Identity_5")
    scores, distances = [], []
    for input_, side in inputs.items():
        values = convert_nodes(graph, _at_side(source, side), {"input_1": Value(input_)}, names)
        parts = [plain(graph, value) for value in values]
        scores += parts[:3]
        distances += parts[3:]
    outputs = {"scores": (scores, 80), "distances": (distances, 44)}
    points = sum((side // stride) ** 2 for side in sides for stride in (8, 16, 32))
    return graph.to_bytes(
        {input_: (TensorProto.FLOAT, ("N", 3, side, side)) for input_, side in inputs.items()},
        {key: (graph.add("Concat", part, axis=1), ("N", points, width)) for key, (part, width) in outputs.items()},
    )


def _at_side(source: TfjsGraph, side: int) -> TfjsGraph:
    """NanoDet's graph for another side than the file's: only the sizes of its resized maps depend on it."""
    constants = dict(source.constants)
    for node in source.nodes.values():
        if node.op == "ResizeBilinear":
            size = node_of(node.inputs[1])
            constants[size] = source.constants[size] * side // NANODET_SIDE
    return replace(source, constants=constants)


def facemesh(paths: Sequence[Path]) -> bytes:
    """MediaPipe's face mesh, 192 px.

    input (N,192,192,3) float32, RGB 0 to 1 -> mesh (N,1404), 468 x (x, y, z) in input pixels, and score (N,1), a
    probability.
    """
    wanted = {"mesh": ("Identity_2", 1404), "score": ("Identity_1", 1)}
    return _image_model("facemesh", paths, (192, 192, 3), wanted)


def emotion(paths: Sequence[Path]) -> bytes:
    """Expression, 64 px.

    input (N,64,64,1) float32, grey -1 to 1 -> scores (N,7), probabilities of angry, disgust, fear, happy, sad,
    surprise, neutral.
    """
    return _image_model("emotion", paths, (64, 64, 1), {"scores": ("Identity", 7)})


def mobilefacenet(paths: Sequence[Path]) -> bytes:
    """MobileFaceNet, a face of 112 px, mended.

    input (N,3,112,112) float32, RGB, (x - 127.5) / 128 -> embedding (N,192), not of unit length: as it is before the
    published graph divides it by its length.
    """
    graph = OnnxGraph("mobilefacenet")
    last = "MobileFaceNet/Logits/LinearConv1x1/BatchNorm/FusedBatchNorm"
    image = Value("input", channels_first=True)
    (maps,) = convert_nodes(graph, mended(_read(paths)), {"img_inputs": image}, (last,))
    embedding = graph.add("Flatten", [channels_first(graph, maps)])
    return graph.to_bytes({"input": (TensorProto.FLOAT, ("N", 3, 112, 112))}, {"embedding": (embedding, ("N", 192))})


def movenet(paths: Sequence[Path]) -> bytes:
    """MoveNet single pose, thunder (256 px) or lightning (192 px).

    input (N,side,side,3) int32, RGB 0 to 255 -> keypoints (N,1,17,3) of y, x in 0 to 1 of the side, and score.
    The published graph is frozen for one image: its network is converted, its decoding written anew for a batch.
    """
    source = _read(paths)
    graph = OnnxGraph("movenet")
    heads = ("kpt_heatmap_0/conv2d_5/BiasAdd", "kpt_regress_0/conv2d_6/BiasAdd", "kpt_offset_0/conv2d_7/BiasAdd")
    side = _placeholder_side(source)
    stacked = f"{_CALL}stack"  # unstacking, a resize that does nothing and stacking again lie between cast and here
    image = Value(graph.add("Cast", ["input"], to=TensorProto.FLOAT))
    outputs = (*(_CALL + head for head in heads), f"{_CALL}truediv_2")
    values = convert_nodes(graph, source, {stacked: image}, outputs)
    decay = source.constants.get(f"{_CALL}add_5/y")
    if decay is None or decay.size != 1:
        raise ConversionError(f"{paths[0]} lacks the constant {_CALL}add_5/y: it is no MoveNet single pose")
    keypoints = _decode_pose(graph, values, side // 4, float(decay.reshape(())))
    return graph.to_bytes(
        {"input": (TensorProto.INT32, ("N", side, side, 3))}, {"keypoints": (keypoints, ("N", 1, KEYPOINTS, 3))}
    )


def _decode_pose(graph: OnnxGraph, values: Sequence[Value], side: int, decay: float) -> str:
    """The decoding of CenterNet-style heads of side x side cells.

    The likeliest centre cell's regression guesses each keypoint; the heat map of a keypoint, divided by
    distance to the guess + `decay`, gives its cell; the offset there refines it.
    """
    heat, regress, offset, centre = (channels_first(graph, value) for value in values)
    cells = side * side

    def shaped(name: str, *shape: int) -> str:
        return graph.add("Reshape", [name, graph.constant(shape, np.int64)])

    def best(name: str) -> str:
        return graph.add("ArgMax", [name], axis=-1, keepdims=1)

    def yx(index: str) -> str:
        width = graph.constant(side, np.int64)
        pair = [graph.add("Div", [index, width]), graph.add("Mod", [index, width])]
        return graph.add("Cast", [graph.add("Concat", pair, axis=-1)], to=TensorProto.FLOAT)

    at_centre = best(shaped(centre, 0, cells))
    rows = graph.add("Transpose", [shaped(regress, 0, 2 * KEYPOINTS, cells)], perm=[0, 2, 1])
    shift = shaped(graph.add("GatherND", [rows, at_centre], batch_dims=1), 0, KEYPOINTS, 2)
    guess = graph.add("Add", [shift, graph.add("Unsqueeze", [yx(at_centre), graph.constant([1], np.int64)])])

    grid = np.moveaxis(np.indices((side, side)), 0, -1).reshape(1, 1, cells, 2).astype(np.float32)
    apart = graph.add("Sub", [graph.constant(grid), graph.add("Unsqueeze", [guess, graph.constant([2], np.int64)])])
    distance = graph.add("ReduceL2", [apart, graph.constant([3], np.int64)], keepdims=0)
    likely = graph.add("Sigmoid", [shaped(heat, 0, KEYPOINTS, cells)])
    near = graph.add("Add", [distance, graph.constant(decay, np.float32)])
    cell = best(graph.add("Div", [likely, near]))

    pairs = graph.add("Transpose", [shaped(offset, 0, KEYPOINTS, 2, cells)], perm=[0, 1, 3, 2])
    refined = graph.add("Add", [yx(cell), graph.add("GatherND", [pairs, cell], batch_dims=2)])
    place = graph.add("Mul", [refined, graph.constant(1 / side, np.float32)])
    score = graph.add("GatherElements", [likely, cell], axis=2)
    joined = graph.add("Concat", [place, score], axis=-1)
    return graph.add("Unsqueeze", [joined, graph.constant([1], np.int64)])


def _image_model(
    name: str, paths: Sequence[Path], shape: tuple[int, int, int], wanted: Mapping[str, tuple[str, int]]
) -> bytes:
    """A model of one NHWC image that gives vectors: wanted is output name -> node and length."""
    graph = OnnxGraph(name)
    nodes = tuple(node for node, _ in wanted.values())
    values = convert_nodes(graph, _read(paths), {"input_1": Value("input")}, nodes)
    outputs = {
        output: (plain(graph, value), ("N", length))
        for (output, (_, length)), value in zip(wanted.items(), values, strict=True)
    }
    return graph.to_bytes({"input": (TensorProto.FLOAT, ("N", *shape))}, outputs)


def _read(paths: Sequence[Path]) -> TfjsGraph:
    if len(paths) != 2:
        raise ConversionError(
            f"a TensorFlow.js model is model.json and one .bin; the catalogue lists {len(paths)} files"
        )
    return read_graph(paths[0], paths[1])


def _placeholder_side(source: TfjsGraph) -> int:
    try:
        dimensions = source.nodes["input"].attributes["shape"]["shape"]["dim"]
        side = int(dimensions[1]["size"])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ConversionError(f"the graph's input has no square shape: {error!r}") from error
    if side not in (192, 256):
        raise ConversionError(f"MoveNet single pose takes 192 or 256 pixels, not {side}")
    return side
