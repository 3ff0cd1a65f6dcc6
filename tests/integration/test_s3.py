"""The recipe webbody on S3, by Beam's client against a server in a process of its own."""

from functools import partial

import pytest

from beam_pipelines.cli import main
from beam_pipelines.demos.photographs import serve
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.run import run
from beam_pipelines.driver.storage import use_options
from tests.beam_pipelines.numbers_recipe import RECIPE, NumbersConfig
from tests.integration import command
from tests.integration.engines import PROCESSES, local, on_prism, options_of
from tests.integration.runs import assert_same_run, column, overrides, run_webbody, write_list
from transforms.tables.files import commit_file
from transforms.tables.ledger import tally
from transforms.tables.shards import shard_names

pytestmark = [pytest.mark.integration, pytest.mark.s3, pytest.mark.xdist_group("webbody")]


def test_a_run_that_was_killed_goes_on_and_equals_a_local_one(s3, site, whole_run, tmp_path):
    folder = s3.folder()
    manifest = f"{folder}/list.csv"
    with commit_file(manifest) as out:
        out.write(site.manifest.read_bytes())

    def start():
        given = overrides(site.port, "jobs=[[download, bodies, faces, embeddings], [identity], [bundle, splits]]")
        return command.start("webbody", manifest, f"{folder}/run", given, said=tmp_path / "messages")

    process = start()
    while not shard_names(f"{folder}/run", "images"):
        assert process.wait(0.05) is None, process.messages()
    process.kill()
    assert not shard_names(f"{folder}/run", "splits")
    command.finish(start())
    assert_same_run(f"{folder}/run", whole_run)


def test_retry_and_remove(s3, site, tmp_path, capsys):
    folder, pages = s3.folder(), dict(site.pages)
    mended = pages.pop(site.rows[3].path)
    with serve(pages) as port:
        write_list(tmp_path / "list.csv", site.rows, port)
        run_webbody(tmp_path / "list.csv", folder, port, "jobs=[[download]]")
        assert tally(folder, "download").by_reason["http_404"] == 1
        pages[site.rows[3].path] = mended
        assert main(["retry", folder]) == 0
        assert tally(folder, "download").by_reason == {"kept": len(site.rows)}
        gone = site.rows[0].id
        assert main(["remove", folder, "--images", gone, "--reference", "1"]) == 0
        assert gone not in column(folder, "images", "image_id")
    assert len(column(folder, "images", "image_id")) == len(site.rows) - 1


@pytest.fixture
def unnamed(s3, monkeypatch):
    """The server, which the environment does not name."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    yield s3
    use_options([])


ENGINES = [pytest.param(partial(local, *PROCESSES), id="processes"), pytest.param(on_prism, marks=pytest.mark.prism)]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_address_of_the_server_reaches_the_workers_of_an_engine(engine, unnamed, tmp_path):
    (tmp_path / "numbers.txt").write_text("1 2 3 10")
    folder, config = unnamed.folder(), NumbersConfig(jobs=[["double", "halve"]])
    with options_of(engine) as of_engine:
        beam = (*of_engine, f"--s3_endpoint_url={unnamed.url}")
        use_options(beam)
        run(Order(RECIPE, config, str(tmp_path / "numbers.txt"), folder, beam))
    assert tally(folder, "double").by_reason == {"kept": 3, "too_small_image": 1}
    assert len(column(folder, "halves", "number_id")) == 6
