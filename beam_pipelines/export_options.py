"""The options of `manyfaces export`; loaded for --help too, so that nothing heavy is imported."""

import argparse

FORMATS = ("hf", "coco", "imagefolder", "jsonl")


def add_options(export: argparse.ArgumentParser) -> None:
    """The options of the command."""
    export.add_argument("run", metavar="RUN", help="the run's folder")
    export.add_argument("--as", metavar="FORMAT", dest="format", required=True, help=", ".join(FORMATS))
    export.add_argument("--to", metavar="DIR", required=True, help="a new folder, local, gs:// or s3://")
    export.add_argument(
        "--table", metavar="NAME", help="faces, bodies or images (default: images for coco, else faces)"
    )
    export.add_argument(
        "--split", metavar="NAME", action="append", default=[], help="only this split, or each of several"
    )
    export.add_argument("--all", action="store_true", help="also what cleaning did not keep, with no identity")
    export.add_argument(
        "--push", metavar="hf://OWNER/NAME", help="send it to this dataset repository too; a new one is private"
    )
