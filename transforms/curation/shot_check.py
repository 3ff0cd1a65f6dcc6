"""Whether a sequence of samples is one shot: the frames between them are searched for cuts."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from model_handlers.models.roles import Models
from transforms.curation.persons import Candidate, Run, gaps
from transforms.tables.reasons import Rejected
from transforms.videos.library import local_file
from transforms.videos.reader import VideoReader
from transforms.videos.shot_settings import ShotSettings
from transforms.videos.shots import cuts_between
from transforms.videos.shots_stage import network

Gap = tuple[str, int, int]  # media, and the numbers of two samples


@dataclass(frozen=True, slots=True)
class ShotCheck:
    """How cuts are looked for: the run with the videos, the detector, and the role cuts if that is a network."""

    run: str
    shots: ShotSettings
    models: Models = field(default_factory=Models)


def first_uncut(runs: Sequence[Run], check: ShotCheck) -> Run:
    """The first of the runs that is one shot; empty if none is. Frames that do not decode are as bad as a cut."""
    known: dict[Gap, bool] = {}  # whether a gap has a cut; runs share most of their gaps
    for run in runs:
        between = [(run[0].media, *gap) for gap in gaps(run)]
        if not any(known.get(gap) for gap in between):
            new = [gap for gap in between if gap not in known]
            known.update(_search(run[0], new, check))
            if not any(known[gap] for gap in between):
                return run
    return ()


def _search(face: Candidate, between: list[Gap], check: ShotCheck) -> dict[Gap, bool]:
    """Whether each gap of a video has a cut, up to the first that has one."""
    found: dict[Gap, bool] = {}
    if not between:
        return found
    scores = network(check.models, check.shots.threads)
    try:
        with local_file(check.run, face.media) as path, VideoReader(path) as reader:
            for gap in between:
                found[gap] = bool(cuts_between(reader, gap[1], gap[2] + 1, check.shots, scores))
                if found[gap]:
                    break
    except Rejected:
        found[between[len(found)]] = True
    return found
