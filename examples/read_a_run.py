"""Look into a run from Python: what became of its items, how many faces each identity has, faces as picture files.

python -m examples.read_a_run runs/mine --crops some_faces
"""

import argparse
import sys
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.dataset as ds

import manyfaces


def reasons(run: manyfaces.Run) -> list[tuple[str, str, str, int]]:
    """Stage, state, reason (empty for what was kept) and number of items, the stages in the run's order."""
    keys = ["stage", "state", "reason"]
    counts = run.ledger().group_by(keys, use_threads=False).aggregate([([], "count_all")])
    return [(row["stage"], row["state"], row["reason"], row["count_all"]) for row in counts.to_pylist()]


def faces_per_identity(run: manyfaces.Run) -> dict[int, int]:
    """The number of faces of each identity, by its number; empty for a run that has no identities."""
    if "identities" not in run.tables():
        return {}
    kept = run.table("identities").to_table(columns=["identity"], filter=ds.field("identity").is_valid())
    counts = pc.value_counts(kept["identity"])
    return dict(sorted((one["values"], one["counts"]) for one in counts.to_pylist()))


def save_crops(run: manyfaces.Run, folder: str, most: int = 20) -> list[Path]:
    """The first faces of the run as JPEG files `<face_id>.jpg`; none for a run whose faces are not cut out."""
    if "faces" not in run.tables():
        return []
    Path(folder).mkdir(parents=True, exist_ok=True)
    saved = []
    for face in run.table("faces").head(most, columns=["face_id", "crop"]).to_pylist():
        saved.append(Path(folder, f"{face['face_id']}.jpg"))
        saved[-1].write_bytes(face["crop"])
    return saved


def with_pandas(run: manyfaces.Run, table: str) -> str:
    """The scores of a table's rows, summed up by pandas."""
    try:
        import pandas  # noqa: F401 - Arrow needs it below
    except ModuleNotFoundError:
        return "pandas is not installed; with `pip install pandas` this would be a summary by pandas."
    return str(run.table(table).to_table(columns=["score"]).to_pandas().describe())


def with_duckdb(run: manyfaces.Run, table: str) -> str:
    """The images with most of a table's rows, by SQL; of the shards DuckDB reads that column alone."""
    try:
        import duckdb
    except ModuleNotFoundError:
        return "duckdb is not installed; with `pip install duckdb` this would be a table by SQL."
    with duckdb.connect() as base:
        base.register("rows", run.table(table))
        return str(base.sql("select image_id, count(*) as n from rows group by all order by n desc, image_id limit 5"))


def main(words: list[str] | None = None) -> None:
    """Print what there is to say of a run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", help="the run's folder, local, gs:// or s3://")
    parser.add_argument("--crops", metavar="FOLDER", help="write the first faces there")
    given = parser.parse_args(words)
    run = manyfaces.Run(given.run)
    try:
        counts = reasons(run)
    except manyfaces.ConfigError as error:  # there is no run, or not yet
        sys.exit(str(error))
    for stage, state, reason, items in counts:
        print(f"{stage:12} {state:8} {reason or '-':20} {items:8}")
    for identity, faces in faces_per_identity(run).items():
        print(f"identity {identity}: {faces} faces")
    if given.crops:
        print(f"{len(save_crops(run, given.crops))} faces -> {given.crops}")
    table = next((name for name in ("faces", "detections") if name in run.tables()), None)
    if table:
        print(with_pandas(run, table), with_duckdb(run, table), sep="\n")


if __name__ == "__main__":
    main()
