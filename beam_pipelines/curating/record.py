"""What `curation.json` says of a curation, made of what its pipeline has counted."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from beam_pipelines import __version__
from beam_pipelines.curating.output import LINES
from transforms.curation.tracks.constrained import FACTORS
from transforms.curation.tracks.counts import entropy, of_known_classes
from transforms.curation.tracks.settings import CurationSettings

Plain = dict[str, Any]  # as JSON has it


def record_of(
    tracks: str,
    settings: CurationSettings,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    passes: Sequence[Mapping[str, Any]],
    lines: int,
    bad: Sequence[Mapping[str, Any]],
) -> Plain:
    """The record: settings, figures before and after, what was left out and why, and the counts of all classes.

    `before` and `after` are counts as the pipeline keeps them, `lines` how many there are of the chosen tracks, `bad`
    what is told of the bad lines of each file.
    """
    record: Plain = {
        "version": __version__,
        "tracks": tracks,
        "settings": _plain(settings),
        "before": _shape(before),
        "after": _shape(after),
        "left_out": {
            "tracks that the run left out": before["left_out"],
            "rows of excluded videos": before["excluded"],
            "rows without a feature": before["without_feature"],
            "repeated rows": before["repeated"],
            "bad lines": sum(one["lines"] for one in bad),
        },
        "bad_lines": [told for one in bad for told in one["told"]],
        "passes": list(passes),
        "notes": [],
        "classes": {
            name: [before["classes"].get(name, 0), after["classes"].get(name, 0)]
            for name in sorted({*before["classes"], *after["classes"]})
        },
    }
    record["notes"] = _notes(record, lines)
    return record


def _plain(settings: CurationSettings) -> Plain:
    """The settings as JSON can hold them: it has no number that is infinite."""
    return {key: "inf" if value == math.inf else value for key, value in settings.model_dump(mode="json").items()}


def _shape(counts: Mapping[str, Any]) -> Plain:
    """The figures that are compared; classes and their entropy without tracks of no known class."""
    classes = of_known_classes(counts["classes"])
    known = sum(classes.values())
    return {
        "tracks": counts["tracks"],
        "videos": counts["videos"],
        "classes": len(classes),
        "tracks of unknown class": counts["tracks"] - known,
        "entropy over classes, bits": round(entropy(classes.values()), 6),
        "largest class, per cent": round(100 * max(classes.values(), default=0) / max(known, 1), 4),
    }


def _taken(by_pass: Sequence[int]) -> str:
    """How many tracks keep the constraints, and how many were taken although they do not."""
    last = len(FACTORS) - 1
    given, laxer, none = by_pass[0], sum(by_pass[1:last]), sum(by_pass[last:])
    return f"{given:,} tracks keep the constraints; taken to fill up: {laxer:,} by laxer ones, {none:,} by none."


def _notes(record: Plain, lines: int) -> list[str]:
    """What else a user should know, a sentence each."""
    notes = []
    settings, before, after = record["settings"], record["before"], record["after"]
    if settings["num_samples_per_class"] and (unknown := before["tracks of unknown class"]):
        notes.append(f"{unknown:,} tracks of no known class were not chosen from.")
    if len(record["passes"]) > 1:
        notes.append(_taken([one["taken"] for one in record["passes"]]))
    if without := after["tracks"] - lines:
        notes.append(f"{without:,} tracks without classes are in the table, but have no line in {LINES}.")
    if settings["num_samples"] and after["tracks"] < settings["num_samples"]:
        notes.append(f"{after['tracks']:,} tracks instead of {settings['num_samples']:,}: there are no more.")
    return notes
