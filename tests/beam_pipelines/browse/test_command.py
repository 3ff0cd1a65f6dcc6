"""Which runs are served, where their marks go, and the command that applies them."""

import os
import re
import shlex
import urllib.request
from threading import Thread

import pytest

from beam_pipelines import cli
from beam_pipelines import config as configuration
from beam_pipelines.browse.command import marking, marks_path, open_site
from beam_pipelines.browse.server import Server
from beam_pipelines.browse.stored import Stored
from beam_pipelines.driver.record import write_record
from beam_pipelines.errors import ConfigError
from tests.beam_pipelines.browse.made_run import write_run
from tests.labelled_run import write_table
from tests.object_store import new_folder
from transforms.tables.rows import ListedImage


@pytest.fixture
def run(tmp_path):
    return write_run(str(tmp_path / "run"))


def record(recipe, *overrides):
    settings = configuration.load(recipe, list(overrides))[1].model_dump(mode="json")
    return {"recipe": recipe, "manifest": "/a list.csv", "config": settings}


def test_marks_go_beside_the_run_or_where_the_run_has_them(run, tmp_path):
    mine = tmp_path / "mine.csv"
    mine.write_text("rule,face_a\n")
    made_with = record("webbody", f"identity.overrides={mine}")
    assert marks_path(run, {}, None) == f"{run}-overrides.csv"
    assert marks_path(run, made_with, None) == str(mine)
    assert marks_path(run, made_with, "other.csv") == os.path.abspath("other.csv")
    assert marks_path("gs://bucket/run", {}, str(mine)) == str(mine)


@pytest.mark.parametrize(
    ("made_with", "given", "words"),
    [
        (record("webbody", "identity.overrides=/nowhere/mine.csv"), None, "made with the overrides /nowhere/mine.csv"),
        ({}, ".", "this is a folder"),
        ({}, "{run}/run.json/f.csv", "is a file and no folder"),
    ],
)
def test_no_file_of_marks_can_be_there(run, made_with, given, words):
    write_record(run, made_with)
    with pytest.raises(ConfigError, match=words):
        marks_path(run, made_with, given and given.format(run=run))


def test_a_bucket_has_nothing_beside_it():
    with pytest.raises(ConfigError, match="name the file of marks with --overrides"):
        marks_path("gs://bucket", {}, None)


def test_what_is_no_run_or_no_file_of_marks_is_one_sentence(run, tmp_path):
    with pytest.raises(ConfigError, match="no tables of a run here"):
        open_site(str(tmp_path / "nothing"))
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("face\n")
    with pytest.raises(ConfigError, match=r"lacks the column .* name another file with --overrides"):
        open_site(run, str(wrong))


def test_the_command_gives_again_what_the_run_was_made_with(run):
    made_with = record(
        "webbody", 'fetch.contact="me, at home"', "identity.clusters.link_similarity=0.5", "jobs=[[download]]"
    )
    words = shlex.split(marking(Stored(run), made_with, "/m y.csv").command)
    assert words[:7] == ["manyfaces", "run", "webbody", "--input", "/a list.csv", "--output", run]
    given = ['fetch.contact="me, at home"', "identity.clusters.link_similarity=0.5", 'jobs=[["download"]]']
    settings = [*given, "identity.overrides=/m y.csv"]
    assert sorted(words[7:]) == sorted(["--recompute", *settings, *["--set"] * len(settings)])
    again = configuration.load("webbody", settings)[1].model_dump(mode="json")
    expected = made_with["config"]
    expected["identity"]["overrides"] = "/m y.csv"
    assert again == expected


def test_runs_that_take_no_marks_say_why(run, tmp_path):
    assert (
        "person_clustering has no identity.overrides" in marking(Stored(run), record("person_clustering"), "f").why_not
    )
    write_table(str(tmp_path / "other"), "manifest", ListedImage, [])
    assert "no identities" in marking(Stored(str(tmp_path / "other")), {}, "f").why_not


def test_a_run_in_an_object_store_is_served_and_marked(run):
    folder = new_folder()
    site = open_site(write_run(f"{folder}/run"))
    assert site.marks.path == f"{folder}/run-overrides.csv"
    assert site.stored.names() == Stored(run).names()
    assert len(site.some_people().face_id) == 9


def test_a_port_that_is_taken_is_one_sentence(run):
    site = open_site(run)
    server = Server(site)
    try:
        with pytest.raises(ConfigError, match=rf"--port {server.server_port}: this port .* cannot be had"):
            Server(site, server.server_port)
        with pytest.raises(ConfigError, match=r"--port 70000: this port .* cannot be had"):
            Server(site, 70000)
    finally:
        server.server_close()


@pytest.mark.server
def test_the_command_serves_until_ctrl_c(run, monkeypatch, capsys):
    serve, asked = Server.serve_forever, []

    def serve_until_asked(server):
        thread = Thread(target=serve, args=(server, 0.01))
        thread.start()
        address = re.search(r"http://127\.0\.0\.1:\d+/\S+/", capsys.readouterr().out)[0]
        with urllib.request.urlopen(address, timeout=30) as answer:
            asked.append(answer.read())
        server.shutdown()
        thread.join()
        raise KeyboardInterrupt

    monkeypatch.setattr(Server, "serve_forever", serve_until_asked)
    assert cli.main(["browse", run]) == cli.DONE
    assert b"Tables" in asked[0]
    assert capsys.readouterr().err == ""
