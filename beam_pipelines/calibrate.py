"""`manyfaces calibrate`, and `manyfaces.calibrate`: thresholds of similarity found in a run's own vectors."""

import argparse
import json
from typing import Any

from apache_beam.io.filesystems import FileSystems

from beam_pipelines.api import Run
from beam_pipelines.driver import storage
from beam_pipelines.errors import ConfigError
from beam_pipelines.reports.calibration import table
from beam_pipelines.reports.calibration_plot import write_plot
from beam_pipelines.reports.folders import CALIBRATION, CALIBRATION_FILES
from beam_pipelines.reports.summary import console
from transforms.identity.calibration import Rule, TooLittleEvidence
from transforms.identity.thresholds import calibrate_vectors, read_vectors, record_of
from transforms.tables.files import commit_file
from transforms.tables.shards import shard_names

RECORD, PLOT = CALIBRATION_FILES
RULES: dict[str, Rule] = {"average": "groups", "connected": "links"}  # by the method of clustering that goes with each


def command(arguments: argparse.Namespace) -> None:
    """`manyfaces calibrate`."""
    output = arguments.output or str(FileSystems.join(arguments.run, CALIBRATION))
    record = calibrate(arguments.run, output=output, method=arguments.method, wrong_links=arguments.wrong_links)
    out = console()
    out.print(table(record))
    for sentence in record["doubts"]:
        out.print(sentence, markup=False, highlight=False, soft_wrap=True)
    print("\n".join(f"{output.rstrip('/')}/{name}" for name in (RECORD, PLOT)))


def calibrate(
    run: str | Run, *, output: str | None = None, method: str = "average", wrong_links: float | None = None
) -> dict[str, Any]:
    """Find thresholds of similarity in the vectors of a run, without labels; returns what calibration.json says.

    run: a run that `manyfaces.run` gave, or its folder, local, gs:// or s3://; only its table embeddings is read.
    output: a folder for calibration.json and calibration.png; by default nothing is written.
    method: what clusters them: `average` linkage, or `connected` components, for which a wrong link weighs more (and
    for DBSCAN). wrong_links: different people's faces that each face may be linked with on average, if that matters.

    Raises ConfigError, a sentence, where the vectors do not say.
    """
    folder = run.folder if isinstance(run, Run) else run
    storage.check_folder(folder, "run")
    if output is not None:
        storage.check_folder(output, "--output")
    if method not in RULES:
        raise ConfigError(f"method {method!r}: it must be one of {', '.join(RULES)}.")
    if wrong_links is not None and not wrong_links > 0:
        raise ConfigError(f"wrong_links {wrong_links:g}: it must be above 0.")
    if not shard_names(folder, "embeddings"):
        raise ConfigError(
            f"{folder}: the run has no table embeddings yet; run it to the stage that embeds faces first."
        )
    try:
        vectors = read_vectors(folder)
        found, counted = calibrate_vectors(vectors, RULES[method], wrong_links)
    except TooLittleEvidence as error:
        raise ConfigError(f"{folder}: {error}") from error
    record = {"method": method, **record_of(found)}
    if output is not None:
        storage.make_folder(output, "--output")
        write_plot(str(FileSystems.join(output, PLOT)), found, counted)
        with commit_file(str(FileSystems.join(output, RECORD))) as file:
            file.write(json.dumps(record, indent=1).encode() + b"\n")
    return record
