"""How a stage that writes frames has them covered, without knowing what is covered or how."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from model_handlers.interface import Pixels

Paint = Callable[[int, Pixels], Pixels]  # the frame of a number, as it may be shown


@dataclass(frozen=True, slots=True)
class Covering:
    """What covers the frames of a shot.

    `paint(run, shot_id)` gives what paints its frames; Rejected where that cannot be known. It depends on the blocks
    `settings` of the configuration, by key, and on the `tables` of earlier jobs.
    """

    paint: Callable[[str, str], Paint]
    settings: Mapping[str, Any] = field(default_factory=dict)
    tables: tuple[str, ...] = ()
