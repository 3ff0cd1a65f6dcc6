"""The sink through the real stage bundle: files by identity, twice, and of a person that is gone nothing."""

from pathlib import Path

import pytest
from PIL import Image

from examples.image_folder import FORMAT, MOST_IDENTITIES, ImageFolderSink
from tests.transforms.bundle.synthetic_run import identity_row, jpeg, write_rows, write_run
from tests.transforms.bundle.synthetic_samples import read
from tests.transforms.bundle.test_bundle_stage import BY_RECORD, IDENTITY, SHARDS, bundle
from transforms.bundle.settings import BundleSettings
from transforms.bundle.sink import Meta, Sample

pytestmark = pytest.mark.integration
SETTINGS = BundleSettings(records_per_file=3, body_side=64, sinks=("webdataset", "examples.image_folder:FORMAT"))


def images(run: str, kind: str = "faces") -> dict[str, bytes]:
    folder = Path(run, "bundle", kind, FORMAT.name)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_each_identity_is_a_folder_of_its_images(tmp_path):
    run = str(tmp_path)
    write_run(run, SHARDS, IDENTITY, frozenset())
    bundle(run, SETTINGS)
    assert images(run) == {
        f"{IDENTITY[number]:06d}/{record:012d}.jpg": jpeg(48 + number, 48 + number, 1000 + number)
        for record, number in enumerate(BY_RECORD)
    }
    assert images(run, "bodies").keys() == images(run).keys()
    for path in Path(run, "bundle/bodies/imagefolder").rglob("*.jpg"):
        with Image.open(path) as image:
            assert image.size == (64, 64)


def test_of_a_person_that_is_gone_no_file_stays(tmp_path):
    run = str(tmp_path)
    write_run(run, SHARDS, IDENTITY, frozenset())
    bundle(run, SETTINGS)
    assert {name.partition("/")[0] for name in images(run)} == {"000000", "000001"}
    write_rows(run, "identities", "00000", [identity_row(n, 0) for n in (3, 9)])
    bundle(run, SETTINGS)
    for kind in ("bodies", "faces"):
        assert sorted(images(run, kind)) == ["000000/000000000000.jpg", "000000/000000000001.jpg"]
        assert not Path(run, "bundle", kind, FORMAT.name, "000001").exists()


def test_the_same_bundle_is_not_written_again_and_a_lost_file_is(tmp_path):
    run = str(tmp_path)
    write_run(run, SHARDS, IDENTITY, frozenset())
    bundle(run, SETTINGS)
    before = images(run)
    lost, *rest = sorted(Path(run, "bundle/faces/imagefolder").rglob("*.jpg"))
    times = {path: path.stat().st_mtime_ns for path in rest}
    bundle(run, SETTINGS)
    assert {path: path.stat().st_mtime_ns for path in rest} == times
    lost.unlink()
    bundle(run, SETTINGS)
    assert images(run) == before


def test_an_image_that_breaks_later_leaves_no_file(tmp_path):
    run = str(tmp_path)
    write_run(run, SHARDS, IDENTITY, frozenset())
    bundle(run, SETTINGS)
    before = images(run)
    broken = BY_RECORD[2]
    write_run(run, SHARDS, IDENTITY, frozenset({broken}))
    bundle(run, SETTINGS)
    gone = set(before) - set(images(run))
    assert gone == {f"{IDENTITY[broken]:06d}/{2:012d}.jpg"}
    times = {path: path.stat().st_mtime_ns for path in Path(run, "bundle").rglob("*.jpg")}
    bundle(run, SETTINGS)
    assert {path: path.stat().st_mtime_ns for path in Path(run, "bundle").rglob("*.jpg")} == times


def test_on_an_object_store_too(folder):
    write_run(folder, SHARDS, IDENTITY, frozenset())
    bundle(folder, SETTINGS)
    assert read(f"{folder}/bundle/faces/imagefolder/000001/000000000004.jpg") == jpeg(53, 53, 1005)


def test_an_identity_that_the_names_cannot_hold(tmp_path):
    meta = Meta("k", "f", "b", "i", None, "{}", 8, 8)
    with pytest.raises(ValueError, match="an image folder holds 1000000 of them"):
        ImageFolderSink(str(tmp_path)).add(Sample(0, MOST_IDENTITIES, b"", meta))
