"""Money: machines by the hour while a phase holds them, requests and shuffle by the piece, storage by the month."""

from dataclasses import dataclass

from benchmarks.scale.costs import Costs
from benchmarks.scale.model import Fleet, Phase, Size


@dataclass(frozen=True, slots=True)
class Bill:
    """US dollars by part; storage for one month of all tables and the bundle. The driver's machine is not in it."""

    cpu: float
    gpu: float
    writes: float
    reads: float
    shuffle: float
    storage: float

    @property
    def total(self) -> float:
        """All parts."""
        return self.cpu + self.gpu + self.writes + self.reads + self.shuffle + self.storage


def stored_bytes(size: Size, costs: Costs) -> float:
    """The bytes of a finished run's folder."""
    v = {name: cost.value for name, cost in costs.items()}
    ledger = v["ledger_bytes"] * (2 * size.items + size.stored + size.bodies + 2 * size.faces)
    tables = size.items * v["manifest_bytes"] + size.stored * v["image_bytes"] + size.bodies * v["body_bytes"]
    vectors = size.faces * (v["face_bytes"] + v["vector_bytes"] + v["edge_bytes"])
    return float(ledger + tables + vectors + size.kept * v["record_bytes"] * v["formats"])


def bill(size: Size, found: list[Phase], fleet: Fleet, costs: Costs) -> Bill:
    """What a run costs at the prices of the figures."""
    v = {name: cost.value for name, cost in costs.items()}
    worker = fleet.cores * v["vcpu_hour"] + fleet.memory_gb * v["memory_hour"]
    held = {kind: sum(p.paid_hours for p in found if p.held == kind) for kind in ("cpu", "gpu", "one")}
    search_reads = v["file_requests"] * size.shards * min(fleet.all_cores, size.faces / v["block"])
    return Bill(
        cpu=(held["cpu"] * fleet.cpu_workers + held["one"]) * worker,
        gpu=held["gpu"] * fleet.gpu_workers * v["gpu_hour"],
        writes=size.shards * v["class_a"] / 1000 * v["thousand_a"],
        reads=(size.shards * v["class_b"] + search_reads) / 1000 * v["thousand_b"],
        shuffle=2 * size.shards * v["shuffle_bytes"] / 1e9 * v["shuffle_gb"],
        storage=stored_bytes(size, costs) / 1e9 * v["storage_month"],
    )
