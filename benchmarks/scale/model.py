"""Hours: a phase takes as long as the resource of it that takes longest; phases follow one another.

A resource's time is amount / capacity. It is a model of webbody as its code stands, not a forecast: what is left out
(start-up, uneven hosts, spot machines taken away) makes real runs longer.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.scale.costs import Costs, weakest

HOUR = 3600.0
STAGES = {"download": 1, "inference": 3}  # stages of each row job


@dataclass(frozen=True, slots=True)
class Fleet:
    """The machines: workers by kind, cores and GB of a CPU worker, cores of a GPU worker; `profile` is cpu or gpu."""

    cpu_workers: int = 200
    gpu_workers: int = 20
    cores: int = 4
    memory_gb: float = 16
    rows_per_shard: int = 1000
    profile: str = "cpu"
    gpu_cores: int = 24

    @property
    def all_cores(self) -> int:
        """Cores of all CPU workers."""
        return self.cpu_workers * self.cores


@dataclass(frozen=True, slots=True)
class Size:
    """What a list of images comes to."""

    items: float
    stored: float
    bodies: float
    faces: float
    kept: float
    shards: int


@dataclass(frozen=True, slots=True)
class Use:
    """A resource in a phase: hours that it alone would take, and the least sure basis of its figures."""

    resource: str
    hours: float
    basis: str


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the run. `held` says which machines are paid meanwhile: cpu, gpu, one (worker) or none."""

    name: str
    held: str
    uses: tuple[Use, ...]

    @property
    def slowest(self) -> Use:
        """The resource that decides how long it takes."""
        return max(self.uses, key=lambda use: use.hours)

    @property
    def paid_hours(self) -> float:
        """The hours for which its machines are held: they do not wait for the driver."""
        return max((use.hours for use in self.uses if not use.resource.startswith("driver")), default=0.0)


def size_of(items: float, fleet: Fleet, costs: Costs) -> Size:
    """The rows of a run's tables."""
    stored = items * costs["stored_share"].value
    faces = stored * costs["faces"].value
    shards = math.ceil(items / fleet.rows_per_shard)
    return Size(items, stored, stored * costs["bodies"].value, faces, faces * costs["kept_share"].value, shards)


def gpu_seconds(costs: Costs) -> float:
    """GPU seconds a stored image: assumed, from the models' FLOP."""
    v = {name: cost.value for name, cost in costs.items()}
    flops = v["person_flops"] + v["bodies"] * v["face_flops"] + v["faces"] * v["embedding_flops"]
    return float(flops / (v["gpu_flops"] * v["gpu_use"]))


def phases(size: Size, fleet: Fleet, costs: Costs) -> list[Phase]:
    """All phases of a run, in order."""
    v = {name: cost.value for name, cost in costs.items()}
    split = size.items * v["split_seconds"] + size.shards * _waiting(v, "split_requests", "writes_at_once")
    waits = _waiting(v, "find_requests", "footers_at_once") + _waiting(v, "prove_requests", "footers_at_once")
    count = size.shards * (v["count_seconds"] + waits)
    return [
        Phase("manifest", "none", (_use(costs, "driver", split, "split_seconds request_seconds split_requests"),)),
        _download(size, fleet, costs, v),
        _inference(size, fleet, costs, v),
        Phase("counts", "none", (_use(costs, "driver", count, "count_seconds request_seconds find_requests"),)),
        _edges(size, fleet, costs, v),
        _identities(size, fleet, costs, v),
        _splits(size, costs, v),
        _plan(size, costs, v),
        _bundle(size, fleet, costs, v),
    ]


def total_hours(found: list[Phase]) -> float:
    """The hours of phases that follow one another."""
    return sum(phase.slowest.hours for phase in found)


def _use(costs: Costs, resource: str, seconds: float, names: str) -> Use:
    """`names` are the figures that it was reckoned from."""
    return Use(resource, seconds / HOUR, weakest(costs, names.split()))


def _cores(fleet: Fleet, v: Mapping[str, float], pieces: float) -> float:
    """Cores that have something to do: no more than there are pieces of work."""
    return min(fleet.all_cores, pieces) * v["efficiency"]


