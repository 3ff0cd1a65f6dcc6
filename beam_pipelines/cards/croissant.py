"""Croissant metadata (mlcommons.org/croissant, 1.1): the tables of a run and what each column means, as JSON-LD.

Its file sets are patterns below the folder of `croissant.json`, so that it stays true wherever the folder is moved.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from beam_pipelines.cards.contents import Described

Json = dict[str, Any]

_CR = (
    *(
        "arrayShape",
        "citeAs",
        "column",
        "equivalentProperty",
        "extract",
        "field",
        "fileProperty",
        "fileObject",
        "fileSet",
    ),
    *("format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet"),
    *("references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField", "transform"),
)
_CONTEXT = {  # the one that the specification prescribes
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{term: f"cr:{term}" for term in _CR},
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}


def croissant(tables: Sequence[Described], record: Mapping[str, Any]) -> Json:
    """The metadata of a run with these tables: a set of parquet files and a set of records for each."""
    recipe = record.get("recipe", "")
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": f"manyfaces-{recipe}",
        "description": f"A run of manyfaces with the recipe {recipe}; README.md has counts, models and rights.",
        "license": "README.md",
        "version": record.get("versions", {}).get("manyfaces", "0"),
        "distribution": [_file_set(table) for table in tables],
        "recordSet": [_records(table) for table in tables],
    }


def _file_set(table: Described) -> Json:
    return {
        "@type": "cr:FileSet",
        "@id": _files_id(table),
        "encodingFormat": "application/x-parquet",
        "includes": table.files,
    }


def _files_id(table: Described) -> str:
    return f"{table.config}-files"


def _records(table: Described) -> Json:
    first = table.schema.field(0)
    key = {"key": {"@id": _field_id(table, first)}} if _meaning(first).startswith("key") else {}
    fields = [_field(table, field) for field in table.schema]
    return {"@type": "cr:RecordSet", "@id": table.config, "name": table.config, **key, "field": fields}


def _field_id(table: Described, field: pa.Field) -> str:
    return f"{table.config}/{field.name}"


def _field(table: Described, field: pa.Field) -> Json:
    kind, shape = field.type, []
    while pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        shape.append(kind.list_size if pa.types.is_fixed_size_list(kind) else -1)
        kind = kind.value_type
    array = {"isArray": True, "arrayShape": ",".join(map(str, shape))} if shape else {}
    return {
        "@type": "cr:Field",
        "@id": _field_id(table, field),
        "name": field.name,
        "description": _meaning(field),
        "dataType": _data_type(kind),
        **array,
        "source": {"fileSet": {"@id": _files_id(table)}, "extract": {"column": field.name}},
    }


def _meaning(field: pa.Field) -> str:
    meaning: bytes = (field.metadata or {}).get(b"meaning", b"")
    return meaning.decode()


def _data_type(kind: pa.DataType) -> str:
    if pa.types.is_binary(kind):
        return "sc:ImageObject"
    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(kind) else "sc:Text"
