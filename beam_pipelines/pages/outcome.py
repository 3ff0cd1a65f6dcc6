"""A run in a sentence, and what a reader should know before anything else."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow.compute as pc

from beam_pipelines.pages.html import Html, element, join
from beam_pipelines.pages.source import Source
from beam_pipelines.reports import nothing_kept
from beam_pipelines.reports.causes import causes
from transforms.identity.search import measured_recall
from transforms.persons.pictures.lines import clock, counted
from transforms.tables.shards import iter_tables

_FAILED = 0.05  # of a stage's items: what is worth a warning
_TOLD = 3  # reasons
_WHAT = {"images": "image", "videos": "video"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The counts that matter, from the list to what was made: a number and a noun each."""

    counts: tuple[tuple[int, str], ...]


def lead(source: Source) -> Html:
    """The sentence, the counts as tiles, and warnings."""
    found = outcome(source)
    tiles = [
        element("li", element("b", f"{number:,}"), counted(number, noun).partition(" ")[2], class_="tile")
        for number, noun in found.counts
    ]
    warnings = [element("p", one, class_="warn") for one in _warnings(source)]
    parts = [element("p", sentence(source, found)), element("ul", *tiles, class_="tiles"), *warnings]
    return join(parts)


def outcome(source: Source) -> Outcome:
    """What the run's tables come to."""
    by_name = {stage.name: stage for stage in source.stages}
    counts: list[tuple[int, str]] = []
    if "manifest" in by_name:
        counts.append((by_name["manifest"].items, "listed item"))
    if "download" in by_name:
        noun = next((noun for table, noun in _WHAT.items() if table in source.columns), "item")
        counts.append((by_name["download"].kept, f"fetched {noun}"))
    tables = (("faces", "face"), ("tracks", "track"), ("clips", "clip"), ("anonymized", "anonymized file"))
    counts += [(_rows(source, table), noun) for table, noun in tables if table in source.columns]
    if source.has("identities", "identity"):
        faces, identities = _identities(source)
        counts += [(faces, "identified face"), (identities, "identity")]
    return Outcome(tuple(counts))


def sentence(source: Source, found: Outcome) -> str:
    """The outcome in words: `webbody: 145 listed items came to ... 30 identities. It took 1:27.`"""
    recipe = str(source.record.get("recipe", "a run"))
    if not found.counts:
        return f"{recipe}: nothing has been done yet."
    (first, noun), *rest = found.counts
    came = f" came to {_listed([counted(number, one) for number, one in rest])}" if rest else " so far"
    return f"{recipe}: {counted(first, noun)}{came}.{_losses(source)} {_state(source)}"


def _losses(source: Source) -> str:
    """The reasons for which most went."""
    reasons = [(n, f"{n:,} {code} ({stage.name})") for stage in source.stages for code, n in stage.reasons.items()]
    most = [words for _, words in sorted(reasons, key=lambda one: -one[0])[:_TOLD]]
    return f" Most often left out: {', '.join(most)}." if most else ""


def _state(source: Source) -> str:
    seconds: Mapping[tuple[str, ...], float] = {
        tuple(job): max((stage.seconds or 0.0 for stage in source.stages if stage.name in job), default=0.0)
        for job in [["manifest"], *source.record.get("config", {}).get("jobs", [])]
    }
    took = clock(sum(seconds.values()))
    if source.record.get("finished"):
        return f"The run is finished; its jobs took {took}."
    return f"The run is not finished; its jobs have taken {took} so far."


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _rows(source: Source, table: str) -> int:
    first = next(iter(source.columns[table]))
    return sum(len(shard) for shard in iter_tables(source.run, table, [first]))


def _identities(source: Source) -> tuple[int, int]:
    faces, numbers = 0, set()
    for shard in iter_tables(source.run, "identities", ["identity"]):
        kept = shard["identity"].drop_null()
        faces += len(kept)
        numbers.update(pc.unique(kept).to_pylist())
    return faces, len(numbers)


def _warnings(source: Source) -> Iterator[str]:
    """Why nothing came of it, where much failed, and what was only searched approximately."""
    record = dict(source.record)
    if record.get("stages") and (nothing := nothing_kept.sentence(source.run, record)):
        yield nothing
        yield from causes(source.run, record)
    for stage in source.stages:
        if stage.items and stage.failed / stage.items > _FAILED:
            yield f"{stage.name}: {stage.failed / stage.items:.0%} of {stage.items:,} items failed."
    if "edges" in source.columns and (recall := measured_recall(source.run)).wanted:
        share = f"{recall.found / recall.wanted:.1%}"
        yield f"The search for neighbours was approximate; of a sample of edges it found {share}."
