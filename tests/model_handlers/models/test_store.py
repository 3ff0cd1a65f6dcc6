import hashlib
import multiprocessing
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from model_handlers.errors import ModelError
from model_handlers.models import store
from model_handlers.models.catalogue import Entry
from model_handlers.models.licences import Accepted
from model_handlers.weights import cache, sources
from model_handlers.weights.convert import conversion


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MANYFACES_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MANYFACES_OFFLINE", raising=False)
    return tmp_path / "cache"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def serve(monkeypatch: pytest.MonkeyPatch, content: bytes) -> list[str]:
    """Have https give that content; the list of what was asked for."""
    asked: list[str] = []

    def give(uri: str, target: Path, archives: Path) -> None:
        asked.append(uri)
        target.write_bytes(content)

    monkeypatch.setitem(sources._FETCHERS, "https", give)
    return asked


def entry(**changes: Any) -> Entry:
    block = {
        "name": "mine", "task": "face", "framework": "onnx", "codec": "centerface", "licence": "MIT",
        "commercial": True, "sources": [{"uri": "https://example.org/w.onnx", "sha256": digest(b"good")}],
    }  # fmt: skip
    return Entry.model_validate(block | changes)


def test_fetched_once_and_found_again(monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    asked = serve(monkeypatch, b"good")
    assert store.status(entry()) == "not fetched" or "codec" in store.status(entry())
    first, second = store.ensure(entry()), store.ensure(entry(), offline=True)
    assert first == second
    assert first.read_bytes() == b"good"
    assert first.is_relative_to(own_cache)
    assert asked == ["https://example.org/w.onnx"]


def test_wrong_hash_is_kept_aside(monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    serve(monkeypatch, b"evil")
    with pytest.raises(ModelError, match=f"expected {digest(b'good')}, found {digest(b'evil')}") as caught:
        store.ensure(entry())
    (aside,) = [path for path in (own_cache / "files").iterdir() if not path.name.startswith(".")]
    assert ".rejected-" in aside.name
    assert str(aside) in str(caught.value)
    serve(monkeypatch, b"good")
    assert store.ensure(entry()).read_bytes() == b"good"


def test_a_file_changed_in_the_cache_is_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, b"good")
    path = store.ensure(entry())
    path.write_bytes(b"evil")
    with pytest.raises(ModelError, match="wrong SHA-256"):
        store.ensure(entry(), offline=True)
    assert not path.exists()


def test_an_archive_whose_member_is_wrong_is_kept_aside_too(monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    def give(uri: str, target: Path, archives: Path) -> Path:
        archives.mkdir(parents=True)
        target.write_bytes(b"evil")
        (archives / "a.tgz").write_bytes(b"archive")
        return archives / "a.tgz"

    monkeypatch.setitem(sources._FETCHERS, "https", give)
    with pytest.raises(ModelError, match="wrong SHA-256"):
        store.ensure(entry())
    (aside,) = (own_cache / "archives").iterdir()
    assert aside.name.startswith("a.tgz.rejected-")


@pytest.mark.parametrize("how", ["parameter", "environment"])
def test_offline(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    asked = serve(monkeypatch, b"good")
    if how == "environment":
        monkeypatch.setenv("MANYFACES_OFFLINE", "1")
    with pytest.raises(ModelError, match=r"mine.*not in the cache.*manyfaces models fetch mine"):
        store.ensure(entry(), offline=how == "parameter")
    assert asked == []


def test_noncommercial_needs_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, b"good")
    research = entry(commercial=False, licence="research only")
    with pytest.raises(ModelError, match=r"research only.*accept_noncommercial: true"):
        store.ensure(research)
    assert store.ensure(research, accepted=Accepted(noncommercial=True)).exists()


@pytest.mark.parametrize("changes", [{"sources": []}, {"framework": "torch", "network": "none"}])
def test_what_cannot_run_is_refused(monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]) -> None:
    asked = serve(monkeypatch, b"good")
    with pytest.raises(ModelError, match="mine"):
        store.ensure(entry(**changes))
    assert asked == []


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_local_files_stay_where_they_are(tmp_path: Path, form: str) -> None:
    path = tmp_path / "w.onnx"
    path.write_bytes(b"good")
    source = {"uri": form.format(path), "sha256": digest(b"good")}
    assert store.ensure(entry(sources=[source]), offline=True) == path
    path.write_bytes(b"evil")
    with pytest.raises(ModelError, match="was not used"):
        store.ensure(entry(sources=[source]))
    assert path.read_bytes() == b"evil", "a user's own file is never renamed"
    path.unlink()
    with pytest.raises(ModelError, match="there is no such file"):
        store.ensure(entry(sources=[source]))


def test_names_cannot_leave_the_cache(monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    serve(monkeypatch, b"good")
    path = store.fetch_file("https://example.org/..%2f..", digest(b"good"))
    assert path.resolve().is_relative_to((own_cache / "files").resolve())
    assert store.fetch_file("https://example.org/", digest(b"good")).parent == own_cache / "files"


def test_an_unwritable_cache_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, b"good")
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("MANYFACES_CACHE", str(tmp_path / "file"))
    with pytest.raises(ModelError, match="set MANYFACES_CACHE"):
        store.ensure(entry())


def centerface_like(path: Path) -> bytes:
    """An ONNX file with CenterFace's outputs, weights listed as inputs, and one fixed size."""
    names = {"537": 1, "538": 2, "539": 2, "540": 10}
    inputs = [helper.make_tensor_value_info("input.1", TensorProto.FLOAT, [10, 3, 32, 32])]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [10, c, 8, 8]) for name, c in names.items()]
    weights, nodes = [], []
    for name, channels in names.items():
        value = np.full((channels, 3, 4, 4), 1 / 48, np.float32)
        weights.append(onnx.numpy_helper.from_array(value, f"w{name}"))
        inputs.append(helper.make_tensor_value_info(f"w{name}", TensorProto.FLOAT, value.shape))
        nodes.append(helper.make_node("Conv", ["input.1", f"w{name}"], [name], strides=[4, 4]))
    graph = helper.make_graph(nodes, "g", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 9)], ir_version=3)
    path.write_bytes(model.SerializeToString())
    return path.read_bytes()


