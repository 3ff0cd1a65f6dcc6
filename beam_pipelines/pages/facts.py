"""What a run was made with, and how it went: cleaning, calibration, models, times."""

import base64
import json
from collections.abc import Iterator

from apache_beam.io.filesystems import FileSystems

from beam_pipelines.pages.document import Section
from beam_pipelines.pages.dropped import clipped
from beam_pipelines.pages.html import Html, element, join
from beam_pipelines.pages.source import Source, Stage
from beam_pipelines.pages.table import table
from beam_pipelines.reports import calibration
from beam_pipelines.reports import cleaning as cleaning_steps
from beam_pipelines.reports.folders import CALIBRATION, CALIBRATION_FILES
from transforms.persons.pictures.lines import clock
from transforms.tables.files import exists, open_binary

_PICTURE_BYTES = 1 << 20  # the picture of a calibration has about 60 kB


def cleaning(source: Source) -> Section | None:
    """What each rule of the cleaning cost, and how many pairs of faces are right before and after."""
    if not source.has("cleaning", "stage"):
        return None
    done = cleaning_steps.read(source.run)
    notes = [element("p", one, class_="note") for one in (done.notes or "").splitlines()]
    rows = [(row[0], *(element("div", one, class_="number") for one in row[1:])) for row in done.rows]
    body = join([table(done.heads, rows, "Rules in their order"), *notes])
    return Section("cleaning", "Cleaning, before and after", body)


def calibrated(source: Source) -> Section | None:
    """The thresholds that `manyfaces calibrate` found, with its picture."""
    record, picture = (str(FileSystems.join(source.run, CALIBRATION, name)) for name in CALIBRATION_FILES)
    if not exists(record):
        return None
    with open_binary(record) as file:
        try:
            rows = list(calibration.lines(json.loads(file.read())))
        except (ValueError, KeyError, TypeError):
            told = f"{record} cannot be read; `manyfaces calibrate` writes it anew."
            return Section("calibration", "Calibration", element("p", told, class_="warn"))
    body = [_png(picture) if exists(picture) else "", table(("", "value", "what it is"), rows, "Thresholds")]
    return Section("calibration", "Calibration", join(body))


def _png(path: str) -> Html:
    with open_binary(path) as file:
        data = file.read(_PICTURE_BYTES + 1)
    if len(data) > _PICTURE_BYTES:
        return element("p", f"{path} is too large to be shown here.", class_="note")
    uri = "data:image/png;base64," + base64.b64encode(data).decode()
    words = "Similarities of pairs, of one person and of different people, and the nearest neighbour of each face"
    return element("img", src=uri, alt=words)


def models(source: Source) -> Section | None:
    """The models of the run with their licences."""
    found = source.record.get("models", {})
    if not found:
        return None
    rows = [
        (role, *(clipped(one.get(name)) for name in ("name", "licence", "source")), _hash(one.get("sha256")))
        for role, one in found.items()
    ]
    heads = ("for", "model", "licence", "source", "sha256")
    versions = ", ".join(f"{name} {version}" for name, version in source.record.get("versions", {}).items())
    return Section(
        "models", "Models and versions", join([table(heads, rows, "Models"), element("p", versions, class_="note")])
    )


def _hash(sha256: str | None) -> Html:
    return element("code", (sha256 or "")[:16])


def times(source: Source) -> Section | None:
    """How long each job took and how many items it did a second."""
    rows = list(_jobs(source))
    if not rows:
        return None
    heads = ("job", "stages", "items", "time", "items a second")
    record = source.record
    words = f"Begun {record.get('started', '')}, {_end(record.get('finished'))}."
    return Section("times", "Times and rates", join([element("p", words), table(heads, rows, "Jobs")]))


def _end(finished: object) -> str:
    return f"finished {finished}" if finished else "not finished yet"


def _jobs(source: Source) -> Iterator[tuple[int, str, int, str, float | None]]:
    """A row for each job that is done: the stages of a job run together and have one time."""
    by_name = {stage.name: stage for stage in source.stages}
    for number, names in enumerate([["manifest"], *source.record.get("config", {}).get("jobs", [])]):
        done: list[Stage] = [by_name[name] for name in names if name in by_name and by_name[name].is_done]
        if done:
            items, seconds = done[0].items, max(stage.seconds or 0.0 for stage in done)
            rate = items / seconds if seconds else None
            yield number, ", ".join(stage.name for stage in done), items, clock(seconds), rate
