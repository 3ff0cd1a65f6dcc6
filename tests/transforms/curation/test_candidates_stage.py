"""Candidates: which faces are left out, whatever the shards; the limit told while a run goes on."""

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.video_rows import face, write_faces, write_manifest
from transforms.curation import candidates_stage
from transforms.curation.candidates_stage import choose_candidates, is_full
from transforms.curation.settings import CandidateSettings
from transforms.tables.ledger import ledger_table, read_ledger, tally, write_ledger
from transforms.tables.shards import read_column, shard_names
from transforms.tables.verdicts import Verdict

NO_LIMITS = CandidateSettings(max_faces_per_video=None, max_bytes=None)


def choose(run, chosen):
    return candidates_stage.choose(run, chosen, "embeddings")


def left_out(run):
    table = read_column(run, "left_out", ["face_id", "reason"])
    return dict(zip(table["face_id"].to_pylist(), table["reason"].to_pylist(), strict=True))


def test_no_faces(folder):
    write_manifest(folder, [])
    write_faces(folder, "00000", [])
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        _ = pipeline | choose_candidates(CandidateSettings(), "embeddings").transform(folder)
    assert left_out(folder) == {}
    assert tally(folder, "candidates").items == 0
    assert is_full(folder, {"00000"}, CandidateSettings()) is None


def test_of_a_video_the_best_faces_are_taken(folder):
    write_manifest(folder, ["b", "a"])
    rows = [face("a", n, composite=0.1 * n) for n in range(4)] + [face("b", n, composite=0.5) for n in (12, 3, 1)]
    write_faces(folder, "00000", rows)
    assert choose(folder, CandidateSettings(max_faces_per_video=2)) == 4
    # equal ones by id, as text
    assert left_out(folder) == dict.fromkeys(["a-n0-f0", "a-n1-f0", "b-n3-f0"], "over_video_limit")
    assert tally(folder, "candidates").by_reason == {"kept": 4, "over_video_limit": 3}
    states = {row["item_id"]: row["state"] for _, t in read_ledger(folder, "candidates") for row in t.to_pylist()}
    assert len(states) == 7
    assert states["a-n0-f0"] == "dropped"
    assert states["a-n3-f0"] == "kept"


@pytest.mark.parametrize(
    ("limit", "taken"),
    [(1, "c"), (200, "c"), (201, "ca"), (400, "ca"), (401, "cab"), (None, "cab")],
)
def test_videos_are_taken_in_the_manifest_s_order_up_to_the_size(tmp_path, limit, taken):
    run = str(tmp_path)
    write_manifest(run, ["none", "c", "a", "b"])
    for name, video in (("00000", "c"), ("00001", "a"), ("r0001-download-00000", "b")):
        write_faces(run, name, [face(video, n) for n in range(3)])  # two are taken, of 100 bytes each
    chosen = CandidateSettings(max_faces_per_video=2, max_bytes=limit)
    choose(run, chosen)
    out = left_out(run)
    assert {video for video in "abc" if out.get(f"{video}-n0-f0") != "over_size_limit"} == set(taken)
    assert {video for video in "abc" if out[f"{video}-n2-f0"] == "over_video_limit"} == set(taken)


@pytest.mark.parametrize(
    ("chunks", "limit", "full"),
    [
        ((), 1, False),
        (("00000",), 200, True),
        (("00000",), 201, False),
        (("00000", "00001"), 400, True),
        (("00000", "00001", "00002"), 401, False),  # 00002 is not committed
        (("00000", "00001"), None, False),
    ],
)
def test_the_limit_is_told_of_the_chunks_that_are_done(tmp_path, chunks, limit, full):
    run = str(tmp_path)
    write_manifest(run, ["c", "a", "b", "d"], per_shard=1)
    for name, video in (("00000", "c"), ("00001", "a")):
        write_faces(run, name, [face(video, n) for n in range(3)])
    told = is_full(run, chunks, CandidateSettings(max_faces_per_video=2, max_bytes=limit))
    assert (told is not None) == full
    if full:
        assert f"the limit candidates.max_bytes, {limit}" in told


def test_a_video_that_is_in_no_list_is_one_sentence(tmp_path):
    write_manifest(str(tmp_path), ["a"])
    write_faces(str(tmp_path), "00000", [face("b")])
    with pytest.raises(ValueError, match="the manifest lacks b"):
        choose(str(tmp_path), NO_LIMITS)


def test_what_was_done_with_other_faces_left_out_is_done_again(folder):
    chosen = CandidateSettings(max_faces_per_video=2)
    write_manifest(folder, ["a", "b"], per_shard=1)
    for name, video in (("00000", "a"), ("00001", "b")):
        write_faces(folder, name, [face(video, n) for n in range(3)])
    choose(folder, chosen)
    for name, video in (("00000", "a"), ("00001", "b")):
        write_ledger(folder, "embeddings", name, [(Verdict(f"{video}-n{n}-f0", "kept"), 1) for n in range(2)])
    choose(folder, chosen)  # nothing has changed
    assert shard_names(folder, ledger_table("embeddings")) == ["00000", "00001"]
    write_faces(folder, "r0001-detections-00000", [face("a", 7, composite=0.9)])
    choose(folder, chosen)
    assert shard_names(folder, ledger_table("embeddings")) == ["00001"]
    assert left_out(folder) == dict.fromkeys(["a-n1-f0", "a-n2-f0", "b-n2-f0"], "over_video_limit")


@given(seed=st.integers(0, 1000), per_shard=st.integers(1, 4), limit=st.sampled_from([150, 500, 1300]))
@settings(max_examples=15)
def test_shards_and_order_change_nothing(tmp_path_factory, seed, per_shard, limit):
    random = np.random.default_rng(seed)
    videos = [f"v{n}" for n in range(6)]
    rows = [
        face(video, int(n), composite=float(random.integers(0, 4)) / 4, crop_bytes=int(random.integers(50, 150)))
        for video in videos
        for n in range(random.integers(0, 6))
    ]
    found = []
    for shards in (1, per_shard):
        run = str(tmp_path_factory.mktemp("run"))
        write_manifest(run, videos, per_shard)
        shuffled = [rows[i] for i in random.permutation(len(rows))]
        for name in range(shards):
            write_faces(run, f"{name:05d}", shuffled[name::shards])
        choose(run, CandidateSettings(max_faces_per_video=3, max_bytes=limit))
        found.append(left_out(run))
    assert found[0] == found[1]
