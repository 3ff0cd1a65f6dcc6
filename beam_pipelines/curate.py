"""`manyfaces curate`, and `manyfaces.curate`: a subset of tracks, with what was before and after beside it."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions
from pydantic import ValidationError

from beam_pipelines.curate_options import SETTINGS
from beam_pipelines.curating.finish import finish
from beam_pipelines.curating.output import LINES, PLOT, RECORD, make_empty, work_folder
from beam_pipelines.curating.source import TABLE, check_columns, excluded_videos, find_tracks, left_out_ids
from beam_pipelines.driver import interrupt, storage
from beam_pipelines.errors import ConfigError
from beam_pipelines.reports.curation import before_and_after
from beam_pipelines.reports.summary import console
from beam_pipelines.runners import execute
from beam_pipelines.runners.dataflow import DataflowSettings
from beam_pipelines.runners.flink import FlinkSettings
from beam_pipelines.runners.options import in_processes, options_for
from transforms.curation.tracks.lot_files import LEFT_OUT, write_lots
from transforms.curation.tracks.lots import lots
from transforms.curation.tracks.pipeline import Curation, curate_tracks
from transforms.curation.tracks.settings import CurationSettings
from transforms.flow.stages import Job, TableStage
from transforms.tables.files import delete_folder

_STEP_SECONDS = 1.0
_JOB = Job(0, (TableStage(name="curate", reads=(TABLE,), writes=(TABLE,), transform=lambda run: None),))


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
    source = find_tracks(tracks)
    excluded = excluded_videos(wanted.exclude_videos)
    check_columns(tracks, source, wanted)
    make_empty(output)
    work = work_folder(output)
    write_lots(work, LEFT_OUT, lots(left_out_ids(source), wanted.seed))
    curation = Curation(wanted, source.files, source.of_lines, output, work, excluded)
    _run(curation, options)
    record = finish(curation, tracks)
    delete_folder(work)
    return record


def _settings(values: Mapping[str, Any]) -> CurationSettings:
    try:
        return CurationSettings.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError("\n".join(f"curate: {_told(dict(problem))}" for problem in error.errors())) from error


def _told(problem: dict[str, Any]) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ")
    where = ".".join(map(str, problem["loc"])).replace("_", "-")
    return f"--{where} {problem['input']}: {message}." if where else message


def _run(curation: Curation, options: PipelineOptions) -> None:
    processes = in_processes(options, much_python=False)
    running = execute.Running(partial(curate_tracks, curation=curation), options, processes)
    running.start()
    while running.is_alive():
        running.join(_STEP_SECONDS)
        interrupt.check()
    running.outcome()
