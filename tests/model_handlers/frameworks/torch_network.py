"""A small network for tests, as a user's own would be: `tests.model_handlers.frameworks.torch_network:network`."""

from pathlib import Path

from torch import nn

from model_handlers.networks.weights import fill, read_weights


def plain() -> nn.Module:
    """(N,3,16,16) -> (N,10): a convolution, a normalization and a product."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 256, 10)
    )


def network(path: Path) -> nn.Module:
    """With the file's weights."""
    return fill(plain(), read_weights(path), path)
