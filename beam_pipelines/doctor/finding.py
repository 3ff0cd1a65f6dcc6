"""What was found of one thing."""

from dataclasses import dataclass
from typing import Literal

State = Literal["yes", "no", "lacks"]  # there; not there, and not needed; not there, and needed


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing of this machine: whether it is there, what there is to say of it, and a command that would bring it."""

    what: str
    state: State
    told: str = ""
    mend: str = ""


def size(count: float) -> str:
    """A number of bytes for people: `231 MB`; thousands, as disks are sold."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if count >= 10 or unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
