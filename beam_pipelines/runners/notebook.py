"""Beam in a notebook, as it is everywhere else.

There it puts the number of the cell before every step's name, for which it needs its extra `interactive`, pandas among
it, and leaves temporary files to that. Runs need neither.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import apache_beam.pipeline


@contextmanager
def plain_labels() -> Iterator[None]:
    """Within the block pipelines are built and run as outside of notebooks."""
    found: Any = apache_beam.pipeline
    kept = found.alter_label_if_ipython, found.is_in_ipython
    found.alter_label_if_ipython, found.is_in_ipython = lambda transform, value: None, lambda: False
    try:
        yield
    finally:
        found.alter_label_if_ipython, found.is_in_ipython = kept
