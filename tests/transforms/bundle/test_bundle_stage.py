import json
import tarfile
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from tests.object_store import new_folder
from tests.transforms.bundle.recordio_reader import read_image_records
from tests.transforms.bundle.synthetic_run import face_row, identity_row, jpeg, write_rows, write_run
from tests.transforms.bundle.synthetic_samples import read
from transforms.bundle import write
from transforms.bundle.bundle_stage import WriteBundle
from transforms.bundle.keypoints import KEYPOINTS
from transforms.bundle.settings import BundleSettings
from transforms.flow.table_steps import STEPS, Step
from transforms.images.pixels import open_image
from transforms.tables.files import exists
from transforms.tables.ledger import read_ledger, tally
from transforms.tables.shards import read_shard, shard_names, shard_path

SHARDS = [[5, 3, 8], [1, 9, 2]]
IDENTITY = {5: 1, 3: 0, 8: None, 1: 1, 9: 0, 2: 1}
BY_RECORD = [3, 9, 1, 2, 5]  # image numbers in the order of (identity, face_id)
SETTINGS = BundleSettings(records_per_file=3, body_side=64)


def bundle(run: str, settings: BundleSettings = SETTINGS, with_splits: bool = False) -> dict:
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        pipeline | WriteBundle(run, settings, with_splits)
    return json.loads(read(f"{run}/bundle/statistics.json"))


def records(run: str, kind: str) -> dict[int, tuple[float, bytes]]:
    """Record number -> label and image, through the index file."""
    found = {}
    for name in shard_names(run, KEYPOINTS):
        stem = f"{run}/bundle/{kind}/recordio/{kind}-{name}"
        lines = [line.split("\t") for line in read(f"{stem}.idx").decode().splitlines()]
        by_offset = {at: rest for at, *rest in read_image_records(read(f"{stem}.rec"))}
        assert set(by_offset) == {int(at) for _, at in lines}
        for key, at in lines:
            flag, label, record, id2, image = by_offset[int(at)]
            assert (flag, record, id2) == (0, int(key), 0)
            found[record] = (label, image)
    return found


def files(run: str) -> dict[str, bytes]:
    return {str(p.relative_to(run)): p.read_bytes() for p in sorted(Path(run).rglob("*")) if p.is_file()}


def test_no_identity_makes_an_empty_bundle(folder):
    write_run(folder, [], {}, frozenset())
    statistics = bundle(folder)
    assert (statistics["identities"], statistics["images"], statistics["files"]) == (0, 0, 0)
    assert shard_names(folder, KEYPOINTS) == []


def test_every_kept_face_is_in_every_format(folder):
    write_run(folder, SHARDS, IDENTITY, frozenset())
    statistics = bundle(folder)
    bodies, faces = records(folder, "bodies"), records(folder, "faces")
    assert sorted(bodies) == sorted(faces) == [0, 1, 2, 3, 4]
    files = len(shard_names(folder, "bundle_index"))
    assert STEPS["bundle"] == Step("files written", files, files)
    for record, number in enumerate(BY_RECORD):
        assert bodies[record][0] == faces[record][0] == IDENTITY[number]
        assert faces[record][1] == jpeg(48 + number, 48 + number, 1000 + number)
        assert open_image(bodies[record][1]).shape == (64, 64, 3)
    assert (statistics["identities"], statistics["images"], statistics["failed"]) == (2, 5, 0)
    assert statistics["images_per_identity"]["1.0"] == 3
    assert tally(folder, "bundle").by_reason == {"kept": 5}
    images = np.stack([open_image(image) for _, image in bodies.values()]) / 255
    np.testing.assert_allclose(statistics["bodies"]["mean"], images.mean(axis=(0, 1, 2)), atol=0.01)
    np.testing.assert_allclose(statistics["bodies"]["std"], images.std(axis=(0, 1, 2)), atol=0.01)


