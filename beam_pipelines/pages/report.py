"""`manyfaces report`: a run as one page of HTML."""

import argparse
import os
from collections.abc import Callable

from apache_beam.io.filesystems import FileSystems

from beam_pipelines.driver import storage
from beam_pipelines.errors import ConfigError
from beam_pipelines.pages import dropped, evidence, facts, funnel, identities, made, outcome, quality, videos
from beam_pipelines.pages.document import Section, document
from beam_pipelines.pages.source import Source, read_source
from beam_pipelines.reports.folders import REPORT
from transforms.tables.files import commit_file

# most important first; each gives None where the run has nothing of it
SECTIONS: tuple[Callable[[Source], Section | None], ...] = (
    funnel.section,
    identities.section,
    made.section,
    videos.section,
    dropped.section,
    quality.section,
    facts.cleaning,
    evidence.section,
    facts.calibrated,
    facts.models,
    facts.times,
)


def command(arguments: argparse.Namespace) -> None:
    """`manyfaces report`."""
    storage.check_folder(arguments.run, "run")
    path = arguments.output or str(FileSystems.join(arguments.run, REPORT))
    if not path.endswith((".html", ".htm")):
        raise ConfigError(f"--output {path}: the page's name must end in .html.")
    storage.check_folder(os.path.dirname(path), "--output")
    size = write_report(arguments.run, path)
    print(f"{path}: {size / 1e6:.1f} MB; open it in any browser.")


def write_report(run: str, path: str) -> int:
    """Write the page of a run, and return its bytes; ConfigError if there is no run."""
    page = report(run).encode()
    with commit_file(path) as out:
        out.write(page)
    return len(page)


def report(run: str) -> str:
    """The page of a run, finished or not, as HTML."""
    source = read_source(run)
    sections = [made_ for one in SECTIONS if (made_ := one(source)) is not None]
    name = run.rstrip("/").rpartition("/")[2]
    return document(f"{source.record.get('recipe', 'run')}: {name}", sections, lead=outcome.lead(source))
