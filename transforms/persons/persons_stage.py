"""Stage persons: the faces of each video -> who is who, and when each person is seen."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.flow.stages import TableStage
from transforms.flow.table_steps import advance, planned
from transforms.identity.cleaning import similarity_to_centre
from transforms.identity.cluster_names import mend_cluster_names
from transforms.identity.clustering import first_rows
from transforms.identity.columns import as_text
from transforms.identity.identity_tables import identity_table, numbered, read_before
from transforms.persons.appearances import F32
from transforms.persons.grouping import Grouping, group_faces
from transforms.persons.read import VideoRows, Videos, read_videos, tables, videos_with_faces
from transforms.persons.screen_time import longest_first
from transforms.persons.settings import PersonSettings
from transforms.tables.ledger import write_whole_ledger
from transforms.tables.person_rows import Person
from transforms.tables.rows import Identity
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, to_table, write_shard
from transforms.tables.verdicts import verdict

STAGE = "persons"
_ONLY = "00000"


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What was found in one video: its rows of `identities` and of `persons`, their numbers from 0."""

    video_id: str
    identities: pa.Table
    persons: tuple[Person, ...]


def find_persons(settings: PersonSettings, with_clothes: bool) -> TableStage:
    """The stage persons; `with_clothes`: the stage clothes is one of the run's."""
    return TableStage(
        name=STAGE,
        reads=tables(with_clothes),
        writes=("identities", "persons"),
        transform=lambda run: FindPersons(run, settings, with_clothes),
        settings={"persons": settings},
        follows="embeddings",
        mend=mend_cluster_names,
    )


class FindPersons(beam.PTransform):
    """Tables as `read.tables` -> `identities`, `persons`.

    One element is the videos of a few shards; one worker at the end holds the ids of all faces, about 200 bytes each.
    """

    def __init__(self, run: str, settings: PersonSettings, with_clothes: bool) -> None:
        super().__init__()
        self._run, self._settings, self._with_clothes = run, settings, with_clothes

    def expand(self, begin: beam.pvalue.PBegin) -> beam.PCollection:
        """Only names of videos and shards meet the first shuffle, and ids and times the second."""
        return (
            begin
            | "Run" >> beam.Create([self._run])
            | "List videos" >> beam.FlatMap(_list, self._with_clothes)
            | "Spread videos" >> beam.Reshuffle()
            | "Group faces" >> beam.FlatMap(_find, self._run, self._settings)
            | "Gather videos" >> beam.combiners.ToList()
            | "Write persons" >> beam.Map(write_persons, self._run)
        )


def _list(run: str, with_clothes: bool) -> Iterator[Videos]:
    together = videos_with_faces(run, with_clothes)
    return planned(STAGE, "videos grouped", together, lambda videos: len(videos.video_ids))


def _find(videos: Videos, run: str, settings: PersonSettings) -> Iterator[Found]:
    for rows in read_videos(run, videos):
        yield find_in_video(rows, settings)
        advance(STAGE)


def find_in_video(video: VideoRows, settings: PersonSettings) -> Found:
    """The persons of one video."""
    grouping = group_faces(video.found, settings)
    similarity = similarity_to_centre(grouping.merged, video.found.faces)
    persons = _persons(video, grouping, similarity, settings.key_persons)
    return Found(video.video_id, _identities(video, grouping, similarity), persons)


def _identities(video: VideoRows, grouping: Grouping, similarity: F32) -> pa.Table:
    """The rows of `identities` of all faces of the video; those without a usable vector are `bad_vector`."""
    count = len(video.meta)
    cluster, identity = np.full(count, -1, np.int64), np.full(count, -1, np.int64)
    cluster[video.rows] = video.rows[first_rows(grouping.clusters)]
    identity[video.rows] = grouping.persons
    to_centre = np.full(count, np.nan, np.float32)
    to_centre[video.rows] = similarity
    reason = np.full(count, "bad_vector", dtype=object)
    reason[video.rows] = np.where(grouping.persons < 0, "small_identity", "")
    return identity_table(video.meta, cluster, identity, to_centre, reason.tolist())


def _persons(video: VideoRows, grouping: Grouping, similarity: F32, keys: int) -> tuple[Person, ...]:
    """The persons of a video, longest on screen first; `identity` is still their number in the video."""
    seen = longest_first(grouping.persons, video.found.frame, video.moments)
    label = video.meta["label"][0].as_py()
    return tuple(
        Person(
            identity=one.label,
            video_id=video.video_id,
            label=label,
            rank=rank,
            key=rank <= keys,
            faces=len(one.rows),
            clusters=len(np.unique(grouping.clusters[one.rows])),
            seconds=one.seconds,
            start=one.spans[0][0],
            end=one.spans[-1][1],
            spans=[list(span) for span in one.spans],
            face_id=video.found.face_id[one.rows[np.argmax(similarity[one.rows])]],
        )
        for rank, one in enumerate(seen, 1)
    )


def write_persons(found: list[Found], run: str) -> int:
    """Commit the tables, then the ledger; persons are numbered through all videos. Returns how many there are.

    Persons that the run had keep their numbers when videos or faces have come in.
    """
    found = sorted(found, key=lambda one: one.video_id)
    identities, persons, count = [arrow_schema(Identity).empty_table()], [], 0
    for one in found:
        identities.append(_with_numbers(one.identities, pc.add(one.identities["identity"], count)))
        persons += [replace(person, identity=person.identity + count) for person in one.persons]
        count += len(one.persons)
    table = pa.concat_tables(identities).sort_by("face_id")
    made = numbered(read_before(run), as_text(table["face_id"]), table["identity"].fill_null(-1).to_numpy())
    table = _with_numbers(table, pa.array(made.identity, mask=made.identity < 0))
    persons = [replace(person, identity=int(made.numbers[person.identity])) for person in persons]
    write_shard(shard_path(run, "persons", _ONLY), to_table(persons, arrow_schema(Person)))
    write_shard(shard_path(run, "identities", _ONLY), table, {"next_number": str(made.next_number)})
    reason = table["reason"].to_pylist()
    write_whole_ledger(run, STAGE, table["face_id"], lambda row, face: (verdict(face, reason[row]), 1))
    return count


def _with_numbers(identities: pa.Table, numbers: pa.Array | pa.ChunkedArray) -> pa.Table:
    place = identities.schema.get_field_index("identity")
    return identities.set_column(place, identities.schema.field(place), numbers)