def test_formats_agree(tmp_path):
    run = str(tmp_path)
    write_run(run, SHARDS, IDENTITY, frozenset())
    bundle(run)
    for kind in ("bodies", "faces"):
        expected = records(run, kind)
        for name in shard_names(run, KEYPOINTS):
            with tarfile.open(f"{run}/bundle/{kind}/webdataset/{kind}-{name}.tar") as tar:
                content = {m.name: tar.extractfile(m).read() for m in tar}
            for key in {name.split(".")[0] for name in content}:
                label, image = expected[int(key)]
                assert content[f"{key}.jpg"] == image
                assert content[f"{key}.cls"] == b"%d" % label
                assert image in read(f"{run}/bundle/{kind}/tfrecord/{kind}-{name}.tfrecord")
                described = json.loads(content[f"{key}.json"])
                assert described["key"] == described["body_id" if kind == "bodies" else "face_id"]
                pixels = open_image(image)
                assert (described["height"], described["width"]) == pixels.shape[:2]


def test_keypoints_are_in_pixels_of_the_crop(folder):
    write_run(folder, SHARDS, IDENTITY, frozenset())
    bundle(folder)
    rows = [
        row for n in shard_names(folder, KEYPOINTS) for row in read_shard(shard_path(folder, KEYPOINTS, n)).to_pylist()
    ]
    assert [row["image_id"] for row in rows] == ["i5", "i3", "i1", "i9", "i2"]
    for row in rows:
        number = int(row["image_id"][1:])
        width, height = 40 + 7 * number % 50, 80 + 11 * number % 60
        assert (row["crop_width"], row["crop_height"]) == (width, height)
        assert row["face_width"] == row["face_height"] == 48 + number
        points = np.array(row["keypoints"])
        hidden = np.arange(17) % 4 == 3
        assert (points[hidden, :2] == -1).all()
        np.testing.assert_allclose(points[~hidden, 0], np.linspace(0, width, 17)[~hidden], atol=1e-4)
        np.testing.assert_allclose(points[~hidden, 1], height / 2)
        middle = np.array([width / 2, height / 2]) * row["scale"] + row["offset"]
        np.testing.assert_allclose(middle, [32, 32], atol=1)


def test_a_broken_image_is_in_the_ledger_and_nowhere_else(folder):
    write_run(folder, SHARDS, IDENTITY, frozenset({1}))
    statistics = bundle(folder)
    assert sorted(records(folder, "bodies")) == sorted(records(folder, "faces")) == [0, 1, 3, 4]
    assert (statistics["images"], statistics["failed"]) == (4, 1)
    failed = [row for _, t in read_ledger(folder, "bundle") for row in t.to_pylist() if row["state"] == "failed"]
    assert [(row["item_id"], row["reason"], row["rows"]) for row in failed] == [("i1-b0-f0", "broken_image", 0)]
    assert tally(folder, "bundle").by_reason == {"broken_image": 1, "kept": 4}


def test_a_face_that_a_retry_put_into_another_shard(folder):
    write_run(folder, SHARDS, IDENTITY, frozenset())
    write_rows(folder, "faces", "00000", [face_row(n, jpeg(50 + n, 50 + n, n), 50 + n) for n in (5, 8)])
    write_rows(folder, "faces", "r1-faces-00000", [face_row(3, jpeg(53, 53, 3), 53)])
    bundle(folder)
    assert records(folder, "faces")[0] == (0.0, jpeg(53, 53, 3))
    assert records(folder, "faces")[4] == (1.0, jpeg(55, 55, 5))


def test_two_runs_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        write_run(str(tmp_path / name), SHARDS, IDENTITY, frozenset({1}))
    bundle(str(tmp_path / "a"))
    bundle(str(tmp_path / "b"), SETTINGS.model_copy(update={"threads": 1}))
    assert files(str(tmp_path / "a")) == files(str(tmp_path / "b"))


def test_faces_of_one_size(tmp_path):
    write_run(str(tmp_path), SHARDS, IDENTITY, frozenset())
    bundle(str(tmp_path), SETTINGS.model_copy(update={"face_side": 50}))
    faces = records(str(tmp_path), "faces")
    assert {open_image(image).shape for _, image in faces.values()} == {(50, 50, 3)}
    assert faces[3][1] == jpeg(50, 50, 1002)  # of that size already: not encoded again


