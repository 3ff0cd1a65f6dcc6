"""Lists of videos of every kind become the same items, and every row is accounted for."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transforms.fetch.lists.video_manifest import split_videos
from transforms.fetch.lists.video_settings import VideoColumns, VideoManifestSettings
from transforms.tables.ledger import tally
from transforms.tables.shards import iter_rows, read_column, shard_names, shard_path
from transforms.tables.video_rows import ListedVideo

A, B, C = "aaaaaaaaaaa", "-bbbb_bbbbb", "ccccccccccc"
WATCH = "https://www.youtube.com/watch?v="


def split(path, run, **settings):
    result = split_videos(str(path), str(run), VideoManifestSettings(**settings))
    names = shard_names(str(run), "manifest")
    rows = [row for name in names for row in iter_rows(shard_path(str(run), "manifest", name), ListedVideo)]
    total = tally(str(run), "manifest")
    assert (result.rows, result.kept) == (total.items, total.count("kept"))
    assert len(rows) == result.kept == total.rows
    return rows, total.by_reason


def lines(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.mark.parametrize(("name", "content"), [("m.csv", "video_id\n"), ("m.jsonl", ""), ("m.txt", "")])
def test_an_empty_manifest(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    assert split(tmp_path / name, tmp_path / "run") == ([], {})


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_every_format_gives_the_same_items(tmp_path, kind):
    path = tmp_path / f"m.{kind}"
    records = [
        {"video_id": "v1", "url": "http://a.example/1.mp4", "who": "x"},
        {"video_id": "v2", "url": "gs://bucket/2.mp4", "who": "y"},
        {"video_id": "v3", "url": "/videos/3.mp4", "who": "z"},
        {"video_id": A, "url": "", "who": ""},
    ]
    if kind == "jsonl":
        lines(path, records)
    elif kind == "parquet":
        pq.write_table(pa.Table.from_pylist(records), path)
    else:
        mark = "," if kind == "csv" else "\t"
        path.write_text("\n".join([mark.join(records[0]), *(mark.join(r.values()) for r in records)]) + "\n")
    rows, counts = split(path, tmp_path / "run", columns=VideoColumns(label="who"))
    assert [(row.video_id, row.url, row.label) for row in rows] == [
        ("v1", "http://a.example/1.mp4", "x"),
        ("v2", "gs://bucket/2.mp4", "y"),
        ("v3", "/videos/3.mp4", "z"),
        (A, WATCH + A, None),
    ]
    assert all(row.spans is None and row.source == "{}" for row in rows)
    assert counts == {"kept": 4}


def test_a_text_has_urls_paths_and_youtube_ids(tmp_path):
    (tmp_path / "m.txt").write_text(f"http://a.example/1.mp4\n{A}\n/videos/x.mp4\n\n")
    rows, counts = split(tmp_path / "m.txt", tmp_path / "run")
    assert [(len(row.video_id), row.url) for row in rows] == [
        (20, "http://a.example/1.mp4"),
        (11, WATCH + A),
        (20, "/videos/x.mp4"),
    ]
    assert counts == {"kept": 3}


def test_an_id_alone_is_a_youtube_video(tmp_path):
    (tmp_path / "m.csv").write_text(f"video_id,n\n{A},1\n{B},2\nno-such-id,3\n,4\n{A},5\n")
    rows, counts = split(tmp_path / "m.csv", tmp_path / "run")
    assert [(row.video_id, row.url, row.source) for row in rows] == [
        (A, WATCH + A, '{"n": "1"}'),
        ("~2D" + B[1:], WATCH + B, '{"n": "2"}'),
    ]
    assert counts == {"kept": 2, "no_url": 2, "duplicate_url": 1}


def test_hd_vilas_metafile(tmp_path):
    def clip(number, start, end):
        return {"clip_id": f"{A}.{number}.mp4", "span": [start, end]}

    records = [
        {"video_id": A, "url": WATCH + A, "clip": [clip(1, "00:01:00.000", "00:01:02.500"), clip(0, "0:0:1", "0:0:2")]},
        {"video_id": B, "url": WATCH + B, "clip": []},
        {"video_id": B, "url": WATCH + B, "clip": [{"clip_id": "x"}]},
        {"video_id": C, "url": WATCH + C, "clip": [clip(0, "00:00:02.000", "00:00:01.000")]},
    ]
    rows, counts = split(lines(tmp_path / "m.jsonl", records), tmp_path / "run")
    assert [(row.video_id, row.url, row.spans, row.source) for row in rows] == [
        (A, WATCH + A, [[1.0, 2.0], [60.0, 62.5]], "{}")
    ]
    assert counts == {"kept": 1, "bad_row": 3}


def test_clip_lists_are_gathered_by_video_wherever_their_rows_stand(tmp_path):
    records = [{"clip_id": f"{video}-{n:04d}", "duration": [f"0:00:{n:02d}.250", f"0:00:{n + 5:02d}.000"]}
               for n in (30, 10, 20) for video in (A, B)]  # fmt: skip
    records += [{"clip_id": f"{C}-0", "duration": ["0:0:9.000", "0:0:1.000"]}, {"clip_id": "short", "duration": [1, 2]}]
    rows, counts = split(lines(tmp_path / "m.jsonl", records), tmp_path / "run", rows_per_shard=1)
    spans = [[10.25, 15.0], [20.25, 25.0], [30.25, 35.0]]
    assert [(row.url, row.spans) for row in rows] == [(WATCH + A, spans), (WATCH + B, spans)]
    assert counts == {"kept": 2, "merged_spans": 4, "bad_row": 1, "no_url": 1}


def test_clips_in_a_table_of_text(tmp_path):
    (tmp_path / "m.csv").write_text(f'clip_id,duration\n{A}.0,"[""0:00:01.5"", ""0:00:02""]"\n')
    ((row,), _) = split(tmp_path / "m.csv", tmp_path / "run")
    assert (row.video_id, row.url, row.spans) == (A, WATCH + A, [[1.5, 2.0]])


SPANS = [[1.0, 2.5], [60.0, 61.0]]


@pytest.mark.parametrize(
    "cell",
    [
        '[{"clip_id": "x", "span": ["0:0:1", "0:0:2.5"]}, {"clip_id": "y", "span": ["0:1:0", "0:1:1"]}]',
        "[{'clip_id': \"it's\", 'span': ['0:0:1.0', '0:0:2.500']}, {'clip_id': 'y', 'span': ['0:1:0', '0:1:1']}]",
        "[{'clip_id': None, 'ok': True, 'span': ('00:00:01.000', '00:00:02.500')}, {'span': (60, 61.0)}]",
        "[['00:00:01.000', '00:00:02.500'], ['00:01:00.000', '00:01:01.000']]",
        "[('00:00:01.000', '00:00:02.500'), ('00:01:00.000', '00:01:01.000')]",
        "(('00:00:01.000', '00:00:02.500'), ('00:01:00.000', '00:01:01.000'))",
        "[[1, 2.5], [60, 61]]",
        "[[np.float64(1.0), np.float64(2.5)], [np.int64(60), np.int64(61)]]",
        "[{'span': ['1', '2.5'], 'text': 'a [(None)] \\\\ \\' é'}, {'span': [60, 61]}]",
    ],
)
def test_spans_in_a_cell_as_json_and_as_python_writes_them(tmp_path, cell):
    quoted = cell.replace('"', '""')
    (tmp_path / "m.csv").write_text(f'video_id,url,clip\nv,http://a.example/1,"{quoted}"\n')
    ((row,), _) = split(tmp_path / "m.csv", tmp_path / "run")
    assert (row.spans, row.source) == (SPANS, "{}")


@pytest.mark.parametrize(
    "cell",
    [
        "00:00:00.500-00:00:01.000",
        "x",
        "[",
        "['00:00:01' '00:00:02']",
        "[[1, 2], [3]]",
        "[[nan, 2]]",
        "[]",
        "{'span': [1, 2]}",
        "[[1, 2], {'clip_id': 'x'}]",
        "__import__('os').getcwd()",
        "[__import__('os').getcwd()]",
        "[" * 5000,
        "(" * 5000 + ")" * 5000,
        3,
        True,
        [1],
        [[2, 1]],
        [[[1, 2]]],
        {"span": [1, 2]},
    ],
)
def test_spans_that_are_there_and_cannot_be_read_are_a_bad_row(tmp_path, cell):
    records = [{"video_id": "v", "url": "http://a.example/1", "clip": cell}, {"clip_id": A, "duration": cell}]
    rows, counts = split(lines(tmp_path / "m.jsonl", records), tmp_path / "run")
    assert counts == {"bad_row": 2}
    assert rows == []


@pytest.mark.parametrize("cell", [None, "", "  ", float("nan")])
def test_spans_that_are_not_there(tmp_path, cell):
    records = [{"video_id": "v", "url": "http://a.example/1", "clip": cell}, {"clip_id": A, "duration": cell}]
    rows, counts = split(lines(tmp_path / "m.jsonl", records), tmp_path / "run")
    assert counts == {"kept": 2}
    assert [row.spans for row in rows] == [None, None]


def test_a_column_that_only_is_called_like_that_of_the_spans_is_passed_on_when_told_so(tmp_path):
    path = lines(tmp_path / "m.jsonl", [{"video_id": A, "clip": "x"}])
    split(path, tmp_path / "run")
    ledger = read_column(str(tmp_path / "run"), "ledger/manifest", ["detail"])["detail"].to_pylist()
    assert ledger == ["the column 'clip': 'x' is no list of spans (where it holds something else: --set "
                      "manifest.columns.clips=null)"]  # fmt: skip
    ((row,), _) = split(path, tmp_path / "again", columns=VideoColumns(clips=None))
    assert (row.spans, row.source) == (None, '{"clip": "x"}')


def test_parquet_has_spans_of_every_type(tmp_path):
    spans = [[{"clip_id": "x", "span": ["0:0:1", "0:0:2.5"]}, {"clip_id": "y", "span": ["0:1:0", "0:1:1"]}]]
    table = pa.table({"video_id": ["v"], "url": [b"http://a.example/1"], "clip": spans})
    pq.write_table(table, tmp_path / "m.parquet")
    ((row,), _) = split(tmp_path / "m.parquet", tmp_path / "run")
    assert (row.url, row.spans) == ("http://a.example/1", SPANS)


def test_more_spans_of_one_video_than_a_video_has(tmp_path, monkeypatch):
    monkeypatch.setattr("transforms.fetch.lists.listing.MAX_SPANS", 5)
    monkeypatch.setattr("transforms.fetch.lists.spans.MAX_SPANS", 5)
    rows = [{"clip_id": A, "duration": [n, n + 1]} for n in range(6)]
    rows += [{"video_id": B, "url": "http://a.example/1", "clip": [[n, n + 1] for n in range(6)]}]
    rows += [{"clip_id": C, "duration": [n, n + 1]} for n in range(5)]
    found, counts = split(lines(tmp_path / "m.jsonl", rows), tmp_path / "run")
    assert [len(row.spans) for row in found] == [5]
    assert counts == {"kept": 1, "bad_row": 2, "merged_spans": 9}


@pytest.mark.parametrize(
    ("header", "found"),
    [("id,url", ("own", "{}")), ("video_id,url", ("own", "{}")), ("key,url", (None, '{"key": "own"}')),
     ("id,url,video_id", ("other", '{"id": "own"}'))],
)  # fmt: skip
def test_the_ids_of_a_list(tmp_path, header, found):
    (tmp_path / "m.csv").write_text(f"{header}\nown,http://a.example/1{',other' if header.count(',') == 2 else ''}\n")
    ((row,), _) = split(tmp_path / "m.csv", tmp_path / "run")
    name, source = found
    assert row.source == source
    assert row.video_id == name if name else len(row.video_id) == 20


def test_a_row_without_spans_wants_the_whole_video(tmp_path):
    records = [
        {"clip_id": A, "duration": [1, 2]},
        {"video_id": A},
        {"clip_id": A, "duration": [3, 4]},
    ]
    ((row,), counts) = split(lines(tmp_path / "m.jsonl", records), tmp_path / "run")
    assert (row.video_id, row.spans) == (A, None)
    assert counts == {"kept": 1, "duplicate_url": 1, "merged_spans": 1}


def test_a_duration_without_clip_id_is_the_rows_own_affair(tmp_path):
    ((row,), _) = split(lines(tmp_path / "m.jsonl", [{"video_id": A, "duration": 12}]), tmp_path / "run")
    assert (row.spans, json.loads(row.source)) == (None, {"duration": 12})


def test_spans_survive_the_table_exactly(tmp_path):
    times = [36000.001, 36000.123456789]
    ((row,), _) = split(lines(tmp_path / "m.jsonl", [{"clip_id": A, "duration": times}]), tmp_path / "run")
    assert row.spans == [times]


def test_changed_spans_are_another_manifest(tmp_path):
    path = lines(tmp_path / "m.jsonl", [{"clip_id": A, "duration": [1, 2]}])
    split(path, tmp_path / "run")
    split(path, tmp_path / "run")
    lines(path, [{"clip_id": A, "duration": [1, 3]}])
    with pytest.raises(ValueError, match=r"not in the list as it was \(spans: \[\[1.0, 2.0\]\] -> \[\[1.0, 3.0\]\]\)"):
        split(path, tmp_path / "run")


def test_an_interrupted_split_is_finished_the_same(tmp_path):
    records = [{"clip_id": f"{'v' * 9}{n % 7:02d}", "duration": [n, n + 1]} for n in range(40)]
    path = lines(tmp_path / "m.jsonl", records)
    first, _ = split(path, tmp_path / "whole", rows_per_shard=2)
    split(path, tmp_path / "run", rows_per_shard=2)
    (tmp_path / "run/manifest/part-000001.parquet").unlink()
    (tmp_path / "run/ledger/manifest/part-000002.parquet").unlink()
    again, counts = split(path, tmp_path / "run", rows_per_shard=2)
    assert [(row.video_id, row.spans) for row in again] == [(row.video_id, row.spans) for row in first]
    assert counts == {"kept": 7, "merged_spans": 33}


@pytest.mark.parametrize(
    ("content", "columns", "message"),
    [
        ("a,b\n", {}, "no column 'url'; it has a, b"),
        ("a,b\n", {"id": None, "url": None}, "no column 'url'"),
        ("url,b\n", {"id": "B"}, "no column 'B'"),
        ("video_id,b\n", {"url": "link"}, "no column 'link'"),
    ],
)
def test_missing_columns_are_named(tmp_path, content, columns, message):
    (tmp_path / "m.csv").write_text(content)
    with pytest.raises(ValueError, match=message):
        split(tmp_path / "m.csv", tmp_path / "run", columns=VideoColumns(**columns))


@pytest.mark.parametrize(("videos", "size"), [(1, 2), (10, 2), (128, 2), (200, 4), (512, 8), (5000, 8)])
def test_the_size_of_a_shard_suits_the_list(videos, size):
    assert VideoManifestSettings().shard_rows(videos) == size
    assert VideoManifestSettings(rows_per_shard=100).shard_rows(videos) == 100
