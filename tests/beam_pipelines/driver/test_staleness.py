import apache_beam as beam
import pytest

from beam_pipelines.driver.staleness import account, refresh
from beam_pipelines.errors import ConfigError
from transforms.fetch.lists.image_settings import Columns, ManifestSettings
from transforms.flow.stages import RowStage, TableStage
from transforms.tables.files import exists, make_folder
from transforms.tables.rows import ListedImage
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, to_table, write_shard


def rows(name, reads, writes, settings, **more):
    types = {"row_in": ListedImage, "row_out": ListedImage}
    return RowStage(name=name, reads=reads, writes=writes, transform=beam.Map, settings=settings, **types, **more)


def tables(name, reads, writes, settings):
    return TableStage(name=name, reads=reads, writes=writes, transform=beam.Create, settings=settings)


def stages(**changes):
    """Two row stages and one on tables; changes are of their settings."""
    settings = {"side": 640, "score": 0.5, "link": 0.945, "file": "aa", "without": None} | changes
    models = {"device": "cpu", "face": {"sha256": settings["file"], "codec_version": 1}}
    made = {"bodies": {"score": settings["score"]}, "models": models}
    return [
        rows("download", "manifest", "images", {"fetch": {"side": settings["side"]}}),
        tables("deduplicate", ("images",), ("duplicates",), {}),
        rows("bodies", "images", "bodies", made, without=settings["without"]),
        tables("identity", ("bodies",), ("edges",), {"identity": {"link": settings["link"]}}),
    ]


def record(made, content="c", columns="url"):
    return account(made, content, ManifestSettings(columns=Columns(url=columns)))


@pytest.fixture
def run(folder):
    """A run's folder in which every stage has made something."""
    for table in ("manifest", "images", "duplicates", "bodies", "edges", "ledger/identity"):
        write_shard(shard_path(folder, table, "00000"), to_table([], arrow_schema(ListedImage)))
    return folder


CHANGES = [
    (record(stages(link=0.95)), ": identity.link: 0.945 -> 0.95;", "redo identity,"),
    (record(stages(score=0.6)), ": bodies.score: 0.5 -> 0.6;", "redo bodies, identity,"),
    (record(stages(file="bb")), ': models.face.sha256: "aa" -> "bb";', "redo bodies, identity,"),
    (record(stages(side=9, link=1)), ": fetch.side: 640 -> 9, identity.link: 0.945 -> 1;", "redo download, dedup"),
    (record(stages(), content="d"), ": the content of --input;", "redo manifest, download,"),
    (record(stages(), columns="u"), ': manifest.columns.url: "url" -> "u";', "redo manifest, download,"),
    (record(stages(), "d", "u"), ': the content of --input, manifest.columns.url: "url" -> "u";', "redo manifest,"),
    (record(stages(without="duplicates")), ": jobs changed .* stage bodies now reads other tables;", "redo bodies,"),
]


@pytest.mark.parametrize(("new", "words", "redone"), CHANGES)
def test_a_refusal_names_what_changed_and_deletes_nothing(run, new, words, redone):
    with pytest.raises(ConfigError, match=words) as error:
        refresh(run, stages(), record(stages()), new, recompute=False)
    assert f"give --recompute to delete and {redone}" in str(error.value)
    assert "\n" not in str(error.value)
    assert ("--input" in words) == ("--input" in str(error.value))
    assert all(exists(shard_path(run, table, "00000")) for table in ("manifest", "images", "bodies", "edges"))


def test_a_long_list_of_changes_is_cut(run):
    many = {"identity": {f"key{n}": n for n in range(8)}}
    new = record([*stages()[:3], tables("identity", ("bodies",), ("edges",), many)])
    with pytest.raises(ConfigError, match=r"identity\.link: 0\.945 -> nothing, .*key3: nothing -> 3, and 4 more;"):
        refresh(run, stages(), record(stages()), new, recompute=False)


def test_a_run_without_an_account_of_what_it_was_made_from_says_so(run):
    old = {"fingerprints": {"manifest": "x", "download": "y"}}
    with pytest.raises(ConfigError, match=r"begun by an earlier version of manyfaces, .* and redo manifest, down"):
        refresh(run, stages(), old, record(stages()), recompute=False)


def test_what_is_not_made_yet_is_not_stale(folder):
    make_folder(folder)
    assert refresh(folder, stages(), record(stages()), record(stages(link=1)), recompute=False) == {"identity"}
    assert refresh(folder, stages(), {}, record(stages()), recompute=False) == set()


def test_recompute_deletes_what_is_stale_and_nothing_else(run):
    assert refresh(run, stages(), record(stages()), record(stages(score=1)), recompute=True) == {"bodies", "identity"}
    there = [table for table in ("manifest", "images", "bodies", "edges") if exists(shard_path(run, table, "00000"))]
    assert there == ["manifest", "images"]
