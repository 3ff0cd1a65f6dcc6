"""Stage selection: each person's best images and one sequence, as files; the run's choices as a table and JSON."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import apache_beam as beam
import pyarrow.compute as pc
from apache_beam.io.filesystems import FileSystems

from model_handlers.models.roles import KnownModels, Models
from transforms.curation import reference
from transforms.curation.columns import persons, read_candidates
from transforms.curation.metadata import PersonFiles, person_name, write_metadata
from transforms.curation.persons import Candidate, best, sequences
from transforms.curation.settings import SelectionSettings
from transforms.curation.shot_check import ShotCheck, first_uncut
from transforms.flow.stages import TableStage
from transforms.flow.table_steps import advance, begin, planned
from transforms.tables.files import commit_file, delete_files, delete_folder, is_folder
from transforms.tables.item_ids import safe_id
from transforms.tables.ledger import write_whole_ledger
from transforms.tables.pointers import RowReader
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import read_shard, shard_path, to_table, write_shard
from transforms.tables.verdicts import verdict
from transforms.tables.video_rows import SelectedFace
from transforms.videos.library import file_path
from transforms.videos.shot_settings import ShotSettings
from transforms.videos.shots_stage import cut_models

STAGE = "selection"
FINAL = "final"
GROUPS = ("high_quality", "temporal_sequence")
_ONLY = "00000"


@dataclass(frozen=True, slots=True)
class Choice:
    """A person: its number, how many faces it has, the best of them and a sequence, which may be empty."""

    identity: int
    faces: int
    high_quality: tuple[Candidate, ...]
    temporal: tuple[Candidate, ...]

    def files(self) -> Iterator[tuple[str, int, Candidate, str]]:
        """Group, place in it, face and path below the run of every image."""
        for group, chosen in zip(GROUPS, (self.high_quality, self.temporal), strict=True):
            for place, face in enumerate(chosen):
                path = f"{FINAL}/{person_name(self.identity)}/{group}/{place:03d}_{safe_id(face.face_id)}.jpg"
                yield group, place, face, path


def select_faces(settings: SelectionSettings, shots: ShotSettings, models: KnownModels) -> TableStage:
    """The stage selection, of the candidates that the stage identity gave to persons."""
    used = cut_models(shots, models)
    also = reference.TABLES if settings.layout == "reference" else ()
    return TableStage(
        name=STAGE,
        reads=("identities", "faces", *also),
        writes=(STAGE,),
        transform=partial(SelectFaces, settings=settings, shots=shots, models=used),
        settings={"selection": settings, "shots": shots},
        models=used,
        files=(FINAL, "metadata", reference.FOLDER),
        follows="identity",
        mend=partial(mend_selection, settings=settings),
    )


class SelectFaces(beam.PTransform):
    """Tables `identities`, `faces` -> table `selection`, the folders `final` and `metadata`, and perhaps `reference`.

    A sequence is one shot as far as `shots` tells cuts, unless the samples know their shot; `models` has the role cuts
    if its detector is a network. One element is one person; one worker at the start and one at the end
    hold all candidates without their crops: about 900 bytes a face.
    """

    def __init__(self, run: str, settings: SelectionSettings, shots: ShotSettings, models: Models) -> None:
        super().__init__()
        self._run, self._settings = run, settings
        self._check = ShotCheck(run, shots, models)

    def expand(self, begin: beam.pvalue.PBegin) -> beam.PCollection:
        """Only numbers and pointers meet a shuffle; images go from the table to their files inside one element."""
        written = (
            begin
            | "Run" >> beam.Create([self._run])
            | "List persons" >> beam.FlatMap(list_persons)
            | "Spread persons" >> beam.Reshuffle()
            | "Choose" >> beam.Map(choose, self._settings, self._check)
            | "Write images" >> beam.Map(write_images, self._run)
            | "Gather choices" >> beam.combiners.ToList()
            | "Write selection" >> beam.Map(write_selection, self._run)
        )
        return (
            written
            | "Plan reference" >> beam.FlatMap(_plan, self._run, self._settings.layout)
            | "Spread reference" >> beam.Reshuffle()
            | "Write reference" >> beam.Map(reference.write_work, self._run)
        )


def list_persons(run: str) -> Iterator[tuple[int, tuple[Candidate, ...]]]:
    """Each person's number and faces."""
    return planned(STAGE, "persons' images written", persons(read_candidates(run)))


