import json
import tarfile

import webdataset

from tests.transforms.bundle.synthetic_run import jpeg
from tests.transforms.bundle.synthetic_samples import read, sample
from transforms.bundle.webdataset import open_webdataset


def test_no_samples_make_an_empty_tar(tmp_path):
    with open_webdataset(str(tmp_path / "x")):
        pass
    with tarfile.open(tmp_path / "x.tar") as tar:
        assert tar.getmembers() == []


def test_webdataset_reads_it(tmp_path):
    images = [jpeg(20, 30, 1), jpeg(33, 10, 2)]
    with open_webdataset(str(tmp_path / "x-000000")) as sink:
        sink.add(sample(5, 1, images[0], key="../../é.b"))
        sink.add(sample(0, 2, images[1]))
    data = webdataset.WebDataset(str(tmp_path / "x-{000000..000000}.tar"), shardshuffle=False)
    read_back = [(s["__key__"], s["jpg"], int(s["cls"]), json.loads(s["json"])) for s in data]
    assert [s[:3] for s in read_back] == [("000000000005", images[0], 1), ("000000000000", images[1], 2)]
    described = {"record": 5, "identity": 1, "key": "../../é.b", "face_id": "a-b0-f0", "body_id": "a-b0"}
    assert read_back[0][3] == described | {
        "image_id": "a",
        "label": "query",
        "source": {"page": 7},
        "width": 4,
        "height": 5,
    }
    pixels = next(iter(webdataset.WebDataset(str(tmp_path / "x-000000.tar"), shardshuffle=False).decode("rgb8")))
    assert pixels["jpg"].shape == (30, 20, 3)


def test_members_say_nothing_of_machine_or_time(tmp_path):
    with open_webdataset(str(tmp_path / "x")) as sink:
        sink.add(sample(5, 1, b"image"))
    with tarfile.open(tmp_path / "x.tar") as tar:
        facts = {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode, m.type) for m in tar.getmembers()}
    assert facts == {(0, 0, 0, "", "", 0o444, tarfile.REGTYPE)}


def test_equal_samples_give_equal_bytes(folder):
    for name in "ab":
        with open_webdataset(f"{folder}/{name}") as sink:
            sink.add(sample(5, 1, b"image"))
    assert read(f"{folder}/a.tar") == read(f"{folder}/b.tar")
