"""Writing one bundle file: its images in every format, its keypoints, its ledger."""

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice, repeat
from typing import Any

import numpy as np
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems

from transforms.bundle.keypoints import GEOMETRY, KEYPOINTS, keypoint_table
from transforms.bundle.outputs import output_files, outputs
from transforms.bundle.pictures import BODY, Drawn, Made, face_columns, make
from transforms.bundle.plan import INDEX
from transforms.bundle.settings import BundleSettings
from transforms.bundle.sink import Meta, Picture, Sample
from transforms.bundle.statistics import FileSummary, Moments
from transforms.settings import what
from transforms.tables.digest import digest, file_digest
from transforms.tables.files import delete_files, exists
from transforms.tables.ledger import ledger_table, write_ledger
from transforms.tables.pointers import RowReader
from transforms.tables.reasons import Rejected
from transforms.tables.shards import read_footer, read_shard, shard_path, write_shard
from transforms.tables.verdicts import Verdict, verdict

STAGE = "bundle"
IN_WORK = 64  # images decoded ahead of the writer


def write_file(run: str, name: str, settings: BundleSettings) -> FileSummary:
    """Write the bundle file `name` as `bundle_index` plans it, unless it is there and made from the same.

    The shard of `bundle/keypoints` is written last and says so: it goes away before anything else is touched.
    """
    marker = shard_path(run, KEYPOINTS, name)
    entries = read_shard(shard_path(run, INDEX, name))
    made_from = input_digest(run, name, entries, settings)
    if exists(marker):
        footer = read_footer(marker)[1]
        if footer.get("made_from") == made_from and _complete(run, name, settings):
            return FileSummary.load(footer["summary"])
        FileSystems.delete([marker])
    geometry, verdicts, bodies, faces = _write_images(run, name, entries, settings)
    kept = np.array([verdict.state == "kept" for verdict in verdicts], bool)
    summary = FileSummary(name, int(kept.sum()), int((~kept).sum()), bodies, faces)
    write_ledger(run, STAGE, name, [(verdict, int(verdict.state == "kept")) for verdict in verdicts])
    table = keypoint_table(entries.filter(pa.array(kept)), geometry[kept])
    if not kept.all():  # an image that was good before may have left a file of its own
        planned, written = (set(output_files(run, name, settings, some)) for some in (entries, table))
        delete_files([path for path in sorted(planned - written) if exists(path)])
    write_shard(marker, table, {"made_from": made_from, "summary": summary.dump()})
    return summary


def input_digest(run: str, name: str, entries: pa.Table, settings: BundleSettings) -> str:
    """The digest of all that a bundle file depends on: its plan, the shards that it reads (by size), the settings."""
    sizes = {}
    for table, column in (("faces", "face_shard"), ("bodies", "body_shard")):
        paths = [shard_path(run, table, shard) for shard in sorted(entries[column].unique().to_pylist())]
        matched = FileSystems.match(paths)
        sizes[table] = [(FileSystems.split(f.path)[1], f.size_in_bytes) for one in matched for f in one.metadata_list]
    return digest([file_digest(shard_path(run, INDEX, name)), sizes, what(settings)])


def _complete(run: str, name: str, settings: BundleSettings) -> bool:
    """Whether all files of a bundle file that has its shard of `bundle/keypoints` are still there."""
    written = read_shard(shard_path(run, KEYPOINTS, name), ["record", "identity"])
    return all(map(exists, [*output_files(run, name, settings, written), shard_path(run, ledger_table(STAGE), name)]))


def _write_images(
    run: str, name: str, entries: pa.Table, settings: BundleSettings
) -> tuple[np.ndarray, list[Verdict], Moments, Moments]:
    """The images into the sinks; returns geometry and verdict of every entry, and the moments of both kinds."""
    geometry = np.zeros(len(entries), GEOMETRY)
    verdicts: list[Verdict] = []
    bodies, faces = Moments(), Moments()
    goals = outputs(run, settings)
    with ExitStack() as stack:
        sinks = [(goal.picture, stack.enter_context(goal.open(name))) for goal in goals]
        for place, (entry, made) in enumerate(_images(run, entries, settings, {goal.picture for goal in goals})):
            if isinstance(made, Rejected):
                verdicts.append(verdict(entry["face_id"], made.code, made.detail))
                continue
            verdicts.append(Verdict(entry["face_id"], "kept"))
            geometry[place] = made.geometry
            bodies, faces = bodies + made.body_moments, faces + made.face_moments
            samples = {picture: _sample(entry, picture, drawn) for picture, drawn in made.pictures.items()}
            for picture, sink in sinks:
                sink.add(samples[picture])
    return geometry, verdicts, bodies, faces


def _sample(entry: dict[str, Any], picture: Picture, drawn: Drawn) -> Sample:
    key = entry["body_id" if picture == "body" else "face_id"]
    ids = (entry["face_id"], entry["body_id"], entry["image_id"], entry["label"], entry["source"])
    return Sample(entry["record"], entry["identity"], drawn.image, Meta(key, *ids, *drawn.size))


def _images(
    run: str, entries: pa.Table, settings: BundleSettings, wanted: Collection[Picture]
) -> Iterator[tuple[dict[str, Any], Made | Rejected]]:
    """Every entry with its images, in order; reading is one pass, decoding and encoding go on in threads."""
    with (
        RowReader(run, "bodies", BODY) as bodies,
        RowReader(run, "faces", face_columns(wanted)) as faces,
        ThreadPoolExecutor(settings.threads) as pool,
    ):
        waiting = _entries(entries)
        while some := list(islice(waiting, IN_WORK)):
            body_rows = [bodies.read(entry["body_shard"], entry["body_row"]) for entry in some]
            face_rows = [faces.read(entry["face_shard"], entry["face_row"]) for entry in some]
            made = pool.map(make, body_rows, face_rows, repeat(settings), repeat(wanted))
            yield from zip(some, made, strict=True)


def _entries(entries: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in entries.to_batches(max_chunksize=1024):
        yield from batch.to_pylist()
