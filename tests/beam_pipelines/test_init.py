"""A configuration to start from: the shipped one, whole, and never over a file of the user's."""

import pytest

from beam_pipelines import cli
from beam_pipelines import config as configuration
from beam_pipelines.init import shipped


@pytest.mark.parametrize("name", shipped())
def test_what_is_written_is_the_recipe_s_configuration(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["init", name]) == cli.DONE
    assert f"manyfaces run ./{name}.yaml --input LIST --output runs/mine --limit 10" in capsys.readouterr().out
    assert configuration.load(f"./{name}.yaml") == configuration.load(name)
    assert (tmp_path / f"{name}.yaml").read_text().count("#") > 10


REFUSED = [
    (["webody"], "there is no recipe 'webody'; did you mean 'webbody'?"),
    (["../webbody"], "there is no recipe '../webbody'; did you mean 'webbody'?"),
    (["webbody"], "webbody.yaml is there already and stays as it is; name another file with --to."),
    (["webbody", "--to", "no/mine.yaml"], "no/mine.yaml cannot be written (No such file or directory); name another "),
]


@pytest.mark.parametrize(("words", "sentence"), REFUSED)
def test_what_cannot_be_written_is_refused(words, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "webbody.yaml").write_text("mine")
    assert cli.main(["init", *words]) == cli.UNUSABLE
    assert capsys.readouterr().err.startswith(f"manyfaces: init: {sentence}")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("webbody.yaml", "mine")]
