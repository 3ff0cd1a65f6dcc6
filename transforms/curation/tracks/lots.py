"""A track's lot: a number drawn by its id and a seed, so that what chance decides is the same on every runner."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

NO_LOTS = np.zeros(0, np.uint64)
_BYTES = 8


def lots(ids: Iterable[str], seed: int) -> U64:
    """The lot (N,) of each id; equal ids have equal lots, and the lots of another seed have nothing to do with these.

    The first 64 bits of a keyed BLAKE2b. Among ten million ids two different ones share a lot with a chance of 3 in a
    million; such a pair would count as one track that stands there twice.
    """
    key = seed.to_bytes(_BYTES, "big")
    digests = b"".join(blake2b(one.encode(), digest_size=_BYTES, key=key).digest() for one in ids)
    return np.frombuffer(digests, ">u8").astype(np.uint64)


def in_chance_order(some: U64, turn: int) -> I64:
    """The places (N,) of the lots in an order that chance gives them, another one for every turn."""
    mixed = some ^ np.uint64(turn * 0x9E3779B97F4A7C15 % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # the finalizer of SplitMix64
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.lexsort((some, mixed ^ (mixed >> np.uint64(31))))


def first_of_each(some: npt.NDArray[Any]) -> I64:
    """The places of the first of each value, ascending."""
    return np.sort(np.unique(some, return_index=True)[1])


def ranks_among(some: U64, ascending: U64) -> I64:
    """The place (N,) that each lot has among others, which ascend; -1 for one that is not among them."""
    if not len(ascending):
        return np.full(len(some), -1, np.int64)
    places = np.searchsorted(ascending, some).clip(max=len(ascending) - 1)
    return np.where(ascending[places] == some, places, -1)