def choose(person: tuple[int, tuple[Candidate, ...]], settings: SelectionSettings, check: ShotCheck) -> Choice:
    """What is taken of a person's faces."""
    identity, faces = person
    runs = sequences(faces, settings.temporal)[: settings.windows_checked]
    return Choice(
        identity,
        len(faces),
        tuple(best(faces, settings.high_quality, settings.min_background_distance)),
        first_uncut(runs, check),
    )


def write_images(choice: Choice, run: str) -> Choice:
    """Commit a person's images, bytes as they stand in the table."""
    files = sorted(choice.files(), key=lambda file: (file[2].shard, file[2].row))
    with RowReader(run, "faces", ["crop"]) as reader:
        for _, _, face, path in files:
            crop = reader.read(face.shard, face.row)["crop"]
            with commit_file(FileSystems.join(run, *path.split("/"))) as out:
                out.write(crop)
    advance(STAGE)
    return choice


def write_selection(choices: list[Choice], run: str) -> int:
    """Commit metadata, table and ledger, and delete images of an earlier state; returns the number of images."""
    begin(STAGE, "writing metadata")
    choices = sorted(choices, key=lambda choice: choice.identity)
    rows = [_row(choice, *file) for choice in choices for file in choice.files()]
    remove_leftovers(run, {row.file for row in rows})
    candidates = read_candidates(run)
    write_metadata(run, candidates, [_person_files(choice) for choice in choices])
    write_shard(shard_path(run, STAGE, _ONLY), to_table(rows, arrow_schema(SelectedFace)))
    taken: dict[str, int] = {}
    for row in rows:
        taken[row.face_id] = taken.get(row.face_id, 0) + 1
    known = candidates.filter(pc.is_valid(candidates["identity"]))["face_id"]
    write_whole_ledger(
        run, STAGE, known, lambda _, face: (verdict(face, "" if face in taken else "not_selected"), taken.get(face, 0))
    )
    return len(rows)


def _plan(images: int, run: str, layout: str) -> list[reference.Work]:
    return plan_layout(run, layout)


def plan_layout(run: str, layout: str) -> list[reference.Work]:
    """What is to be written into the folder `reference` of a finished selection; without that layout it goes."""
    if layout != "reference":
        folder = file_path(run, reference.FOLDER)
        if is_folder(folder):
            delete_folder(folder)
        return []
    chosen = read_shard(shard_path(run, STAGE, _ONLY), ["file"])["file"].to_pylist()
    return reference.plan_reference(run, read_candidates(run), chosen)


def mend_selection(run: str, settings: SelectionSettings) -> None:
    """Commit the metadata of what is still selected, and delete images that are not; files keep their names."""
    rows = read_shard(shard_path(run, STAGE, _ONLY), ["identity", "group", "file"]).to_pylist()
    remove_leftovers(run, {row["file"] for row in rows})
    candidates = read_candidates(run)
    faces = Counter(candidates["identity"].drop_null().to_pylist())
    files: dict[tuple[int, str], list[str]] = {}
    for row in rows:
        files.setdefault((row["identity"], row["group"]), []).append(row["file"])
    people = [
        PersonFiles(one, faces[one], *(tuple(files.get((one, group), ())) for group in GROUPS)) for one in sorted(faces)
    ]
    write_metadata(run, candidates, people)
    plan_layout(run, settings.layout)


def _row(choice: Choice, group: str, place: int, face: Candidate, path: str) -> SelectedFace:
    return SelectedFace(
        face_id=face.face_id,
        identity=choice.identity,
        group=group,
        place=place,
        file=path,
        video_id=face.video_id,
        number=face.number,
        label=face.label,
        emotion=face.emotion,
        composite=face.composite,
    )


def _person_files(choice: Choice) -> PersonFiles:
    paths = {group: tuple(path for of, _, _, path in choice.files() if of == group) for group in GROUPS}
    return PersonFiles(choice.identity, choice.faces, *(paths[group] for group in GROUPS))


def remove_leftovers(run: str, files: set[str]) -> None:
    """Delete the images of persons that are not among these files (paths below the run)."""
    gone = []
    for group in GROUPS:
        pattern = FileSystems.join(run, FINAL, "person_*", group, "*.jpg")
        for found in FileSystems.match([pattern])[0].metadata_list:
            folder, name = FileSystems.split(found.path)
            person = FileSystems.split(FileSystems.split(folder)[0])[1]
            if f"{FINAL}/{person}/{group}/{name}" not in files:
                gone.append(found.path)
    delete_files(gone)
