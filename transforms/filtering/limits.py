"""What the configured filters ask of a shot: limits of their scores, and what is said of a shot that breaks them."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from transforms.filtering.filter_settings import FilterSettings
from transforms.tables.reasons import Rejected

# the reason of each filter that comes with manyfaces, in the order in which they are asked
BY_STATISTICS = {
    "dark": "dark_shot",
    "blurred": "blurred_shot",
    "static": "static_shot",
    "letterbox": "letterboxed",
    "text_overlay": "text_overlay",
    "flat_colours": "flat_colours",
}
BY_MODELS = {"brisque": "low_quality", "cartoon": "cartoon", "aesthetics": "low_aesthetics"}
_LARGEST = float(np.finfo(np.float32).max)  # that the table holds


@dataclass(frozen=True, slots=True)
class Limits:
    """What the score of the filter `name` must keep to; a shot that does not is dropped with the reason."""

    name: str
    reason: str
    least: float | None
    most: float | None

    def keeps(self, score: float) -> bool:
        """Whether the score is a finite number within the limits, which may be met exactly."""
        finite = math.isfinite(score) and abs(score) <= _LARGEST
        return finite and (self.least is None or score >= self.least) and (self.most is None or score <= self.most)

    def broken(self, score: float) -> str:
        """Why the score does not keep them, in a few words."""
        if self.least is not None and score < self.least:
            return f"{self.name} {score:.4g}, less than {self.least:g}"
        if self.most is not None and score > self.most:
            return f"{self.name} {score:.4g}, more than {self.most:g}"
        return f"{self.name} gives no finite number: {score:.4g}"


def by_statistics(settings: FilterSettings) -> tuple[Limits, ...]:
    """Those of filters that need no model, one's own behind the others."""
    own = (Limits(one.filter, reason_of_own(one.filter), one.least, one.most) for one in settings.own)
    return (*_configured(settings, BY_STATISTICS), *own)


def by_models(settings: FilterSettings) -> tuple[Limits, ...]:
    """Those of filters by models, whose roles are called like the filters."""
    return _configured(settings, BY_MODELS)


def _configured(settings: FilterSettings, reasons: Mapping[str, str]) -> tuple[Limits, ...]:
    found = []
    for name, reason in reasons.items():
        block = getattr(settings, name)
        limits = Limits(name, reason, getattr(block, "least", None), getattr(block, "most", None))
        if (limits.least, limits.most) != (None, None):
            found.append(limits)
    return tuple(found)


def reason_of_own(place: str) -> str:
    """The reason code of a filter of one's own: `own_` and its attribute, without what no code may have."""
    return "own_" + re.sub(r"[^a-z0-9_]", "_", place.rpartition(":")[2].lower())[:60]


def check(limits: Sequence[Limits], scores: Mapping[str, float]) -> None:
    """Rejected with the reason of the first filter whose limits the scores do not keep; the detail has all scores."""
    broken = [one for one in limits if not one.keeps(scores[one.name])]
    if broken:
        first, *others = broken
        also = [one.broken(scores[one.name]) for one in others]
        rest = [f"{name} {score:.4g}" for name, score in scores.items() if name not in {one.name for one in broken}]
        raise Rejected(first.reason, "; ".join([first.broken(scores[first.name]), *also, *rest]))
