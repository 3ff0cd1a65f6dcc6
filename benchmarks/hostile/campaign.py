"""Mutated files through the real command, and what came of them."""

import csv
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from beam_pipelines import config as configuration
from beam_pipelines.demos.photographs import Page, serve
from beam_pipelines.errors import ConfigError
from benchmarks.hostile.mutate import mutate
from transforms.tables.ledger import read_ledger, tally

LOST = "worker process was lost"
RELAXED = ("max_failed_share=1", "fetch.retries=0")
LONGEST_LIST = 10.0  # seconds that a list of some hundred bytes may take


@dataclass(slots=True)
class Outcome:
    """What came of the files of one kind: verdicts by reason, and every fault in a sentence."""

    kind: str
    files: int
    seconds: float = 0.0
    megabytes: float = 0.0  # the largest resident memory of a process
    reasons: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Campaign:
    """One run of the command over many mutated files: the recipe, how its jobs are cut, other settings."""

    kind: str
    recipe: str
    jobs: str
    stages: tuple[str, ...]
    settings: tuple[str, ...]


IMAGES = tuple(
    Campaign(f"images, {name}", "webbody", "[[download]]", ("manifest", "download"), settings)
    for name, settings in (
        ("as they are", ()),
        ("border", ("fetch.store={mode: border, size: 128, only_if_bigger: false}",)),
        ("center_crop", ("fetch.store={mode: center_crop, size: 96, only_if_bigger: false}",)),
    )
)
VIDEOS = Campaign(
    "videos", "face_generation", "[[download, frames]]", ("manifest", "download", "frames"),
    ("sampling.per_segment=2", "fetch.accept={min_height: 0, probe_seconds: 20}"),
)  # fmt: skip


def mutated(whole: dict[str, bytes], count: int, rng: Random) -> list[tuple[str, bytes]]:
    """So many mutated files with the names of what they were; every fiftieth is left whole."""
    names, files = list(whole), list(whole.values())
    chosen = [rng.choice(names) for _ in range(count)]
    return [
        (name, whole[name] if number % 50 == 0 else mutate(whole[name], files, rng))
        for number, name in enumerate(chosen)
    ]


def run_campaign(campaign: Campaign, files: Sequence[tuple[str, bytes]], folder: Path) -> Outcome:
    """Serve the files and run the command over them; every row must end in one place, and nothing may crash."""
    outcome = Outcome(campaign.kind, len(files))
    pages = {f"/{number:06d}/{name}": Page(200, {}, body) for number, (name, body) in enumerate(files)}
    with serve(pages) as port:
        manifest = folder / "list.csv"
        with manifest.open("w", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(["id", "url"])
            writer.writerows([path.split("/")[1], f"http://127.0.0.1:{port}{path}"] for path in pages)
        settings = [f"jobs={campaign.jobs}", f"fetch.allow_hosts=['127.0.0.1:{port}']", *RELAXED, *campaign.settings]
        code, messages = _command(campaign.recipe, manifest, folder / "run", settings, outcome)
    if code or LOST in messages:
        outcome.faults.append(f"exit code {code}: {messages[-500:]}")
    _check_ledger(folder / "run", campaign.stages, outcome)
    return outcome


def _command(recipe: str, manifest: Path, run: Path, settings: Sequence[str], outcome: Outcome) -> tuple[int, str]:
    words = [word for setting in settings for word in ("--set", setting)]
    command = [sys.executable, "-m", "beam_pipelines.cli", "run", recipe, "--input", str(manifest)]
    beam = ["--direct_num_workers=2", "--direct_running_mode=multi_processing"]
    started = time.perf_counter()
    with (run.parent / "messages").open("w+") as messages:
        process = subprocess.Popen(
            [*command, "--output", str(run), *words, *beam], stdout=subprocess.DEVNULL, stderr=messages
        )
        _, status, usage = os.wait4(process.pid, 0)
        messages.seek(0)
        said = messages.read()
    outcome.seconds, outcome.megabytes = time.perf_counter() - started, usage.ru_maxrss / 1024
    return os.waitstatus_to_exitcode(status), said


def _check_ledger(run: Path, stages: Sequence[str], outcome: Outcome) -> None:
    entered = outcome.files
    for stage in stages:
        counts = tally(str(run), stage)
        rows = [row for _, table in read_ledger(str(run), stage) for row in table.to_pylist()]
        ids = {row["item_id"] for row in rows}
        if not counts.items == len(rows) == len(ids) == entered:
            outcome.faults.append(f"{stage}: {entered} items went in, {counts.items} are counted, {len(ids)} are named")
        internal = [row for row in rows if row["reason"] == "internal_error"]
        outcome.faults += [f"{stage}: {row['item_id']}: {row['detail']}" for row in internal]
        outcome.reasons.update({code: n for code, n in counts.by_reason.items() if code != "kept"})
        entered = counts.count("kept")
    outcome.reasons["kept"] = entered


def read_lists(files: Sequence[tuple[str, bytes]], folder: Path) -> Outcome:
    """Split each list as a run would: all its rows are in the ledger, or one sentence says why it cannot be read."""
    outcome = Outcome("lists", len(files))
    recipe, settings = configuration.load("webbody", [])
    started = time.perf_counter()
    for number, (name, body) in enumerate(files):
        run, path = folder / f"{number:06d}", folder / f"{number:06d}-{name}"
        path.write_bytes(body)
        begun = time.perf_counter()
        try:
            split = recipe.split(str(path), str(run), settings.manifest)
        except (ConfigError, ValueError) as refused:
            outcome.reasons["refused in a sentence"] += 1
            if "\n" in str(refused) or not str(refused):
                outcome.faults.append(f"{path.name}: refused in other than one sentence: {refused!s:.200}")
        except Exception as error:  # whatever comes here would be a traceback to the user
            outcome.faults.append(f"{path.name}: {type(error).__name__}: {error!s:.200}")
        else:
            counts = tally(str(run), "manifest")
            outcome.reasons.update(counts.by_reason)
            if counts.items != split.rows:
                outcome.faults.append(f"{path.name}: {split.rows} rows were read, {counts.items} are in the ledger")
        if time.perf_counter() - begun > LONGEST_LIST:
            outcome.faults.append(f"{path.name}: took {time.perf_counter() - begun:.0f} s")
    outcome.seconds = time.perf_counter() - started
    outcome.megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return outcome
