"""Whether a run is to hide faces, so that its own tables of pictures show what nobody else may see."""

from collections.abc import Iterable

_STAGES = frozenset({"covers", "anonymized"})  # their tables have the same names


def hides_faces(names: Iterable[str]) -> bool:
    """Whether one of these stages or tables of a run covers faces, in videos or in images."""
    return not _STAGES.isdisjoint(names)
