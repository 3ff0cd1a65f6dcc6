"""The set for insightface's training, through the real stage, read as MXFaceDataset and FaceImageIter read."""

import hashlib
import json
import subprocess
from bisect import bisect_right
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_handlers.geometry import ARCFACE
from tests.object_store import new_folder
from tests.transforms.bundle.mx_face_dataset import Faces, PlainRecordIO, read_property
from tests.transforms.bundle.synthetic_run import jpeg, write_run
from tests.transforms.bundle.synthetic_samples import read
from tests.transforms.bundle.test_bundle_stage import bundle
from tests.transforms.bundle.test_recordio_mxnet import HERE, mxnet_python
from transforms.bundle import arcface
from transforms.bundle.bundle_stage import mend_bundle
from transforms.bundle.pictures import aligned
from transforms.bundle.plan import INDEX
from transforms.bundle.settings import BundleSettings
from transforms.images.pixels import open_image
from transforms.tables.rows import SplitFace
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import filter_shard, shard_names, shard_path, to_table, write_shard

__all__ = ["mxnet_python"]  # a fixture
SHARDS = [[5, 3, 8, 7], [1, 9, 2, 4]]
IDENTITY = {5: 4, 3: 0, 8: None, 1: 4, 9: 0, 2: 4, 7: 2, 4: 9}  # numbers that growth has left gaps in
BROKEN = frozenset({1, 7})  # 7 is all that identity 2 has
BY_NUMBER = [3, 9, 2, 5, 4]  # the images in the order of (identity, face_id), without the broken ones
LABELS = [0, 0, 1, 1, 2]
SETTINGS = BundleSettings(records_per_file=3, body_side=64, sinks=("arcface",))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run whose bundle is an arcface set of three files, with splits: of all, of two identities and of none."""
    folder = str(tmp_path_factory.mktemp("arcface"))
    write_run(folder, SHARDS, IDENTITY, BROKEN)
    write_splits(folder, {"all": (0, 2, 4, 9), "few": (4, 9), "rest": (None,), "gone": (2,)})
    bundle(folder, SETTINGS, with_splits=True)
    return folder


def write_splits(folder, splits):
    rows = [
        SplitFace(f"i{n}-b0-f0", identity, f"i{n}-b0", f"i{n}", None, "{}", name)
        for name, chosen in splits.items()
        for n, identity in IDENTITY.items()
        if identity in chosen
    ]
    write_shard(shard_path(folder, "splits", "00000"), to_table(rows, arrow_schema(SplitFace)))


def root(run, *split):
    return str(Path(run, "bundle", "faces", "arcface", *split))


def expected(run, number):
    """The image's crop in the table, brought to ArcFace's places: its middle 112 / 160."""
    pixels = open_image(jpeg(48 + number, 48 + number, 1000 + number))
    return aligned(pixels, (ARCFACE + 24) * ((48 + number) / 160))


def test_insightface_s_dataset_reads_it(run):
    data = Faces(root(run), PlainRecordIO)
    assert [label for _, label in map(data.__getitem__, range(len(data)))] == LABELS
    for place, number in enumerate(BY_NUMBER):
        pixels = open_image(data[place][0])
        assert pixels.shape == (112, 112, 3)
        assert np.abs(pixels.astype(int) - expected(run, number)).mean() < 4
    assert read_property(root(run)) == (3, [112, 112])


def test_each_identity_is_a_range_of_records(run):
    data = Faces(root(run), PlainRecordIO)
    assert data.header0 == (6, 9)
    assert data.ranges() == [(1, 3), (3, 5), (5, 6)]
    for label, (first, end) in enumerate(data.ranges()):
        assert {data[number - 1][1] for number in range(first, end)} == {label}
    assert data.imgrec.keys == list(range(9))


def test_a_split_has_a_set_of_its_own(run):
    data = Faces(root(run, "splits", "few"), PlainRecordIO)
    whole = Faces(root(run), PlainRecordIO)
    assert [data[place] for place in range(len(data))] == [(whole[2][0], 0), (whole[3][0], 0), (whole[4][0], 1)]
    assert read_property(root(run, "splits", "few")) == (2, [112, 112])
    assert (len(Faces(root(run, "splits", "gone"), PlainRecordIO)), read_property(root(run, "splits", "gone"))[0]) == (
        0,
        0,
    )
    assert Path(root(run, "splits", "all"), "train.rec").read_bytes() == Path(root(run), "train.rec").read_bytes()
    assert not Path(root(run, "splits", "rest")).exists()


@pytest.mark.mxnet
@pytest.mark.integration
def test_mxnet_reads_it_in_insightface_s_way(run, mxnet_python):
    command = [mxnet_python, str(HERE / "read_arcface_with_mxnet.py"), root(run)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told, plain = json.loads(done.stdout), Faces(root(run), PlainRecordIO)
    items = [plain[place] for place in range(len(plain))]
    assert told["items"] == [[hashlib.sha256(image).hexdigest(), label] for image, label in items]
    assert told["shapes"] == [[112, 112, 3]]
    assert told["ranges"] == [list(one) for one in plain.ranges()]
    assert told["property"] == list(read_property(root(run)))


def test_of_a_removed_face_nothing_stays(tmp_path):
    run = str(tmp_path)
    write_run(run, SHARDS, IDENTITY, frozenset())
    bundle(run, SETTINGS)
    gone = {place: Faces(root(run), PlainRecordIO)[place][0] for place in (2, 3)}  # all of identity 2, one of 4's
    gone_ids = ["i7-b0-f0", "i1-b0-f0"]

    def stays(rows):
        return pc.invert(pc.is_in(rows["face_id"], value_set=pa.array(gone_ids)))

    for table in (INDEX, "identities", "faces"):
        for name in shard_names(run, table):
            filter_shard(shard_path(run, table, name), stays, ["face_id"])
    mend_bundle(run, SETTINGS)
    data = Faces(root(run), PlainRecordIO)
    assert [data[place][1] for place in range(len(data))] == LABELS
    left = b"".join(path.read_bytes() for path in Path(run, "bundle").rglob("*") if path.is_file())
    assert [image[200:] in left for image in gone.values()] == [False, False]


def test_no_faces_make_an_empty_set(tmp_path):
    write_run(str(tmp_path), [], {}, frozenset())
    bundle(str(tmp_path), SETTINGS)
    assert (len(Faces(root(tmp_path), PlainRecordIO)), read_property(root(tmp_path))) == (0, (0, [112, 112]))


def test_on_an_object_store_as_here(tmp_path):
    folder = new_folder()
    for run in (folder, str(tmp_path / "here")):
        write_run(run, SHARDS, IDENTITY, BROKEN)
        bundle(run, SETTINGS)
    for name in ("train.rec", "train.idx", "property"):
        assert read(f"{folder}/bundle/faces/arcface/{name}") == read(f"{tmp_path}/here/bundle/faces/arcface/{name}")


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 9)), unique_by=lambda face: face[0], max_size=30))
def test_any_faces_that_are_numbered_by_identity_get_labels_and_ranges_without_gaps(faces):
    order = sorted(faces, key=lambda face: face[0])
    people = sorted(identity for _, identity in faces)
    whose = dict(zip((record for record, _ in order), people, strict=True))
    records = np.array([record for record, _ in faces], np.int64)
    found = arcface.number(records, np.array([whose[record] for record in records.tolist()], np.int64))
    assert found.records.tolist() == [record for record, _ in order]
    assert found.ranges.tolist() == [1, *(1 + bisect_right(people, one) for one in sorted(set(people)))]
    for label, identity in enumerate(sorted(set(people))):
        first, end = found.ranges[label : label + 2] - 1
        assert set(found.label[first:end].tolist()) == {label}
        assert {whose[record] for record in found.records[first:end].tolist()} == {identity}


def test_more_than_a_label_can_count(monkeypatch):
    monkeypatch.setattr(arcface, "MAX_LABEL", 8)
    five = np.arange(5)
    assert arcface.number(five, np.array([7, 7, 7, 9, 9])).ranges.tolist() == [1, 4, 6]
    with pytest.raises(ValueError, match="arcface: 5 faces of 3 identities are more records than a label can count"):
        arcface.number(five, np.array([7, 7, 8, 9, 9]))
