"""A run with tracks that needs no video: three videos in two shards, one shot tried again, one failed, one empty."""

from tests.track_rows import shot, shot_objects, track, video
from transforms.tables.ledger import write_ledger
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, to_table, write_shard
from transforms.tables.track_rows import PassedShot, ShotObjects, Track
from transforms.tables.verdicts import verdict
from transforms.tables.video_rows import Video

AGAIN = "r0001-objects-00000"  # the chunk of what was tried again


def write(run, kind, table, name, *rows):
    write_shard(shard_path(run, table, name), to_table(rows, arrow_schema(kind)))


def tell(run, stage, name, **codes):
    """A ledger shard: a reason, or an empty one, for each shot; `__` stands for `-`."""
    entries = {shot_id.replace("__", "-"): code for shot_id, code in codes.items()}
    write_ledger(run, stage, name, [(verdict(shot_id, code), 0) for shot_id, code in entries.items()])


def write_run(run, retried=True):
    """Video a: shot 0 with two tracks, 1 with one, 2 without any object; b: shot 0 failed, 1 without a track; x: none.

    With `retried`, shot 0 of a is in shards of its own, behind those of the others.
    """
    first = AGAIN if retried else "00000"
    write(run, Video, "videos", "00000", video("a"), video("b"))
    write(run, Video, "videos", "00001", video("x.parquet", frames=10, fps=29.97))
    write(run, PassedShot, "passed_shots", "00000", *(shot("a", n) for n in (0, 1, 2)), shot("b", 0), shot("b", 1))
    write(run, PassedShot, "passed_shots", "00001")
    rows = [shot_objects("a", 0)], [shot_objects("a", 1), shot_objects("b", 0), shot_objects("b", 1)]
    found = [track("a", 0, 0), track("a", 0, 1, frames=2)], [track("a", 1, 0)]
    if retried:
        for table, kind, (early, late) in (("objects", ShotObjects, rows), ("tracks", Track, found)):
            write(run, kind, table, first, *early)
            write(run, kind, table, "00000", *late)
        tell(run, "tracks", first, a__s0="")
        tell(run, "tracks", "00000", a__s1="", b__s0="internal_error", b__s1="no_track")
    else:
        write(run, ShotObjects, "objects", "00000", *rows[0], *rows[1])
        write(run, Track, "tracks", "00000", *found[0], *found[1])
        tell(run, "tracks", "00000", a__s0="", a__s1="", b__s0="internal_error", b__s1="no_track")
    tell(run, "objects", "00000", a__s0="", a__s1="", a__s2="no_object", b__s0="", b__s1="")
    for table, kind in (("objects", ShotObjects), ("tracks", Track)):
        write(run, kind, table, "00001")
