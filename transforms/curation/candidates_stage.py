"""Stage candidates: faces of videos -> those that are left out, by a limit for each video and one for the run."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.curation.limits import I64, Mask, beyond_first, taken
from transforms.curation.settings import CandidateSettings
from transforms.flow.one_worker import on_one_worker
from transforms.flow.stages import TableStage
from transforms.tables.ledger import write_whole_ledger
from transforms.tables.lookup import places
from transforms.tables.reopen import reopen
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import iter_tables, read_shard, shard_names, shard_path, write_shard
from transforms.tables.verdicts import verdict
from transforms.tables.video_rows import LeftOut

STAGE = "candidates"
LEFT_OUT = "left_out"
_ONLY = "00000"
_TEXT = pa.large_string()  # a column of ids may pass 2 GB
_COLUMNS = pa.schema([("face_id", _TEXT), ("video_id", _TEXT), ("composite", pa.float32()), ("crop_bytes", pa.int64())])


def choose_candidates(settings: CandidateSettings, follower: str) -> TableStage:
    """The stage candidates: the table `left_out` has the faces that the stage `follower` leaves out.

    Where those have changed since `follower`, whose table is called as it is, did its chunks, it does them again. One
    worker holds ids, videos and sizes: about 500 bytes a face.
    """
    return TableStage(
        name=STAGE,
        reads=("faces", "manifest"),
        writes=(LEFT_OUT,),
        transform=on_one_worker(choose, settings, follower),
        settings={"candidates": settings},
    )


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Columns of N faces, of each video the best first.

    video (N,) its place in the manifest, size (N,) bytes, shard (N,) the number of the face's shard in `names`.
    """

    face_id: pa.ChunkedArray
    video: I64
    size: I64
    shard: I64
    names: list[str]


def read_faces(run: str, shards: Collection[str]) -> Faces:
    """The faces of these shards. ValueError if the manifest lacks one of their videos."""
    names = sorted(shards)
    parts = [_COLUMNS.empty_table().append_column("shard", pa.array([], pa.int64()))]
    for number, name in enumerate(names):
        part = read_shard(shard_path(run, "faces", name), _COLUMNS.names).cast(_COLUMNS)
        parts.append(part.append_column("shard", pa.array(np.full(len(part), number))))
    table = pa.concat_tables(parts)
    table = table.set_column(1, "video", pa.array(_in_manifest(run, table["video_id"])))
    table = table.sort_by([("video", "ascending"), ("composite", "descending"), ("face_id", "ascending")])
    video, size, shard = (table[name].to_numpy() for name in ("video", "crop_bytes", "shard"))
    return Faces(table["face_id"], video, size, shard, names)


def _in_manifest(run: str, video_id: pa.ChunkedArray) -> I64:
    """The place (N,) of each face's video in the manifest."""
    coded = video_id.combine_chunks().dictionary_encode()

    def ids() -> Iterator[pa.Array]:
        for table in iter_tables(run, "manifest", ["video_id"]):
            yield table["video_id"].cast(_TEXT).combine_chunks()

    place = places(coded.dictionary, ids())
    if (place < 0).any():
        missing = coded.dictionary[int(np.argmin(place))].as_py()
        raise ValueError(f"{run}: the manifest lacks {missing}, a video with faces; run with --recompute.")
    codes: I64 = coded.indices.to_numpy().astype(np.int64)
    return place[codes]


def left_out(faces: Faces, settings: CandidateSettings) -> npt.NDArray[np.str_]:
    """For each face (N,) the reason code for which it is left out, empty for those that are taken."""
    most = settings.max_faces_per_video
    too_many = beyond_first(faces.video, most) if most is not None else np.zeros(len(faces.video), bool)
    reasons = np.where(too_many, "over_video_limit", "")
    if settings.max_bytes is not None:
        sizes = np.bincount(faces.video, weights=np.where(too_many, 0, faces.size))
        reasons[~taken(sizes, settings.max_bytes)[faces.video]] = "over_size_limit"
    return reasons


def is_full(run: str, chunks: Collection[str], settings: CandidateSettings) -> str | None:
    """Whether the faces of these chunks, the first of the manifest, reach the size limit: then a sentence that says so.

    The videos behind them would all be left out. Reads slim columns only.
    """
    if settings.max_bytes is None:
        return None
    faces = read_faces(run, set(chunks).intersection(shard_names(run, "faces")))
    most = settings.max_faces_per_video
    size = int(faces.size[~beyond_first(faces.video, most)].sum()) if most is not None else int(faces.size.sum())
    if size < settings.max_bytes:
        return None
    return f"the candidates have {size} bytes and reach the limit candidates.max_bytes, {settings.max_bytes}"


def changed(run: str, faces: Faces, out: Mask) -> set[str]:
    """The shards of `faces` of which other faces (N,) are left out than were until now: retries find better ones."""
    before = [table["face_id"].cast(_TEXT) for table in iter_tables(run, LEFT_OUT, ["face_id"])]
    ids = pa.chunked_array([chunk for column in before for chunk in column.chunks], _TEXT).combine_chunks()
    was = pc.is_in(faces.face_id, value_set=ids).to_numpy()
    return {faces.names[number] for number in np.unique(faces.shard[was != out]).tolist()}


def choose(run: str, settings: CandidateSettings, follower: str) -> int:
    """Write the table `left_out`, which the stage `follower` goes by, and the ledger; returns how many are taken."""
    faces = read_faces(run, shard_names(run, "faces"))
    reasons = left_out(faces, settings)
    out = reasons != ""
    # first: whatever happens in between, the stage is then done with the new table
    reopen(run, follower, follower, changed(run, faces, out))
    ids = faces.face_id.filter(pa.array(out)).cast(pa.string())
    rows = pa.table([ids, pa.array(reasons[out].tolist(), pa.string())], schema=arrow_schema(LeftOut))
    write_shard(shard_path(run, LEFT_OUT, _ONLY), rows)
    write_whole_ledger(run, STAGE, faces.face_id, lambda row, face: (verdict(face, str(reasons[row])), int(out[row])))
    return len(out) - int(out.sum())
