"""Weights and inputs for ViT with KP-RPE that anybody can make again: they follow from names and shapes alone.

The file vit_kprpe.npz has what the reference implementation gave for `made(shapes(24, 16, 3))` and `faces()`.
"""

import zlib
from pathlib import Path

import numpy as np

EXPECTED = Path(__file__).parent / "vit_kprpe.npz"


def shapes(depth: int, heads: int, ratio: int) -> dict[str, tuple[int, ...]]:
    """The names of a checkpoint's tensors and their shapes."""
    width, hidden = 512, 512 * ratio
    found = {
        "pos_embed": (1, 196, width),
        "patch_embed.proj.weight": (width, 3, 8, 8),
        "patch_embed.proj.bias": (width,),
        "norm.weight": (width,),
        "norm.bias": (width,),
        "feature.0.weight": (width, 196 * width),
        "feature.2.weight": (width, width),
        "keypoint_linear.weight": (49 * heads * depth, 10),
        "keypoint_linear.bias": (49 * heads * depth,),
    }
    for place in (1, 3):
        for part in ("weight", "bias", "running_mean", "running_var"):
            found[f"feature.{place}.{part}"] = (width,)
        found[f"feature.{place}.num_batches_tracked"] = ()
    for number in range(depth):
        block = {
            "attn.qkv.weight": (3 * width, width),
            "attn.proj.weight": (width, width),
            "attn.proj.bias": (width,),
            "mlp.fc1.weight": (hidden, width),
            "mlp.fc1.bias": (hidden,),
            "mlp.fc2.weight": (width, hidden),
            "mlp.fc2.bias": (width,),
            **{f"norm{place}.{part}": (width,) for place in (1, 2) for part in ("weight", "bias")},
        }
        found |= {f"blocks.{number}.{name}": shape for name, shape in block.items()}
    return found


def made(wanted: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """The tensors of these names and shapes."""
    return {name: tensor(name, shape) for name, shape in wanted.items()}


def tensor(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Normal numbers, seeded by the name's CRC-32, of the size that such a tensor has in a trained network."""
    if name.endswith("num_batches_tracked"):
        return np.array(100, dtype=np.int64)
    drawn = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape).astype(np.float32)
    if name.endswith("running_var"):
        return np.float32(0.5) + np.float32(0.1) * abs(drawn)
    if len(shape) == 1 and name.endswith("weight"):
        return np.float32(1) + np.float32(0.1) * drawn
    factors = {"running_mean": 0.05, "keypoint_linear.weight": 0.5, "keypoint_linear.bias": 0.5, "pos_embed": 0.2}
    spread = 0.02 if len(shape) == 1 else 1 / np.sqrt(np.prod(shape[1:]))
    factor = next((own for end, own in factors.items() if name.endswith(end)), spread)
    return drawn * np.float32(factor)


def faces(count: int = 3) -> list[tuple[np.ndarray, np.ndarray]]:
    """Noise in place of images (3,112,112), -1 to 1, and landmarks (5,2) about where they lie in a face."""
    random = np.random.default_rng(7)
    images = random.uniform(-1, 1, (count, 3, 112, 112)).astype(np.float32)
    places = np.array([(0.34, 0.46), (0.66, 0.46), (0.5, 0.64), (0.37, 0.82), (0.63, 0.82)], dtype=np.float32)
    landmarks = places + random.normal(0, 0.05, (count, 5, 2)).astype(np.float32)
    return list(zip(images, landmarks, strict=True))
