"""The criteria as pure functions on columns: which tracks of a video, a class or all of them are picked."""

from collections.abc import Iterable, Iterator

import numpy as np

from transforms.curation.tracks.class_names import numbered
from transforms.curation.tracks.columns import Batch, Columns, join
from transforms.curation.tracks.constrained import best_of_class
from transforms.curation.tracks.picks import Picks, first, picks_of
from transforms.curation.tracks.settings import CurationSettings
from transforms.curation.tracks.spread import spread
from transforms.identity.knn import unit

VIDEO_BUCKETS = 64


def of_batch(batch: Batch, settings: CurationSettings) -> Picks:
    """Where all tracks compete with each other: those of a batch that can be among the first so many."""
    columns = batch.columns
    ranks = -columns.motion if columns.motion is not None else None
    return first([picks_of(columns.lots, ranks)], settings.num_samples)


def by_video(batch: Batch) -> Iterator[tuple[int, Columns]]:
    """The tracks by buckets of videos; all tracks of a video are in one bucket."""
    bucket = batch.columns.videos % np.uint64(VIDEO_BUCKETS)
    order = np.argsort(bucket, kind="stable")
    numbers, starts = np.unique(bucket[order], return_index=True)
    for number, places in zip(numbers.tolist(), np.split(order, starts[1:]), strict=True):
        yield number, batch.columns.take(places)


def of_videos(gathered: tuple[int, Iterable[Columns]], settings: CurationSettings) -> Picks:
    """Of each video of a bucket the tracks with the lowest lots."""
    columns = join(list(gathered[1]))
    most = settings.num_samples_per_video or len(columns)
    order = np.lexsort((columns.lots, columns.videos))
    videos = columns.videos[order]
    number = np.arange(len(order)) - np.searchsorted(videos, videos)
    return first([picks_of(columns.lots[order[number < most]])], settings.num_samples)


def by_class(batch: Batch, settings: CurationSettings) -> Iterator[tuple[str, Columns]]:
    """The tracks of each class that can be picked; those of no known class cannot."""
    names, codes = numbered(batch.names.tolist())
    order = np.argsort(codes, kind="stable")
    for name, places in zip(names, np.split(order, np.cumsum(np.bincount(codes))[:-1]), strict=True):
        if name:
            yield name, _able(batch.columns.take(places), settings)


def _able(columns: Columns, settings: CurationSettings) -> Columns:
    """Without constraints, no more of a class are picked out of one batch than out of all."""
    if settings.criterion == "max_motion" and columns.motion is not None:
        order = np.lexsort((columns.lots, -columns.motion))
    elif not (settings.needs_features or settings.needs_motion or settings.needs_paths):
        order = np.lexsort((columns.lots, -columns.scores))
    else:
        return columns
    # a track that stands there twice must not take another one's place
    firsts = np.sort(np.unique(columns.lots[order], return_index=True)[1])
    return columns.take(order[firsts][: settings.num_samples_per_class])


def of_class(gathered: tuple[str, Iterable[Columns]], settings: CurationSettings) -> Picks:
    """The tracks of a class, best first: their place is their rank, so that a total is shared round by round."""
    columns = join(list(gathered[1]))
    most = settings.num_samples_per_class or len(columns)
    passes = None
    if settings.criterion == "max_motion" and columns.motion is not None:
        places = np.lexsort((columns.lots, -columns.motion))[:most]
    elif settings.criterion == "min_redundancy" and columns.features is not None:
        places, _ = spread(unit(columns.features), columns.lots, most, settings.max_swaps)
    else:
        places, passes = best_of_class(columns, settings)
    return picks_of(columns.lots[places], np.arange(len(places)), passes)
