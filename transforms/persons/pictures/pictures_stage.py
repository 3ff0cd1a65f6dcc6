"""Stage pictures: the persons of each video -> what people look at: faces as files, overviews, a timeline, lists."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems

from model_handlers.interface import Array
from transforms.flow.stages import TableStage
from transforms.flow.table_steps import advance, planned
from transforms.images.drawing import png
from transforms.persons.pictures.crops import read_crops, spread
from transforms.persons.pictures.drawn import draw_after, draw_before, draw_timeline
from transforms.persons.pictures.gallery import Gallery, read_galleries
from transforms.persons.pictures.person_lists import person_entry, write_csv, write_json
from transforms.persons.pictures.picture_settings import PictureSettings
from transforms.tables.files import commit_file, delete_files, exists, open_binary
from transforms.tables.item_ids import safe_id
from transforms.tables.ledger import write_whole_ledger
from transforms.tables.person_rows import PersonPicture
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, to_table, write_shard
from transforms.tables.verdicts import verdict

STAGE, TABLE, FOLDER = "pictures", "person_pictures", "clusters"
OF_VIDEO = ("before.png", "after.png", "timeline.png", "persons.csv", "persons.json")
_OF_FACE = ("cluster_with_*", "cluster_*", "*.jpg")
_ONLY = "00000"


@dataclass(frozen=True, slots=True)
class Shown:
    """What was written of a video: a row for each face that is a file, and the other faces of its persons."""

    video_id: str
    rows: tuple[PersonPicture, ...]
    others: tuple[str, ...]


def draw_persons(settings: PictureSettings) -> TableStage:
    """The stage pictures, of the faces that the stage persons gave to persons."""
    return TableStage(
        name=STAGE,
        reads=("identities", "persons", "faces", "frames", "videos"),
        writes=(TABLE,),
        transform=partial(DrawPersons, settings=settings),
        settings={STAGE: settings},
        files=(FOLDER,),
        follows="persons",
        mend=partial(mend_pictures, settings=settings),
    )


class DrawPersons(beam.PTransform):
    """Tables `identities`, `persons`, `faces`, `frames`, `videos` -> table `person_pictures`, the folder `clusters`.

    One element is one video without its crops; a video without any face has no folder.
    """

    def __init__(self, run: str, settings: PictureSettings) -> None:
        super().__init__()
        self._run, self._settings = run, settings

    def expand(self, begin: beam.pvalue.PBegin) -> beam.PCollection:
        """Only numbers and pointers meet a shuffle; crops go from the table to their files inside one element."""
        return (
            begin
            | "Run" >> beam.Create([self._run])
            | "List videos" >> beam.FlatMap(_list)
            | "Spread videos" >> beam.Reshuffle()
            | "Show" >> beam.Map(show_video, self._run, self._settings)
            | "Gather videos" >> beam.combiners.ToList()
            | "Write pictures" >> beam.Map(write_pictures, self._run)
        )


def _list(run: str) -> Iterator[Gallery]:
    return planned(STAGE, "videos drawn", read_galleries(run))


def show_video(gallery: Gallery, run: str, settings: PictureSettings) -> Shown:
    """Commit all files of one video."""
    paths = dict(_paths(gallery, settings.files))
    for row, crop in read_crops(run, gallery.crops, np.array(sorted(paths), np.int64)):
        _commit(run, paths[row], crop)
    folder = video_folder(gallery.video_id)
    pictures: dict[str, Array] = {
        "before.png": draw_before(run, gallery, settings),
        "after.png": draw_after(run, gallery, settings),
        "timeline.png": draw_timeline(run, gallery),
    }
    for name, picture in pictures.items():
        _commit(run, f"{folder}/{name}", png(picture))
    for name, content in _lists(gallery, paths).items():
        _commit(run, f"{folder}/{name}", content)
    rows = tuple(
        PersonPicture(gallery.face_id[row], gallery.persons[gallery.person[row]].identity, gallery.video_id, path)
        for row, path in sorted(paths.items())
    )
    others = (gallery.face_id[row] for row in np.flatnonzero(gallery.person >= 0).tolist() if row not in paths)
    advance(STAGE)
    return Shown(gallery.video_id, rows, tuple(others))


def video_folder(video_id: str) -> str:
    """Where the files of a video lie, below the run."""
    return f"{FOLDER}/{safe_id(video_id)}"


def _paths(gallery: Gallery, most: int | None) -> Iterator[tuple[int, str]]:
    """The rows of the faces that become files, each with its path below the run; a person's own face is among them."""
    for place, person in enumerate(gallery.persons):
        own = spread(np.flatnonzero(gallery.person == place), most)
        rows = np.union1d(own, gallery.face_id.index(person.face_id)) if len(own) else own
        folder = f"{video_folder(gallery.video_id)}/cluster_with_{person.faces}/cluster_{person.rank}"
        for row in rows.tolist():
            yield row, f"{folder}/{gallery.time[row]:09.3f}_{safe_id(gallery.face_id[row])}.jpg"


