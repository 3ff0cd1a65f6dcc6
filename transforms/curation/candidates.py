"""The stage candidates: faces of videos -> those that are left out, by a limit for each video and one for the run."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.curation.limits import I64, beyond_first, taken
from transforms.curation.settings import CandidateSettings
from transforms.tables.flow import verdict
from transforms.tables.ledger import write_whole_ledger
from transforms.tables.lookup import places
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import iter_tables, read_shard, shard_names, shard_path, write_shard
from transforms.tables.video_schemas import LeftOut

STAGE = "candidates"
_ONLY = "00000"
_COLUMNS = ["face_id", "video_id", "composite", "crop_bytes"]
_TEXT = pa.large_string()  # a column of ids may pass 2 GB


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Columns of N faces, of each video the best first: video (N,) its place in the manifest, size (N,) bytes."""

    face_id: pa.ChunkedArray
    video: I64
    size: I64


def read_faces(run: str, shards: Collection[str]) -> Faces:
    """The faces of these shards. ValueError if the manifest lacks one of their videos."""
    schema = pa.schema(
        [("face_id", _TEXT), ("video_id", _TEXT), ("composite", pa.float32()), ("crop_bytes", pa.int64())]
    )
    parts = [read_shard(shard_path(run, "faces", name), _COLUMNS).cast(schema) for name in sorted(shards)]
    table = pa.concat_tables([schema.empty_table(), *parts])
    table = table.set_column(1, "video", pa.array(_in_manifest(run, table["video_id"])))
    table = table.sort_by([("video", "ascending"), ("composite", "descending"), ("face_id", "ascending")])
    return Faces(table["face_id"], table["video"].to_numpy(), table["crop_bytes"].to_numpy())


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


def choose(run: str, settings: CandidateSettings) -> int:
    """Write the table `left_out` and the ledger of the stage; returns how many faces are taken."""
    faces = read_faces(run, shard_names(run, "faces"))
    reasons = left_out(faces, settings)
    out = reasons != ""
    ids = faces.face_id.filter(pa.array(out)).cast(pa.string())
    rows = pa.table([ids, pa.array(reasons[out].tolist(), pa.string())], schema=arrow_schema(LeftOut))
    write_shard(shard_path(run, "left_out", _ONLY), rows)
    write_whole_ledger(run, STAGE, faces.face_id, lambda row, face: (verdict(face, str(reasons[row])), int(out[row])))
    return len(out) - int(out.sum())


class ChooseCandidates(beam.PTransform):
    """Tables `faces`, `manifest` -> table `left_out`: the faces that a following stage leaves out.

    One worker holds ids, videos and sizes: about 120 bytes a face.
    """

    def __init__(self, run: str, settings: CandidateSettings) -> None:
        super().__init__()
        self._run, self._settings = run, settings

    def expand(self, begin: beam.pvalue.PBegin) -> beam.PCollection:
        """One element does it all."""
        return begin | "Run" >> beam.Create([self._run]) | "Choose" >> beam.Map(choose, self._settings)
