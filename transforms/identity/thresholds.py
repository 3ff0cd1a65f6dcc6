"""The similarities of the stage identity as numbers: the configuration's, the embedding model's own, or found ones."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from apache_beam.io.filesystems import FileSystems

from model_handlers.errors import ModelError
from model_handlers.models.catalogue import Entry, Similarities
from transforms.identity import columns
from transforms.identity.calibration import Calibration, Pairs, Rule, TooLittleEvidence, calibrate
from transforms.identity.knn import F32, I64, unit
from transforms.identity.pair_counts import PairCounts, count_pairs
from transforms.identity.settings import ClusterSettings, IdentitySettings
from transforms.identity.similarity import Similarity
from transforms.tables.digest import digest, tables_digest
from transforms.tables.files import commit_file, exists, open_binary

FOLDER, FILE = "thresholds", "thresholds.json"  # in the run's
MOST_PAIRS = 1_000_000  # of faces in one image

# Every similarity of the configuration: its block and key, and what the catalogue and a calibration call it.
_KEYS = {
    ("edges", "min_similarity"): ("edge", "edge"),
    ("clusters", "link_similarity"): ("link", "link"),
    ("cleaning", "merge_similarity"): ("merge", "merge"),
    ("cleaning", "ambiguous_similarity"): ("ambiguous", "merge"),
    ("cleaning", "leakage_similarity"): ("leakage", "merge"),
    ("cleaning", "duplicate_similarity"): ("duplicate", "duplicate"),
    ("evidence", "copy_similarity"): ("copies", "duplicate"),
    ("evidence", "track_similarity"): ("edge", "edge"),
}
_LINK, _EDGE = ("clusters", "link_similarity"), ("edges", "min_similarity")
_COPY, _TRACK = ("evidence", "copy_similarity"), ("evidence", "track_similarity")
_OFF = 1.0  # a rule with this similarity is off
_INSTEAD = {"group_link": "link", "copies": "duplicate"}  # what counts where a model's entry leaves one out
_BY_ALL_PAIRS = ("average", "leiden")  # methods that join groups by all their pairs, not by single ones


@dataclass(frozen=True, slots=True)
class Chosen:
    """Settings whose similarities are numbers or `auto`, and where each is from, by key."""

    settings: IdentitySettings
    origin: Mapping[str, str] = field(default_factory=dict)


def of_model(settings: IdentitySettings, model: Entry) -> Chosen:
    """The settings with the embedding model's own similarities where they give none.

    Where the link is `auto`, so is what is not given. ModelError for a model without similarities of its own, and for
    numbers that are plainly those of another model.
    """
    own, numbers, origin = model.similarities, {}, {}
    given = {key: _get(settings, key) for key in _used(settings)}
    if own is not None:
        _check(given, own, settings.clusters, model.name)
    elif given[_LINK] is None:
        raise ModelError(_nothing_known(_LINK, model))
    for key, value in given.items():
        if value is None and given[_LINK] == "auto":
            value, origin[_name(key)] = "auto", "auto, as the link is"
        elif value is None:
            value, origin[_name(key)] = _own(key, given, settings, model), f"the model {model.name}"
        else:
            origin[_name(key)] = "auto" if value == "auto" else "the configuration"
        numbers[key] = value
    if isinstance(numbers[_EDGE], float) and isinstance(numbers[_LINK], float) and given[_EDGE] is None:
        numbers[_EDGE] = min(numbers[_EDGE], numbers[_LINK])
    return Chosen(_with(settings, numbers), origin)


def _own(
    key: tuple[str, str], given: Mapping[tuple[str, str], Similarity], settings: IdentitySettings, model: Entry
) -> float:
    own = model.similarities
    link = given[_LINK] if isinstance(given[_LINK], float) else own and _similarity_of(_LINK, own, settings.clusters)
    if key == _EDGE and settings.edges.k == 0 and isinstance(link, float):
        return link  # all pairs above it: lower ones would be many, and nothing reads them
    if own is None:
        raise ModelError(_nothing_known(key, model))
    return _similarity_of(key, own, settings.clusters)


def _similarity_of(key: tuple[str, str], own: Similarities, clusters: ClusterSettings) -> float:
    name = "group_link" if key == _LINK and clusters.method in _BY_ALL_PAIRS else _KEYS[key][0]
    value = getattr(own, name)
    return float(getattr(own, _INSTEAD[name]) if value is None else value)


def _nothing_known(key: tuple[str, str], model: Entry) -> str:
    return (
        f"identity.{_name(key)}: the model {model.name} has no similarities of its own in the catalogue; give a "
        "number, or auto, or write `similarities` into its entry."
    )


def _check(
    given: Mapping[tuple[str, str], Similarity], own: Similarities, clusters: ClusterSettings, model: str
) -> None:
    """ModelError for a number that no link of this model can be; the centres of persons may be nearer than any link."""
    if own.links is None:
        return
    low, high = own.links
    for key, value in given.items():
        most = high if key == _LINK else 1.0
        if key not in (_EDGE, _TRACK) and isinstance(value, float) and value != _OFF and not low <= value <= most:
            raise ModelError(
                f"identity.{_name(key)}: {value:g} is another embedding model's number; with {model} it lies between "
                f"{low:g} and {most:g}. Leave the key out for the model's own, {_similarity_of(key, own, clusters):g}, "
                "or give auto."
            )


def _name(key: tuple[str, str]) -> str:
    return ".".join(key)


def _used(settings: IdentitySettings) -> list[tuple[str, str]]:
    """The similarities that something is done with: those of evidence only where it is on."""
    off = {_COPY: not settings.evidence.pictures, _TRACK: not settings.evidence.tracks}
    return [key for key in _KEYS if not off.get(key, False)]


def _get(settings: IdentitySettings, key: tuple[str, str]) -> Similarity:
    value: Similarity = getattr(getattr(settings, key[0]), key[1])
    return value


def _with(settings: IdentitySettings, numbers: Mapping[tuple[str, str], Similarity]) -> IdentitySettings:
    blocks = {}
    for name in {block for block, _ in numbers}:
        own = {key: value for (block, key), value in numbers.items() if block == name}
        blocks[name] = getattr(settings, name).model_copy(update=own)
    return settings.model_copy(update=blocks)


def is_open(settings: IdentitySettings) -> bool:
    """Whether a similarity is still to be found in the vectors."""
    return any(_get(settings, key) == "auto" for key in _used(settings))


def found(run: str, settings: IdentitySettings) -> IdentitySettings:
    """The settings with numbers for every `auto`, which are found in the run's vectors once, and kept beside them.

    ValueError, a sentence, where the vectors do not say.
    """
    if not is_open(settings):
        return settings
    made_from = digest([tables_digest(run, ["embeddings"]), settings.model_dump(mode="json")])
    told = _read(run)
    if told.get("input") != made_from:
        told = {"input": made_from, "calibration": record_of(_calibrated(run, settings))}
        with commit_file(_path(run)) as out:
            out.write(json.dumps(told, indent=1).encode() + b"\n")
    return _with(settings, dict(_numbers(settings, told["calibration"])))


def _calibrated(run: str, settings: IdentitySettings) -> Calibration:
    try:
        made, _ = calibrate_vectors(read_vectors(run), rule_of(settings.clusters), settings.clusters.wrong_links)
        if not made.certain:
            raise TooLittleEvidence(" ".join(made.doubts))
        return made
    except TooLittleEvidence as error:
        raise ValueError(
            f"{run}: identity.clusters.link_similarity auto: {error} Give numbers, or null for the model's own."
        ) from error


def _numbers(
    settings: IdentitySettings, calibration: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, str], Similarity]]:
    for key in _used(settings):
        value = _get(settings, key)
        yield key, float(calibration[_KEYS[key][1]]) if value == "auto" else value
    # a given edge may be stricter than the link that was found: then there would be no edges for some links
    least = _get(settings, _EDGE)
    if isinstance(least, float):
        yield _EDGE, min(least, float(calibration["link"]))


def rule_of(settings: ClusterSettings) -> Rule:
    """What a link joins with this method of clustering."""
    return "links" if settings.method in ("connected", "dbscan") else "groups"


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """What a calibration needs of a run: units (N,D), unit vectors, and pairs (P,2) of faces that share an image."""

    units: F32
    together: Pairs


def read_vectors(run: str) -> Vectors:
    """The usable vectors of a run's table embeddings, by face id."""
    table = columns.sorted_by_face(run, ["face_id", "image_id", "vector"])
    vectors = columns.as_matrix(table["vector"])
    fit = columns.usable(vectors)
    return Vectors(unit(vectors[fit]), pairs_within(columns.as_codes(table["image_id"])[fit]))


