"""Bodies, faces and embeddings with the real models on real photographs."""

import io
import pickle
import struct
import tempfile
import zlib
from dataclasses import fields, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import PIL.Image
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from model_handlers.geometry import ARCFACE
from model_handlers.models import catalogue
from model_handlers.models.roles import KnownModels, Models
from tests import photographs
from transforms.flow.items import Item, Outcome, expand
from transforms.images.pixels import open_image, to_jpeg
from transforms.tables.rows import Body, Face, Image
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import iter_rows, to_table, write_shard
from transforms.vision.bodies_stage import FindBodies
from transforms.vision.embeddings_stage import EmbedFaces, embed_faces
from transforms.vision.faces_stage import FindFaces
from transforms.vision.settings import BodySettings, EmbeddingSettings, FaceSettings

pytestmark = pytest.mark.integration
WHO = {
    "astronaut-1": "collins",
    "obama-1": "obama",
    "obama-2": "obama",
    "obama-5": "obama",
    "biden-1": "biden",
    "hill-1": "hill",
}
ROLES = {
    "person": "nanodet",
    "keypoints": "movenet-thunder",
    "face": "centerface",
    "mesh": "facemesh",
    "embedding": "dlib-resnet",
}
EMBEDDINGS = EmbeddingSettings(model=ROLES["embedding"])


@lru_cache
def models(mesh: str | None = "facemesh") -> Models:
    return KnownModels(catalogue.load()).of(**{**ROLES, "mesh": mesh})


def item(order: int, image_id: str, data: bytes) -> Item[Image]:
    size = dict.fromkeys(("width", "height", "original_width", "original_height"), 0)
    row = Image(image_id, "u", "a label", '{"k":1}', data, **size, original_bytes=0, original_format="", sha256="")
    return Item("chunk", (order,), Fraction(1, 16), row)


def mirrored(photograph: str) -> bytes:
    out = io.BytesIO()
    with PIL.Image.open(photographs.path(photograph)) as image:
        image.convert("RGB").transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT).save(out, "JPEG", quality=95)
    return out.getvalue()


