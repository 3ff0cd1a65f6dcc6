"""Walls: what must fit somewhere, whatever the time; beyond them a run stops, or must be cut into several."""

from dataclasses import dataclass

from benchmarks.scale.costs import Costs, weakest
from benchmarks.scale.model import Fleet, Size, dimension


@dataclass(frozen=True, slots=True)
class Wall:
    """Something that may not grow past `allowed`."""

    name: str
    needed: float
    allowed: float
    unit: str
    basis: str

    @property
    def stops(self) -> bool:
        """Whether the run hits it."""
        return self.needed > self.allowed


def walls(size: Size, fleet: Fleet, costs: Costs) -> list[Wall]:
    """All walls of a run."""
    v = {name: cost.value for name, cost in costs.items()}
    memory = fleet.memory_gb * 1e9
    chunk = fleet.rows_per_shard * v["stored_share"] * v["bodies"] * v["body_bytes"]
    vectors = size.faces * (v["search_bytes"] + dimension(fleet, costs) * v["vector_memory"])
    described = v["description_base"] + size.shards * v["description_bytes"]
    found = (
        ("a job's description", described, "description_limit", "description_bytes"),
        ("hashes of the manifest (driver)", size.items * v["hash_bytes"], "driver_memory", "hash_bytes"),
        ("list of chunks (driver)", size.shards * v["chunk_bytes"], "driver_memory", "chunk_bytes"),
        ("a chunk's crops until commit, a core", chunk, memory / fleet.cores, "body_bytes bodies"),
        ("all vectors in each search process", vectors, memory, "search_bytes faces"),
        ("images to deduplicate (optional stage)", size.stored * v["duplicate_bytes"], memory, "duplicate_bytes"),
    )
    made = [
        Wall(name, needed, v[at] if isinstance(at, str) else at, "bytes", weakest(costs, names.split()))
        for name, needed, at, names in found
    ]
    return [
        *made,
        Wall("names of shards", size.shards, v["name_limit"], "shards", weakest(costs, ["name_limit"])),
        Wall("faces of one search", size.faces, v["face_limit"], "faces", weakest(costs, ["faces"])),
    ]
