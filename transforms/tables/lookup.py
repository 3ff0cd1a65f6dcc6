"""Finding where many keys stand in a table that is too long to look each of them up in."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

LEAST_AT_ONCE = 1 << 20  # keys that are searched together


def places(wanted: pa.Array, parts: Iterable[pa.Array]) -> NDArray[np.int64]:
    """The place (N,) of each wanted key in all parts, one after another: its first, or -1 if it is in none.

    Parts are as long as shards and are searched a quarter of `wanted` at a time, or more: so the time is linear in
    the keys on both sides, and no more of the parts is in memory.
    """
    found = np.full(len(wanted), -1, np.int64)
    start = 0
    for keys in _joined(parts, max(LEAST_AT_ONCE, len(wanted) // 4)):
        place = pc.index_in(wanted, value_set=keys)
        new = place.is_valid().to_numpy(zero_copy_only=False) & (found < 0)
        found[new] = start + place.fill_null(-1).to_numpy()[new]
        start += len(keys)
    return found


def _joined(parts: Iterable[pa.Array], least: int) -> Iterator[pa.Array]:
    """The parts as fewer ones, each but the last of at least `least` keys."""
    some: list[pa.Array] = []
    count = 0
    for part in parts:
        some.append(part)
        count += len(part)
        if count >= least:
            yield pa.concat_arrays(some)
            some, count = [], 0
    if some:
        yield pa.concat_arrays(some)
