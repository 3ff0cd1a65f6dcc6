"""Labels are read from CSV, TSV and parquet whatever their columns are called; what cannot count is counted apart."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transforms.evaluation import labels
from transforms.evaluation.labels import LabelColumns, read_labels


def read(path, content, item=None, identity=None):
    path.write_text(content, encoding="utf-8")
    return read_labels(str(path), LabelColumns(item, identity))


def pairs(found):
    people = found.identities.to_pylist()
    return dict(zip(found.names.to_pylist(), [people[place] for place in found.identity.tolist()], strict=True))


def counts(found):
    items = (found.items, found.without_identity, found.several_identities)
    return (found.rows, found.unreadable_rows, found.rows_without_item), items


def test_no_rows(tmp_path):
    found = read(tmp_path / "labels.csv", "item,identity\n")
    assert (pairs(found), counts(found)) == ({}, ((0, 0, 0), (0, 0, 0)))


@pytest.mark.parametrize(
    ("content", "item", "identity"),
    [
        ("item,identity\na,x\nb,y\n", None, None),
        ("File;Person\na;x\nb;y\n", None, None),
        ("\ufeffidentity\tface_id\tfile\nx\ta\tother\ny\tb\tother\n", None, None),
        ("url,label,name\na,1,x\nb,1,y\n", None, None),
        ("key,who,file\na,x,1\nb,y,1\n", "key", "who"),
        ("item,identity,key,who\n1,2,a,x\n1,2,b,y\n", "key", "who"),
        ('item,identity\n"a","x"\n"b","y"\n', None, None),
    ],
)
def test_columns_are_found_by_their_usual_names_or_as_told(tmp_path, content, item, identity):
    assert pairs(read(tmp_path / "labels.csv", content, item, identity)) == {"a": "x", "b": "y"}


def test_tsv_and_packed_files_and_folders(tmp_path):
    (tmp_path / "parts").mkdir()
    read(tmp_path / "parts" / "1.tsv", "item\tidentity\na\tx\n")
    read(tmp_path / "parts" / "2.tsv", "item\tidentity\nb\ty\n")
    assert pairs(read_labels(str(tmp_path / "parts"), LabelColumns())) == {"a": "x", "b": "y"}


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_parquet(tmp_path, kind):
    table = pa.table({"file": pa.array(["a", "b", "c", None]), "identity": pa.array(["x", "y", None, "x"]).cast(kind)})
    pq.write_table(table, tmp_path / "labels.parquet")
    found = read_labels(str(tmp_path / "labels.parquet"), LabelColumns())
    assert (pairs(found), counts(found)) == ({"a": "x", "b": "y"}, ((4, 0, 1), (3, 1, 0)))


def test_numbers_of_parquet_are_text(tmp_path):
    pq.write_table(pa.table({"id": [7, 8], "person_id": [1, 1]}), tmp_path / "labels.parquet")
    assert pairs(read_labels(str(tmp_path / "labels.parquet"), LabelColumns())) == {"7": "1", "8": "1"}


@pytest.mark.parametrize("at_once", [1, 2, 65_536])
def test_what_has_not_one_identity_is_left_out_and_counted(tmp_path, monkeypatch, at_once):
    monkeypatch.setattr(labels, "_ROWS_AT_A_TIME", at_once)
    lines = [
        "item,identity",
        "same,x", "same,x",
        "two,x", "two,y",
        "none,", "blank,  ",
        "piped,x|y",
        "once,x", "once,",
        ",x",
        "too,many,cells",
        '"long","' + 100_001 * "x" + '"',
    ]  # fmt: skip
    found = read(tmp_path / "labels.csv", "\n".join(lines))
    assert pairs(found) == {"same": "x", "once": "x"}
    assert counts(found) == ((12, 2, 1), (6, 2, 2))


@pytest.mark.parametrize(
    ("name", "content", "columns", "message"),
    [
        (
            "l.csv",
            "a,b\n1,2\n",
            LabelColumns(),
            r"columns are a, b; none is called 'item' or as usual: .*--item-column",
        ),
        ("l.csv", "item,b\n1,2\n", LabelColumns(), r"'identity' or as usual: .* --identity-column NAME\.$"),
        ("l.csv", "item,identity\n1,2\n", LabelColumns("file"), r"none is called 'file': say .* --item-column NAME\.$"),
        ("l.csv", "", LabelColumns(), "columns are none"),
        ("l.jsonl", '{"item": 1}\n', LabelColumns(), "labels are CSV, TSV or parquet, and the name says which"),
        ("l.pickle", "cos\nsystem\n", LabelColumns(), "labels are CSV, TSV or parquet"),
        ("l.parquet", "item,identity\n1,2\n", LabelColumns(), "no parquet file"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path, name, content, columns, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=message) as told:
        read_labels(str(tmp_path / name), columns)
    assert str(told.value).count("\n") == 0


def test_no_file(tmp_path):
    with pytest.raises(ValueError, match="there is no such file"):
        read_labels(str(tmp_path / "none.csv"), LabelColumns())