def calibrate_vectors(vectors: Vectors, rule: Rule, wrong_links: float | None) -> tuple[Calibration, PairCounts]:
    """Calibrate a run's vectors, the faces of one image as different people. Raises TooLittleEvidence."""
    counted = count_pairs(vectors.units)
    return calibrate(vectors.units, None, vectors.together, rule, wrong_links, counted), counted


def pairs_within(group: I64) -> Pairs:
    """All pairs of rows (P,2) of one group (N,), at most MOST_PAIRS."""
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    pairs, step, count = [np.zeros((0, 2), np.int64)], 1, 0
    while step < len(group) and count < MOST_PAIRS:
        at = np.flatnonzero(ordered[step:] == ordered[:-step])
        if not len(at):
            break
        pairs.append(np.stack([order[at], order[at + step]], axis=1))
        count, step = count + len(at), step + 1
    return np.concatenate(pairs)[:MOST_PAIRS]


def record_of(calibration: Calibration) -> dict[str, Any]:
    """A calibration as JSON has it."""
    return asdict(calibration)


def told(run: str, chosen: Chosen) -> dict[str, Any]:
    """What run.json says of the stage's similarities: the number of each and where it is from, and how it was found."""
    settings, calibration = chosen.settings, _read(run).get("calibration", {})
    numbers = (
        dict(_numbers(settings, calibration)) if is_open(settings) else {k: _get(settings, k) for k in _used(settings)}
    )
    of_each = {_name(key): {"value": value, "from": chosen.origin.get(_name(key))} for key, value in numbers.items()}
    return {"similarities": of_each} | ({"calibration": calibration} if is_open(settings) else {})


def _path(run: str) -> str:
    return str(FileSystems.join(run, FOLDER, FILE))


def _read(run: str) -> dict[str, Any]:
    if not exists(_path(run)):
        return {}
    with open_binary(_path(run)) as file:
        read: dict[str, Any] = json.loads(file.read())
    return read
