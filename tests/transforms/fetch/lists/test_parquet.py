"""Parquet of every type: the columns that are not used lose no row, and nothing is larger in memory than it may be."""

import datetime
import decimal
import tracemalloc
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.transforms.fetch.lists.list_samples import URLS, parquet_bytes, rows, urls, verdicts
from transforms.fetch.lists import arrow_values, parquet
from transforms.fetch.lists.image_settings import Columns, ManifestSettings
from transforms.fetch.lists.read import read_records
from transforms.fetch.lists.record import LeftOut

BAD = b"Jos\xe9"
SECOND = 1_700_000_000


def broken_text(kind):
    """Text of which one value is no UTF-8."""
    return pa.array([BAD, b"x", None], pa.large_binary()).cast(pa.binary()).view(pa.string()).cast(kind, safe=False)


def written(tmp_path, table, **options):
    pq.write_table(table, tmp_path / "m.parquet", **options)
    return tmp_path / "m.parquet"


def of(kind, *values):
    return pa.array(values, kind)


def moment(unit, *values, tz=None):
    return of(pa.int64(), *values).view(pa.timestamp(unit, tz))


TYPES = {
    "text": (of(pa.string(), "a", None), ["a", None]),
    "broken text": (pa.array([BAD, None], pa.binary()).view(pa.string()), ["Jos\udce9", None]),
    "large text": (of(pa.large_string(), "a", None), ["a", None]),
    "text view": (of(pa.string_view(), "a", None), ["a", None]),
    "dictionary": (of(pa.string(), "a", None).dictionary_encode(), ["a", None]),
    "dictionary of numbers": (of(pa.int64(), 5, None).dictionary_encode(), [5, None]),
    "bytes that are text": (of(pa.binary(), "é".encode(), None), ["é", None]),
    "bytes": (of(pa.binary(), b"\x00\xff", None), ["AP8=", None]),
    "bytes with zeros": (of(pa.binary(), b"a\0", None), ["YQA=", None]),
    "fixed bytes": (of(pa.binary(2), b"\xff\xfe", None), ["//4=", None]),
    "integer": (of(pa.uint64(), 2**64 - 1, None), [2**64 - 1, None]),
    "number": (of(pa.float32(), 0.5, None), [0.5, None]),
    "half": (of(pa.float16(), 0.5, None), [0.5, None]),
    "truth": (of(pa.bool_(), True, None), [True, None]),
    "nothing": (of(pa.null(), None, None), [None, None]),
    "decimal": (of(pa.decimal128(20, 2), decimal.Decimal("1.50"), None), ["1.50", None]),
    "large decimal": (of(pa.decimal256(60, 2), decimal.Decimal("9" * 50 + ".25"), None), ["9" * 50 + ".25", None]),
    "date": (of(pa.date32(), datetime.date(2020, 1, 2), None), ["2020-01-02", None]),
    "far date": (of(pa.int32(), 2**31 - 1, None).view(pa.date32()), ["5881580-07-11", None]),
    "time": (of(pa.time64("ns"), 3_600_000_000_001, None), ["01:00:00.000000001", None]),
    "duration": (of(pa.duration("ms"), 1500, None), [1.5, None]),
    "seconds": (moment("s", SECOND, None), ["2023-11-14T22:13:20", None]),
    "microseconds": (moment("us", SECOND * 10**6 + 5, None), ["2023-11-14T22:13:20.000005", None]),
    "nanoseconds": (moment("ns", SECOND * 10**9 + 1, None), ["2023-11-14T22:13:20.000000001", None]),
    "with a zone": (moment("us", SECOND * 10**6, None, tz="Europe/Paris"), ["2023-11-14T22:13:20+00:00", None]),
    "with an odd zone": (moment("us", SECOND * 10**6, None, tz="Nowhere/X"), ["2023-11-14T22:13:20+00:00", None]),
    "far time": (moment("us", 2**62, None), ["148108-07-06T14:00:27.387904", None]),
    "early time": (moment("us", -(2**62), None), ["-144169-06-28T09:59:32.612096", None]),
    "list": (of(pa.list_(pa.string()), ["a", None], None), [["a", None], None]),
    "list of times": (of(pa.list_(pa.timestamp("ns")), [SECOND * 10**9], None), [["2023-11-14T22:13:20"], None]),
    "fixed list": (of(pa.list_(pa.float32(), 2), [1, 2], [3, 4]), [[1.0, 2.0], [3.0, 4.0]]),
    "object": (of(pa.struct({"a": pa.binary(), "b": pa.int8()}), {"a": b"x", "b": 1}, None),
               [{"a": "x", "b": 1}, None]),
    "map": (of(pa.map_(pa.string(), pa.date32()), [("k", datetime.date(1, 1, 1))], None),
            [[{"key": "k", "value": "0001-01-01"}], None]),
    "uuid": (pa.ExtensionArray.from_storage(pa.uuid(), of(pa.binary(16), b"\xff" * 16, None)),
             ["/////////////////////w==", None]),
}  # fmt: skip


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("options", [{}, {"use_dictionary": False}, {"store_schema": False}])
def test_columns_of_every_type_are_passed_on(tmp_path, kind, options):
    column, expected = TYPES[kind]
    found = rows(written(tmp_path, pa.table({"url": URLS[:2], "c": column}), **options))
    assert [row["url"] for row in found] == URLS[:2]
    if options.get("store_schema", True):
        assert [row["c"] for row in found] == expected


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view(),
     pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int32(), pa.binary())],
)  # fmt: skip
def test_urls_and_ids_of_every_type_of_text(tmp_path, kind):
    column = pa.array(URLS).cast(kind.value_type if pa.types.is_dictionary(kind) else kind)
    table = pa.table({"url": column.dictionary_encode() if pa.types.is_dictionary(kind) else column})
    assert verdicts(written(tmp_path, table)) == URLS


