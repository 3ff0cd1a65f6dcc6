"""Dataset cards: `README.md` of a run and of its bundle, by which Hugging Face `datasets` opens them.

The head in YAML has a configuration for each table, with the types of its columns: so `load_dataset(run, "faces")`
reads that table alone and decodes its pictures, from the shards as they are. The bundle's configurations are its
WebDataset files; where it has none, its table of keypoints.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import yaml

from beam_pipelines.cards.contents import Described, main_table
from beam_pipelines.cards.features import features
from beam_pipelines.cards.text import card_text, table
from transforms.bundle.keypoints import KEYPOINTS

Card = dict[str, Any]

_SAMPLE = [
    *((name, pa.int64()) for name in ("record", "identity")),
    *((name, pa.string()) for name in ("key", "face_id", "body_id", "image_id", "label")),
    *((name, pa.int64()) for name in ("width", "height")),
]  # of `<key>.json`; `source` has other keys in every list, so it is left out
_TAR = pa.schema(
    [
        ("jpg", pa.binary()),
        ("json", pa.struct(_SAMPLE)),
        ("cls", pa.int64()),
        ("__key__", pa.string()),
        ("__url__", pa.string()),
    ]
)


def run_card(tables: Sequence[Described], record: Mapping[str, Any]) -> str:
    """The card of a run with these tables, of which there is at least one."""
    first = main_table(tables)
    head = _head(
        [_config(one.config, one.files, one.name == first) for one in tables],
        [{"config_name": one.config, "features": features(one.schema)} for one in tables],
    )
    loading = f'from datasets import load_dataset\n\nrows = load_dataset(FOLDER, "{first}", split="train")'
    listed = table(
        ["table", "pictures", "columns"],
        [[one.config, ", ".join(one.pictures), ", ".join(one.schema.names)] for one in tables],
    )
    text = card_text(f"A run of {record.get('recipe', '')}", record, loading, ["## Tables", "", listed])
    return head + text


def bundle_card(folders: Sequence[str], keypoints: Described | None, record: Mapping[str, Any]) -> str | None:
    """The card of a bundle with WebDataset files in these folders, or a table of keypoints; None if it has neither."""
    if folders:
        first = "faces" if "faces" in folders else folders[0]
        configs = [_config(name, f"{name}/webdataset/*.tar", name == first) for name in folders]
        infos = [{"config_name": name, "features": features(_TAR)} for name in folders]
    elif keypoints is not None:
        first = "keypoints"
        files = keypoints.files.removeprefix("bundle/")
        configs, infos = [_config(first, files, True)], [{"config_name": first, "features": features(keypoints.schema)}]
    else:
        return None
    loading = f'from datasets import load_dataset\n\nrows = load_dataset(FOLDER, "{first}", split="train")'
    contents = ["The clean identities, for training. `cls` is the number of the identity; some numbers may lack."]
    return _head(configs, infos) + card_text(
        f"The bundle of a run of {record.get('recipe', '')}", record, loading, contents
    )


def export_card(table_name: str, splits: Sequence[str], schema: pa.Schema, record: Mapping[str, Any]) -> str:
    """The card of an export of a table's pictures: one configuration, with a pattern of files for each split."""
    files = [{"split": split, "path": f"data/{split}-*.parquet"} for split in splits]
    config = {"config_name": "default", "data_files": files}
    loading = f'from datasets import load_dataset\n\nrows = load_dataset(FOLDER, split="{splits[0]}")'
    contents = [f"The table `{table_name}`, with its pictures in the column `image`."]
    head = _head([config], [{"config_name": "default", "features": features(schema)}])
    return head + card_text(
        f"{table_name.capitalize()} of a run of {record.get('recipe', '')}", record, loading, contents
    )


def keypoints_of(tables: Sequence[Described]) -> Described | None:
    """The table of keypoints, if it is among these."""
    return next((one for one in tables if one.name == KEYPOINTS), None)


def _config(name: str, files: str, default: bool) -> Card:
    config: Card = {"config_name": name, "data_files": [{"split": "train", "path": files}]}
    return config | {"default": True} if default else config


def _head(configs: list[Card], infos: list[Card]) -> str:
    head = {"license": "other", "license_name": "see-the-text", "configs": configs, "dataset_info": infos}
    return f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}---\n\n"