def _lists(gallery: Gallery, paths: Mapping[int, str]) -> dict[str, bytes]:
    """The content of the video's lists by name; `paths` are those of the faces, by row, that are files."""
    files = {gallery.face_id[row]: path for row, path in paths.items()}
    entries = [person_entry(person, gallery.seconds, files.get(person.face_id, "")) for person in gallery.persons]
    video = {"video_id": gallery.video_id, "label": gallery.label, "seconds": round(gallery.seconds, 3)}
    table, whole = BytesIO(), BytesIO()
    write_csv(entries, table)
    write_json(video, entries, whole)
    return {"persons.csv": table.getvalue(), "persons.json": whole.getvalue()}


def _commit(run: str, name: str, content: bytes) -> None:
    with commit_file(_path(run, name)) as out:
        out.write(content)


def _path(run: str, name: str) -> str:
    return str(FileSystems.join(run, *name.split("/")))


def write_pictures(shown: list[Shown], run: str) -> int:
    """Commit table and ledger, and delete files of an earlier state; returns the number of faces that are files."""
    shown = sorted(shown, key=lambda one: one.video_id)
    rows = sorted((row for one in shown for row in one.rows), key=lambda row: row.face_id)
    whole = {f"{video_folder(one.video_id)}/{name}" for one in shown for name in OF_VIDEO}
    remove_leftovers(run, whole.union(row.file for row in rows))
    write_shard(shard_path(run, TABLE, _ONLY), to_table(rows, arrow_schema(PersonPicture)))
    taken = {row.face_id for row in rows}
    ids = pa.chunked_array([sorted([*taken, *(face for one in shown for face in one.others)])], pa.string())
    write_whole_ledger(
        run, STAGE, ids, lambda _, face: (verdict(face, "" if face in taken else "not_selected"), int(face in taken))
    )
    return len(rows)


def mend_pictures(run: str, settings: PictureSettings) -> None:
    """Draw the videos anew whose lists name a person that is gone, and delete what shows nobody any more.

    The files of other videos keep their bytes. The lists of a video are the last that is written of it.
    """
    files: set[str] = set()
    for gallery in read_galleries(run):
        folder, paths = video_folder(gallery.video_id), dict(_paths(gallery, settings.files))
        lists = _lists(gallery, paths)
        if any(_content(run, f"{folder}/{name}") != content for name, content in lists.items()):
            show_video(gallery, run, settings)
        files.update(paths.values(), (f"{folder}/{name}" for name in OF_VIDEO))
    remove_leftovers(run, files)


def _content(run: str, name: str) -> bytes | None:
    """What is in a file of the run; None without it."""
    path = _path(run, name)
    if not exists(path):
        return None
    with open_binary(path) as file:
        return file.read()


def remove_leftovers(run: str, files: set[str]) -> None:
    """Delete what the stage wrote of an earlier state: its files that are not among these (paths below the run)."""
    gone = []
    for below in (_OF_FACE, *((name,) for name in OF_VIDEO)):
        for found in FileSystems.match([FileSystems.join(run, FOLDER, "*", *below)])[0].metadata_list:
            path, parts = found.path, []
            for _ in range(len(below) + 1):
                path, name = FileSystems.split(path)
                parts.append(name)
            if "/".join([FOLDER, *reversed(parts)]) not in files:
                gone.append(found.path)
    delete_files(gone)
