"""Packed and mislabelled lists, and lists of every encoding, are read or refused in one sentence."""

import gzip

import pytest

from tests.transforms.fetch.lists.list_samples import URLS, csv_text, packed, parquet_bytes, rows, urls, verdicts
from transforms.fetch.lists import text

CSV = csv_text("é {}")
ENCODINGS = {
    "UTF-8": CSV.encode(),
    "UTF-8 with its mark": CSV.encode("utf-8-sig"),
    "UTF-16": CSV.encode("utf-16"),
    "UTF-16, big end first": "\ufeff".encode("utf-16-be") + CSV.encode("utf-16-be"),
    "UTF-16 without its mark": CSV.encode("utf-16-le"),
    "UTF-16 without its mark, big end first": CSV.encode("utf-16-be"),
    "UTF-32": CSV.encode("utf-32"),
    "UTF-32, big end first": "\ufeff".encode("utf-32-be") + CSV.encode("utf-32-be"),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("kind", ["", "gz"])
def test_encodings(tmp_path, encoding, kind):
    content = ENCODINGS[encoding]
    path = tmp_path / "m.csv"
    path.write_bytes(packed(kind, content) if kind else content)
    assert [(row["url"], row["caption"]) for row in rows(path)] == [(url, f"é {n}") for n, url in enumerate(URLS)]


def test_half_a_character_spoils_its_row_only(tmp_path):
    half, other = "\ud800".encode("utf-16-le", "surrogatepass"), "url,caption\n{},x\n{},{}\n{},y\n"
    raw = other.format(URLS[0], URLS[1], "@", URLS[2]).encode("utf-16-le").replace("@".encode("utf-16-le"), half)
    (tmp_path / "m.csv").write_bytes(b"\xff\xfe" + raw)
    assert verdicts(tmp_path / "m.csv") == URLS[:3]
    assert rows(tmp_path / "m.csv")[1]["caption"] != ""
    raw = other.format(URLS[0], "http://a.example/@", "x", URLS[2]).encode("utf-16-le")
    (tmp_path / "m.csv").write_bytes(b"\xff\xfe" + raw.replace("@".encode("utf-16-le"), half))
    assert [verdict[0] if isinstance(verdict, tuple) else verdict for verdict in verdicts(tmp_path / "m.csv")] == [
        URLS[0],
        "bad_row",
        URLS[2],
    ]


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zst"])
@pytest.mark.parametrize("name", ["m.csv", "m.csv.gz", "m.csv.zst", "m.CSV.GZ"])
def test_what_a_file_is_packed_with_is_told_by_its_bytes(tmp_path, kind, name):
    (tmp_path / name).write_bytes(packed(kind, csv_text().encode()))
    assert urls(tmp_path / name) == URLS
    (tmp_path / name).write_bytes(csv_text().encode())
    assert urls(tmp_path / name) == URLS


def test_packed_files_one_behind_the_other_are_one(tmp_path):
    whole = csv_text().encode()
    (tmp_path / "m.csv.gz").write_bytes(gzip.compress(whole[:100]) + gzip.compress(whole[100:]) + bytes(512))
    assert urls(tmp_path / "m.csv.gz") == URLS


@pytest.mark.parametrize("name", ["m.csv", "m.parquet", "m.jsonl"])
def test_a_parquet_file_is_one_whatever_its_name(tmp_path, name):
    (tmp_path / name).write_bytes(parquet_bytes())
    assert urls(tmp_path / name) == URLS


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(csv_text().encode())[:-5], "the gzip file is cut or damaged"),
        (gzip.compress(csv_text().encode())[:40] + b"xxxx" * 20, "the gzip file is cut or damaged"),
        (gzip.compress(csv_text().encode()) + b"garbage", "the gzip file is cut or damaged"),
        (packed("zst", csv_text().encode())[:-5], "the zstd file is cut or damaged"),
        (packed("xz", csv_text().encode())[:-5], "the xz file is cut or damaged"),
        (packed("bz2", csv_text().encode())[:-5], "the bzip2 file is cut or damaged"),
        (gzip.compress(parquet_bytes()), "this is a parquet file, packed"),
        (b"PK\x03\x04" + bytes(50), "a zip archive or an Excel workbook"),
        (b"\xd0\xcf\x11\xe0" + bytes(50), "an old Excel workbook"),
        (b"ARROW1" + bytes(50), "Feather"),
        (bytes(50), "no column 'url'"),
    ],
)
def test_what_is_no_list_is_a_sentence(tmp_path, content, message):
    (tmp_path / "m.csv.gz").write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        rows(tmp_path / "m.csv.gz")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zst"])
def test_a_packed_list_that_grows_too_much_is_refused(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(text, "LARGE", 100_000)
    content = "url\n" + "http://a.example/1\n" * 100_000
    (tmp_path / "m.csv").write_bytes(packed(kind, content.encode()))
    with pytest.raises(ValueError, match=r"unpacks to more than \d+ bytes; no list does"):
        urls(tmp_path / "m.csv")


def test_a_line_without_end_is_one_bad_row(tmp_path, monkeypatch):
    for module in ("text", "delimited", "read", "json_records"):
        monkeypatch.setattr(f"transforms.fetch.lists.{module}.MAX_RECORD", 1000)
    for name, head in (("m.csv", "url\n"), ("m.txt", ""), ("m.jsonl", "")):
        item = '{"url": "http://a.example/1"}' if name == "m.jsonl" else "http://a.example/1"
        (tmp_path / name).write_text(f"{head}{item}\n{'x' * 5000}\r\n{item}\n" + "y" * 1000)
        found = rows(tmp_path / name)
        assert [isinstance(row, str) for row in found] == [False, True, False, True]
        assert "more than 1000 characters" in found[1]
