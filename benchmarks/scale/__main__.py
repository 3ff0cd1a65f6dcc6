"""Hours, money and walls of webbody at sizes past this machine.

    python -m benchmarks.scale [--items 1M 100M 10B] [--profile gpu] [--cpu-workers 200] [--set request_seconds=0.02]

Everything is reckoned from the figures in benchmarks/scale/costs.yaml; the tables say on what basis.
"""

import argparse
import sys

from benchmarks.scale.costs import load, replaced
from benchmarks.scale.model import Fleet
from benchmarks.scale.tables import markdown, show

SIZES = (1e6, 1e8, 1e10)
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


def main(arguments: list[str] | None = None) -> None:
    """Print the tables."""
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
    options = vars(parser.parse_args(arguments))
    sizes, given, as_markdown = options.pop("items"), options.pop("set"), options.pop("markdown")
    try:
        costs = replaced(load(), given)
    except ValueError as error:
        parser.error(str(error))
    if as_markdown:
        sys.stdout.write(markdown(sizes, Fleet(**options), costs))
    else:
        show(sizes, Fleet(**options), costs)


if __name__ == "__main__":
    main()
