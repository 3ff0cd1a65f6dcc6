"""The entry of a Dataflow Flex Template: a launch submits one job of a run and ends.

Dataflow's launcher calls it with the template's parameters (configs/dataflow/template.json) and Beam's options, among
them `--template_location`: the job goes there as a file, and the launcher hands it to the service. Every launch first
proves the counts of the jobs before its own, so an orchestrator starts a launch for each job and waits in between.
"""

import argparse
import json
import sys
from collections.abc import Sequence

from beam_pipelines import cli
from beam_pipelines.runners import beam_options


def parser() -> argparse.ArgumentParser:
    """The template's parameters."""
    top = argparse.ArgumentParser(prog="template", allow_abbrev=False)
    top.add_argument("--config", required=True, help="a YAML file on gs://, or the name of a shipped configuration")
    top.add_argument("--input", required=True, help="the manifest, on gs://")
    top.add_argument("--output", required=True, help="the run's folder, on gs://")
    top.add_argument("--job", default="next", help="name or number of the job; next: the first that is not done")
    top.add_argument("--overrides", default="{}", help='JSON of keys and values: {"bodies.min_score": 0.5}')
    return top


def command(argv: Sequence[str]) -> list[str]:
    """The command line of `manyfaces` that a launch stands for; a usage error ends the process."""
    top = parser()
    given, rest = top.parse_known_args(argv)
    beam, others = beam_options.split(rest)
    if others:  # of the launcher's, which may be newer than this Beam; the service has refused a user's slip before
        print(f"template: passed over, since Beam has no such options: {' '.join(others)}", file=sys.stderr)
    try:
        overrides = dict(json.loads(given.overrides))
    except (ValueError, TypeError):
        top.error(f'--overrides {given.overrides}: write a JSON object, such as {{"bodies.min_score": 0.5}}.')
    runner = [] if any(option.startswith("--runner") for option in beam) else ["--runner=DataflowRunner"]
    sets = [part for key, value in overrides.items() for part in ("--set", f"{key}={json.dumps(value)}")]
    run = ["run", given.config, "--input", given.input, "--output", given.output, "--submit", given.job]
    return [*run, *sets, *runner, *beam]


def main() -> None:
    """Submit one job; the process's exit code is that of `manyfaces`."""
    sys.argv[1:] = command(sys.argv[1:])
    cli.entry()
