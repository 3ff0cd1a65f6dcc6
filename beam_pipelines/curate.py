"""`manyfaces curate`, and `manyfaces.curate`: a subset of tracks, with what was before and after beside it."""

import argparse
import gzip
import json
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions
from pydantic import ValidationError

from beam_pipelines import __version__
from beam_pipelines.curate_options import SETTINGS
from beam_pipelines.driver import interrupt, storage
from beam_pipelines.errors import ConfigError, RunFailed
from beam_pipelines.reports.curation import before_and_after, write_plot
from beam_pipelines.reports.summary import console
from beam_pipelines.runners import execute
from beam_pipelines.runners.dataflow import DataflowSettings
from beam_pipelines.runners.flink import FlinkSettings
from beam_pipelines.runners.options import in_processes, options_for
from transforms.curation.tracks.chosen_rows import lines_path, write_nothing
from transforms.curation.tracks.columns import columns_needed
from transforms.curation.tracks.counts import entropy, of_known_classes
from transforms.curation.tracks.lines_in import BAD_LINES
from transforms.curation.tracks.pipeline import Curation, curate_tracks, kept_path
from transforms.curation.tracks.settings import CurationSettings
from transforms.flow.stages import Job, TableStage
from transforms.tables.files import commit_file, delete_folder, exists, is_folder, open_binary
from transforms.tables.shards import open_arrow, shard_names, shard_path
from transforms.tables.trackverse_files import track_files

TABLE, LINES, RECORD, PLOT = "tracks", "tracks.jsonl.gzip", "curation.json", "curation.html"
_WORK = "unfinished"
_STEP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Engines:
    """The engines as they are where no configuration says otherwise."""

    flink: FlinkSettings = field(default_factory=FlinkSettings)
    dataflow: DataflowSettings = field(default_factory=DataflowSettings)


def command(arguments: argparse.Namespace, beam: list[str]) -> None:
    """`manyfaces curate`."""
    given = {key: getattr(arguments, key) for key in SETTINGS if getattr(arguments, key) is not None}
    record = curate(arguments.tracks, output=arguments.output, beam=beam, **given)
    out = console()
    out.print(before_and_after(record))
    for sentence in record["notes"]:
        out.print(sentence, markup=False, highlight=False, soft_wrap=True)
    print("\n".join(f"{arguments.output.rstrip('/')}/{name}" for name in (TABLE, LINES, RECORD, PLOT)))


def curate(tracks: str, *, output: str, beam: Sequence[str] = (), **settings: Any) -> dict[str, Any]:
    """Choose a subset of tracks and write it to the folder `output`; returns what its curation.json says.

    tracks: a run's folder, a folder or file of parquet with rows of `tracks`, or files of lines as TrackVerse has them.
    settings: `criterion`, and what it takes, as the command's options are called: `num_samples=1000`, `seed=1`.
    beam: options for Beam, as on the command line: `["--runner=FlinkRunner"]`.

    Raises ConfigError for what cannot be done, PipelineFailed or RunFailed if it went wrong; each is a sentence.
    """
    wanted = _settings(settings)
    storage.use_options(list(beam))
    options = options_for(beam, _Engines(), output, _JOB, gpu=False)
    files, of_lines = _files(tracks)
    excluded = _excluded(wanted.exclude_videos)
    _check_columns(tracks, files, of_lines, wanted)
    _make_empty(output)
    work = str(FileSystems.join(output, _WORK))
    curation = Curation(wanted, tuple(files), of_lines, output, work, excluded)
    _run(curation, options)
    record = _finish(curation, tracks)
    delete_folder(work)
    return record


_JOB = Job(0, (TableStage(name="curate", reads=(TABLE,), writes=(TABLE,), transform=lambda run: None),))


def _settings(values: Mapping[str, Any]) -> CurationSettings:
    try:
        return CurationSettings.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError("\n".join(f"curate: {_told(dict(problem))}" for problem in error.errors())) from error


def _told(problem: dict[str, Any]) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ")
    where = ".".join(map(str, problem["loc"])).replace("_", "-")
    return f"--{where} {problem['input']}: {message}." if where else message