def _reading(size: Size, costs: Costs, v: Mapping[str, float], tables: int) -> Use:
    """One process reads all shards of some tables, one after another."""
    seconds = size.shards * tables * v["file_requests"] * v["request_seconds"]
    return _use(costs, "reading in one process", seconds, "file_requests request_seconds")


def _waiting(v: Mapping[str, float], requests: str, at_once: str) -> float:
    """Seconds that the driver waits for the object store, a shard."""
    return v[requests] * v["request_seconds"] / v[at_once]


def _progress(size: Size, costs: Costs, v: Mapping[str, float], job: str) -> Use:
    seconds = size.shards * STAGES[job] * _waiting(v, "progress_requests", "footers_at_once")
    return _use(costs, "driver (progress)", seconds, "progress_requests request_seconds")


def _operations(size: Size, costs: Costs, v: Mapping[str, float], job: str) -> Use:
    seconds = size.shards * STAGES[job] * 2 / v["write_rate"]
    return _use(costs, "object-store writes", seconds, "class_a write_rate")


def _download(size: Size, fleet: Fleet, costs: Costs, v: Mapping[str, float]) -> Phase:
    chunks = min(fleet.all_cores, size.shards)  # in work at once: one a core
    to_host = min(v["host_connections"], v["per_host"] * chunks)
    lookups = size.shards * v["lookups"] / (fleet.cpu_workers * v["lookup_rate"])
    moved = size.items * v["image_bytes_in"] + size.stored * v["image_bytes"]
    waiting = size.items * v["fetch_seconds"]
    uses = (
        _use(costs, "CPU", size.items * v["download_cpu"] / _cores(fleet, v, size.shards), "download_cpu efficiency"),
        _use(costs, "network", moved / (fleet.cpu_workers * v["network"]), "image_bytes_in network"),
        _use(costs, "connections", waiting / (chunks * v["connections"]), "fetch_seconds connections"),
        _use(costs, "largest host", waiting * v["largest_host"] / to_host, "largest_host host_connections"),
        _use(costs, "DNS", lookups, "lookups lookup_rate"),
        _operations(size, costs, v, "download"),
        _shuffle(size, fleet, costs, v),
        _progress(size, costs, v, "download"),
    )
    return Phase("download", "cpu", uses)


def _shuffle(size: Size, fleet: Fleet, costs: Costs, v: Mapping[str, float]) -> Use:
    seconds = size.shards * v["shuffle_bytes"] / (fleet.cpu_workers * v["network"])
    return _use(costs, "shuffle", seconds, "shuffle_bytes network")


def _columns(costs: Costs, v: Mapping[str, float], stored: float) -> Use:
    """One process reads a column of a table of pictures: every small read of an object fetches 16 MiB, so all of it."""
    return _use(costs, "reading columns in one process", stored / v["stream"], "stream")


def _inference(size: Size, fleet: Fleet, costs: Costs, v: Mapping[str, float]) -> Phase:
    gpu = fleet.profile == "gpu"
    workers = fleet.gpu_workers if gpu else fleet.cpu_workers
    cores = (
        min(fleet.gpu_workers * fleet.gpu_cores, size.shards) * v["efficiency"]
        if gpu
        else _cores(fleet, v, size.shards)
    )
    cpu = size.stored * v["host_cpu" if gpu else "inference_cpu"] / cores
    moved = size.stored * v["image_bytes"] + size.bodies * v["body_bytes"] + size.faces * v["face_bytes"]
    uses = (
        _use(costs, "CPU", cpu, "host_cpu efficiency" if gpu else "inference_cpu efficiency"),
        _use(costs, "network", moved / (workers * v["network"]), "image_bytes network"),
        _operations(size, costs, v, "inference"),
        _shuffle(size, fleet, costs, v),
        _progress(size, costs, v, "inference"),
    )
    if not gpu:
        return Phase("inference", "cpu", uses)
    seconds = size.stored * gpu_seconds(costs) / workers
    return Phase("inference", "gpu", (*uses, _use(costs, "GPU", seconds, "face_flops gpu_flops gpu_use")))


