"""Objects on S3 are there whole or not at all, and what is wrong is said at once."""

import io
import os

import pytest

from beam_pipelines.driver.storage import check_folder, is_list
from beam_pipelines.errors import ConfigError
from transforms.tables import s3 as storage
from transforms.tables.files import exists, open_binary
from transforms.tables.s3 import forget_client, put

pytestmark = [pytest.mark.s3, pytest.mark.xdist_group("s3")]


class Breaking(io.BytesIO):
    """A file that cannot be read to its end."""

    def read(self, size=-1):
        if self.tell() > 1000:
            raise OSError("the disk is gone")
        return super().read(2000 if size is None or size < 0 else min(size, 2000))


def content(path):
    with open_binary(path) as file:
        return file.read()


@pytest.mark.parametrize("most", [2**26, 1000], ids=["one request", "parts"])
@pytest.mark.parametrize("size", [0, 10, 11_000_000])
def test_an_object_is_written_whole_and_over_another(s3, size, most, monkeypatch):
    monkeypatch.setattr(storage, "_ONE_REQUEST", most)
    path = f"{s3.folder()}/é &+1.bin"
    for data in (b"before", os.urandom(size)):
        put(io.BytesIO(data), path)
        assert content(path) == data


@pytest.mark.parametrize("most", [2**26, 1000], ids=["one request", "parts"])
def test_what_breaks_in_the_middle_leaves_what_was_there(s3, most, monkeypatch):
    monkeypatch.setattr(storage, "_ONE_REQUEST", most)
    new, old = f"{s3.folder()}/new", f"{s3.folder()}/old"
    put(io.BytesIO(b"before"), old)
    for path in (new, old):
        with pytest.raises(OSError, match="the disk is gone"):
            put(Breaking(bytes(9_000_000)), path)
    assert not exists(new)
    assert content(old) == b"before"


def test_a_process_has_one_client(s3):
    folder = s3.folder()
    put(io.BytesIO(b"x"), f"{folder}/x")
    before = storage._make.cache_info().misses
    assert exists(f"{folder}/x")
    assert content(f"{folder}/x") == b"x"
    assert is_list(folder, "--input")
    assert storage._make.cache_info().misses == before


@pytest.fixture
def environment(s3, monkeypatch, tmp_path):
    """The environment, to change for a test."""
    monkeypatch.setenv("HOME", str(tmp_path))
    yield monkeypatch
    forget_client()


@pytest.mark.parametrize(
    ("bucket", "changed", "sentence"),
    [
        ("manyfaces", {}, ""),
        ("no-such-bucket", {}, "there is no such bucket"),
        ("manyfaces", {"AWS_SECRET_ACCESS_KEY": "wrong"}, "access is denied"),
        (
            "manyfaces",
            {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
            "no credentials were found; set AWS_",
        ),
    ],
)
def test_a_bucket_that_cannot_be_used_is_a_sentence(environment, bucket, changed, sentence):
    for name, value in changed.items():
        environment.delenv(name) if value is None else environment.setenv(name, value)
    forget_client()
    if not sentence:
        check_folder(f"s3://{bucket}", "--output")
        return
    for look in (check_folder, is_list):
        with pytest.raises(ConfigError, match=f"^--output s3://{bucket}/run: .*{sentence}"):
            look(f"s3://{bucket}/run", "--output")