def _files(tracks: str) -> tuple[list[str], bool]:
    """The files of the tracks, sorted, and whether they are lines; ConfigError if there are none."""
    if storage.is_file(tracks, "TRACKS") and tracks.endswith(".parquet"):
        return [tracks], False
    if names := storage.ask(partial(shard_names, tracks, TABLE), tracks, "TRACKS"):
        return [shard_path(tracks, TABLE, name) for name in names], False
    if is_folder(tracks):
        found = FileSystems.match([f"{tracks.rstrip('/')}/*.parquet"])[0].metadata_list
        if found:
            return sorted(one.path for one in found), False
    try:
        return storage.ask(partial(track_files, tracks), tracks, "TRACKS"), True
    except ConfigError as error:
        raise ConfigError(
            f"TRACKS {tracks}: there are no tracks; name a run's folder, a folder or file of parquet with rows of "
            "`tracks`, or files .jsonl.gzip in the form of TrackVerse."
        ) from error


def _excluded(path: str | None) -> frozenset[str]:
    """The videos that a file names; of each line all up to the first white space, and its first 11 characters."""
    if path is None:
        return frozenset()
    storage.check_list(path, "--exclude-videos")
    with open_binary(path) as file:
        words = [line.split()[0] for line in file.read().decode(errors="replace").splitlines() if line.split()]
    return frozenset([*words, *(word[:11] for word in words)])


def _check_columns(tracks: str, files: list[str], of_lines: bool, settings: CurationSettings) -> None:
    """ConfigError unless the tables have the columns that are read, and features where tracks are compared by them."""
    if not of_lines:
        for path in files:
            _check_schema(path, columns_needed(settings))
    if settings.needs_features and (of_lines or not any(map(_has_features, files))):
        raise ConfigError(
            f"TRACKS {tracks}: its tracks have no features, by which {_by_features(settings)} compares them; name a "
            "model in objects.appearance_model and run the recipe object_tracks, or leave it out."
        )


def _by_features(settings: CurationSettings) -> str:
    return "the criterion min_redundancy" if settings.criterion == "min_redundancy" else "--min-nn-dist"


def _check_schema(path: str, needed: list[str]) -> None:
    try:
        with open_arrow(path) as file:
            names = pq.read_schema(file).names
    except (pa.ArrowException, OSError) as error:
        raise ConfigError(f"TRACKS {path}: it cannot be read: {' '.join(str(error).split())}") from error
    if missing := [name for name in needed if name not in names]:
        raise ConfigError(f"TRACKS {path}: it has no column {', '.join(missing)}; it is no table of tracks.")


def _has_features(path: str) -> bool:
    with open_arrow(path) as file:
        batches = pq.ParquetFile(file).iter_batches(columns=["feature"])
        return any(batch.column(0).null_count < len(batch) for batch in batches)


def _make_empty(output: str) -> None:
    """Have an empty folder; what a curation that was killed has left in it goes."""
    storage.check_folder(output, "--output")
    if any(character in output for character in "*?["):
        raise ConfigError(f"--output {output}: the name must not have any of * ? [ in it.")
    work = str(FileSystems.join(output, _WORK))
    names = [one.path for one in FileSystems.match([f"{output.rstrip('/')}/**"])[0].metadata_list]
    unfinished = is_folder(work)
    if names and not unfinished:
        raise ConfigError(f"--output {output}: the folder is not empty; name another one.")
    if unfinished:
        delete_folder(str(FileSystems.join(output, TABLE)))
        delete_folder(work)
    storage.make_folder(output, "--output")
    with commit_file(str(FileSystems.join(work, "started"))) as file:
        file.write(b"a curation is at work here, or was stopped; the same command begins anew\n")


def _run(curation: Curation, options: PipelineOptions) -> None:
    processes = in_processes(options, much_python=False)
    running = execute.Running(partial(curate_tracks, curation=curation), options, processes)
    running.start()
    while running.is_alive():
        running.join(_STEP_SECONDS)
        interrupt.check()
    running.outcome()


def _finish(curation: Curation, tracks: str) -> dict[str, Any]:
    """Join the lines, write record and plot; returns the record."""
    before, choice = (_kept(curation.work, name) for name in ("before", "choice"))
    if choice["chosen"]:
        after = _kept(curation.work, "after")
    else:
        write_nothing(curation.output)
        after = {**before, "rows": 0, "tracks": 0, "videos": 0, "classes": {}}
    _balance(curation, before, after, choice["chosen"])
    lines = _join_lines(curation)
    bad = [_read_json(path) for path in _matching(curation.work, BAD_LINES)]
    record = {
        "version": __version__,
        "tracks": tracks,
        "settings": _plain(curation.settings),
        "before": _shape(before),
        "after": _shape(after),
        "left_out": {
            "repeated rows": before["repeated"],
            "rows of excluded videos": before["excluded"],
            "rows without a feature": before["without_feature"],
            "bad lines": sum(one["lines"] for one in bad),
        },
        "bad_lines": [told for one in bad for told in one["told"]],
        "passes": choice["passes"],
        "notes": [],
        "classes": {
            name: [before["classes"].get(name, 0), after["classes"].get(name, 0)]
            for name in sorted({*before["classes"], *after["classes"]})
        },
    }
    record["notes"] = _notes(record, lines)
    with commit_file(str(FileSystems.join(curation.output, PLOT))) as file:
        write_plot(file, record)
    with commit_file(str(FileSystems.join(curation.output, RECORD))) as file:
        file.write(json.dumps(record, indent=1, ensure_ascii=False).encode() + b"\n")
    return record


