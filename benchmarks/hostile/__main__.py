"""Thousands of damaged images, videos and lists: no crash, no hang, no lost row, and counts that balance.

    python -m benchmarks.hostile [--images N] [--videos N] [--lists N] [--seed S] [--keep FOLDER]

Images and videos are served by this machine and go through `manyfaces run` with two worker processes; lists are split
as a run splits them. The same seed gives the same files. Ends with exit code 1 if anything is at fault, and with
--keep the files and runs stay to look at.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from random import Random

from benchmarks.hostile import seeds
from benchmarks.hostile.campaign import IMAGES, VIDEOS, Campaign, Outcome, mutated, read_lists, run_campaign
from benchmarks.results import report


def main() -> None:
    """Run the campaign and print it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=8_100)
    parser.add_argument("--videos", type=int, default=600)
    parser.add_argument("--lists", type=int, default=1_800)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    rng = Random(options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        outcomes = [_run(campaign, seeds.images(), options.images // len(IMAGES), rng, folder) for campaign in IMAGES]
        outcomes.append(_run(VIDEOS, seeds.videos(), options.videos, rng, folder))
        lists = folder / "lists"
        lists.mkdir(parents=True)
        outcomes.append(read_lists(mutated(seeds.lists(), options.lists, rng), lists))
    columns = ["files", "number", "s", "MB", "faults", "verdicts"]
    rows = [
        [one.kind, str(one.files), f"{one.seconds:.0f}", f"{one.megabytes:.0f}", str(len(one.faults)), _verdicts(one)]
        for one in outcomes
    ]
    report("hostile", f"damaged files, seed {options.seed}", columns, rows)
    faults = [f"{one.kind}: {fault}" for one in outcomes for fault in one.faults]
    print("\n".join(faults) or "nothing is at fault.")
    sys.exit(bool(faults))


def _run(campaign: Campaign, whole: dict[str, bytes], count: int, rng: Random, folder: Path) -> Outcome:
    place = folder / campaign.kind.replace(", ", "-").replace(" ", "-")
    place.mkdir(parents=True)
    return run_campaign(campaign, mutated(whole, count, rng), place)


def _verdicts(outcome: Outcome) -> str:
    return ", ".join(f"{code} {n}" for code, n in outcome.reasons.most_common())


if __name__ == "__main__":
    main()
