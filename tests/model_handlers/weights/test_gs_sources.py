"""Weights and catalogues on Google Cloud Storage, by the real client against the emulator."""

import pytest

from model_handlers.errors import ModelError
from model_handlers.models import catalogue
from model_handlers.weights.sources import fetch
from transforms.tables.files import commit_file

pytestmark = [pytest.mark.integration, pytest.mark.gcs]


@pytest.fixture
def put(gcs):
    def write(name, content):
        path = f"{gcs.folder()}/{name}"
        with commit_file(path) as out:
            out.write(content)
        return path

    return write


@pytest.mark.parametrize("size", [0, 1, 20_000_000])
def test_weights_are_fetched(put, tmp_path, size):
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)
    fetch(put("a model.onnx", content), tmp_path / "model", tmp_path)
    assert (tmp_path / "model").read_bytes() == content


@pytest.mark.parametrize("uri", ["gs://manyfaces/missing.onnx", "gs://no-such-bucket/model.onnx"])
def test_missing_weights_are_a_sentence(gcs, tmp_path, uri):
    with pytest.raises(ModelError, match=f"{uri} cannot be read"):
        fetch(uri, tmp_path / "model", tmp_path)


def test_a_catalogue_is_read_from_there(put):
    shipped = catalogue.load()
    entry = next(iter(shipped.models.values()))
    block = entry.model_dump_json(exclude={"name"}, exclude_none=True).encode()
    found = catalogue.load(put("models.yaml", b'models: {"own": ' + block + b"}"))
    assert found.models == shipped.models | {"own": entry.model_copy(update={"name": "own"})}


def test_a_missing_catalogue_is_a_sentence(gcs):
    with pytest.raises(ModelError, match="cannot be read"):
        catalogue.load(f"{gcs.folder()}/models.yaml")
