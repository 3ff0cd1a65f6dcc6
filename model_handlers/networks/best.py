"""The best regions of an image, picked on the device: a large vocabulary's numbers for all of them are slow to copy."""

import torch


def best(count: int, scores: torch.Tensor, *regions: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Of each of `regions` (N,P,...) those `count` whose scores (N,P) are highest, by falling score (ties by index).

    Where there are fewer than `count`, all of them.
    """
    order = scores.argsort(dim=1, descending=True, stable=True)[:, :count]
    rows = torch.arange(len(order), device=order.device)[:, None]
    return tuple(one[rows, order] for one in regions)
