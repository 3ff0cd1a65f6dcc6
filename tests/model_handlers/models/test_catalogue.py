from pathlib import Path
from typing import Any

import pytest
import yaml

from model_handlers.errors import ModelError
from model_handlers.models import catalogue
from model_handlers.models.catalogue import Entry
from model_handlers.models.handlers import numbers_from
from model_handlers.models.vocabulary import COCO

HASH = "0" * 64
GOOD = {
    "task": "face",
    "framework": "onnx",
    "codec": "centerface",
    "sources": [{"uri": "https://example.org/a.onnx", "sha256": HASH}],
    "licence": "MIT",
    "commercial": True,
}
OBJECTS = GOOD | {"task": "objects", "codec": "yolox"}


def write(path: Path, models: Any) -> str:
    path.write_text(yaml.safe_dump({"models": models}))
    return str(path)


def test_an_empty_extra_file_adds_nothing(tmp_path: Path) -> None:
    assert catalogue.load(write(tmp_path / "c.yaml", {})) == catalogue.load()


def test_the_packaged_catalogue() -> None:
    models = catalogue.load().models
    for entry in models.values():
        assert entry.profile == "gpu" or (entry.sources and len(entry.sha256) == 64)
        assert entry.sources or entry.note, "without a source, the note says what to look for"
    assert {models[name].task for name in models if models[name].profile == "cpu"} >= {
        "person", "keypoints", "face", "mesh", "embedding",
    }  # fmt: skip


def test_an_extra_file_adds_and_replaces(tmp_path: Path) -> None:
    loaded = catalogue.load(write(tmp_path / "c.yaml", {"mine": GOOD, "centerface": GOOD | {"batch_size": 7}}))
    assert loaded.get("mine").sha256 == HASH
    assert loaded.get("mine").source == "https://example.org/a.onnx"
    assert (loaded.get("centerface").batch_size, loaded.get("nanodet")) == (7, catalogue.load().get("nanodet"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "red"}, "colour: Extra inputs"),
        ({"licence": ""}, "licence"),
        ({"commercial": None}, "commercial"),
        ({"task": "faces"}, "task"),
        ({"codec": "os.path"}, "codec"),
        ({"input_side": 64}, "input_side are options of the codec now: write `options: {side: ...}`"),
        ({"codec": "../evil"}, "codec"),
        ({"name": "other"}, "without a name of its own"),
        ({"convert": "pickle"}, "no conversion 'pickle'"),
        ({"convert": "centerface"}, "converted_sha256"),
        ({"converted_sha256": HASH}, "no converted_sha256"),
        ({"sources": [GOOD["sources"][0]] * 2}, "one source"),
        ({"sources": [{"uri": "ftp://a/b", "sha256": HASH}]}, "is no source"),
        ({"sources": [{"uri": "http://a/b", "sha256": HASH}]}, "is no source"),
        ({"sources": [{"uri": "https://a/b"}]}, "sha256: Field required"),
        ({"sources": [{"uri": "https://a/b", "sha256": "ABC"}]}, "sha256"),
        ({"dimension": 512}, "dimension"),
        ({"task": "embedding"}, "dimension"),
        ({"task": "appearance"}, "dimension belongs to models of the tasks embedding, semantics, appearance"),
        ({"task": "face_quality", "dimension": 3}, "dimension"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = write(tmp_path / "c.yaml", {"mine": GOOD | change})
    with pytest.raises(ModelError, match=message) as caught:
        catalogue.load(path)
    assert path in str(caught.value)
    assert "'mine'" in str(caught.value)


def test_a_block_without_a_task_changes_what_it_has(tmp_path: Path) -> None:
    shipped, sources = catalogue.load().get("vit-kprpe"), GOOD["sources"]
    found = catalogue.load(write(tmp_path / "c.yaml", {"vit-kprpe": {"sources": sources, "batch_size": 3}}))
    assert found.get("vit-kprpe") == Entry.model_validate(shipped.model_dump() | {"sources": sources, "batch_size": 3})
    assert found.get("centerface") == catalogue.load().get("centerface")
    assert catalogue.load().get("vit-kprpe") == shipped
    with pytest.raises(ModelError, match=r"'mine'.*task: Field required"):
        catalogue.load(write(tmp_path / "c.yaml", {"mine": {"sources": sources}}))


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "models: 3", "models: {a: 1}", "other: {}", "models: {}\nmore: {}", "{",
        "!!python/object/apply:os.getcwd []",
    ],
)  # fmt: skip
def test_files_that_are_no_catalogue(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(ModelError, match="catalogue"):
        catalogue.load(str(tmp_path / "c.yaml"))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        catalogue.load(str(tmp_path / "none.yaml"))


@pytest.mark.parametrize(("name", "hint"), [("centreface", "did you mean 'centerface'"), ("qqqqq", "there are: ")])
def test_unknown_names(name: str, hint: str) -> None:
    with pytest.raises(ModelError, match=hint):
        catalogue.load().get(name)


def test_lacks_says_what_is_missing() -> None:
    entry = Entry.model_validate(
        {
            "name": "x",
            **GOOD,
            "framework": "torch",
            "network": "no_such_network",
            "codec": "no_such_codec",
            "sources": [],
        }
    )
    source, codec, network = entry.lacks()
    assert "no source" in source
    assert "codec 'no_such_codec'" in codec
    assert "network 'no_such_network'" in network


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (None, COCO),
        ("traffic cone\n", ("traffic cone",)),
        ("a cat \n\n red car\r\nünder\n", ("a cat", "red car", "ünder")),
    ],
)
def test_a_vocabulary_may_be_a_file(tmp_path: Path, text: str | None, wanted: tuple[str, ...]) -> None:
    more = {}
    if text is not None:
        (tmp_path / "words.txt").write_text(text, encoding="utf-8")
        more = {"vocabulary": str(tmp_path / "words.txt")}
    entry = catalogue.load(write(tmp_path / "c.yaml", {"mine": OBJECTS | more})).get("mine")
    assert entry.classes == wanted
    assert numbers_from(entry)["vocabulary"] == list(wanted), "what is in the file counts, not where it lies"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vocabulary": []}, "at least one phrase"),
        ({"vocabulary": ["cat", " "]}, "no empty ones"),
        ({"vocabulary": ["cat", "dog", "cat"]}, "'cat' stands twice"),
        ({"vocabulary": "/no/such/words.txt"}, "its vocabulary cannot be read"),
        (GOOD | {"vocabulary": ["cat"]}, "vocabulary belongs to models of the task objects"),
    ],
)
def test_vocabularies_that_are_none(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        catalogue.load(write(tmp_path / "c.yaml", {"mine": OBJECTS | change}))


def test_models_of_other_tasks_have_no_classes() -> None:
    entry = catalogue.load().get("nanodet")
    assert entry.classes == ()
    assert "vocabulary" not in numbers_from(entry)


@pytest.mark.parametrize("name", catalogue.load().models)
def test_every_shipped_model_lacks_nothing_but_a_file(name: str) -> None:
    entry = catalogue.load().get(name)
    assert [sentence for sentence in entry.lacks() if "has no source" not in sentence] == []
    assert bool(entry.lacks()) is not bool(entry.sources)
