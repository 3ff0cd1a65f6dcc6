"""Reading TensorFlow.js graph models: `model.json` (the graph and a list of weights) and its `.bin` (their values)."""

import base64
import binascii
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np

from model_handlers.interface import Array
from model_handlers.weights.convert import ConversionError

MAX_JSON_BYTES = 16 * 2**20
MAX_WEIGHT_BYTES = 512 * 2**20
MAX_RANK = 8
_STORED = {"float32": "<f4", "int32": "<i4", "float16": "<f2"}


@dataclass(frozen=True, slots=True)
class Node:
    """One operation: its inputs are tensor names such as `name` or `name:1`; attributes as the JSON has them."""

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Any]

    def ints(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers; empty if absent."""
        return tuple(int(i) for i in self.attributes.get(key, {}).get("list", {}).get("i", ()))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty if absent."""
        return tuple(_text(s) for s in self.attributes.get(key, {}).get("list", {}).get("s", ()))

    def text(self, key: str, default: str = "") -> str:
        """A text."""
        attribute = self.attributes.get(key, {})
        return _text(attribute["s"]) if "s" in attribute else default

    def number(self, key: str, default: float) -> float:
        """A float."""
        return float(self.attributes.get(key, {}).get("f", default))

    def flag(self, key: str) -> bool:
        """A truth value; false if absent."""
        return bool(self.attributes.get(key, {}).get("b", False))


@dataclass(frozen=True, slots=True)
class TfjsGraph:
    """The operations by name, and the constants' values by node name."""

    nodes: Mapping[str, Node]
    constants: Mapping[str, Array]

    def needed(self, outputs: tuple[str, ...], known: frozenset[str] = frozenset()) -> list[Node]:
        """The operations that the outputs depend on, inputs first; the search ends at the names in `known`."""
        sorter: TopologicalSorter[str] = TopologicalSorter()
        seen: set[str] = set()
        stack = list(reversed(outputs))
        while stack:
            name = stack.pop()
            if name in seen or name in known:
                continue
            seen.add(name)
            if name not in self.nodes:
                raise ConversionError(f"the graph has no node {name!r}")
            parents = [node_of(tensor) for tensor in self.nodes[name].inputs]
            sorter.add(name, *(parent for parent in parents if parent not in known))
            stack.extend(reversed(parents))
        try:
            return [self.nodes[name] for name in sorter.static_order()]
        except CycleError as error:
            raise ConversionError(f"the graph has a cycle: {error.args[1][:4]}") from error


def node_of(tensor: str) -> str:
    """The name of the node that gives a tensor: `name:1` -> `name`."""
    return tensor.split(":", 1)[0]


def read_graph(json_path: Path, weights_path: Path) -> TfjsGraph:
    """The graph of the two files; ConversionError when they do not fit each other or the format."""
    if json_path.stat().st_size > MAX_JSON_BYTES or weights_path.stat().st_size > MAX_WEIGHT_BYTES:
        raise ConversionError(f"{json_path} or {weights_path} is larger than a graph model may be")
    try:
        model = json.loads(json_path.read_bytes())
        listed = list(model["modelTopology"]["node"])
        groups = model["weightsManifest"]
        nodes = {
            n["name"]: Node(n["name"], n["op"], tuple(_data_inputs(n.get("input", ()))), n.get("attr", {}))
            for n in listed
        }
        constants = _read_weights([w for group in groups for w in group["weights"]], weights_path.read_bytes())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConversionError(f"{json_path} with {weights_path} is no TensorFlow.js graph model: {error!r}") from error
    return TfjsGraph(nodes, constants)


def _data_inputs(inputs: list[str]) -> list[str]:
    return [name for name in inputs if not name.startswith("^")]  # ^name orders side effects only


def _text(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ConversionError(f"{encoded[:40]!r} is no base64 text") from error


def _read_weights(listed: list[Any], content: bytes) -> dict[str, Array]:
    """The tensors, which lie in the file one after the other in the order of the list; float16 becomes float32."""
    weights: dict[str, Array] = {}
    offset = 0
    for entry in listed:
        name, shape = str(entry["name"]), [int(side) for side in entry["shape"]]
        stored = entry.get("quantization", {}).get("dtype", entry["dtype"])
        if stored not in _STORED or len(shape) > MAX_RANK or any(side < 0 for side in shape):
            raise ConversionError(f"weight {name!r} of type {stored} and shape {shape} cannot be read")
        dtype, count = np.dtype(_STORED[stored]), math.prod(shape)
        end = offset + count * dtype.itemsize
        if end > len(content):
            raise ConversionError(f"weight {name!r} ends at byte {end}, the file at {len(content)}")
        values = np.frombuffer(content, dtype, count, offset).reshape(shape)
        weights[name] = values.astype(np.float32) if dtype.kind == "f" else values.astype(np.int64)
        offset = end
    if offset != len(content):
        raise ConversionError(f"the weights end at byte {offset}, the file at {len(content)}")
    return weights
