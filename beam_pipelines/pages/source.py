"""A run as the sections of its page read it."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from apache_beam.io.filesystems import FileSystems

from beam_pipelines.driver.record import read_record
from beam_pipelines.errors import ConfigError
from transforms.anonymizing.hiding import hides_faces
from transforms.tables.ledger import tally
from transforms.tables.reasons import STATES
from transforms.tables.shards import column_names, read_column

_TOLD = ("kept", "dropped", "failed", "rows", "seconds", "reasons")  # of a stage, in the record
F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stage:
    """What came of the items of a stage; is_done: whether its job has ended, else the counts are those so far."""

    name: str
    kept: int
    dropped: int
    failed: int
    rows: int
    seconds: float | None
    reasons: Mapping[str, int]
    is_done: bool

    @property
    def items(self) -> int:
        """All that entered."""
        return self.kept + self.dropped + self.failed


@dataclass(frozen=True, slots=True)
class Source:
    """A run's folder, its record, its tables with their columns, and its stages in order."""

    run: str
    record: Mapping[str, Any]
    columns: Mapping[str, Sequence[str]]
    stages: Sequence[Stage] = field(default_factory=tuple)

    def has(self, table: str, *columns: str) -> bool:
        """Whether the table has shards, and these columns."""
        return table in self.columns and set(columns) <= set(self.columns[table])

    def numbers(self, table: str, column: str) -> F64:
        """The numbers of a column, (N,) without those that are null or not finite; 8 bytes a row in memory."""
        found: F64 = read_column(self.run, table, [column])[column].drop_null().to_numpy().astype(np.float64)
        return found[np.isfinite(found)]

    def setting(self, key: str) -> Any:
        """A value of the configuration by its dotted key; None if there is none."""
        found: Any = self.record.get("config", {})
        for part in key.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found

    @property
    def is_covered(self) -> bool:
        """Whether faces of this run are to be covered, so that no page may show what its items look like before."""
        jobs = self.record.get("config", {}).get("jobs", [])
        return hides_faces(self.columns) or any(map(hides_faces, jobs))


def read_source(run: str) -> Source:
    """Look what the run has; ConfigError if there is no run."""
    record = read_record(run)
    if not record:
        raise ConfigError(f"{run}: there is no run here (no run.json).")
    tables = _tables(run)
    columns = {name: column_names(run, name) for name in tables if not name.startswith("ledger/")}
    return Source(run, record, columns, tuple(_stages(run, record, tables)))


def _tables(run: str) -> list[str]:
    patterns = [FileSystems.join(run, *folders, "part-*.parquet") for folders in (("*",), ("*", "*"))]
    paths = (found.path for one in FileSystems.match(patterns) for found in one.metadata_list)
    return sorted({os.path.relpath(os.path.dirname(path), run) for path in paths})


def _stages(run: str, record: Mapping[str, Any], tables: Sequence[str]) -> list[Stage]:
    """Those of the record, in its order, and behind them those of which there is a ledger only."""
    told = record.get("stages", {})
    stages = [Stage(name, **{key: one[key] for key in _TOLD}, is_done=True) for name, one in told.items()]
    ledgers = [name.removeprefix("ledger/") for name in tables if name.startswith("ledger/")]
    jobs = [name for job in record.get("config", {}).get("jobs", []) for name in job]
    order = {name: place for place, name in enumerate(["manifest", *jobs])}
    for name in sorted((one for one in ledgers if one not in told), key=lambda one: order.get(one, len(order))):
        counts = tally(run, name)
        kept, dropped, failed = (counts.count(state) for state in STATES)
        reasons = {code: n for code, n in counts.by_reason.items() if code != "kept"}
        stages.append(Stage(name, kept, dropped, failed, counts.rows, None, reasons, is_done=False))
    return stages
