"""Manifests of every format become the same items, and every row is accounted for."""

import datetime
import gzip
import hashlib
import json
from collections import Counter
from threading import Barrier

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.object_store import ObjectStore, new_folder
from transforms.fetch.lists.image_settings import Columns, ManifestSettings
from transforms.fetch.lists.listing import Listing, find_duplicates
from transforms.fetch.lists.manifest import split_manifest, to_listed_image
from transforms.fetch.lists.read import read_records
from transforms.tables.ledger import tally
from transforms.tables.rows import LedgerEntry, ListedImage
from transforms.tables.shards import iter_rows, iter_tables, read_column, read_footers, shard_names, shard_path

COLUMNS = Columns(id="idx", url="URL", label="label")
ROWS = [("1", "cat, or dog", "http://a.example/1.jpg", "x"), ("b-2", "café", "http://a.example/2.jpg?a=1&b=2", "y")]


def csv_of(rows, delimiter):
    def cell(value):
        return '"' + value.replace('"', '""') + '"'

    return "\n".join(delimiter.join(map(cell, row)) for row in [("idx", "label", "URL", "extra"), *rows]) + "\n"


def written(folder, name, kind):
    path = folder / name
    if kind in ("csv", "tsv"):
        path.write_text(csv_of(ROWS, "," if kind == "csv" else "\t"), encoding="utf-8")
    elif kind == "csv.gz":
        path.write_bytes(gzip.compress(csv_of(ROWS, ",").encode()))
    elif kind == "jsonl":
        keys = ("idx", "label", "URL", "extra")
        path.write_text("".join(json.dumps(dict(zip(keys, row, strict=True))) + "\n" for row in ROWS))
    else:
        columns = zip(*ROWS, strict=True)
        pq.write_table(pa.table(dict(zip(("idx", "label", "URL", "extra"), map(list, columns), strict=True))), path)
    return str(path)


def split(path, run, **settings):
    result = split_manifest(str(path), str(run), ManifestSettings(**settings))
    rows = [row for name in shard_names(str(run), "manifest") for row in iter_rows(path_of(run, name), ListedImage)]
    total = tally(str(run), "manifest")
    assert (result.rows, result.kept) == (total.items, total.count("kept"))
    assert len(rows) == result.kept == total.rows
    return rows, total.by_reason


def path_of(run, name, table="manifest"):
    return shard_path(str(run), table, name)


