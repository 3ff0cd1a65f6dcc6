"""A full disk, and folders that cannot be: one sentence, and the same command goes on when there is room."""

import errno
import os
import subprocess

import pytest
import yaml

from beam_pipelines import cli
from beam_pipelines.driver.record import read_record
from transforms.disk import DiskFull, is_full
from transforms.flow.items import Item
from transforms.flow.steps import Visit, apply
from transforms.tables import files as table_files
from transforms.tables.files import commit_file
from transforms.tables.ledger import tally
from transforms.tables.reasons import Rejected
from transforms.tables.shards import read_column

pytestmark = pytest.mark.jobs


@pytest.fixture
def command(tmp_path):
    """`manyfaces run` of the small recipe on sixty numbers; further words go to it."""
    (tmp_path / "numbers.yaml").write_text(yaml.safe_dump({"recipe": "tests.beam_pipelines.numbers_recipe:RECIPE"}))
    (tmp_path / "numbers.txt").write_text("\n".join(map(str, range(1, 61))))
    return lambda output, *words: [
        *("run", str(tmp_path / "numbers.yaml"), "--input", str(tmp_path / "numbers.txt"), "--output", str(output)),
        *("--direct_num_workers=2", *words),
    ]


def told(capsys) -> list[str]:
    lines = capsys.readouterr().err.splitlines()
    return [line for line in lines if not line.startswith("job ")]


@pytest.mark.parametrize(
    ("files", "number"), [*((files, errno.ENOSPC) for files in (0, 1, 5, 9, 20, 40)), (7, errno.EDQUOT)]
)
def test_a_run_on_a_disk_that_fills_goes_on_when_there_is_room(command, tmp_path, monkeypatch, capsys, files, number):
    left, sync = files, table_files._sync

    def sync_until_full(path):
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(number, os.strerror(number))
        sync(path)

    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(table_files, "_sync", sync_until_full)
        assert cli.main(command(run)) in (cli.FAILED, cli.UNUSABLE)
    (sentence,) = told(capsys)
    assert sentence.startswith("manyfaces: ")
    assert f"the disk of {run}" in sentence
    assert sentence.endswith("is full; make room, and give the same command again: it goes on from what is committed.")
    assert cli.main(command(run)) == cli.DONE
    assert tally(str(run), "double").items == 60
    assert read_record(str(run))["finished"]
    whole = sum(4 * n for n in range(1, 61) if n % 10 and n % 7 and n % 11)
    assert read_column(str(run), "sums", ["value"])["value"].to_pylist() == [whole]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 200 KB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("mode", ["multi_threading", "multi_processing"])
def test_a_disk_that_is_really_full(command, small_disk, capsys, mode):
    mode = f"--direct_running_mode={mode}"
    assert cli.main(command(small_disk / "run", mode)) == cli.FAILED
    (sentence,) = told(capsys)
    assert sentence.startswith(f"manyfaces: the disk of {small_disk}/run")
    subprocess.run(["mount", "-o", "remount,size=10m", str(small_disk)], check=True)
    assert cli.main(command(small_disk / "run", mode)) == cli.DONE
    assert tally(str(small_disk / "run"), "double").items == 60


def test_a_full_disk_ends_the_job_and_no_item():
    def fill(made):
        raise OSError(errno.ENOSPC, "no room")

    with pytest.raises(OSError, match="no room"):
        apply(Visit(Item("c", (0,), 1, "row"), "row"), fill)
    broken = apply(Visit(Item("c", (0,), 1, "row"), "row"), lambda made: os.stat("/nowhere/at/all"))
    assert isinstance(broken.ended, Rejected)
    assert broken.ended.code == "internal_error"


def test_what_counts_as_full():
    behind = RuntimeError("x")
    behind.__cause__ = OSError(errno.EDQUOT, "x")
    assert [is_full(error) for error in (DiskFull("x"), OSError(errno.ENOSPC, "x"), behind)] == [True] * 3
    assert [is_full(error) for error in (OSError(errno.EIO, "x"), ValueError("[Errno 28] no room"))] == [False] * 2


def test_nothing_is_left_of_a_file_for_which_there_is_no_room(tmp_path, monkeypatch):
    def fail(path):
        raise OSError(errno.ENOSPC, "x")

    monkeypatch.setattr(table_files, "_sync", fail)
    with pytest.raises(DiskFull, match=f"the disk of {tmp_path} is full"), commit_file(str(tmp_path / "a")) as out:
        out.write(b"x")
    assert list(tmp_path.iterdir()) == []


OUTPUTS = [
    ("file", "--output {folder}/file: this is a file and no folder; name another one."),
    ("file/run", "--output {folder}/file/run: {folder}/file is a file and no folder; name another one."),
    (
        "/proc/run",
        "--output /proc/run: no folder can be made there, or no file in it (No such file or directory); name",
    ),
    ("/dev/null/run", "--output /dev/null/run: /dev/null is a file and no folder; name another one."),
]


@pytest.mark.parametrize(("output", "sentence"), OUTPUTS)
def test_an_output_that_can_be_no_folder_is_refused(command, tmp_path, capsys, output, sentence):
    (tmp_path / "file").write_text("mine")
    output = output if output.startswith("/") else tmp_path / output
    assert cli.main(command(output)) == cli.UNUSABLE
    (line,) = told(capsys)
    assert line.startswith("manyfaces: " + sentence.format(folder=tmp_path))
    assert (tmp_path / "file").read_text() == "mine"


def test_an_output_that_takes_no_files_is_refused(command, tmp_path, capsys, monkeypatch):
    def fail(dir):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("tempfile.TemporaryFile", fail)
    assert cli.main(command(tmp_path / "run")) == cli.UNUSABLE
    assert "or no file in it (Read-only file system); name another one." in told(capsys)[0]
