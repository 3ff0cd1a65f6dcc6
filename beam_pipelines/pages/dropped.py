"""Samples of what went no further, for each stage and reason: pictures where the run has pixels, rows where not."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam_pipelines.pages.document import Section
from beam_pipelines.pages.funnel import meaning
from beam_pipelines.pages.html import Html, element, join
from beam_pipelines.pages.source import Source, Stage
from beam_pipelines.pages.table import table
from beam_pipelines.pages.thumbnails import pictures_of, row_of
from transforms.persons.pictures.crops import spread
from transforms.tables.ledger import read_ledger
from transforms.tables.shards import iter_tables

EACH = 8  # items of a reason
MOST = 40  # stages and reasons, those with most items first
_LONG = 160  # characters of a text
_KEYS = ("image_id", "video_id")  # of the manifest


@dataclass(frozen=True, slots=True)
class Sample:
    """Some items of a stage that ended with one reason: (id, detail) each, spread evenly over the ledger."""

    stage: str
    reason: str
    count: int
    items: tuple[tuple[str, str], ...]


def section(source: Source) -> Section | None:
    """Pictures or rows for each stage and reason; None if nothing was dropped and nothing failed."""
    samples = read_samples(source)
    if not samples:
        return None
    ids = {item for sample in samples for item, _ in sample.items}
    pictures, urls = pictures_of(source, ids), _urls(source, ids)
    total = sum(len(stage.reasons) for stage in source.stages)
    left = f" Of {total} reasons the {MOST} most frequent are shown." if total > len(samples) else ""
    note = f"Up to {EACH} items of each reason, spread evenly over the run.{left}"
    parts = [element("p", note, class_="note"), *(_sample(one, pictures, urls) for one in samples)]
    return Section("dropped", "What was left out, and why", join(parts))


def read_samples(source: Source) -> list[Sample]:
    """The samples of the most frequent reasons, in the order of the stages; ledgers are read shard by shard."""
    pairs = [(n, place, code) for place, one in enumerate(source.stages) for code, n in one.reasons.items()]
    chosen: dict[int, list[str]] = {}
    for _, place, code in sorted(pairs, key=lambda one: (-one[0], one[1], one[2]))[:MOST]:
        chosen.setdefault(place, []).append(code)
    return [
        sample
        for place in sorted(chosen)
        for sample in _of_stage(source, source.stages[place], chosen[place])
        if sample.items
    ]


def _of_stage(source: Source, stage: Stage, codes: list[str]) -> list[Sample]:
    ordinals = {code: spread(np.arange(stage.reasons[code]), EACH) for code in codes}
    seen = dict.fromkeys(codes, 0)
    found: dict[str, list[tuple[str, str]]] = {code: [] for code in codes}
    for _, entries in read_ledger(source.run, stage.name, ["item_id", "reason", "detail"]):
        for code in codes:
            rows = np.flatnonzero(pc.equal(entries["reason"], code).to_numpy())
            here = ordinals[code] - seen[code]
            some = entries.take(pa.array(rows[here[(here >= 0) & (here < len(rows))]]))
            found[code].extend(zip(some["item_id"].to_pylist(), some["detail"].to_pylist(), strict=True))
            seen[code] += len(rows)
    return [Sample(stage.name, code, stage.reasons[code], tuple(found[code])) for code in codes]


def _urls(source: Source, ids: set[str]) -> Mapping[str, str]:
    """The URLs of those ids that are items of the list."""
    key = next((one for one in _KEYS if source.has("manifest", one, "url")), "")
    if not key:
        return {}
    wanted = pa.array(sorted(ids), pa.string())
    found: dict[str, str] = {}
    for shard in iter_tables(source.run, "manifest", [key, "url"]):
        hits = shard.filter(pc.is_in(shard[key], value_set=wanted))
        found.update(zip(hits[key].to_pylist(), hits["url"].to_pylist(), strict=True))
    return found


def _sample(sample: Sample, pictures: Mapping[str, Html], urls: Mapping[str, str]) -> Html:
    head = element("h3", f"{sample.stage}: ", element("code", sample.reason), f" {sample.count:,}")
    parts = [head, element("p", meaning(sample.reason), class_="note")]
    drawn = [(pictures[item], clipped(detail)) for item, detail in sample.items if item in pictures]
    if drawn:
        parts.append(row_of(drawn))
    bare = [(item, detail) for item, detail in sample.items if item not in pictures]
    if bare:
        rows = [(_id(item), clipped(urls.get(item, "")), clipped(detail)) for item, detail in bare]
        listed = table(("item", "address", "detail"), rows, f"{sample.stage}: {sample.reason}")
        folded = element("details", element("summary", f"{len(rows)} without a picture"), listed)
        parts.append(folded if drawn else listed)
    return join(parts)


def _id(item: str) -> Html:
    return element("span", clipped(item), class_="id")


def clipped(text: str | None) -> str:
    """A stranger's text, no longer than a page can bear."""
    return "" if text is None else text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"