@pytest.mark.parametrize(("name", "content"), [("m.csv", "url\n"), ("m.jsonl", ""), ("m.txt", "")])
def test_an_empty_manifest(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    assert split(tmp_path / name, tmp_path / "run") == ([], {})


@pytest.mark.parametrize("kind", ["csv", "tsv", "csv.gz", "jsonl", "parquet"])
def test_every_format_gives_the_same_items(tmp_path, kind):
    rows, counts = split(written(tmp_path, f"m.{kind}", kind), tmp_path / "run", columns=COLUMNS)
    assert [(row.image_id, row.label, row.url, json.loads(row.source)["extra"]) for row in rows] == ROWS
    assert counts == {"kept": 2}


def test_lists_and_texts(tmp_path):
    (tmp_path / "m.lst").write_text("0 cat http://a.example/a b.jpg\n1\tdog   http://a.example/2\nbroken\n")
    columns = Columns(id="idx", url="url", label="label")
    rows, counts = split(tmp_path / "m.lst", tmp_path / "run", format="list", columns=columns)
    assert [(row.image_id, row.label, row.url) for row in rows] == [
        ("0", "cat", "http://a.example/a b.jpg"),
        ("1", "dog", "http://a.example/2"),
    ]
    assert counts == {"kept": 2, "bad_row": 1}
    (tmp_path / "m.txt").write_text("http://a.example/1\n\nhttp://a.example/2")
    rows, counts = split(tmp_path / "m.txt", tmp_path / "run2")
    assert [len(row.image_id) for row in rows] == [20, 20]
    assert counts == {"kept": 2}  # a blank line is no row


def test_every_row_is_accounted_for(tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes(
        b"idx,URL,label\n"
        b"1,http://a.example/1,x\n"
        b"2,http://a.example/1,x\n"  # duplicate URL
        b"1,http://a.example/3,x\n"  # duplicate id
        b"2,http://a.example/4,x\n"  # its first claimant went, so this id is free
        b"5,,x\n"
        b"6, ,x\n"
        b",http://a.example/7,x\n"
        b"8,http://a.example/8\n"
        b"9,http://a.example/\xff,x\n"
        b'10,"http://a.example/10"oops,x\n'
        b"11,http://a.example/11,x\n"
    )
    rows, counts = split(path, tmp_path / "run", columns=COLUMNS)
    assert [row.image_id for row in rows] == ["1", "2", "11"]
    assert counts == {"kept": 3, "duplicate_url": 1, "duplicate_id": 1, "no_url": 2, "bad_row": 4}
    entries = list(iter_rows(path_of(tmp_path / "run", "000000", "ledger/manifest"), LedgerEntry))
    assert len({entry.item_id for entry in entries}) == 11


@pytest.mark.parametrize(
    ("content", "settings", "ids", "counts"),
    [
        ("url\n{0}\n{1}\n", {}, [20, 20], {"kept": 2}),
        ("id,url\na,{0}\n,{1}\na,{2}\n", {}, ["a", 20], {"kept": 2, "duplicate_id": 1}),
        ("image_id,url\na,{0}\n", {}, ["a"], {"kept": 1}),
        ("id,url\na,{0}\n", {"columns": Columns(id=None)}, [20], {"kept": 1}),
        ("n,url\na,{0}\n,{1}\n", {"columns": Columns(id="n")}, ["a"], {"kept": 1, "bad_row": 1}),
    ],
)
def test_ids_are_the_list_s_own_where_it_has_some(tmp_path, content, settings, ids, counts):
    (tmp_path / "m.csv").write_text(content.format(*(f"http://a.example/{n}" for n in range(3))))
    rows, found = split(tmp_path / "m.csv", tmp_path / "run", **settings)
    assert [len(row.image_id) if len(row.image_id) == 20 else row.image_id for row in rows] == ids
    assert found == counts


@pytest.mark.parametrize("columns", [Columns(), Columns(id="idx"), Columns(id=None)])
def test_the_digest_of_a_list_is_what_it_was(tmp_path, columns):
    """Of the hashes of URLs, of ids where there are any, and of spans: runs of before go on."""
    (tmp_path / "m.csv").write_text("idx,url\n1,http://a.example/1\n2,http://a.example/2\n")
    listing = Listing(str(tmp_path / "m.csv"), ManifestSettings(columns=columns), ListedImage,
                      lambda record: to_listed_image(record, ManifestSettings(columns=columns)))  # fmt: skip
    texts = ["http://a.example/1", "http://a.example/2", *(("1", "2") if columns.id == "idx" else ())]
    hashes = b"".join(hashlib.blake2b(text.encode(), digest_size=16).digest() for text in texts)
    assert find_duplicates(listing).digest == hashlib.sha256(hashes).hexdigest()


@pytest.mark.parametrize("value", ["null", "NaN", '""', '"  "'])
def test_cells_that_hold_nothing(tmp_path, value):
    (tmp_path / "m.jsonl").write_text(
        f'{{"url": "http://a.example/1", "id": {value}, "label": {value}}}\n{{"url": {value}}}\n'
    )
    ((row,), counts) = split(tmp_path / "m.jsonl", tmp_path / "run", columns=Columns(label="label"))
    assert (len(row.image_id), row.label, counts) == (20, None, {"kept": 1, "no_url": 1})


@pytest.mark.parametrize("value", ["[1]", '{"a": 1}', '"%s"' % ("x" * 200_000)])
def test_used_cells_that_are_no_text_are_bad_rows(tmp_path, value):
    columns = Columns(label="label")
    for key in ("url", "id", "label"):
        (tmp_path / "m.jsonl").write_text(
            json.dumps({"url": "u", "id": "i", "label": "l", key: "@"}).replace('"@"', value)
        )
        assert split(tmp_path / "m.jsonl", tmp_path / f"run-{key}", columns=columns) == ([], {"bad_row": 1})


def test_large_columns_end_a_shard_too(tmp_path, monkeypatch):
    monkeypatch.setattr("transforms.fetch.lists.manifest._SHARD_TEXT", 1000)
    (tmp_path / "m.csv").write_text("url,text\n" + "".join(f"http://a.example/{n},{'x' * 300}\n" for n in range(10)))
    split(tmp_path / "m.csv", tmp_path / "run")
    names = shard_names(str(tmp_path / "run"), "manifest")
    assert [len(list(iter_rows(path_of(tmp_path / "run", name), ListedImage))) for name in names] == [4, 4, 2]


def test_cells_that_are_left_out_are_counted(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("transforms.fetch.lists.arrow_values.MAX_RECORD", 100)
    pq.write_table(pa.table({"url": ["u1", "u2"], "html": ["x" * 101, "y"]}), tmp_path / "m.parquet")
    rows, counts = split(tmp_path / "m.parquet", tmp_path / "run")
    assert [json.loads(row.source) for row in rows] == [{"html": None}, {"html": "y"}]
    assert counts == {"kept": 2}
    assert caplog.messages == ["the manifest's column 'html' cannot be carried in 1 rows; it is null there"]


def test_damaged_json_lines(tmp_path):
    path = tmp_path / "m.jsonl"
    good = '{"url": "http://a.example/1", "n": 1, "f": NaN, "deep": {"x": [1, null, true]}}'
    without = ['{"url": null}', '{"other": 1}']
    path.write_text("\n".join([good, "{", "[]", "3", '{"url": 5}', *without, "[" * 100_000, '{"url": "\\ud800"}']))
    rows, counts = split(path, tmp_path / "run")
    assert json.loads(rows[0].source) == {"n": 1, "f": None, "deep": {"x": [1, None, True]}}
    assert counts == {"kept": 1, "bad_row": 6, "no_url": 2}


def test_parquet_types_become_json(tmp_path):
    table = pa.table(
        {
            "url": ["http://a.example/1"],
            "idx": pa.array([7], pa.int64()),
            "w": pa.array([0.5], pa.float32()),
            "when": [datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone.utc)],
            "raw": [b"\x00\xff"],
            "tags": [["a", "b"]],
            "nan": [float("nan")],
        }
    )
    pq.write_table(table, tmp_path / "m.parquet")
    ((row,), _) = split(tmp_path / "m.parquet", tmp_path / "run", columns=Columns(id="idx"))
    assert row.image_id == "7"
    assert json.loads(row.source) == {
        "w": 0.5,
        "when": "2020-01-02T00:00:00+00:00",
        "raw": "AP8=",
        "tags": ["a", "b"],
        "nan": None,
    }


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        ("a,b\n", {}, "no column 'url'; it has a, b"),
        ("url,b\n", {"columns": Columns(id="B")}, "no column 'B'"),
        ("url,url\n", {}, "two columns of one name"),
    ],
)
def test_missing_columns_are_named(tmp_path, content, settings, message):
    (tmp_path / "m.csv").write_text(content)
    with pytest.raises(ValueError, match=message):
        split(tmp_path / "m.csv", tmp_path / "run", **settings)


