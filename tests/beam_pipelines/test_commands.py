"""What the commands refuse before anything is done, through the command line."""

import os
import re

import pytest
import yaml

from beam_pipelines import cli
from beam_pipelines import config as configuration
from beam_pipelines.driver.record import write_record
from beam_pipelines.driver.staleness import account
from model_handlers.models import catalogue
from transforms.tables.digest import file_digest
from transforms.tables.files import make_folder


@pytest.fixture
def listing(tmp_path) -> str:
    (tmp_path / "urls.csv").write_text("id,url\na,http://127.0.0.1:9/a.jpg\n")
    return str(tmp_path / "urls.csv")


@pytest.mark.integration
@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        (
            "fr-feature",
            {"dimension": 128},
            "model 'fr-feature': its dimension in the catalogue is 128, its file gives",
        ),
        ("movenet-thunder", {"options": {"side": 192}}, "model 'movenet-thunder': .* correct options.side"),
        ("facemesh", {"codec": "movenet"}, "model 'facemesh': its task is mesh, but codec 'movenet' is for keypoints"),
    ],
)
def test_a_model_that_its_entry_does_not_fit_ends_the_run_before_it_begins(
    listing, tmp_path, capsys, name, change, words
):
    entry = catalogue.load().get(name).model_dump(mode="json", exclude={"name"}) | change
    (tmp_path / "models.yaml").write_text(yaml.safe_dump({"models": {name: entry}}))
    given = ["--input", listing, "--output", str(tmp_path / "run"), "--set", f"models.catalogue={tmp_path}/models.yaml"]
    assert cli.main(["run", "webbody", *given]) == cli.UNUSABLE
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("manyfaces: model ")
    assert re.search(words, line)
    assert not os.path.exists(tmp_path / "run")


def test_a_plan_says_what_a_run_would_refuse(listing, tmp_path, capsys):
    recipe, settings = configuration.load("webbody")
    run = str(tmp_path / "run")
    made = account(recipe.stages_of(settings), file_digest(listing), settings.manifest)
    write_record(run, {"recipe": "webbody", "manifest": listing, "config": {}, "stages": {}, **made})
    make_folder(os.path.join(run, "ledger", "faces"))
    for overrides, words in [
        ([], ""),
        (["--set", "faces.inference.threads=2", "--set", "fetch.retries=5"], ""),
        (["--set", "identity.edges.k=9"], ""),  # nothing is made of that stage yet
        (
            ["--set", "faces.min_score=0.4"],
            "faces.min_score: 0.35 -> 0.4; give --recompute to delete and redo faces, or",
        ),
        (["--set", "bodies.padding=0.1"], "bodies.padding: 0.05 -> 0.1; give --recompute to delete and redo faces, or"),
    ]:
        assert cli.main(["plan", "webbody", "--output", run, *overrides]) == cli.DONE
        shown = capsys.readouterr().out
        assert words in shown
        assert ("--recompute" in shown) == bool(words)
