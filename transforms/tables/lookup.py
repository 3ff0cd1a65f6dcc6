"""Finding where many keys stand in a table that is too long to look each of them up in."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Part = TypeVar("Part", pa.Array, pa.Table)
LEAST_AT_ONCE = 1 << 20  # keys that are searched together


def places(wanted: pa.Array, parts: Iterable[pa.Array]) -> NDArray[np.int64]:
    """The place (N,) of each wanted key in all parts, one after another: its first, or -1 if it is in none.

    Parts are as long as shards and are searched a quarter of `wanted` at a time, or more: so the time is linear in
    the keys on both sides, and no more of the parts is in memory.
    """
    found = np.full(len(wanted), -1, np.int64)
    start = 0
    for keys in _joined(parts, max(LEAST_AT_ONCE, len(wanted) // 4), pa.concat_arrays):
        place = pc.index_in(wanted, value_set=keys)
        new = place.is_valid().to_numpy(zero_copy_only=False) & (found < 0)
        found[new] = start + place.fill_null(-1).to_numpy()[new]
        start += len(keys)
    return found


def rows_of(wanted: pa.Array, parts: Iterable[pa.Table], key: str) -> Iterator[tuple[NDArray[np.int64], pa.Table]]:
    """The rows of all parts whose `key`, text, is one of the wanted ones (large strings, none twice), some at a time.

    With them the places (H,) of their keys in `wanted`. A row without a key is none of them. Time and memory are as of
    `places`.
    """
    for rows in _joined(parts, max(LEAST_AT_ONCE, len(wanted) // 4), pa.concat_tables):
        place = pc.index_in(rows[key].cast(pa.large_string()), value_set=wanted, skip_nulls=True)
        hit = place.is_valid()
        yield place.filter(hit).to_numpy().astype(np.int64), rows.filter(hit)


def _joined(parts: Iterable[Part], least: int, join: Callable[[list[Part]], Part]) -> Iterator[Part]:
    """The parts as fewer ones, each but the last of at least `least` keys."""
    some: list[Part] = []
    count = 0
    for part in parts:
        some.append(part)
        count += len(part)
        if count >= least:
            yield join(some)
            some, count = [], 0
    if some:
        yield join(some)
