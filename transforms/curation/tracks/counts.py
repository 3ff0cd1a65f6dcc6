"""How many tracks, videos and classes there are, and how evenly the tracks are spread over the classes."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import apache_beam as beam
import numpy as np
import numpy.typing as npt

from transforms.curation.tracks.class_names import numbered, places_among
from transforms.curation.tracks.lots import NO_LOTS, U64

# every row is in one of these
ROWS_TOLD = ("tracks", "repeated", "left_out", "excluded", "without_feature")
_SUMS = ("rows", *ROWS_TOLD)
BUCKETS = 64  # of tracks, by lot: each is counted by itself


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """What was counted: `tracks`, each once, with their `classes` (by name; empty: unknown) and `videos` (V,).

    `rows` were read; `repeated` are those of tracks that stand there again, `left_out` of tracks that the run left out,
    `excluded` of excluded videos, `without_feature` without what they are to be compared by.
    """

    rows: int = 0
    repeated: int = 0
    left_out: int = 0
    excluded: int = 0
    without_feature: int = 0
    tracks: int = 0
    classes: Mapping[str, int] = field(default_factory=dict)
    videos: U64 = field(default_factory=lambda: NO_LOTS)


def added(parts: Iterable[Counts]) -> Counts:
    """The counts of all parts; a video counts once."""
    some = list(parts)
    classes: Counter[str] = Counter()
    for part in some:
        classes.update(part.classes)
    return Counts(
        **{name: sum(getattr(part, name) for part in some) for name in _SUMS},
        classes=dict(sorted(classes.items())),
        videos=np.unique(np.concatenate([NO_LOTS, *(part.videos for part in some)])),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Tracks of a bucket, as they were read: lots (N,), videos (N,), codes (N,) of their classes among `names`."""

    lots: U64
    videos: U64
    codes: npt.NDArray[np.int32]
    names: tuple[str, ...]


def by_bucket(lots: U64, videos: U64, names: npt.NDArray[np.object_]) -> Iterable[tuple[int, Seen]]:
    """The tracks of each bucket."""
    known, codes = numbered(names.tolist())
    bucket = lots % np.uint64(BUCKETS)
    order = np.argsort(bucket, kind="stable")
    numbers, starts = np.unique(bucket[order], return_index=True)
    for number, places in zip(numbers.tolist(), np.split(order, starts[1:]), strict=True):
        used, own = np.unique(codes[places], return_inverse=True)
        yield number, Seen(lots[places], videos[places], own.astype(np.int32), tuple(known[one] for one in used))


def counted(parts: Iterable[Seen]) -> Counts:
    """The counts of a bucket: every lot once, and of its classes, if there are several, the first by name."""
    some = list(parts)
    lots = np.concatenate([part.lots for part in some])
    videos = np.concatenate([part.videos for part in some])
    known = sorted({name for part in some for name in part.names})
    codes = np.concatenate([places_among(part.names, known)[part.codes] for part in some])
    order = np.lexsort((codes, lots))
    firsts = np.ones(len(order), bool)
    firsts[1:] = np.diff(lots[order]) != 0
    own = order[firsts]
    numbers, sizes = np.unique(codes[own], return_counts=True)
    return Counts(
        repeated=len(lots) - len(own),
        tracks=len(own),
        classes={known[number]: size for number, size in zip(numbers, sizes.tolist(), strict=True)},
        videos=np.unique(videos[own]),
    )


class AddCounts(beam.CombineFn):
    """Counts -> the counts of all; 8 bytes a video are in memory."""

    def create_accumulator(self) -> Counts:
        """Nothing."""
        return Counts()

    def add_input(self, before: Counts, one: Counts) -> Counts:
        """Both."""
        return added([before, one])

    def merge_accumulators(self, several: Iterable[Counts]) -> Counts:
        """All."""
        return added(several)

    def extract_output(self, all_: Counts) -> Counts:
        """As they are."""
        return all_


def of_known_classes(classes: Mapping[str, int]) -> dict[str, int]:
    """The classes that have a name."""
    return {name: count for name, count in classes.items() if name}


def entropy(counts: Iterable[int]) -> float:
    """The entropy, in bits, of the class of a track that is drawn at random; 0 where there is none."""
    some = [count for count in counts if count]
    total = sum(some)
    return abs(sum(count / total * math.log2(total / count) for count in some))


def without_videos(counts: Counts) -> dict[str, object]:
    """The counts as plain data; of the videos their number alone."""
    plain: dict[str, object] = {name: getattr(counts, name) for name in _SUMS}
    return plain | {"videos": len(counts.videos), "classes": dict(counts.classes)}
