"""`--push`: the repository holds the export's files and no others, and every refusal is a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from beam_pipelines.cli import main
from beam_pipelines.errors import ConfigError
from beam_pipelines.exporting.push import check_place
from tests.hub_server import TOKEN, Hub, hub
from tests.small_run import write_small_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    made = str(tmp_path_factory.mktemp("push") / "run")
    write_small_run(made, with_bundle=False)
    return made


def pushed(server: Hub, words: list[str], token: str = TOKEN) -> subprocess.CompletedProcess:
    """The command in a process of its own: the Hub's client reads HF_ENDPOINT when it is loaded.

    Large files go by Git LFS, which the stand-in understands; by default the client sends them by Xet.
    """
    told = {"HF_ENDPOINT": server.address, "HF_TOKEN": token, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-m", "beam_pipelines.cli", "export", *words]
    return subprocess.run(command, env=os.environ | told, capture_output=True, text=True, timeout=300)


@pytest.mark.frameworks
def test_the_repository_is_private_and_holds_the_export_alone(run, tmp_path):
    folder = tmp_path / "to"
    with hub() as server:
        server.files["data/of-somebody-who-is-gone.parquet"] = b"old"
        done = pushed(server, [run, "--as", "hf", "--to", str(folder), "--push", "hf://me/people"])
        assert done.returncode == 0, done.stderr
        assert f"sent to {server.address}/datasets/me/people" in done.stdout
        assert server.visibility == "private"
        made = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert server.files == made
        assert "data/train-00000.parquet" in made


@pytest.mark.frameworks
def test_a_refusal_is_a_sentence_and_the_export_stays(run, tmp_path):
    folder = tmp_path / "to"
    with hub() as server:
        done = pushed(server, [run, "--as", "jsonl", "--to", str(folder), "--push", "hf://me/people"], "hf_wrong")
    assert done.returncode == 1
    assert "manyfaces: --push me/people: the Hub did not take it (" in done.stderr
    assert "Traceback" not in done.stderr
    assert (folder / "metadata.jsonl").is_file()


@pytest.mark.frameworks
@pytest.mark.parametrize("place", ["hf://me/people", "hf://datasets/me/people", "hf://me/people/"])
def test_a_repository_has_an_owner_and_a_name(place):
    assert check_place(place, "to") == "me/people"


@pytest.mark.parametrize(
    "place", ["hf://people", "me/people", "https://huggingface.co/me/people", "hf://me/a/b", "hf://"]
)
def test_other_places_are_refused(place):
    with pytest.raises(ConfigError, match="a repository is named hf://owner/name"):
        check_place(place, "to")


def test_only_a_local_folder_can_be_sent():
    with pytest.raises(ConfigError, match="only a local folder can be sent"):
        check_place("hf://me/people", "gs://bucket/to")


def test_nothing_is_written_where_the_client_is_not_installed(run, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    words = ["export", run, "--as", "jsonl", "--to", str(tmp_path / "to"), "--push", "hf://me/people"]
    assert main(words) == 2
    assert "--push needs huggingface_hub: install manyfaces[hf]." in capsys.readouterr().err
    assert not Path(tmp_path / "to").exists()
