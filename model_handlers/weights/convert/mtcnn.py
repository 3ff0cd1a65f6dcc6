"""MTCNN's three networks as facenet-pytorch ships them -> one safetensors file, with the network's name before each.

The sources are pnet.pt, rnet.pt and onet.pt, in that order (T. Esler, facenet-pytorch 2.6.0, whose weights are those of
K. Zhang et al., Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks, 2016).
"""

from collections.abc import Sequence
from pathlib import Path

from model_handlers.interface import Array
from model_handlers.weights.convert import ConversionError
from model_handlers.weights.convert.safetensors_file import safetensors_bytes
from model_handlers.weights.convert.torch_file import read_tensors

MAX_BYTES = 8 * 2**20
# of each network the last layer's weight, which the others have not
NETWORKS = {
    "pnet": ("conv4_2.weight", (4, 32, 1, 1)),
    "rnet": ("dense5_2.weight", (4, 128)),
    "onet": ("dense6_3.weight", (10, 256)),
}


def convert(paths: Sequence[Path]) -> bytes:
    """The file's bytes; ConversionError when one of the files is not the network that stands at its place."""
    merged: dict[str, Array] = {}
    for path, (network, (last, shape)) in zip(paths, NETWORKS.items(), strict=True):
        tensors = read_tensors(path, MAX_BYTES)
        if last not in tensors or tensors[last].shape != shape:
            raise ConversionError(f"{path} is not MTCNN's {network}: it has no {last} of the shape {shape}")
        merged |= {f"{network}.{name}": tensor for name, tensor in tensors.items()}
    return safetensors_bytes(merged)
