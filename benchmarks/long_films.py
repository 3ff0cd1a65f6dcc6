"""Time and peak memory of finding the persons of a film of so many minutes, by arrays like those a run would have.

    python -m benchmarks.long_films --minutes 10 120

A frame a second with four faces; a scene of ten seconds has its own four of sixty people, who wear what they wore or
something else. Vectors have the lengths of the CPU profile's models. One core, a process for each line.
"""

import argparse
import multiprocessing
import os
import resource
import time
from typing import Any

import numpy as np

from benchmarks.results import report
from transforms.identity.knn import unit
from transforms.persons.appearances import F32, Appearances
from transforms.persons.evidence import together
from transforms.persons.grouping import group_faces
from transforms.persons.settings import EvidenceSettings, PersonSettings

AT_ONCE, SCENE, PEOPLE, DRESSES = 4, 10, 60, 4  # faces of a frame, seconds, people of a film, clothes of a person
FACE, CLOTHES = 128, 1280  # lengths of vectors
SCATTER = 0.35  # of a person's faces round their mean, whose length is 1
STEADY = 1 / 3  # share of faces that stay in place from frame to frame, so that they make tracks


def main() -> None:
    """A line for each length of film, with and without evidence."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, nargs="+", default=[30, 120])
    rows: list[list[str | float]] = []
    for minutes in parser.parse_args().minutes:
        for evidence in (True, False):
            with multiprocessing.get_context("spawn").Pool(1) as own:
                found = own.apply(measure, (minutes, evidence))
            rows.append([f"{minutes} min, evidence {'on' if evidence else 'off'}", *found])
    columns = ["", "faces", "groups", "persons", "CPU seconds", "peak MiB"]
    report("long_films", "persons of long films, one core", columns, rows)


def measure(minutes: int, evidence: bool) -> tuple[str, str, str, float, float]:
    """Faces, groups after evidence, persons, seconds of CPU, and the peak of this process's memory."""
    found = film(60 * minutes)
    settings = PersonSettings(evidence=EvidenceSettings(frames=evidence, tracks=evidence))
    groups = int(together(found, settings.evidence).max()) + 1
    start = time.process_time()
    persons = int(group_faces(found, settings).persons.max()) + 1
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"{len(found):,}", f"{groups:,}", f"{persons:,}", seconds, peak


def film(frames: int) -> Appearances:
    """The faces of so many frames."""
    random = np.random.default_rng(0)
    scenes = -(-frames // SCENE)
    cast = np.stack([random.permutation(PEOPLE)[:AT_ONCE] for _ in range(scenes)])
    dressed = cast * DRESSES + random.integers(0, DRESSES, cast.shape)
    frame = np.repeat(np.arange(frames), AT_ONCE)
    place = np.tile(np.arange(AT_ONCE), frames)
    moved = random.uniform(-60, 60, len(frame)) * (random.random(len(frame)) > STEADY)
    left = 300 * place + moved
    return Appearances(
        face_id=tuple(f"v-n{number}-f{one}" for number, one in zip(frame.tolist(), place.tolist(), strict=True)),
        frame=frame,
        time=frame.astype(np.float64),
        shot=frame // SCENE,
        box=np.stack([left, 0 * left, left + 100, 0 * left + 100], axis=1).astype(np.float32),
        faces=_round_means(random, cast[frame // SCENE, place], FACE),
        clothes=_round_means(random, dressed[frame // SCENE, place], CLOTHES),
    )


def _round_means(random: Any, who: Any, length: int) -> F32:
    means = random.normal(size=(int(who.max()) + 1, length)).astype(np.float32)
    return unit(means[who] + SCATTER * random.normal(size=(len(who), length)).astype(np.float32))


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"  # the processes that measure start with it
    main()
