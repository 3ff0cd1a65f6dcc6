"""The report of `manyfaces doctor`: a table for people, or JSON."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from beam_pipelines import __version__
from beam_pipelines.doctor.finding import Finding
from beam_pipelines.doctor.machine import look_at_machine, look_at_programs
from beam_pipelines.doctor.packages import ask_frameworks, look_at_core, look_at_extras
from beam_pipelines.doctor.recipes import look_at_recipes
from beam_pipelines.errors import ConfigError
from beam_pipelines.recipes import RECIPES
from model_handlers.named import nearest

_SHOWN = {"yes": "[green]yes[/]", "no": "no", "lacks": "[red]lacks[/]"}
_HINTS = {"extras": escape("to get one: pip install 'manyfaces[NAME]'")}
_PLAIN_WIDTH = 120  # characters, where nobody says how wide it is

Sections = dict[str, list[Finding]]


def look(recipes: Sequence[str], ask: bool) -> Sections:
    """All findings by section; `ask` also imports the frameworks, for their devices. Nothing touches the network."""
    sections = {
        "machine": [*look_at_machine()],
        "packages": [*look_at_core()],
        "extras": [*look_at_extras()],
        "programs": [*look_at_programs()],
        "recipes": [*look_at_recipes(recipes)],
    }
    return sections | ({"devices": [*ask_frameworks()]} if ask else {})


def command(arguments: argparse.Namespace) -> None:
    """`manyfaces doctor`; ConfigError, with the commands that mend it, where a recipe's CPU profile cannot run."""
    for name in arguments.recipes:
        if name not in RECIPES:
            raise ConfigError(f"doctor: there is no recipe {name!r}; {nearest(name, RECIPES)}")
    sections = look(arguments.recipes or tuple(RECIPES), arguments.ask)
    lacking = [finding for findings in sections.values() for finding in findings if finding.state == "lacks"]
    if arguments.json:
        told = {name: [asdict(finding) for finding in findings] for name, findings in sections.items()}
        print(json.dumps({"version": __version__, "ready": not lacking, **told}, indent=2))
    else:
        show(sections)
    if lacking:
        mends = dict.fromkeys(f"  {finding.what}: {finding.mend}" for finding in lacking)
        raise ConfigError("doctor: the CPU profile cannot run here as it is. What mends it:\n" + "\n".join(mends))
    if not arguments.json:
        print("The CPU profile can run here. Begin with `manyfaces init RECIPE`, or see one at work: `manyfaces demo`.")


def show(sections: Sections) -> None:
    """Print the findings as one table."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name in ("what", "state", "told"):
        table.add_column(name, overflow="fold")
    for name, findings in sections.items():
        table.add_row(f"[bold]{name}[/]", "", _HINTS.get(name, ""))
        for finding in findings:
            mend = f" -> {finding.mend}" if finding.mend and name not in _HINTS else ""
            table.add_row(f"  {finding.what}", _SHOWN[finding.state], escape(finding.told + mend))
    console = Console()
    if not console.is_terminal:
        console.width = _PLAIN_WIDTH
    console.print(table)
