"""Small runs of known identities, for tests of what labels say of them."""

from dataclasses import replace

import cv2
import numpy as np

from tests.transforms.bundle.synthetic_run import face_row
from transforms.tables.person_rows import Person
from transforms.tables.rows import Face, Identity, ListedImage
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, to_table, write_shard

Fate = tuple[str | None, int | None]  # the cluster and the identity of an image's face


def write_table(run, table, row_type, rows):
    write_shard(shard_path(run, table, "00000"), to_table(rows, arrow_schema(row_type)))


def plain_jpeg(colour: int) -> bytes:
    return cv2.imencode(".jpg", np.full((40, 40, 3), (colour % 256, 90, 60), np.uint8))[1].tobytes()


def image_face(image: str, number: int = 0, side: float = 30) -> Face:
    body = f"{image}-b{number}"
    box = np.array([10, 10, 10 + side, 10 + side], np.float32)
    return replace(
        face_row(0, plain_jpeg(40 * number), 40), face_id=f"{body}-f0", body_id=body, image_id=image, box=box
    )


def identity_row(face_id: str, picture: str, fate: Fate) -> Identity:
    cluster, identity = fate
    reason = "" if identity is not None else "small_identity"
    return Identity(face_id, None, picture, None, "{}", cluster, identity, 0.9, reason)


def write_images(run: str, fates: dict[str, Fate], without_face: tuple[str, ...] = ()) -> None:
    """A run of images `http://h/<name>.jpg`, each with one face of that fate, and some without."""
    listed = [ListedImage(name, f"http://h/{name}.jpg", None, "{}") for name in (*fates, *without_face)]
    write_table(run, "manifest", ListedImage, listed)
    write_table(run, "faces", Face, [image_face(name) for name in fates])
    rows = [identity_row(f"{name}-b0-f0", name, fate) for name, fate in fates.items()]
    write_table(run, "identities", Identity, rows)


def write_no_persons(run: str) -> None:
    """What makes a run one whose persons are told apart in each video by itself."""
    write_table(run, "persons", Person, [])