def bomb() -> bytes:
    """A PNG whose header announces 50,000 x 50,000 pixels."""

    def block(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + block(b"IHDR", header) + block(b"IDAT", zlib.compress(b"")) + block(b"IEND", b"")


def run(items: list[Item[Any]], *stages: beam.PTransform) -> list[list[Outcome[Any]]]:
    """What each stage made, sorted, when all run in one job."""
    with tempfile.TemporaryDirectory() as folder:

        def save(outcome: Outcome[Any], number: int) -> None:
            Path(folder, f"{number}-{'-'.join(map(str, outcome.order))}").write_bytes(pickle.dumps(outcome))

        with beam.Pipeline(runner=FnApiRunner()) as job:
            flowing = job | beam.Create(items, reshuffle=False).with_output_types(Any)
            for number, stage in enumerate(stages):
                outcomes = flowing | f"stage {number}" >> stage
                _ = outcomes | f"save {number}" >> beam.Map(save, number)
                flowing = outcomes | f"expand {number}" >> beam.FlatMap(expand).with_input_types(Any)
        found: list[list[Outcome[Any]]] = [[] for _ in stages]
        for path in Path(folder).iterdir():
            found[int(path.name.split("-")[0])].append(pickle.loads(path.read_bytes()))
    return [sorted(outcomes, key=lambda outcome: outcome.order) for outcomes in found]


def three_stages(mesh: str | None = "facemesh") -> list[beam.PTransform]:
    return [
        FindBodies(BodySettings(), models()),
        FindFaces(FaceSettings(), models(mesh)),
        EmbedFaces(EMBEDDINGS, models()),
    ]


@pytest.fixture(scope="module")
def items() -> list[Item[Any]]:
    good = [item(i, name, photographs.path(name).read_bytes()) for i, name in enumerate(WHO)]
    flipped = item(20, "flipped", mirrored("obama-2"))
    jpeg = photographs.path("biden-1").read_bytes()
    bad = [
        item(30, "nobody", photographs.path("lake-1").read_bytes()),
        item(31, "truncated", jpeg[: len(jpeg) // 2]),
        item(32, "empty", b""),
        item(33, "bomb", bomb()),
    ]
    return [*good, flipped, *bad, Item("chunk", (40,), Fraction(5, 16), None)]


@pytest.fixture(scope="module")
def outcomes(items) -> list[list[Outcome[Any]]]:
    return run(items, *three_stages())


def rows(outcomes: list[Outcome[Any]]) -> list[Any]:
    return [row for outcome in outcomes for row in outcome.rows]


def main_faces(outcomes: list[list[Outcome[Any]]]) -> dict[str, Face]:
    """The face of each image's first body, by image."""
    return {face.image_id: face for face in rows(outcomes[1]) if face.body_id.endswith("-b0")}


def test_no_items():
    assert run([], *three_stages()) == [[], [], []]


def test_every_item_has_one_outcome_and_every_share_arrives(items, outcomes):
    assert [outcome.order for outcome in outcomes[0]] == [one.order for one in items]
    for stage in outcomes:
        assert sum(outcome.share for outcome in stage) == 1


def test_reasons(outcomes):
    verdicts = {o.order[0]: o.verdict and (o.verdict.item_id, o.verdict.reason) for o in outcomes[0]}
    assert verdicts[30] == ("nobody", "no_body")
    assert verdicts[31] == ("truncated", "broken_image")
    assert verdicts[32] == ("empty", "broken_image")
    assert verdicts[33] == ("bomb", "too_many_pixels")
    assert verdicts[40] is None
    assert all(verdicts[i] == (name, "") for i, name in enumerate(WHO))
    assert all(o.verdict is None for stage in outcomes[1:] for o in stage if o.order[0] >= 30)


def test_bodies(outcomes):
    for outcome in outcomes[0]:
        assert [row.body_id for row in outcome.rows] == [f"{row.image_id}-b{n}" for n, row in enumerate(outcome.rows)]
        assert [row.score for row in outcome.rows] == sorted((row.score for row in outcome.rows), reverse=True)
    for body in rows(outcomes[0]):
        assert (body.label, body.source) == ("a label", '{"k":1}')
        assert (body.crop_box == body.crop_box.round()).all()
        assert (body.crop_box[:2] <= body.box[:2]).all()
        assert (body.crop_box[2:] >= body.box[2:]).all()
        x1, y1, x2, y2 = body.crop_box
        assert PIL.Image.open(io.BytesIO(body.crop)).size == (x2 - x1, y2 - y1)
        assert body.keypoints.shape == (17, 3)
        assert (body.keypoints[:, 2] >= 0).all()
        assert (body.keypoints[:, 2] <= 1).all()
    astronaut = next(body for body in rows(outcomes[0]) if body.image_id == "astronaut-1")
    nose, left_shoulder, right_shoulder = astronaut.keypoints[[0, 5, 6]]
    np.testing.assert_allclose(nose[:2], (225, 125), atol=12)
    assert right_shoulder[0] < nose[0] < left_shoulder[0]  # the subject's own left is the image's right


def test_faces(outcomes):
    bodies = {body.body_id: body for body in rows(outcomes[0])}
    found = main_faces(outcomes)
    assert set(found) == {*WHO, "flipped"}
    np.testing.assert_allclose(found["astronaut-1"].box, (178, 62, 270, 180), atol=12)
    for face in found.values():
        body = bodies[face.body_id]
        assert face.face_id == f"{face.body_id}-f0"
        assert (face.box[:2] >= body.crop_box[:2] - 1).all()
        assert (face.box[2:] <= body.crop_box[2:] + 1).all()
        assert PIL.Image.open(io.BytesIO(face.crop)).size == (face.side, face.side)
        assert face.side == min(320, int(2 * (face.box[2:] - face.box[:2]).max()))
        template = (ARCFACE + 24) / 160 * face.side
        np.testing.assert_allclose(face.crop_landmarks, template, atol=0.08 * face.side)
        assert face.mesh is not None
        assert face.mesh.shape == (468, 3)
        eyes = [face.mesh[[33, 133], :2].mean(axis=0), face.mesh[[362, 263], :2].mean(axis=0)]
        np.testing.assert_allclose(eyes, face.crop_landmarks[:2], atol=0.05 * face.side)
        assert abs(face.pitch) < 25
        assert face.sharpness > 10


def test_landmarks_are_the_same_points_in_image_and_crop(outcomes):
    """One similarity takes all five from the image to the crop."""
    for face in rows(outcomes[1]):
        seen, cropped = (
            face.landmarks - face.landmarks.mean(axis=0),
            face.crop_landmarks - face.crop_landmarks.mean(axis=0),
        )
        scale = np.linalg.norm(cropped) / np.linalg.norm(seen)
        angle = np.angle(np.vdot(seen @ (1, 1j), cropped @ (1, 1j)))
        turn = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
        np.testing.assert_allclose(scale * seen @ turn.T, cropped, atol=0.01 * face.side)


def test_mirroring_mirrors_the_pose(outcomes):
    face, flipped = main_faces(outcomes)["obama-2"], main_faces(outcomes)["flipped"]
    assert face.yaw < -8  # he turns to his own right, the image's left
    assert flipped.yaw == pytest.approx(-face.yaw, abs=3)
    assert flipped.roll == pytest.approx(-face.roll, abs=3)
    assert flipped.pitch == pytest.approx(face.pitch, abs=3)


@pytest.mark.parametrize("mesh_model", ["facemesh", None])
def test_one_person_is_closer_than_two(items, outcomes, mesh_model):
    if mesh_model is None:
        outcomes = run(items, *three_stages(None))
        assert all(face.mesh is None for face in rows(outcomes[1]))
    vectors = {e.image_id: e.vector.astype(float) for e in rows(outcomes[2]) if e.body_id.endswith("-b0")}
    people = WHO | {"flipped": "obama"}
    assert set(vectors) == set(people)
    same, different = [], []
    for one in people:
        for other in people:
            if one < other:
                distance = float(np.linalg.norm(vectors[one] - vectors[other]))
                (same if people[one] == people[other] else different).append(distance)
    assert max(same) < 0.55 < 0.6 < min(different)


def test_embeddings(outcomes):
    faces = {face.face_id: face for face in rows(outcomes[1])}
    for embedding in rows(outcomes[2]):
        assert embedding.model == "dlib-resnet"
        assert embedding.vector.dtype == np.float16
        assert embedding.vector.shape == (128,)
        assert embedding.norm == pytest.approx(np.linalg.norm(embedding.vector.astype(float)), rel=1e-3)
        assert embedding.face_score == faces[embedding.face_id].score
    table = to_table(rows(outcomes[2]), embed_faces(EMBEDDINGS, KnownModels(catalogue.load())).schema)
    assert table.schema.field("vector").type.list_size == 128


def cells(row: Any) -> list[Any]:
    return [v.tobytes() if isinstance(v, np.ndarray) else v for v in (getattr(row, f.name) for f in fields(row))]


def test_cutting_into_jobs_changes_no_bit(items, outcomes, tmp_path):
    """Each stage reads what the one before wrote to parquet, in two portions and in another order."""
    (bodies, faces, embeddings) = outcomes
    for written, row_type, stage, expected in (
        (bodies, Body, three_stages()[1], faces),
        (faces, Face, three_stages()[2], embeddings),
    ):
        path = str(tmp_path / f"{row_type.__name__}.parquet")
        write_shard(path, to_table(rows(written), arrow_schema(row_type)))
        stored = [Item("c", (i,), Fraction(1), row) for i, row in enumerate(iter_rows(path, row_type))]
        made = [*run(stored[3:][::-1], stage)[0], *run(stored[:3], stage)[0]]
        again = {o.verdict.item_id: [cells(row) for row in o.rows] for o in made if o.verdict}
        assert again == {o.verdict.item_id: [cells(row) for row in o.rows] for o in expected if o.verdict}


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"min_score": 0.999}, "no_face"),
        ({"min_face_px": 4000}, "small_face"),
        ({"min_score": 0, "min_face_px": 1}, ""),
    ],
)
def test_thresholds_of_faces(outcomes, settings, reason):
    body = replace(rows(outcomes[0])[0], label=None)
    ((outcome,),) = run([Item("c", (0,), Fraction(1), body)], FindFaces(FaceSettings(**settings), models()))
    assert outcome.verdict is not None
    assert outcome.verdict.reason == reason


def test_a_man_at_the_edge_of_the_picture_is_found():
    """He fills it from top to bottom; in the corner of a grey square, at 416 px alone, his score was 0.21."""
    street = open_image(photographs.path("street-1").read_bytes())
    data = to_jpeg(street[324:756, 243:648], 95)
    ((outcome,),) = run([item(0, "street", data)], FindBodies(BodySettings(), models()))
    (body,) = outcome.rows
    assert body.score > 0.6
    np.testing.assert_allclose(body.box, (0, 82, 103, 430), atol=8)


def test_thresholds_of_bodies():
    data = photographs.path("friends-1").read_bytes()
    counts = []
    for settings in (BodySettings(max_bodies=2), BodySettings(min_score=0.65), BodySettings()):
        ((outcome,),) = run([item(0, "friends", data)], FindBodies(settings, models()))
        counts.append(len(outcome.rows))
        assert all(row.score >= settings.min_score for row in outcome.rows)
    assert counts[0] == 2 < counts[1] < counts[2] == 6
