"""The tables, as Markdown or for a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.scale.costs import Costs
from benchmarks.scale.limits import walls
from benchmarks.scale.model import Fleet, phases, size_of, total_hours
from benchmarks.scale.money import bill, stored_bytes

Rows = list[list[str]]
_UNITS = ((1e15, " P"), (1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k"), (1, " "))


def number(value: float) -> str:
    """Two or three figures, with thousands marked."""
    if value >= 100:
        return f"{float(f'{value:.3g}'):,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2g}" if value >= 0.01 else "<0.01" if value else "0"


def quantity(value: float, unit: str) -> str:
    """`1.5 GB`, `1.5 M faces`."""
    factor, prefix = next(pair for pair in _UNITS if value >= pair[0] or pair[0] == 1)
    return f"{value / factor:.3g}{prefix}{'B' if unit == 'bytes' else f' {unit}'.removeprefix(prefix)}"


def many(items: float) -> str:
    """`100 million`."""
    for factor, word in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if items >= factor:
            return f"{items / factor:g} {word}"
    return f"{items:g}"


def hours_table(items: float, fleet: Fleet, costs: Costs) -> Rows:
    """Phases: hours, what decides them and on what basis, what comes next."""
    rows = []
    found = phases(size_of(items, fleet, costs), fleet, costs)
    slowest = max(found, key=lambda phase: phase.slowest.hours)
    for phase in found:
        first, *others = sorted(phase.uses, key=lambda use: -use.hours)
        after = ", ".join(f"{use.resource} {number(use.hours)}" for use in others[:3])
        name = f"**{phase.name}**" if phase is slowest else phase.name
        rows.append([name, number(first.hours), first.resource, first.basis, after])
    return [*rows, ["all, one after another", number(total_hours(found)), "", "", ""]]


def walls_table(items: float, fleet: Fleet, costs: Costs) -> Rows:
    """What must fit: needed, allowed, whether it does."""
    found = walls(size_of(items, fleet, costs), fleet, costs)
    return [
        [w.name, quantity(w.needed, w.unit), quantity(w.allowed, w.unit), w.basis, "**no**" if w.stops else "yes"]
        for w in found
    ]


def money_table(sizes: Sequence[float], fleet: Fleet, costs: Costs) -> Rows:
    """US dollars for each size."""
    rows = []
    for items in sizes:
        size = size_of(items, fleet, costs)
        parts = bill(size, phases(size, fleet, costs), fleet, costs)
        amounts = (parts.cpu, parts.gpu, parts.writes, parts.reads, parts.shuffle, parts.storage, parts.total)
        rows.append([many(items), *map(number, amounts), quantity(stored_bytes(size, costs), "bytes")])
    return rows


def verdict(items: float, fleet: Fleet, costs: Costs) -> str:
    """The first bottleneck and the walls, in a sentence."""
    size = size_of(items, fleet, costs)
    found = phases(size, fleet, costs)
    slowest = max(found, key=lambda phase: phase.slowest.hours)
    told = f"{many(items)} images: the first bottleneck is {slowest.name} ({slowest.slowest.resource}), "
    told += f"{number(slowest.slowest.hours)} of {number(total_hours(found))} hours"
    stops = [wall.name for wall in walls(size, fleet, costs) if wall.stops]
    return f"{told}; {'what does not fit: ' + ', '.join(stops) if stops else 'all that must fit fits'}."


def sections(sizes: Sequence[float], fleet: Fleet, costs: Costs) -> list[tuple[str, list[str], Rows]]:
    """All tables: heading, columns, rows."""
    workers = f"{fleet.cpu_workers} CPU workers of {fleet.cores} cores and {fleet.memory_gb:g} GB"
    if fleet.profile == "gpu":
        workers += f", {fleet.gpu_workers} GPU workers of {fleet.gpu_cores} cores"
    made: list[tuple[str, list[str], Rows]] = []
    for items in sizes:
        hours = ["phase", "hours", "decided by", "basis", "next, hours"]
        fits = ["must fit", "needed", "allowed", "basis", "fits"]
        run = f"Profile {fleet.profile}, {workers}."
        made.append((f"{verdict(items, fleet, costs)} {run}", hours, hours_table(items, fleet, costs)))
        made.append((f"{many(items)} images: what must fit", fits, walls_table(items, fleet, costs)))
    money = ["images", "CPU", "GPU", "writes", "reads", "shuffle", "storage, a month", "all", "stored"]
    return [*made, (f"US dollars, profile {fleet.profile}, {workers}", money, money_table(sizes, fleet, costs))]


def markdown(sizes: Sequence[float], fleet: Fleet, costs: Costs) -> str:
    """The tables as Markdown."""
    parts = []
    for heading, columns, rows in sections(sizes, fleet, costs):
        lines = [f"**{heading}**", "", _line(columns), _line(["---"] * len(columns)), *map(_line, rows)]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def show(sizes: Sequence[float], fleet: Fleet, costs: Costs) -> None:
    """The tables on the terminal."""
    console = Console(width=140)
    for heading, columns, rows in sections(sizes, fleet, costs):
        table = Table(*columns, title=heading, title_justify="left")
        for row in rows:
            table.add_row(*(cell.replace("**", "") for cell in row))
        console.print(table)