def dimension(fleet: Fleet, costs: Costs) -> float:
    """Numbers of a vector."""
    return costs[f"{fleet.profile}_dimension"].value


def _edges(size: Size, fleet: Fleet, costs: Costs, v: Mapping[str, float]) -> Phase:
    """Within labels a face is compared with those of its label (profile gpu), else with all, or those of its cells."""
    others = min(size.faces, v["label_faces"]) if fleet.profile == "gpu" else size.faces
    blocks = math.ceil(size.faces / v["block"])
    processes = min(fleet.all_cores, blocks)  # each reads all vectors
    read = processes * size.faces * v["vector_bytes"] * dimension(fleet, costs) / v["cpu_dimension"]
    requests = processes * size.shards * v["file_requests"]
    uses = (
        *_search(size, fleet, costs, v, others, blocks),
        _use(costs, "network", read / (fleet.cpu_workers * v["network"]), "vector_bytes network"),
        _use(costs, "object-store reads", requests / v["read_rate"], "file_requests read_rate"),
        _reading(size, costs, v, tables=1),
    )
    return Phase("edges", "cpu", uses)


def _search(
    size: Size, fleet: Fleet, costs: Costs, v: Mapping[str, float], others: float, blocks: int
) -> tuple[Use, ...]:
    """Exact up to so many faces of a group: N^2. Above, in cells, which every process finds itself: N sqrt(N)."""
    cores = _cores(fleet, v, blocks)
    if others <= v["exact_faces"]:
        flops = 2 * size.faces * others * dimension(fleet, costs)
        return (_use(costs, "kNN", flops / (cores * v["search_flops"]), "faces search_flops efficiency"),)
    measured = (others / 1e6) ** 1.5 * (size.faces / others) * dimension(fleet, costs) / 512
    find, search = v["cell_find_seconds"] * measured, v["cell_search_seconds"] * measured
    return (
        _use(costs, "kNN", search / cores, "faces cell_search_seconds efficiency"),
        _use(costs, "cells, in every process", find / v["efficiency"], "faces cell_find_seconds efficiency"),
    )


def _identities(size: Size, fleet: Fleet, costs: Costs, v: Mapping[str, float]) -> Phase:
    people = size.faces / v["faces_an_identity"]
    flops = people**2 * dimension(fleet, costs) * v["centre_passes"]  # each pair once
    uses = (
        _use(
            costs, "all centres with all", flops / (fleet.cores * v["search_flops"]), "faces_an_identity search_flops"
        ),
        _use(costs, "clustering in one process", size.faces * v["cluster_seconds"], "faces cluster_seconds"),
        _reading(size, costs, v, tables=2),
    )
    return Phase("identities", "one", uses)


def _splits(size: Size, costs: Costs, v: Mapping[str, float]) -> Phase:
    uses = (
        _use(costs, "look-ups in one process", size.kept * v["lookup_seconds"], "lookup_seconds"),
        _columns(costs, v, size.bodies * v["body_bytes"]),
    )
    return Phase("splits", "one", uses)


def _plan(size: Size, costs: Costs, v: Mapping[str, float]) -> Phase:
    seconds = 2 * size.kept * v["lookup_seconds"]  # in bodies and in faces
    uses = (
        _use(costs, "look-ups in one process", seconds, "lookup_seconds"),
        _columns(costs, v, size.bodies * v["body_bytes"] + size.faces * v["face_bytes"]),
    )
    return Phase("bundle plan", "one", uses)


def _bundle(size: Size, fleet: Fleet, costs: Costs, v: Mapping[str, float]) -> Phase:
    moved = size.kept * (v["body_bytes"] + v["face_bytes"] + v["record_bytes"] * v["formats"])
    files = math.ceil(size.kept / v["records_a_file"])
    cores = _cores(fleet, v, files * v["bundle_threads"])
    uses = (
        _use(costs, "CPU", size.kept * v["bundle_cpu"] / cores, "bundle_cpu efficiency"),
        _use(costs, "network", moved / (fleet.cpu_workers * v["network"]), "record_bytes network"),
    )
    return Phase("bundle files", "cpu", uses)
