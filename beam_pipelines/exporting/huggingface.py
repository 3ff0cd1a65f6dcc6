"""A dataset for Hugging Face `datasets`: parquet files with pictures as its Image feature has them, and a card.

An Image is a struct of `bytes` and `path`, so that the files show their pictures without the card too.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems

from beam_pipelines.cards.huggingface import export_card
from beam_pipelines.errors import ConfigError
from beam_pipelines.exporting.source import TRAIN, Source, suffix
from transforms.tables.files import commit_file
from transforms.tables.item_ids import safe_id

BYTES_PER_FILE = 256 * 2**20  # about: the Hub asks for files of some hundred megabytes
IMAGE = "image"
_STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def write_huggingface(source: Source, folder: str, record: Mapping[str, Any]) -> int:
    """`data/<split>-00000.parquet` and on, with the pictures in the column `image`, and the card; returns the rows."""
    counts: dict[str, int] = {}
    schema = pa.schema([])
    for split in source.parts():
        name = (split or TRAIN).replace("-", "_")  # for `datasets` it must be a word
        if name in counts:
            raise ConfigError(f"--split {split}: here {name} is another split too; export it by itself.")
        counts[name] = 0
        for rows in _written(source, split, FileSystems.join(folder, "data", name)):
            counts[name] += len(rows)
            schema = rows.schema
    names = [name for name, count in counts.items() if count]
    if not names:
        return 0
    card = export_card(source.table, names, _as_card_has_it(schema), record)
    with commit_file(FileSystems.join(folder, "README.md")) as out:
        out.write(card.encode())
    return sum(counts.values())


def _written(source: Source, split: str | None, stem: str) -> Iterator[pa.Table]:
    """Write the rows of a split to files `<stem>-00000.parquet` and on; gives them as they are written."""
    size, files = BYTES_PER_FILE, 0
    with ExitStack() as opened:
        for rows in source.batches(split):
            rows = _with_image(rows, source)
            if size >= BYTES_PER_FILE:
                opened.close()  # which commits the file before
                out = opened.enter_context(commit_file(f"{stem}-{files:05d}.parquet"))
                writer = opened.enter_context(pq.ParquetWriter(out, rows.schema))
                size, files = 0, files + 1
            writer.write_table(rows)
            size += rows.nbytes
            yield rows


def _with_image(rows: pa.Table, source: Source) -> pa.Table:
    """The rows with their pictures in the first column, as structs, instead of the table's own column of bytes."""
    pictures, keys = rows[source.picture].to_pylist(), rows[source.key].to_pylist()
    cells = [
        {"bytes": picture, "path": f"{safe_id(key)}{suffix(picture)}"}
        for key, picture in zip(keys, pictures, strict=True)
    ]
    others = rows.drop_columns(source.picture).replace_schema_metadata()
    return others.add_column(0, IMAGE, pa.array(cells, _STRUCT))


def _as_card_has_it(schema: pa.Schema) -> pa.Schema:
    """The columns with the picture as the bytes that it is."""
    return pa.schema([pa.field(one.name, pa.binary()) if one.name == IMAGE else one for one in schema])