def converted_entry(source: Path) -> Entry:
    uri = {"uri": str(source), "sha256": digest(source.read_bytes())}
    made = digest(conversion("centerface")([source]))
    return entry(sources=[uri], convert="centerface", converted_sha256=made)


def test_converted_once(tmp_path: Path, own_cache: Path) -> None:
    centerface_like(tmp_path / "c.onnx")
    model = converted_entry(tmp_path / "c.onnx")
    path = store.ensure(model)
    assert digest(path.read_bytes()) == model.sha256
    (tmp_path / "c.onnx").unlink()
    assert store.ensure(model) == path, "the source is not needed again"
    path.write_bytes(b"evil")
    with pytest.raises(ModelError, match="wrong SHA-256"):
        store.ensure(model)


def test_a_conversion_that_makes_other_bytes_is_refused(tmp_path: Path, own_cache: Path) -> None:
    centerface_like(tmp_path / "c.onnx")
    model = converted_entry(tmp_path / "c.onnx").model_copy(update={"converted_sha256": "0" * 64})
    with pytest.raises(ModelError, match=r"onnx \d.* and numpy \d.* instead of 0000"):
        store.ensure(model)
    assert [path.name for path in (own_cache / "models").iterdir() if not path.name.endswith(".lock")] == []


def _ensure(model: Entry, folder: str) -> str:
    assert cache.root() == Path(folder)
    return str(store.ensure(model))


def test_two_processes_at_once(tmp_path: Path, own_cache: Path) -> None:
    centerface_like(tmp_path / "c.onnx")
    model = converted_entry(tmp_path / "c.onnx")
    with multiprocessing.get_context("fork").Pool(4) as pool:
        paths = pool.starmap(_ensure, [(model, str(own_cache))] * 8)
    assert len(set(paths)) == 1
    left = [path.name for path in (own_cache / "models").iterdir() if not path.name.endswith(".lock")]
    assert left == [Path(paths[0]).name]
