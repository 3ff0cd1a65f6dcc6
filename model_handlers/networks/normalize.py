"""Images normalized on the device that the network is on."""

import torch

from model_handlers.framing import NORMALIZATIONS


class Normalize(torch.nn.Module):
    """Takes off the mean and divides by the deviation of a normalization that NORMALIZATIONS has; no weights."""

    def __init__(self, name: str) -> None:
        super().__init__()
        for part, values in zip(("mean", "deviation"), NORMALIZATIONS[name], strict=True):
            self.register_buffer(part, torch.tensor(values)[:, None, None], persistent=False)

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        """(N,3,H,W) RGB 0 to 1 -> the same, normalized."""
        normalized: torch.Tensor = (planes - self.mean) / self.deviation
        return normalized