def test_an_unknown_extension_is_named(tmp_path):
    (tmp_path / "urls.dat").write_text("http://a.example/1\n")
    with pytest.raises(ValueError, match=r"set manifest\.format"):
        list(read_records(str(tmp_path / "urls.dat"), ManifestSettings()))


def test_shards_have_their_size_and_long_rejected_stretches_end_one_too(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("url,n\n" + "".join(f"http://a.example/{i},1\n" for i in range(25)) + ",1\n" * 600)
    split(path, tmp_path / "run", rows_per_shard=10)
    names = shard_names(str(tmp_path / "run"), "manifest")
    assert [len(list(iter_rows(path_of(tmp_path / "run", name), ListedImage))) for name in names] == [10, 10, 5]
    assert len(shard_names(str(tmp_path / "run"), "ledger/manifest")) == 4


SUITED = [(1, 8, 1), (8, 8, 1), (120, 8, 15), (512, 8, 64), (1000, 16, 63), (10_000, 157, 64)]


@pytest.mark.parametrize(("rows", "size", "shards"), SUITED)
def test_the_size_of_a_shard_suits_the_list(tmp_path, rows, size, shards):
    path = tmp_path / "m.txt"
    path.write_text("".join(f"http://a.example/{i}\n" for i in [*range(rows), *range(min(rows, 300))]))
    run = str(tmp_path / "run")
    assert split_manifest(str(path), run, ManifestSettings()).kept == rows
    assert ManifestSettings().shard_rows(rows) == size
    sizes = [count for count, _ in read_footers(run, "manifest", shard_names(run, "manifest"))]
    assert sizes[:-1] == [size] * (len(sizes) - 1)
    assert (len(sizes), sum(sizes), sizes[-1] <= size) == (shards, rows, True)


@pytest.mark.parametrize(("rows", "size"), [(0, 8), (63_936, 999), (64_000, 1000), (64_001, 1000), (10**9, 1000)])
def test_a_shard_of_a_long_list_has_a_thousand_rows(rows, size):
    assert ManifestSettings().shard_rows(rows) == size


def test_the_rows_are_the_same_however_many_a_shard_has(tmp_path):
    path = tmp_path / "m.txt"
    path.write_text("".join(f"http://a.example/{i % 190}\n" for i in range(200)))
    tables = []
    for name, settings in (("suited", {}), ("one", {"rows_per_shard": 1000})):
        split(path, tmp_path / name, **settings)
        tables.append([read_table(str(tmp_path / name), table) for table in ("manifest", "ledger/manifest")])
    assert tables[0] == tables[1]


def read_table(run, table):
    return [row for part in iter_tables(run, table) for row in part.to_pylist()]


def test_an_interrupted_split_is_finished_the_same(tmp_path):
    path = tmp_path / "m.txt"
    path.write_text("".join(f"http://a.example/{i}\n" for i in range(30)))
    first, _ = split(path, tmp_path / "whole", rows_per_shard=10)
    split(path, tmp_path / "run", rows_per_shard=10)
    (tmp_path / "run/manifest/part-000001.parquet").unlink()
    (tmp_path / "run/ledger/manifest/part-000002.parquet").unlink()
    again, counts = split(path, tmp_path / "run", rows_per_shard=10)
    assert [row.image_id for row in again] == [row.image_id for row in first]
    assert counts == {"kept": 30}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"rows_per_shard": 5}, r"begun with manifest\.rows_per_shard: null -> 5; set that back, or"),
        ({"columns": {"id": "name"}}, r'begun with manifest\.columns\.id: .* -> "name"; set that back, or'),
        (
            {"format": "csv", "columns": {"label": "who"}},
            r'manifest\.format: "auto" -> "csv", manifest\.columns\.label: ',
        ),
    ],
)
def test_another_reading_of_the_same_manifest_names_the_settings(tmp_path, settings, words):
    path = tmp_path / "m.csv"
    path.write_text("name,who,url\na,b,http://a.example/1\n")
    split(path, tmp_path / "run")
    with pytest.raises(ValueError, match=words) as error:
        split(path, tmp_path / "run", **settings)
    assert "in the list" not in str(error.value)


