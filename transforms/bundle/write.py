"""Writing one bundle file: its images in every format, its keypoints, its ledger."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice, repeat
from typing import Any

import numpy as np
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems

from model_handlers.interface import Pixels
from transforms.bundle.formats import load_format
from transforms.bundle.images import is_jpeg, on_canvas, to_size
from transforms.bundle.keypoints import GEOMETRY, KEYPOINTS, in_crop, keypoint_table
from transforms.bundle.plan import INDEX
from transforms.bundle.settings import BundleSettings
from transforms.bundle.sink import Format, Meta, Sample, Sink
from transforms.bundle.statistics import FileSummary, Moments, moments
from transforms.images.pixels import open_image, to_jpeg
from transforms.settings import what
from transforms.tables.digest import digest, file_digest
from transforms.tables.files import delete_files, exists
from transforms.tables.ledger import ledger_table, write_ledger
from transforms.tables.pointers import RowReader
from transforms.tables.reasons import Rejected
from transforms.tables.shards import read_footer, read_shard, shard_path, write_shard
from transforms.tables.verdicts import Verdict, verdict

STAGE = FOLDER = "bundle"
IN_WORK = 64  # images decoded ahead of the writer
BODY = ["crop", "crop_box", "keypoints"]
FACE = ["crop"]


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """Both images of a record, ready to write; geometry is one element of GEOMETRY."""

    body: bytes
    face: bytes
    geometry: tuple[Any, ...]
    body_moments: Moments
    face_moments: Moments


def outputs(run: str, name: str, settings: BundleSettings) -> list[tuple[Format, str]]:
    """The bodies' and then the faces' formats of a bundle file, each with the stem of its paths."""
    return [
        (form, str(FileSystems.join(run, FOLDER, kind, form.name, f"{kind}-{name}")))
        for kind in (settings.bodies, settings.faces)
        for form in map(load_format, settings.sinks)
    ]


def output_files(run: str, name: str, settings: BundleSettings, entries: pa.Table) -> Iterator[str]:
    """The paths of all files that the formats make of a bundle file; `entries` has the columns record and identity."""
    records, identities = (entries[column].to_numpy() for column in ("record", "identity"))
    for form, stem in outputs(run, name, settings):
        yield from form.files(stem, records, identities)


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
    with ExitStack() as stack:
        sinks = [stack.enter_context(form.open(stem)) for form, stem in outputs(run, name, settings)]
        body_sinks, face_sinks = sinks[: len(settings.sinks)], sinks[len(settings.sinks) :]
        for place, (entry, made) in enumerate(_images(run, entries, settings)):
            if isinstance(made, Rejected):
                verdicts.append(verdict(entry["face_id"], made.code, made.detail))
                continue
            verdicts.append(Verdict(entry["face_id"], "kept"))
            geometry[place] = made.geometry
            bodies, faces = bodies + made.body_moments, faces + made.face_moments
            side = settings.body_side
            _add(body_sinks, entry, entry["body_id"], made.body, (side, side))
            face = geometry[place]
            _add(face_sinks, entry, entry["face_id"], made.face, (int(face["face_width"]), int(face["face_height"])))
    return geometry, verdicts, bodies, faces


def _add(sinks: list[Sink], entry: dict[str, Any], key: str, image: bytes, size: tuple[int, int]) -> None:
    meta = Meta(key, entry["face_id"], entry["body_id"], entry["image_id"], entry["label"], entry["source"], *size)
    sample = Sample(entry["record"], entry["identity"], image, meta)
    for sink in sinks:
        sink.add(sample)


def _images(
    run: str, entries: pa.Table, settings: BundleSettings
) -> Iterator[tuple[dict[str, Any], "_Made | Rejected"]]:
    """Every entry with its images, in order; reading is one pass, decoding and encoding go on in threads."""
    with (
        RowReader(run, "bodies", BODY) as bodies,
        RowReader(run, "faces", FACE) as faces,
        ThreadPoolExecutor(settings.threads) as pool,
    ):
        waiting = _entries(entries)
        while some := list(islice(waiting, IN_WORK)):
            body_rows = [bodies.read(entry["body_shard"], entry["body_row"]) for entry in some]
            face_rows = [faces.read(entry["face_shard"], entry["face_row"]) for entry in some]
            yield from zip(some, pool.map(_make, body_rows, face_rows, repeat(settings)), strict=True)


def _entries(entries: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in entries.to_batches(max_chunksize=1024):
        yield from batch.to_pylist()


def _make(body: dict[str, Any], face: dict[str, Any], settings: BundleSettings) -> "_Made | Rejected":
    """Both images of a record, or why there are none."""
    try:
        crop, face_pixels = open_image(body["crop"]), open_image(face["crop"])
    except Rejected as why:
        return why
    canvas = on_canvas(crop, settings.body_side, settings.fill)
    height, width = crop.shape[:2]
    points = in_crop(
        np.array(body["keypoints"], np.float32), np.array(body["crop_box"]), width, height, settings.min_visibility
    )
    face_file, face_pixels = _face(face["crop"], face_pixels, settings)
    return _Made(
        to_jpeg(canvas.pixels, settings.quality),
        face_file,
        (points, height, width, canvas.scale, canvas.offset, *face_pixels.shape[:2]),
        moments(canvas.pixels),
        moments(face_pixels),
    )


def _face(stored: bytes, pixels: Pixels, settings: BundleSettings) -> tuple[bytes, Pixels]:
    """The face's file and pixels: as stored, or at `face_side`; encoded again only where that changes something."""
    if settings.face_side is not None:
        resized = to_size(pixels, settings.face_side, settings.face_side)
        if resized is not pixels:
            return to_jpeg(resized, settings.quality), resized
    return (stored if is_jpeg(stored) else to_jpeg(pixels, settings.quality)), pixels
