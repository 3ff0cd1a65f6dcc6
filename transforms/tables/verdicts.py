"""Verdicts: what became of an item in a stage."""

from dataclasses import dataclass

from transforms.tables.detail import steady
from transforms.tables.reasons import State, reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one item in one stage."""

    item_id: str
    state: State
    reason: str = ""
    transient: bool = False
    detail: str = ""


def verdict(item_id: str, code: str, detail: str = "") -> Verdict:
    """The verdict that a reason code stands for; kept if the code is empty."""
    if not code:
        return Verdict(item_id, "kept")
    meaning = reason(code)
    return Verdict(item_id, meaning.state, code, meaning.transient, _line(detail))


def _line(detail: str) -> str:
    """One short line that UTF-8 can hold: details quote strangers' bytes. Cut where it no longer varies."""
    return steady(" ".join(detail.encode(errors="replace").decode().split()))[:500]
