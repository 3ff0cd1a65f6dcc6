"""What clusters are called after faces were removed: by the smallest id of the faces that they still have."""

import pyarrow as pa
import pyarrow.compute as pc

from transforms.tables.rows import Identity, LabelMapping
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import read_footer, read_shard, shard_names, shard_path, write_shard


def mend_cluster_names(run: str) -> None:
    """Have no row of `identities` and `label_map` name a face that is gone; shards that name none stay as they are.

    The faces of the run are those of `identities`; one worker holds their ids and clusters.
    """
    shards = {name: read_shard(shard_path(run, "identities", name)) for name in shard_names(run, "identities")}
    if not shards:
        return
    faces = pa.concat_tables([shard.select(["face_id", "cluster"]) for shard in shards.values()])
    names = new_names(faces)
    for name in shard_names(run, "label_map"):  # first: the old names are told by `identities` only
        path = shard_path(run, "label_map", name)
        clusters = read_shard(path)
        mended = mended_map(clusters, names)
        if not mended.equals(clusters):
            write_shard(path, mended, read_footer(path)[1])
    for name, shard in shards.items():
        renamed = [names.get(cluster, cluster) for cluster in shard["cluster"].to_pylist()]
        if renamed != shard["cluster"].to_pylist():
            place = shard.schema.get_field_index("cluster")
            mended = shard.set_column(place, shard.schema.field(place), pa.array(renamed, pa.string()))
            path = shard_path(run, "identities", name)
            write_shard(path, mended.cast(arrow_schema(Identity)), read_footer(path)[1])


def new_names(faces: pa.Table) -> dict[str, str]:
    """The name that each cluster is to have, by the one it has; `faces` has all face ids (N,), and their clusters."""
    smallest = faces.filter(faces["cluster"].is_valid()).group_by("cluster").aggregate([("face_id", "min")])
    there = pc.is_in(smallest["cluster"], value_set=faces["face_id"].combine_chunks()).to_pylist()
    called = zip(smallest["cluster"].to_pylist(), smallest["face_id_min"].to_pylist(), there, strict=True)
    return {old: old if is_there else new for old, new, is_there in called}


def mended_map(clusters: pa.Table, names: dict[str, str]) -> pa.Table:
    """The rows of `label_map` of the clusters that still have faces, under their new names.

    Clusters that merged into one that has none left are, together, what the first of them is called.
    """
    left = set(names.values())
    rows = [
        row | {"cluster": names.get(row["cluster"], row["cluster"])}
        for row in clusters.to_pylist()
        if row["cluster"] in names or row["cluster"] in left
    ]
    first: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: str(row["cluster"])):
        first.setdefault(row["merged_into"], row["cluster"])
    for row in rows:
        into = names.get(row["merged_into"], row["merged_into"])
        row["merged_into"] = into if into in left else first[row["merged_into"]]
    return pa.Table.from_pylist(rows, arrow_schema(LabelMapping))
