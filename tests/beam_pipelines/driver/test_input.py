"""A list that cannot be used is one sentence with exit code 2, before anything is fetched, and leaves no folder."""

import gzip
import random

import pytest

from beam_pipelines.cli import main
from beam_pipelines.config import load
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.run import run
from beam_pipelines.errors import ConfigError
from model_handlers.models import store
from tests.transforms.fetch.lists.list_samples import URLS
from transforms.tables.shards import read_column

RECIPES = ("webbody", "face_generation", "face_clips")


@pytest.fixture(autouse=True)
def _no_models(monkeypatch):
    def refuse(*args, **more):
        raise AssertionError("models are fetched before the list is looked at")

    monkeypatch.setattr(store, "ensure", refuse)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("m.csv", b"image_url,c\nhttp://a.example/1,x\n", "give --set manifest.columns.url=image_url"),
        ("m.jsonl", b'{"Link": "x"}\n', "give --set manifest.columns.url=Link"),
        ("m.csv", b"", "no column 'url'; it has none"),
        ("m.csv.gz", gzip.compress(b"url\nx\n")[:-4], "the gzip file is cut or damaged"),
        ("m.parquet", b"PAR1" + bytes(100), "the parquet file is damaged"),
        ("m.xlsx", b"PK\x03\x04", "does not tell its format"),
    ],
)
def test_a_list_that_cannot_be_used(tmp_path, capsys, recipe, name, content, said):
    (tmp_path / name).write_bytes(content)
    output = tmp_path / "run"
    assert main(["run", recipe, "--input", str(tmp_path / name), "--output", str(output)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"manyfaces: --input {tmp_path / name}: ")
    assert said in error
    assert error.count("\n") == 1
    assert not output.exists()


def test_a_folder_without_lists_and_a_file_that_may_not_be_read(tmp_path, capsys, monkeypatch):
    command = ["run", "webbody", "--output", str(tmp_path / "run"), "--input", str(tmp_path)]
    assert main(command) == 2
    assert "no list is directly in this folder" in capsys.readouterr().err
    (tmp_path / "m.csv").write_text("url\nx\n")

    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("transforms.fetch.lists.text.open_binary", refuse)
    monkeypatch.setattr("transforms.fetch.lists.read.open_binary", refuse)
    assert main([*command[:-1], str(tmp_path / "m.csv")]) == 2
    assert "Permission denied" in capsys.readouterr().err


@pytest.mark.parametrize("there", [False, True])
def test_a_list_that_is_cut_far_behind_leaves_no_folder(tmp_path, there):
    chance = random.Random(1)
    rows = "".join(f"http://a.example/{chance.random()}\n" for _ in range(20_000))
    path = tmp_path / "m.csv.gz"
    path.write_bytes(gzip.compress(f"url\n{rows}".encode())[:-10])
    if there:
        (tmp_path / "run").mkdir()
    recipe, config = load("webbody")
    with pytest.raises(ConfigError, match="the gzip file is cut or damaged"):
        run(Order(recipe, config, str(path), str(tmp_path / "run")))
    assert (tmp_path / "run").exists() == there


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("kind", ["text", "folder"])
def test_lists_that_the_shipped_configurations_read(tmp_path, recipe, kind):
    """A URL a line has no ids, and needs no setting for it; a folder's files are one list."""
    folder = tmp_path / "list"
    folder.mkdir()
    if kind == "text":
        (folder / "m.txt").write_text("\n".join(URLS))
        source = folder / "m.txt"
    else:
        for place, url in enumerate(URLS):
            (folder / f"part-{place}.csv").write_text(f"url,id\n{url},i{place}\n")
        source = folder
    chosen, config = load(recipe)
    chosen.check(str(source), config.manifest)
    chosen.split(str(source), str(tmp_path / "run"), config.manifest)
    key = "image_id" if recipe == "webbody" else "video_id"
    rows = read_column(str(tmp_path / "run"), "manifest", [key, "url"])
    assert rows["url"].to_pylist() == URLS
    if kind == "folder":
        assert rows[key].to_pylist() == [f"i{place}" for place in range(8)]
    else:
        assert {len(name) for name in rows[key].to_pylist()} == {20}
