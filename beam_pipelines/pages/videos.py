"""Who and what is seen when: a timeline for each video, of persons, tracks, face spans and clips; lengths of tracks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from beam_pipelines.pages.charts import Lane, bins, chart, histogram, timeline, told
from beam_pipelines.pages.document import Section
from beam_pipelines.pages.dropped import clipped
from beam_pipelines.pages.html import Html, element, join
from beam_pipelines.pages.source import Source
from beam_pipelines.pages.table import table
from beam_pipelines.pages.thumbnails import pictures_of, row_of
from transforms.persons.pictures.lines import clock, counted
from transforms.tables.shards import iter_tables

VIDEOS = 12  # with a timeline
LANES = 10  # of a video, of each kind
_CLASSES = 15
_SPANS = 2000  # of a lane


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows of a table as lanes: one for all rows of a video, or one for each of them, called by `name`."""

    table: str
    columns: tuple[str, ...]
    colour: str
    name: str = ""


KINDS = (
    Kind("persons", ("identity", "rank", "spans", "face_id"), "green", "identity"),
    Kind("shots", ("start", "end"), "grey"),
    Kind("spans", ("first_frame", "end_frame"), "blue"),
    Kind("tracks", ("track_id", "class_name", "start", "end"), "blue", "track_id"),
    Kind("clips", ("start", "end"), "green"),
)


def section(source: Source) -> Section | None:
    """Timelines of the first videos that have anything to show; None for a run of images."""
    if not source.has("videos", "video_id", "seconds", "fps", "url"):
        return None
    kinds = [kind for kind in KINDS if source.has(kind.table, "video_id", *kind.columns)]
    videos = _videos(source, [kind for kind in kinds if kind.table != "shots"] or kinds)
    rows = {kind: _rows(source, kind, set(videos)) for kind in kinds}
    parts = [element("p", _words(source), class_="note")]
    if source.has("tracks", "start", "end", "class_name"):
        parts.append(_tracks(source))
    for name, video in videos.items():
        parts.append(_video(source, video, {kind: rows[kind].get(name, []) for kind in kinds}))
    return Section("videos", "When it is seen", join(parts))


def _words(source: Source) -> str:
    seconds = source.numbers("videos", "seconds")
    of = f"; the first {VIDEOS} with anything found are shown" if len(seconds) > VIDEOS else ""
    return f"{counted(len(seconds), 'video')}, {clock(float(seconds.sum()))} in all{of}."


def _videos(source: Source, kinds: list[Kind]) -> dict[str, Mapping[str, Any]]:
    """The first videos that a table of these kinds has rows of."""
    seen: dict[str, None] = {}
    for kind in kinds:
        for shard in iter_tables(source.run, kind.table, ["video_id"]):
            seen.update(dict.fromkeys(pc.unique(shard["video_id"]).to_pylist()))
            if len(seen) >= VIDEOS:
                break
    wanted = pa.array(list(seen)[:VIDEOS], pa.string())
    found: dict[str, Mapping[str, Any]] = {}
    for shard in iter_tables(source.run, "videos", ["video_id", "url", "seconds", "fps"]):
        hits = shard.filter(pc.is_in(shard["video_id"], value_set=wanted))
        found.update((row["video_id"], row) for row in hits.to_pylist())
    return found


def _rows(source: Source, kind: Kind, videos: set[str]) -> dict[str, list[Mapping[str, Any]]]:
    """The rows of these videos, up to a number that can be told apart."""
    most = LANES if kind.name else _SPANS
    found: dict[str, list[Mapping[str, Any]]] = {name: [] for name in videos}
    wanted = pa.array(sorted(videos), pa.string())
    for shard in iter_tables(source.run, kind.table, ["video_id", *kind.columns]):
        for row in shard.filter(pc.is_in(shard["video_id"], value_set=wanted)).to_pylist():
            found[row["video_id"]].append(row)
            if kind.table == "persons":
                found[row["video_id"]].sort(key=lambda one: one["rank"])
            del found[row["video_id"]][most:]
    return found


def _video(source: Source, video: Mapping[str, Any], rows: Mapping[Kind, list[Mapping[str, Any]]]) -> Html:
    lanes = [lane for kind, some in rows.items() for lane in _lanes(kind, some, video["fps"])]
    name = clipped(video["video_id"])
    title = element("h3", element("span", name, class_="id"), f": {clock(video['seconds'])}")
    if not lanes:
        return join([title, element("p", "Nothing was found in it.", class_="note")])
    picture = timeline(f"When persons, tracks, spans and clips are seen in {name}", lanes, video["seconds"])
    return join([title, element("p", clipped(video["url"]), class_="note"), picture, _persons(source, rows)])


def _lanes(kind: Kind, rows: list[Mapping[str, Any]], fps: float) -> Iterable[Lane]:
    if not rows:
        return
    if not kind.name:
        yield Lane(kind.table, [_span(row, fps) for row in rows], kind.colour)
        return
    for row in rows:
        spans = row["spans"] if "spans" in row else [_span(row, fps)]
        name = f"{row['class_name']} {row['track_id']}" if "class_name" in row else f"person {row[kind.name]}"
        yield Lane(clipped(name), spans, kind.colour)


def _span(row: Mapping[str, Any], fps: float) -> tuple[float, float]:
    if "start" in row:
        return row["start"], row["end"]
    return row["first_frame"] / max(fps, 1e-6), row["end_frame"] / max(fps, 1e-6)


def _persons(source: Source, rows: Mapping[Kind, list[Mapping[str, Any]]]) -> Html:
    persons = [row for kind, some in rows.items() if kind.table == "persons" for row in some]
    pictures = pictures_of(source, {row["face_id"] for row in persons})
    drawn = [(pictures[row["face_id"]], f"person {row['identity']}") for row in persons if row["face_id"] in pictures]
    return row_of(drawn) if drawn else Html("")


def _tracks(source: Source) -> Html:
    """How long tracks are, and of what."""
    lengths = source.numbers("tracks", "end") - source.numbers("tracks", "start")
    if not len(lengths):
        return element("p", "No object was followed.")
    classes = _classes(source)
    more = f"; {len(classes) - _CLASSES} other classes" if len(classes) > _CLASSES else ""
    top = sorted(classes.items(), key=lambda one: (-one[1], one[0]))[:_CLASSES]
    drawn = [
        chart("Lengths of tracks, seconds", histogram("Lengths of tracks, seconds", bins(lengths)), told(lengths)),
        chart(
            f"Classes of tracks{more}", table(("class", "tracks"), [(clipped(name), n) for name, n in top], "Classes")
        ),
    ]
    return element("div", *drawn, class_="charts")


def _classes(source: Source) -> dict[str, int]:
    counts: dict[str, int] = {}
    for shard in iter_tables(source.run, "tracks", ["class_name"]):
        for one in pc.value_counts(shard["class_name"]).to_pylist():
            counts[one["values"]] = counts.get(one["values"], 0) + one["counts"]
    return counts
