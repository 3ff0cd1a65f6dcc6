"""Who is in a film, told by face, clothes, both, and what the film shows: NMI and BCubed F on composed films.

    [MANYFACES_TEST_DATA=FOLDER] python -m benchmarks.films

The films to choose by show people of published packages. With MANYFACES_TEST_DATA films of other people are measured
too: the photographs below images/lfw that its `images.csv` lists, and the talking people of its `videos.csv`. Nothing
was chosen by these. The stages up to embeddings and clothes run once; grouping them again takes seconds.
"""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.films.making import films_to_choose_by, films_to_judge_by
from benchmarks.films.reading import Seen, see
from benchmarks.films.scores import Scores, mean, scores
from benchmarks.results import report
from transforms.persons.appearances import I64
from transforms.persons.grouping import group_faces
from transforms.persons.settings import EvidenceSettings, MergingSettings, PersonSettings

DEFAULT = PersonSettings()


def _way(similarity: float, frames: bool = False, tracks: bool = False, **more: object) -> PersonSettings:
    evidence = EvidenceSettings(frames=frames, tracks=tracks)
    return DEFAULT.model_copy(update={"similarity": similarity, "evidence": evidence, **more})


def _merging(**changed: float) -> MergingSettings:
    return DEFAULT.merging.model_copy(update=changed)


# the first three each with the similarity that is best for it on the films to choose by, the middle of those that are
# equally good; the others with that of the last, so that they show what each kind of evidence adds
WAYS: Mapping[str, PersonSettings] = {
    "face alone": _way(0.82, clothing_weight=0.0, merging=_merging(clothing_distance=0.0)),
    "clothing alone": _way(0.67, face_weight=0.0, merging=_merging(face_distance=0.0, clothing_face_distance=2.0)),
    "both": _way(0.79),
    "both, similarity of the last": _way(DEFAULT.similarity),
    "that and frames": _way(DEFAULT.similarity, frames=True),
    "that and tracks": _way(DEFAULT.similarity, tracks=True),
    "both, frames and tracks": DEFAULT,
}
COLUMNS = ("NMI", "BCubed F", "NMI key", "merged: NMI", "BCubed F", "NMI key")


def measured(seen: Sequence[Seen], settings: PersonSettings) -> tuple[Scores, Scores]:
    """The mean scores of the films before and after merging."""
    groupings = [group_faces(one.found, settings) for one in seen]
    before = [_scores(one, grouping.clusters) for one, grouping in zip(seen, groupings, strict=True)]
    after = [_scores(one, grouping.merged) for one, grouping in zip(seen, groupings, strict=True)]
    return mean(before), mean(after)


def _scores(seen: Seen, found: I64) -> Scores:
    return scores(found, seen.played, seen.found.frame, seen.looked_at)


def _show(name: str, title: str, seen: Sequence[Seen]) -> None:
    rows = []
    for way, settings in WAYS.items():
        before, after = measured(seen, settings)
        rows.append([way, before.nmi, before.f, before.key_nmi, after.nmi, after.f, after.key_nmi])
    faces = sum(len(one.found) for one in seen)
    heading = f"{title}: {len(seen)} films, {faces} faces, means over films"
    report(name, heading, ["", *COLUMNS], rows)


def main() -> None:
    """Compose, run and print."""
    data = os.environ.get("MANYFACES_TEST_DATA")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _show("films", "films to choose by", see(films_to_choose_by(folder), folder / "choose"))
        if data:
            _show("films-judged", "films to judge by", see(films_to_judge_by(Path(data), folder), folder / "judge"))
        else:
            print("benchmarks.films: the films to judge by are left out; they need MANYFACES_TEST_DATA.")


if __name__ == "__main__":
    main()