@pytest.fixture
def requests(monkeypatch):
    """How often each operation of the object store was asked for."""
    counts = Counter()

    def watch(operation):
        plain = getattr(ObjectStore, operation)

        def watched(*args, **more):
            counts[operation] += 1
            return plain(*args, **more)

        monkeypatch.setattr(ObjectStore, operation, watched)

    for operation in ("exists", "open", "create", "_list"):
        watch(operation)
    return counts


def test_an_object_store_is_asked_for_no_more_than_it_must_be(tmp_path, requests):
    path, run = tmp_path / "m.txt", new_folder()
    path.write_text("".join(f"http://a.example/{i}\n" for i in range(400)))
    result = split_manifest(str(path), run, ManifestSettings(rows_per_shard=10))
    assert (result.kept, result.shards) == (400, 40)
    assert requests == {"exists": 1, "_list": 2, "create": 80}  # one asks for removals
    requests.clear()
    assert split_manifest(str(path), run, ManifestSettings(rows_per_shard=10)) == result
    assert requests == {"exists": 1, "_list": 2, "open": 1}
    there, _ = split(path, tmp_path / "run", rows_per_shard=10)
    assert read_column(run, "manifest", ["image_id"])["image_id"].to_pylist() == [row.image_id for row in there]


def test_shards_are_uploaded_side_by_side(tmp_path, monkeypatch):
    path, run = tmp_path / "m.txt", new_folder()
    path.write_text("".join(f"http://a.example/{i}\n" for i in range(160)))
    first = [path_of(run, f"{number:06d}") for number in range(8)]
    together, plain = Barrier(len(first), timeout=30), ObjectStore.create

    def create(self, name, *args, **more):
        if name in first:
            together.wait()
        return plain(self, name, *args, **more)

    monkeypatch.setattr(ObjectStore, "create", create)
    assert split_manifest(str(path), run, ManifestSettings(rows_per_shard=10)).shards == 16


def test_an_upload_that_fails_ends_the_split(tmp_path, monkeypatch):
    def refuse(*args, **more):
        raise PermissionError("no")

    path = tmp_path / "m.txt"
    path.write_text("".join(f"http://a.example/{i}\n" for i in range(400)))
    monkeypatch.setattr("transforms.fetch.lists.manifest.write_shard", refuse)
    with pytest.raises(PermissionError, match="no"):
        split_manifest(str(path), new_folder(), ManifestSettings(rows_per_shard=10))


@pytest.mark.parametrize(("rows", "refused"), [(40, False), (41, True)])
def test_more_shards_than_sorted_names_are_refused_before_any_is_written(tmp_path, monkeypatch, rows, refused):
    monkeypatch.setattr("transforms.fetch.lists.manifest._NAMES", 4)
    path, run = tmp_path / "m.txt", tmp_path / "run"
    path.write_text("".join(f"http://a.example/{i}\n" for i in range(rows)))
    if refused:
        with pytest.raises(ValueError, match=r"set manifest\.rows_per_shard to 13 or more"):
            split(path, run, rows_per_shard=10)
        assert not run.exists()
        split(path, run, rows_per_shard=13)
    else:
        split(path, run, rows_per_shard=10)
    assert shard_names(str(run), "manifest") == ["000000", "000001", "000002", "000003"]
