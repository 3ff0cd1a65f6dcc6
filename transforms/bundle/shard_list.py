"""The list of a format's files, `shards.json`, in the form that WebDataset's `wids` reads.

It is an object with the constants `__kind__` and `wids_version`, and `shardlist`, an object for each file: `url` (its
name beside the list), `nsamples`, `filesize` in bytes (webdataset, wids/wids_specs.py).
"""

import json
from collections.abc import Sequence
from functools import partial

from apache_beam.io.filesystems import FileSystems

from transforms.bundle.sink import Part, Splits, Whole
from transforms.tables.files import commit_file

NAME = "shards.json"


def shard_list(suffix: str) -> Whole:
    """The list of a format whose parts are one file each, `<stem><suffix>`."""
    return Whole(lambda splits: [NAME], partial(_write, suffix))


def _write(suffix: str, folder: str, parts: Sequence[Part], splits: Splits) -> None:
    found = FileSystems.match([FileSystems.join(folder, f"*{suffix}")])[0].metadata_list
    size = {FileSystems.split(one.path)[1]: one.size_in_bytes for one in found}
    names = [FileSystems.split(part.stem)[1] + suffix for part in parts]
    shards = [
        {"url": name, "nsamples": len(part.records), "filesize": size[name]}
        for name, part in zip(names, parts, strict=True)
    ]
    index = {"__kind__": "wids-shard-index-v1", "wids_version": 1, "shardlist": shards}
    with commit_file(FileSystems.join(folder, NAME)) as out:
        out.write((json.dumps(index, indent=1) + "\n").encode())
