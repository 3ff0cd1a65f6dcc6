"""`manyfaces inspect`: what it writes, and what it refuses before it writes anything."""

import cv2
import numpy as np
import pytest

from beam_pipelines import cli
from beam_pipelines.driver.record import write_record
from beam_pipelines.errors import ConfigError
from beam_pipelines.reports.contact_sheet import stack, strip
from transforms.tables.rows import Identity, ListedImage
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, to_table, write_shard


@pytest.fixture
def run(tmp_path):
    """A run with a manifest of one image and no identity."""
    folder = str(tmp_path / "run")
    rows = [ListedImage("a", "http://h/a", None, "{}")]
    write_shard(shard_path(folder, "manifest", "000000"), to_table(rows, arrow_schema(ListedImage)))
    write_shard(shard_path(folder, "identities", "000000"), to_table([], arrow_schema(Identity)))
    write_record(folder, {"recipe": "webbody", "stages": {}})
    return folder


MAGIC = {".png": b"\x89PNG", ".jpg": b"\xff\xd8\xff", ".JPEG": b"\xff\xd8\xff", ".webp": b"RIFF"}


@pytest.mark.parametrize("suffix", MAGIC)
def test_the_sheet_is_a_picture_of_the_format_that_its_name_says(run, tmp_path, suffix, capsys):
    target = tmp_path / f"sheet{suffix}"
    assert cli.main(["inspect", run, "--sheet", str(target)]) == cli.DONE
    assert target.read_bytes().startswith(MAGIC[suffix])
    assert capsys.readouterr().out == f"0 identities -> {target}\n"


@pytest.mark.parametrize("suffix", MAGIC)
def test_pictures_on_the_sheet_keep_their_colours(tmp_path, suffix):
    picture = np.full((120, 120, 3), (40, 160, 220), np.uint8)
    path = tmp_path / f"sheet{suffix}"
    assert stack([strip("one", [picture])], "", str(path)) == 1
    shown = cv2.imread(str(path))[30:130, 20:110].reshape(-1, 3).mean(axis=0)
    assert np.allclose(shown, (40, 160, 220), atol=4)


REFUSED = [
    (["--sheet", "people.gif"], "--sheet {folder}/people.gif: the file's name must end in one of .png, .jpg, .jpeg"),
    (["--sheet", "people"], "--sheet {folder}/people: the file's name must end in"),
    (["--to", "rows.csv"], "--to {folder}/rows.csv: name the table to write there with --table; this run's tables: id"),
    (["--to", "rows.xlsx", "--table", "manifest"], "--to {folder}/rows.xlsx: the file's name must end in .csv or"),
    (["--to", "a.csv", "--table", "manifest", "--sheet", "a.gif"], "--sheet {folder}/a.gif: the file's name must end"),
    (
        ["--to", "a.csv", "--table", "manifest", "--columns", "lable"],
        "--columns lable: there is no such column; did you",
    ),
    (
        ["--columns", "label", "--table", "manifest"],
        "--columns: name the file that they are written to with --to FILE.",
    ),
    (["--to", "a.csv", "--table", "nothing"], "{run}: there is no table 'nothing'; there are: identities, manifest."),
]


@pytest.mark.parametrize(("words", "sentence"), REFUSED)
def test_what_cannot_be_written_is_refused_before_anything_is(run, tmp_path, words, sentence, capsys):
    words = [str(tmp_path / word) if "." in word or word == "people" else word for word in words]
    assert cli.main(["inspect", run, *words]) == cli.UNUSABLE
    told = capsys.readouterr()
    assert told.err.startswith("manyfaces: " + sentence.format(folder=tmp_path, run=run))
    assert (told.out, [path.name for path in tmp_path.iterdir()]) == ("", ["run"])


def test_a_table_and_a_sheet_may_be_asked_for_at_once(run, tmp_path):
    targets = [tmp_path / "rows.csv", tmp_path / "sheet.png"]
    words = ["--table", "manifest", "--to", str(targets[0]), "--sheet", str(targets[1])]
    assert cli.main(["inspect", run, *words]) == cli.DONE
    assert [target.exists() for target in targets] == [True, True]


def test_a_sheet_of_another_name_is_refused_by_the_function_too(run):
    with pytest.raises(ConfigError, match=r"must end in one of \.png"):
        stack([], "nothing", "x.bmp")
