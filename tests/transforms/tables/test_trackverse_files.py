import gzip
import tracemalloc

import pytest

from tests.track_rows import track
from transforms.tables import trackverse_files
from transforms.tables.trackverse import to_line, track_record
from transforms.tables.trackverse_files import read_lines, read_tracks, track_files

NAME = "abcdefghijk-meta.jsonl.gzip"


def line(number=0):
    return to_line(track_record(track(number=number), number))


def write(path, *members):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(members))
    return str(path)


def test_an_empty_file_has_no_tracks(tmp_path):
    assert list(read_tracks(write(tmp_path / "a.jsonl"))) == []
    assert list(read_tracks(write(tmp_path / NAME, gzip.compress(b"")))) == []


def test_all_members_of_a_file_are_read(tmp_path):
    path = write(tmp_path / NAME, gzip.compress(line(0)), gzip.compress(b""), gzip.compress(line(1) + line(2)))
    assert [row.boxes[0, 0] for row in read_tracks(path)] == [0, 10, 20]


def test_plain_text_is_read_as_well_and_blank_lines_are_none(tmp_path):
    path = write(tmp_path / "tracks.jsonl", line(0), b"\n", line(1).rstrip())
    assert [number for number, _ in read_lines(path)] == [1, 3]
    assert len(list(read_tracks(path))) == 2


def test_files_below_a_folder_are_found_in_order(tmp_path):
    paths = [write(tmp_path / name[:2] / f"{name}-meta.jsonl.gzip", gzip.compress(line())) for name in ("ba", "ab")]
    write(tmp_path / "ab" / "ab-progress.json", b"{}")
    assert track_files(str(tmp_path)) == sorted(paths)
    assert track_files(f"{tmp_path}/*/*.gzip") == sorted(paths)
    assert track_files(paths[0]) == [paths[0]]


def test_where_no_file_is_this_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file of tracks"):
        track_files(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(line() + b"{}\n"), r"abcdefghijk-meta\.jsonl\.gzip: line 2: it has no frame_bboxes\."),
        (gzip.compress(line()) + gzip.compress(line())[:-20], r"line \d+: the gzip file is cut"),
        (gzip.compress(line()) + b"stray", "line 2: the gzip file is cut or broken"),
        (gzip.compress(line())[:12] + b"\xff" * 30, "line 1: the gzip file is cut or broken"),
        (b'{"a": NaN}', "line 1: NaN is no number"),
    ],
)
def test_a_broken_file_is_one_error_with_file_and_line(tmp_path, content, words):
    with pytest.raises(ValueError, match=words):
        list(read_tracks(write(tmp_path / NAME, content)))


def test_a_line_without_end_costs_no_more_than_its_cap(tmp_path, monkeypatch):
    monkeypatch.setattr(trackverse_files, "MAX_LINE", 2**20)
    path = write(tmp_path / NAME, gzip.compress(b"[" * 2**25))
    tracemalloc.start()
    with pytest.raises(ValueError, match="line 1: it has more than 1048576 bytes"):
        list(read_tracks(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23
