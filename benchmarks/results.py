"""Benchmarks end alike: a short table on the terminal, and the figures as JSON in build/benchmarks."""

import json
import platform
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.table import Table

FOLDER = Path("build/benchmarks")


def report(name: str, heading: str, columns: Sequence[str], rows: Sequence[Sequence[str | float]]) -> None:
    """Print the table and write it."""
    table = Table(title=heading, title_justify="left")
    for column in columns:
        table.add_column(column, justify="left" if column == columns[0] else "right")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, str) else f"{cell:,.3f}" for cell in row))
    Console(width=140).print(table)
    FOLDER.mkdir(parents=True, exist_ok=True)
    result = {"date": date.today().isoformat(), "machine": platform.processor() or platform.machine()}
    result |= {"heading": heading, "columns": list(columns), "rows": [list(row) for row in rows]}
    (FOLDER / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
