"""The options of `manyfaces curate`; loaded for --help too, so that nothing heavy is imported."""

import argparse
from collections.abc import Callable
from typing import Any

# name -> type, metavar and help; the names are those of CurationSettings
SETTINGS: dict[str, tuple[Callable[[str], Any], str, str]] = {
    "criterion": (str, "NAME", "random, video_balanced, class_balanced, min_redundancy or max_motion"),
    "num_samples": (int, "N", "tracks in all, at most"),
    "num_samples_per_video": (int, "N", "video_balanced: tracks of a video, at most"),
    "num_samples_per_class": (int, "N", "class_balanced, min_redundancy, max_motion: tracks of a class, at most"),
    "max_swaps": (int, "N", "min_redundancy: swaps in a class, at most (else 5 turns, or one without a swap)"),
    "min_nn_dist": (float, "D", "class_balanced: distance of the features of two tracks of a class, at least (0 to 2)"),
    "max_spt_iou": (float, "IOU", "class_balanced: spatio-temporal IoU of two tracks of a class and video, at most"),
    "iou_tbuff": (float, "SECONDS", "time between two tracks before their IoU counts for less (default: inf)"),
    "min_motion": (float, "M", "class_balanced: motion, at least, in diagonals of the track's box a second"),
    "passes": (
        int,
        "N",
        "class_balanced: passes, each with laxer constraints, 1 to 5 (default: 5, the last with none)",
    ),
    "seed": (int, "N", "what chance decides follows from it (default: 0)"),
    "exclude_videos": (str, "FILE", "a text file: leave out these videos, an id at the start of each line"),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Those of the command."""
    parser.add_argument("tracks", metavar="TRACKS", help="a run's folder, parquet of its table tracks, or .jsonl.gzip")
    parser.add_argument(
        "--output", metavar="DIR", required=True, help="a new folder for the subset, local, gs:// or s3://"
    )
    for name, (kind, metavar, told) in SETTINGS.items():
        option = "--" + name.replace("_", "-")
        parser.add_argument(option, dest=name, type=kind, metavar=metavar, help=told, required=name == "criterion")
