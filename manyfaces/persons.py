"""Who is in a video, step by step, in scripts and notebooks: extract its faces, cluster them, merge clusters, plot.

```python
import manyfaces

faces = manyfaces.persons.extract("film.mp4", output="runs/film")  # or a URL
clusters = manyfaces.persons.cluster(faces, similarity=0.78)
persons = manyfaces.persons.merge(faces, clusters, face_distance=0.32, clothing_distance=0.4)
manyfaces.persons.plot(faces, persons, "persons.png")
```

The recipe person_clustering does the same for many videos, by the same functions, and writes tables and pictures.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import ValidationError

from beam_pipelines import api as _api
from beam_pipelines.errors import ConfigError, RunFailed
from beam_pipelines.reports.contact_sheet import check_picture, stack
from beam_pipelines.reports.folders import VIDEO as _VIDEO
from transforms.identity.average_linkage import in_order
from transforms.persons.appearances import I64, Appearances
from transforms.persons.grouping import cluster_faces, frames_of, large_enough
from transforms.persons.merging import merge as _merge
from transforms.persons.pictures.crops import spread
from transforms.persons.pictures.drawn import against_time
from transforms.persons.pictures.lines import clock, counted
from transforms.persons.read import CLOTHES, read_videos, videos_with_faces
from transforms.persons.screen_time import Moments, Seen, longest_first, moments
from transforms.persons.settings import PersonSettings
from transforms.tables.csv_cells import csv_rows
from transforms.tables.files import commit_file
from transforms.tables.pointers import Pointers, locate
from transforms.tables.shards import read_column

__all__ = ["Faces", "Seen", "cluster", "extract", "merge", "plot", "screen_time"]

_DEFAULT = PersonSettings()
_BEHIND = ("persons", "pictures")  # the stages that `cluster`, `merge` and `plot` stand for
_GROUPS = 50  # on a plot
_LONG = 80  # characters of a video's name that are used
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """The N faces of a video, by time, as `extract` gives them.

    run: the run that has them; seconds: length of the video; found: their arrays (face_id, time, box, unit vectors of
    faces and clothes ...); moments: the sampled frames, and the time that each stands for; crops: where their pictures
    stand in the run.
    """

    run: _api.Run
    video_id: str
    seconds: float
    found: Appearances
    moments: Moments
    crops: Pointers

    def __len__(self) -> int:
        return len(self.found)


def extract(
    video: str | os.PathLike[str],
    *,
    output: str,
    recipe: str = "person_clustering",
    set: Mapping[str, Any] | None = None,
    beam: Sequence[str] = (),
    recompute: bool = False,
) -> Faces:
    """The faces of one video with what each and the clothes under it look like; what is done already is not done again.

    video: a file, an http(s) URL, or a gs:// URI. output: the folder of the run that finds them. recipe, set, beam,
    recompute: as of `manyfaces.run`; `set={"sampling.seconds": 0.5}` looks at two frames a second.
    ConfigError for a file that is not there, or a video of which nothing was taken; else as `manyfaces.run`.
    """
    url, folder = _source(str(video))
    video_id = _name(url)
    chosen = dict(set or {})
    config: Any = _api.order(recipe, "", output, list(_api.overrides(chosen))).config
    jobs = [[stage for stage in job if stage not in _BEHIND] for job in config.jobs]
    chosen["jobs"] = [job for job in jobs if job]
    chosen["manifest.columns.id"] = "id"
    if folder:
        chosen["fetch.allow_paths"] = [*config.fetch.allow_paths, folder]
    manifest = os.path.join(output, _VIDEO)
    with commit_file(manifest) as out:
        write = csv_rows(out)
        write(["id", "url"])
        write([video_id, url])
    try:
        run = _api.run(recipe, input=manifest, output=output, set=chosen, beam=beam, recompute=recompute)
    except RunFailed as error:
        _check_taken(_api.Run(output), str(video), error)
        raise
    _check_taken(run, str(video))
    return _read(run, video_id, with_clothes=CLOTHES in run.tables())


def _source(video: str) -> tuple[str, str]:
    """What the manifest says of a video, and the folder that must be allowed, if it is a file of this machine."""
    if "://" in video:
        return video, ""
    path = os.path.realpath(video)
    if not os.path.isfile(path):
        raise ConfigError(f"{video}: there is no such file; name the file of a video, or an http(s) or gs:// address.")
    return path, os.path.dirname(path)


def _name(url: str) -> str:
    """The id of a video: the name of its file, without what no id may have."""
    path = urlsplit(url).path if "://" in url else url
    return _UNFIT.sub("-", PurePosixPath(path).stem)[:_LONG].strip("-.") or "video"


def _check_taken(run: _api.Run, video: str, because: Exception | None = None) -> None:
    """ConfigError if the video did not get through the download, with what the ledger says of it."""
    lost = [one for one in run.ledger("manifest", "download").to_pylist() if one["reason"]]
    if lost:
        why = "; ".join(f"{one['reason']}, {one['detail']}" if one["detail"] else one["reason"] for one in lost)
        raise ConfigError(f"{video}: nothing was taken of it: {why}.") from because


def _read(run: _api.Run, video_id: str, with_clothes: bool) -> Faces:
    (seconds,) = read_column(run.folder, "videos", ["seconds"])["seconds"].to_pylist()
    for videos in videos_with_faces(run.folder, with_clothes):
        for rows in read_videos(run.folder, videos):
            found = rows.found.take(rows.found.order())
            crops = locate(run.folder, "faces", "face_id", pa.array(found.face_id, pa.string()))
            return Faces(run, video_id, seconds, found, rows.moments, crops)
    return Faces(run, video_id, seconds, *_nobody())


def _nobody() -> tuple[Appearances, Moments, Pointers]:
    """What a video without faces has of them."""
    whole, real, flat = np.zeros(0, np.int64), np.zeros(0), np.zeros((0, 1), np.float32)
    found = Appearances((), whole, real, whole, np.zeros((0, 4), np.float32), flat, flat)
    return found, moments(whole, real, 0), Pointers([], whole.astype(np.int32), whole.astype(np.int32))


def cluster(
    faces: Faces,
    *,
    similarity: float = _DEFAULT.similarity,
    face_weight: float = _DEFAULT.face_weight,
    clothing_weight: float = _DEFAULT.clothing_weight,
    scale: Literal["largest", "possible"] = _DEFAULT.scale,
    frames: bool = True,
    tracks: bool = True,
) -> I64:
    """The cluster (N,) of each face, 0..K-1 by first faces: average linkage, cut at (1 - similarity) x `scale`.

    frames, tracks: whether two faces of one frame are kept apart, and faces that are followed through a shot together.
    ConfigError for a value out of its range; docs/settings.md, person_clustering: persons, has all.
    """
    settings = _settings(
        similarity=similarity,
        face_weight=face_weight,
        clothing_weight=clothing_weight,
        scale=scale,
        evidence={"frames": frames, "tracks": tracks},
    )
    return cluster_faces(faces.found, settings)


def merge(
    faces: Faces,
    clusters: npt.ArrayLike,
    *,
    face_distance: float = _DEFAULT.merging.face_distance,
    clothing_distance: float = _DEFAULT.merging.clothing_distance,
    clothing_face_distance: float = _DEFAULT.merging.clothing_face_distance,
    passes: int = _DEFAULT.merging.passes,
    min_size: int = _DEFAULT.min_size,
    frames: bool = True,
) -> I64:
    """The person (N,) of each face, 0..P-1, or -1: clusters that are near each other as one, and no small ones.

    clusters (N,): those of `cluster`, or of one's own, negative for faces that are left out. Two clusters are near if
    their mean faces are less than face_distance apart, or their mean clothes less than clothing_distance and their mean
    faces less than clothing_face_distance. min_size: faces of a person, at least. frames: clusters that are seen in one
    frame stay apart. ConfigError as `cluster`.
    """
    merging = {
        "face_distance": face_distance,
        "clothing_distance": clothing_distance,
        "clothing_face_distance": clothing_face_distance,
        "passes": passes,
    }
    settings = _settings(merging=merging, min_size=min_size, evidence={"frames": frames})
    labels = _labels(faces, clusters)
    rows = np.flatnonzero(labels >= 0)
    found = faces.found.take(rows)
    merged = _merge(found, in_order(labels[rows]), frames_of(found, settings), settings.merging)
    persons = np.full(len(faces), -1, np.int64)
    persons[rows] = large_enough(merged, settings.min_size)
    return persons


def screen_time(faces: Faces, labels: npt.ArrayLike) -> list[Seen]:
    """When each cluster or person is seen, the longest first: label, rows of its faces, spans (start, end), seconds."""
    return longest_first(_labels(faces, labels), faces.found.frame, faces.moments)


def plot(faces: Faces, labels: npt.ArrayLike, path: str, *, most: int = _GROUPS, faces_each: int = 8) -> int:
    """Write a picture: a row for each cluster or person, longest on screen first, with faces and bars on a time axis.

    labels (N,), negative for nobody's faces. path: its name ends in .png, .jpg or .webp. Returns the number of rows,
    at most `most`. ConfigError for another name, or labels that do not fit the faces.
    """
    check_picture(path, "plot")
    seen = screen_time(faces, labels)
    shown = seen[:most]
    of = "" if len(shown) == len(seen) else f"{len(shown)} of "
    note = f"{of}{counted(len(seen), 'group')} of {counted(len(faces), 'face')} in {clock(faces.seconds)}"
    rows = [spread(one.rows, faces_each) for one in shown]
    stack([against_time(faces.run.folder, faces.crops, faces.video_id, note, shown, rows, faces.seconds)], "", path)
    return len(shown)


def _labels(faces: Faces, labels: npt.ArrayLike) -> I64:
    given = np.asarray(labels)
    if given.shape != (len(faces),) or not (np.issubdtype(given.dtype, np.integer) or not given.size):
        raise ConfigError(
            f"labels: give a whole number for each of the {len(faces)} faces; these are {given.dtype} of the shape "
            f"{given.shape}."
        )
    return given.astype(np.int64)


def _settings(**values: Any) -> PersonSettings:
    try:
        return PersonSettings(**values)
    except ValidationError as error:
        told = (
            f"{one['loc'][-1] if one['loc'] else 'persons'}: {one['msg']} ({one['input']!r})" for one in error.errors()
        )
        raise ConfigError("; ".join(told)) from error
