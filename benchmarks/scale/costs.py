"""The figures of costs.yaml: value, unit, where each is from, and how far it can be trusted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

BASES = ("measured", "derived", "assumed")  # from the surest to the least sure
GIVEN = Path(__file__).with_name("costs.yaml")


@dataclass(frozen=True, slots=True)
class Cost:
    """One figure; `basis` is one of BASES."""

    value: float
    unit: str
    basis: str
    source: str
    date: date


Costs = Mapping[str, Cost]


def load(path: Path = GIVEN) -> dict[str, Cost]:
    """The figures of a file; ValueError where one is not complete."""
    costs = {}
    for name, fields in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        if len(fields) != 5 or fields[2] not in BASES or not isinstance(fields[0], int | float):
            raise ValueError(f"{path}: {name} must be [value, unit, {'|'.join(BASES)}, source, date].")
        costs[name] = Cost(float(fields[0]), *fields[1:])
    return costs


def replaced(costs: Costs, given: Iterable[str]) -> dict[str, Cost]:
    """The figures with some given as `name=value`; ValueError for what is no figure."""
    new = dict(costs)
    for text in given:
        name, _, value = text.partition("=")
        if name not in new:
            raise ValueError(f"--set {text}: there is no such figure; benchmarks/scale/costs.yaml has their names.")
        try:
            new[name] = Cost(float(value), new[name].unit, "assumed", "given with --set", date.today())
        except ValueError:
            raise ValueError(f"--set {text}: {value!r} is no number.") from None
    return new


def weakest(costs: Costs, names: Iterable[str]) -> str:
    """The basis of the least sure of some figures; those that do not count are not named."""
    return max((costs[name].basis for name in names), key=BASES.index, default=BASES[0])