def test_used_columns_that_are_no_text_are_bad_rows(tmp_path):
    bad = pa.array([b"http://a.example/\xe9", URLS[1].encode(), None], pa.binary())
    assert verdicts(written(tmp_path, pa.table({"url": bad}))) == [
        ("bad_row", "the URL holds bytes that are no text: http://a.example/é"),
        URLS[1],
        ("no_url", ""),
    ]
    assert verdicts(written(tmp_path, pa.table({"url": [1.5, float("nan")]}))) == [
        ("bad_row", "the URL is no text but float"),
        ("no_url", ""),
    ]


def test_int96_times_of_any_year(tmp_path):
    times = pa.array([-(10**16), 10**17], pa.timestamp("us"))
    path = written(tmp_path, pa.table({"url": URLS[:2], "t": times}), use_deprecated_int96_timestamps=True)
    assert urls(path) == URLS[:2]


def test_columns_of_one_name(tmp_path):
    table = pa.Table.from_arrays([pa.array(URLS), pa.array(URLS), pa.array(range(8))], ["url", "c", "c"])
    assert rows(written(tmp_path, table))[1] == {"url": URLS[1], "c": URLS[1], "c_2": 1}
    with pytest.raises(ValueError, match="two columns of one name"):
        rows(written(tmp_path, pa.Table.from_arrays([pa.array(URLS), pa.array(URLS)], ["url", "url"])))


def test_a_column_that_pyarrow_cannot_read_is_left_out_and_counted(tmp_path):
    """A fixed-size list that is null, for instance; the rows in the first batches are not given twice."""
    vectors = pa.array([[1.0, 2.0]] * 9000 + [None], pa.list_(pa.float32(), 2))
    table = pa.table({"url": [f"{URLS[0]}/{n}" for n in range(9001)], "v": vectors, "n": range(9001)})
    left_out = Counter()
    found = list(read_records(str(written(tmp_path, table)), ManifestSettings(), left_out))
    assert [row["n"] for row in found] == list(range(9001))
    assert left_out["v"] in (809, 9001)  # what of it could be read, or none
    assert found[-1]["v"] is None


