"""Films and images that the run wrote: clips, anonymized videos and images, and tracks, some frames of each."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

from beam_pipelines.pages.document import Section
from beam_pipelines.pages.dropped import clipped
from beam_pipelines.pages.html import Html, element, join
from beam_pipelines.pages.source import Source
from beam_pipelines.pages.thumbnails import inline, row_of
from beam_pipelines.reports.sheet import covering_of, film, picture
from beam_pipelines.reports.track_sheet import pictures, tracks
from model_handlers.interface import Array
from transforms.tables.reasons import Rejected
from transforms.tables.shards import iter_tables
from transforms.tables.track_rows import Track
from transforms.videos.covering import Covering

MOST = 10  # films
FRAMES = 6  # of a film
IMAGES = 40
_GONE = (Rejected, OSError, ValueError)


def section(source: Source) -> Section | None:
    """Some frames of what was written; None if the run writes no films and no images."""
    parts = [*_films(source, "clips", "clip_id"), *_films(source, "anonymized", "anonymized_id")]
    if source.has("anonymized", "image_id", "file"):
        drawn = [made for file in _column(source, "anonymized", "file", IMAGES) for made in _image(source, file)]
        parts.append(row_of([(one, "") for one in drawn]))
    if not parts and source.has("tracks", "track_id"):
        parts = list(_tracks(source))
    if not parts:
        return None
    note = element("p", f"Up to {MOST} films with {FRAMES} frames each, or {IMAGES} images.", class_="note")
    return Section("made", "What was made", join([note, *parts]))


def _films(source: Source, table: str, key: str) -> Iterator[Html]:
    if source.has(table, key, "file"):
        names, files = (_column(source, table, column, MOST) for column in (key, "file"))
        for name, file in zip(names, files, strict=True):
            yield _strip(name, partial(film, source.run, file, FRAMES))


def _tracks(source: Source) -> Iterator[Html]:
    covering = covering_of(source.run)
    for track in tracks(source.run, MOST):
        yield _strip(track.track_id, partial(_track, source.run, track, covering))


def _track(run: str, track: Track, covering: Covering | None) -> tuple[str, list[Array]]:
    words = f"{track.class_name} {track.class_score:.2f}, {track.end - track.start:.1f} s"
    return words, list(pictures(run, track, covering))


def _strip(name: str, made: Callable[[], tuple[str, list[Array]]]) -> Html:
    """Words and frames, or that the file is not there."""
    try:
        words, frames = made()
    except _GONE:
        words, frames = "its file is gone or cannot be read", []
    title = element("p", element("span", clipped(name), class_="id"), f": {clipped(words)}")
    return join([title, row_of([(inline(one, ""), "") for one in frames])])


def _image(source: Source, file: str) -> Iterator[Html]:
    try:
        yield inline(picture(source.run, file), file)
    except (*_GONE, AttributeError, TypeError):
        return


def _column(source: Source, table: str, column: str, most: int) -> list[str]:
    values = (value for shard in iter_tables(source.run, table, [column]) for value in shard[column].to_pylist())
    return list(islice(values, most))
