"""Small runs with bodies, faces and identities, for the tests of the bundle."""

import cv2
import numpy as np

from model_handlers.geometry import ARCFACE
from transforms.tables.rows import Body, Face, Identity
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, to_table, write_shard


def jpeg(width: int, height: int, seed: int) -> bytes:
    """A smooth image with some texture, in a colour of its own."""
    random = np.random.default_rng(seed)
    noise = random.integers(0, 255, (max(2, height // 8), max(2, width // 8), 3), dtype=np.uint8)
    return cv2.imencode(".jpg", cv2.resize(noise, (width, height)))[1].tobytes()


def body_row(number: int, crop: bytes, width: int, height: int) -> Body:
    box = np.array([10, 20, 10 + width, 20 + height], np.float32)
    keypoints = np.zeros((17, 3), np.float32)
    keypoints[:, 0] = 10 + np.linspace(0, width, 17)
    keypoints[:, 1] = 20 + height / 2
    keypoints[:, 2] = np.where(np.arange(17) % 4 == 3, 0.1, 0.9)
    return Body(f"i{number}-b0", f"i{number}", f"query {number % 3}", "{}", box, box, 0.9, keypoints, crop)


def face_row(number: int, crop: bytes, side: int) -> Face:
    zeros = np.zeros((5, 2), np.float32)
    landmarks = ((ARCFACE + 24) * (side / 160)).astype(np.float32)  # as stage faces aligns a crop
    box = np.array([0, 0, side, side], np.float32)
    ids = (f"i{number}-b0-f0", f"i{number}-b0", f"i{number}", f"query {number % 3}", "{}")
    return Face(*ids, box, 0.9, zeros, crop, side, landmarks, None, 0, 0, 0, 100)


def identity_row(number: int, identity: int | None) -> Identity:
    ids = (f"i{number}-b0-f0", f"i{number}-b0", f"i{number}", f"query {number % 3}", "{}")
    return Identity(*ids, f"c{identity}", identity, 0.8, "" if identity is not None else "small_identity")


def write_rows(run: str, table: str, name: str, rows: list) -> None:
    types = {"bodies": Body, "faces": Face, "identities": Identity}
    write_shard(shard_path(run, table, name), to_table(rows, arrow_schema(types[table])))


def write_run(run: str, shards: list[list[int]], identity_of: dict[int, int | None], broken: frozenset[int]) -> None:
    """A run with the images of `shards` in bodies and faces; the faces of `broken` are cut short."""
    for place, numbers in enumerate(shards):
        sizes = {n: (40 + 7 * n % 50, 80 + 11 * n % 60) for n in numbers}
        bodies = [body_row(n, jpeg(*sizes[n], n), *sizes[n]) for n in numbers]
        faces = [face_row(n, jpeg(48 + n, 48 + n, 1000 + n)[: 90 if n in broken else None], 48 + n) for n in numbers]
        write_rows(run, "bodies", f"{place:05d}", bodies)
        write_rows(run, "faces", f"{place:05d}", faces)
    write_rows(run, "identities", "00000", [identity_row(n, identity) for n, identity in identity_of.items()])