def test_a_value_that_many_rows_share_is_in_memory_once(tmp_path):
    shared = pa.DictionaryArray.from_arrays(pa.array([0] * 5000, pa.int32()), pa.array(["x" * 1_000_000]))
    many = pa.array([f"{URLS[0]}/{place}" for place in range(5000)])
    path = written(tmp_path, pa.table({"url": many, "html": shared, "n": [[{"a": "y"}]] * 5000}))
    assert path.stat().st_size < 500_000
    before = pa.total_allocated_bytes()
    most = 0
    tracemalloc.start()
    for row in read_records(str(path), ManifestSettings()):
        assert len(row["html"]) == 1_000_000
        most = max(most, pa.total_allocated_bytes() - before)
    _, python = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 50e6
    assert python < 50e6


def test_cells_that_are_too_large_are_left_out_and_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(arrow_values, "MAX_RECORD", 100)
    monkeypatch.setattr(arrow_values, "_MAX_VALUES", 50)
    table = pa.table(
        {
            "url": [*URLS[:3], "http://a.example/" + "x" * 200],
            "text": ["x" * 101, "y", "x" * 200, "z"],
            "list": [[1] * 51, [1], [], None],
            "deep": [[["x" * 60, "x" * 60]], [["x"]], None, [["x" * 101]]],
        }
    )
    left_out = Counter()
    found = list(read_records(str(written(tmp_path, table)), ManifestSettings(), left_out))
    assert left_out == {"url": 1, "text": 2, "list": 1, "deep": 2}
    assert [isinstance(row["text"], LeftOut) for row in found] == [True, False, True, False]
    assert verdicts(tmp_path / "m.parquet")[:3] == URLS[:3]
    assert verdicts(tmp_path / "m.parquet")[3] == ("bad_row", "the column 'url': 217 characters")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.table({"url": pa.array(["x"] * 200_000)}), "announces 200000 values"),
        (pa.table({"url": ["x"], "n": pa.array([[0] * 200_000])}), "announces 200000 values of .* column 'element'"),
        (pa.table({"url": ["x" * 3_000_000]}), "of 3000... bytes in the column 'url'"),
    ],
)
def test_a_footer_that_announces_more_than_the_file_can_hold(tmp_path, monkeypatch, table, message):
    monkeypatch.setattr(parquet, "_MANY", 10_000)
    monkeypatch.setattr(parquet, "LARGE", 100_000)
    with pytest.raises(ValueError, match=message):
        rows(written(tmp_path, table, compression="zstd"))


def test_nested_values_do_not_fill_a_batch(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "_BATCH_VALUES", 100)
    sizes = []
    plain = parquet._batches
    monkeypatch.setattr(
        parquet, "_batches", lambda *args: (sizes.append(one[0].num_rows) or one for one in plain(*args))
    )
    table = pa.table({"url": [f"{URLS[0]}/{n}" for n in range(40)], "n": [[1] * 50] * 40})
    assert len(rows(written(tmp_path, table))) == 40
    assert set(sizes) == {2}


def test_a_file_whose_statistics_do_not_fit_is_a_sentence(tmp_path):
    """pyarrow's objects of columns end the process for some of these."""
    content = parquet_bytes(use_dictionary=False, data_page_version="2.0")
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    path = tmp_path / "m.parquet"
    for place in range(start, len(content) - 8):
        for bit in (1, 4, 64):
            changed = bytearray(content)
            changed[place] ^= bit
            path.write_bytes(changed)
            try:
                assert len(verdicts(path)) == 8
            except ValueError as error:
                sentence = str(error)
                assert "\n" not in sentence, sentence


def test_a_file_that_is_no_parquet(tmp_path):
    (tmp_path / "m.parquet").write_text("url\nhttp://a.example/1\n")
    with pytest.raises(ValueError, match="this is no parquet file"):
        rows(tmp_path / "m.parquet")


def test_ids_of_whole_numbers(tmp_path):
    path = written(tmp_path, pa.table({"url": URLS[:2], "n": [7, 8]}))
    assert verdicts(path, ManifestSettings(columns=Columns(id="n"))) == URLS[:2]