def _balance(curation: Curation, before: dict[str, Any], after: dict[str, Any], chosen: int) -> None:
    """RunFailed unless every row of the input is accounted for, and every chosen track is written."""
    rows = sum(_rows(path) for path in curation.shards())
    told = sum(before[name] for name in ("tracks", "repeated", "excluded", "without_feature"))
    if not rows == before["rows"] == told or after["tracks"] != chosen:
        raise RunFailed(
            f"curate: of {rows:,} rows {told:,} are accounted for, and of {chosen:,} chosen tracks {after['tracks']:,} "
            "are written; the runner has lost or repeated some. Give the same command again: it begins anew."
        )


def _rows(path: str) -> int:
    with open_arrow(path) as file:
        return int(pq.read_metadata(file).num_rows)


def _plain(settings: CurationSettings) -> dict[str, Any]:
    """The settings as JSON can hold them: it has no number that is infinite."""
    return {key: "inf" if value == math.inf else value for key, value in settings.model_dump(mode="json").items()}


def _shape(counts: dict[str, Any]) -> dict[str, Any]:
    """The figures that are compared; classes and their entropy without tracks of no known class."""
    classes = of_known_classes(counts["classes"])
    known = sum(classes.values())
    return {
        "tracks": counts["tracks"],
        "videos": counts["videos"],
        "classes": len(classes),
        "of unknown class": counts["tracks"] - known,
        "entropy over classes, bits": round(entropy(classes.values()), 6),
        "largest class, per cent": round(100 * max(classes.values(), default=0) / max(known, 1), 4),
    }


def _notes(record: dict[str, Any], lines: int) -> list[str]:
    """What else a user should know, a sentence each."""
    notes = [f"left out: {count:,} {what}" for what, count in record["left_out"].items() if count]
    settings = record["settings"]
    if settings["num_samples_per_class"] and record["before"]["of unknown class"]:
        notes.append(f"left out: {record['before']['of unknown class']:,} tracks of no known class")
    if len(record["passes"]) > 1:
        taken = ", ".join(f"{one['taken']:,}" for one in record["passes"])
        notes.append(f"taken in pass 1, 2, ... with laxer constraints each: {taken}")
    if without := record["after"]["tracks"] - lines:
        notes.append(f"{without:,} tracks without classes are in the table, but have no line in {LINES}")
    if settings["num_samples"] and record["after"]["tracks"] < settings["num_samples"]:
        notes.append(f"{record['after']['tracks']:,} tracks instead of {settings['num_samples']:,}: there are no more")
    return notes


def _join_lines(curation: Curation) -> int:
    """Join the packed lines of all parts, members of one gzip file; returns how many lines there are."""
    lines = 0
    with commit_file(str(FileSystems.join(curation.output, LINES))) as out:
        parts = shard_names(curation.output, TABLE)
        for part in parts:
            path = lines_path(curation.work, int(part))
            if not exists(path):
                continue
            with open_binary(path) as file:
                shutil.copyfileobj(file, out, 1 << 20)
            lines += _kept_lines(path)
        if not lines:
            out.write(gzip.compress(b"", mtime=0))
    return lines


def _kept_lines(path: str) -> int:
    with open_binary(path) as file, gzip.open(file) as lines:
        return sum(1 for _ in lines)


def _matching(work: str, folder: str) -> list[str]:
    pattern = str(FileSystems.join(work, folder, "*"))
    return sorted(one.path for one in FileSystems.match([pattern])[0].metadata_list)


def _kept(work: str, name: str) -> dict[str, Any]:
    return _read_json(kept_path(work, name))


def _read_json(path: str) -> dict[str, Any]:
    with open_binary(path) as file:
        return json.loads(file.read())  # type: ignore[no-any-return]
