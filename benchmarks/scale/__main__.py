"""Hours, money and walls of webbody at sizes past this machine.

    python -m benchmarks.scale [--items 1M 100M 10B] [--profile gpu] [--cpu-workers 200] [--set request_seconds=0.02]
    python -m benchmarks.scale --document docs/scale.md

Everything is reckoned from the figures in benchmarks/scale/costs.yaml; the tables say on what basis.
"""

import argparse
import re
import shlex
import sys
from dataclasses import fields
from pathlib import Path

from benchmarks.scale.costs import load, replaced
from benchmarks.scale.model import Fleet
from benchmarks.scale.tables import markdown, show

SIZES = (1e6, 1e8, 1e10)
_BLOCK = re.compile(r"(<!-- python -m benchmarks\.scale (.*?) -->)\n.*?<!-- end -->", re.DOTALL)
_FACTORS = {"k": 1e3, "M": 1e6, "B": 1e9}


def count(text: str) -> float:
    """`100M` as a number."""
    factor = _FACTORS.get(text[-1:], 1.0)
    value = float(text[:-1] if factor > 1 else text) * factor
    if not 1 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number of images")
    return value


def positive(text: str) -> int:
    """A whole number from 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return value


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description="Hours, money and walls of webbody")
    plain = Fleet()
    parser.add_argument("--items", nargs="+", type=count, default=SIZES, metavar="N", help="images: 1M, 100M, 10B")
    parser.add_argument("--cpu-workers", type=positive, default=plain.cpu_workers)
    parser.add_argument("--gpu-workers", type=positive, default=plain.gpu_workers)
    parser.add_argument("--cores", type=positive, default=plain.cores, help="of a CPU worker")
    parser.add_argument("--gpu-cores", type=positive, default=plain.gpu_cores, help="CPU cores of a GPU worker")
    parser.add_argument("--memory-gb", type=positive, default=plain.memory_gb, help="of a CPU worker")
    parser.add_argument("--rows-per-shard", type=positive, default=plain.rows_per_shard)
    parser.add_argument("--profile", choices=("cpu", "gpu"), default=plain.profile)
    parser.add_argument("--set", action="append", default=[], metavar="FIGURE=VALUE", help="a figure of costs.yaml")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--document", type=Path, help="print the tables of this document anew, in place")
    options = parser.parse_args(arguments)
    try:
        options.costs = replaced(load(), options.set)
    except ValueError as error:
        parser.error(str(error))
    return options


def fleet(options: argparse.Namespace) -> Fleet:
    """The machines of the command line."""
    return Fleet(**{field.name: getattr(options, field.name) for field in fields(Fleet)})


def as_markdown(arguments: str) -> str:
    """The tables that these arguments ask for."""
    options = parsed(shlex.split(arguments))
    return markdown(options.items, fleet(options), options.costs)


def reprinted(text: str) -> str:
    """A document with its tables as they are now: those between a comment with the command and `<!-- end -->`."""
    return _BLOCK.sub(lambda block: f"{block[1]}\n\n{as_markdown(block[2])}\n<!-- end -->", text)


def main(arguments: list[str] | None = None) -> None:
    """Print the tables."""
    options = parsed(arguments)
    if options.document:
        options.document.write_text(reprinted(options.document.read_text(encoding="utf-8")), encoding="utf-8")
    elif options.markdown:
        sys.stdout.write(markdown(options.items, fleet(options), options.costs))
    else:
        show(options.items, fleet(options), options.costs)


if __name__ == "__main__":
    main()