def times(run: str) -> dict[str, int]:
    names = [path for path in files(run) if path.startswith("bodies/") and not path.endswith("/shards.json")]
    return {path: (Path(run) / path).stat().st_mtime_ns for path in names}


def test_what_is_finished_is_not_written_again(tmp_path):
    run = str(tmp_path)
    write_run(run, SHARDS, IDENTITY, frozenset())
    first = bundle(run)
    before = times(f"{run}/bundle")
    assert bundle(run) == first
    assert times(f"{run}/bundle") == before
    Path(f"{run}/bundle/bodies/tfrecord/bodies-000001.tfrecord").unlink()
    assert bundle(run) == first
    after = times(f"{run}/bundle")
    assert {path for path in after if after[path] != before[path]} == {p for p in after if "-000001." in p}


@pytest.mark.parametrize("change", ["settings", "identities", "images"])
def test_a_changed_input_is_written_again_without_leftovers(tmp_path, change):
    for name in ("changed", "fresh"):
        write_run(str(tmp_path / name), SHARDS, IDENTITY, frozenset())
    settings = SETTINGS
    bundle(str(tmp_path / "changed"))
    for name in ("changed", "fresh"):
        run = str(tmp_path / name)
        if change == "settings":
            settings = BundleSettings(records_per_file=4, body_side=32, sinks=("webdataset",))
        if change == "identities":
            write_rows(run, "identities", "00000", [identity_row(n, 0) for n in (5, 9)])
        if change == "images":
            write_rows(run, "faces", "00001", [face_row(n, jpeg(99, 99, n), 99) for n in (1, 9, 2)])
        bundle(run, settings)
    assert files(str(tmp_path / "changed")) == files(str(tmp_path / "fresh"))


def test_an_interrupted_bundle_goes_on_to_the_same_end(folder, monkeypatch):
    write_run(folder, SHARDS, IDENTITY, frozenset())
    making, calls = write.make, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) > 4:
            raise RuntimeError("the power is gone")
        return making(*arguments)

    monkeypatch.setattr(write, "make", interrupted)
    with pytest.raises(RuntimeError, match="the power is gone"):
        bundle(folder, SETTINGS.model_copy(update={"threads": 1}))
    assert shard_names(folder, KEYPOINTS) == ["000000"]
    assert not exists(f"{folder}/bundle/bodies/recordio/bodies-000001.rec")
    assert not exists(f"{folder}/bundle/statistics.json")
    monkeypatch.undo()
    assert bundle(folder)["images"] == 5
    assert sorted(records(folder, "bodies")) == [0, 1, 2, 3, 4]


def test_files_of_loaders_have_a_size_of_their_own_and_a_list():
    folder = new_folder()
    write_run(folder, SHARDS, IDENTITY, frozenset({1}))
    settings = SETTINGS.model_copy(update={"samples_per_file": 2, "face_side": 32})
    bundle(folder, settings)
    for kind in ("bodies", "faces"):
        for form, suffix in (("webdataset", ".tar"), ("tfrecord", ".tfrecord")):
            place = f"{folder}/bundle/{kind}/{form}"
            index = json.loads(read(f"{place}/shards.json"))
            assert (index["__kind__"], index["wids_version"]) == ("wids-shard-index-v1", 1)
            shards = index["shardlist"]
            assert [(shard["url"], shard["nsamples"]) for shard in shards] == [
                (f"{kind}-000000{suffix}", 2),
                (f"{kind}-000002{suffix}", 2),
            ]
            assert [shard["filesize"] for shard in shards] == [len(read(f"{place}/{one['url']}")) for one in shards]
    assert sorted(records(folder, "bodies")) == [0, 1, 3, 4]


def test_other_sizes_leave_nothing_of_the_former(tmp_path):
    for name, sizes in (("changed", (1, 2)), ("fresh", (2,))):
        write_run(str(tmp_path / name), SHARDS, IDENTITY, frozenset())
        for size in sizes:
            bundle(str(tmp_path / name), SETTINGS.model_copy(update={"samples_per_file": size}))
    assert files(str(tmp_path / "changed")) == files(str(tmp_path / "fresh"))
