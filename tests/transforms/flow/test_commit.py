from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import pairwise
from threading import Thread

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.object_store import new_folder
from transforms.flow import commit
from transforms.flow.commit import SEEN, CommitShards, Output, commit_chunk, unpaired
from transforms.flow.items import Item, Outcome, kept, passed, rejected
from transforms.tables.attempt import Superseded, begin_attempt
from transforms.tables.ledger import ledger_table, tally
from transforms.tables.reasons import Rejected
from transforms.tables.rows import ListedImage
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import read_column, read_shard, shard_names, shard_path


@cache
def attempt(run: str) -> str:
    return begin_attempt(run)


def target(run: str) -> Output:
    return Output(run, "double", "doubles", arrow_schema(ListedImage), attempt(run))


def outcome(chunk: str, place: int, share: Fraction, n_rows: int) -> Outcome[ListedImage]:
    """An item that became so many rows; 0: dropped; -1: one that never entered."""
    name = f"{chunk}-{place}"
    item = Item(chunk, (place,), share, None if n_rows < 0 else name)
    if n_rows < 0:
        return passed(item)
    if n_rows == 0:
        return rejected(item, name, Rejected("no_face"))
    rows = tuple(ListedImage(f"{name}-{i}", "http://host", None, "{}") for i in range(n_rows))
    return kept(item, name, rows)


def chunk_of(chunk: str, counts: list[int]) -> list[Outcome[ListedImage]]:
    return [outcome(chunk, place, Fraction(1, len(counts)), n) for place, n in enumerate(counts)]


def check(run: str, chunk: str, counts: list[int]) -> None:
    """The chunk's shards have its rows and verdicts, in order."""
    ids = [f"{chunk}-{place}-{i}" for place, n in enumerate(counts) for i in range(n)]
    assert read_shard(shard_path(run, "doubles", chunk))["image_id"].to_pylist() == ids
    ledger = read_shard(shard_path(run, ledger_table("double"), chunk)).to_pylist()
    assert [(entry["item_id"], entry["rows"]) for entry in ledger] == [
        (f"{chunk}-{place}", n) for place, n in enumerate(counts) if n >= 0
    ]


def run_commit(run: str, bundles: list[list[Outcome[ListedImage]]]) -> None:
    """What a runner does with the two DoFns: each list is one bundle, and a shuffle gathers what they let out."""
    whole, gathered = commit._CommitWhole(target(run)), commit._CommitGathered(target(run))
    torn: dict[str, list[list[Outcome[ListedImage]]]] = {}
    for bundle in bundles:
        whole.start_bundle()
        for one in bundle:
            whole.process(one)
        for windowed in whole.finish_bundle():
            chunk, some = windowed.value
            torn.setdefault(chunk, []).append(some)
    for one in torn.items():
        gathered.process(one)


@pytest.mark.parametrize("counts", [[-1], [0], [1], [3], [-1, -1], [0, 2, -1, 1]])
def test_a_chunk_becomes_one_shard_and_one_ledger_shard(folder, counts):
    commit_chunk(target(folder), "00000", reversed(chunk_of("00000", counts)))
    check(folder, "00000", counts)


def test_the_ledger_is_written_last(monkeypatch, folder):
    """It says that a chunk is done: killed between the two writes, the chunk is done again."""

    def killed(*_: object) -> None:
        assert shard_names(folder, "doubles") == ["00000"]
        raise KeyboardInterrupt

    monkeypatch.setattr(commit, "write_ledger", killed)
    with pytest.raises(KeyboardInterrupt):
        commit_chunk(target(folder), "00000", chunk_of("00000", [1]))
    assert shard_names(folder, ledger_table("double")) == []
    monkeypatch.undo()
    commit_chunk(target(folder), "00000", chunk_of("00000", [2, 0]))
    check(folder, "00000", [2, 0])


def test_no_outcomes_commit_nothing(folder):
    run_commit(folder, [])
    run_commit(folder, [[]])
    assert shard_names(folder, "doubles") == []


arrivals = st.dictionaries(
    st.sampled_from(["00000", "00001", "r0001-double-00000"]), st.lists(st.integers(-1, 3), min_size=1, max_size=6)
).flatmap(
    lambda chunks: st.tuples(
        st.just(chunks),
        st.permutations([one for chunk, counts in chunks.items() for one in chunk_of(chunk, counts)]),
        st.lists(st.integers(0, 18), max_size=4).map(sorted),
    )
)


@given(arrivals)
def test_any_order_in_any_bundles_commits_each_chunk_once(arrival):
    chunks, outcomes, cuts = arrival
    run = new_folder()
    written: Counter[str] = Counter()
    original = commit.commit_chunk
    commit.commit_chunk = lambda target, chunk, some: (written.update([chunk]), original(target, chunk, some))
    try:
        run_commit(run, [outcomes[a:b] for a, b in pairwise([0, *cuts, len(outcomes)])])
    finally:
        commit.commit_chunk = original
    assert written == dict.fromkeys(chunks, 1)
    for chunk, counts in chunks.items():
        check(run, chunk, counts)
    counts = tally(run, "double")
    assert counts.rows == sum(max(n, 0) for some in chunks.values() for n in some)
    assert counts.items == sum(n >= 0 for some in chunks.values() for n in some)


@pytest.mark.parametrize(("lost", "words"), [(1, r"0\.667 of chunk 00000 arrived"), (-1, r"1\.333 of chunk 00000")])
def test_lost_or_repeated_items_are_an_error_and_no_shard(folder, lost, words):
    outcomes = chunk_of("00000", [1, 1, 1])
    outcomes = outcomes[:2] if lost > 0 else [outcomes[0], *outcomes]
    gathered = commit._CommitGathered(target(folder))
    with pytest.raises(RuntimeError, match=f"stage double: {words}"):
        gathered.process(("00000", [outcomes]))
    assert shard_names(folder, "doubles") == []


@pytest.mark.parametrize("reshuffled", [False, True])
def test_a_real_runner_puts_torn_chunks_together(tmp_path, reshuffled):
    """A shuffle between stage and commit scatters the outcomes of each chunk over bundles and workers."""
    run = str(tmp_path)
    shapes = {f"{n:05d}": [(n + i) % 4 - 1 for i in range(n + 1)] for n in range(12)}
    outcomes = [one for chunk, counts in shapes.items() for one in chunk_of(chunk, counts)]
    options = beam.options.pipeline_options.PipelineOptions(direct_num_workers=2, direct_running_mode="multi_threading")
    with beam.Pipeline(runner=FnApiRunner(), options=options) as pipeline:
        scattered = pipeline | beam.Create(outcomes, reshuffle=reshuffled)
        if reshuffled:
            scattered = scattered | beam.Reshuffle(num_buckets=7)
        _ = scattered | CommitShards(target(run))
    assert shard_names(run, "doubles") == sorted(shapes)
    for chunk, counts in shapes.items():
        check(run, chunk, counts)


def test_threads_of_one_process_count_together(tmp_path):
    before = SEEN["double", "kept"]
    run = new_folder()

    def work(worker: int) -> None:
        dofn = commit._CommitWhole(target(run))
        dofn.start_bundle()
        for place in range(2000):
            dofn.process(outcome(str(worker), place, Fraction(1, 10**6), 1))

    threads = [Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert SEEN["double", "kept"] - before == 8000


def test_the_same_chunk_again_replaces_its_shards(folder):
    commit_chunk(target(folder), "00000", chunk_of("00000", [3, 3]))
    commit_chunk(target(folder), "00000", chunk_of("00000", [1]))
    check(folder, "00000", [1])
    assert read_column(folder, "doubles", ["image_id"]).num_rows == 1


def test_a_worker_of_an_earlier_attempt_commits_nothing(folder):
    old = target(folder)
    begin_attempt(folder)
    with pytest.raises(Superseded, match=f"{folder} was started again"):
        commit_chunk(old, "00000", chunk_of("00000", [1]))
    assert shard_names(folder, "doubles") == []


def test_a_run_that_starts_between_the_two_writes_keeps_the_ledger_shard_out(monkeypatch, folder):
    write = commit.write_rows
    monkeypatch.setattr(commit, "write_rows", lambda *given: (write(*given), begin_attempt(folder)))
    with pytest.raises(Superseded):
        commit_chunk(target(folder), "00000", chunk_of("00000", [1]))
    assert shard_names(folder, ledger_table("double")) == []


def test_a_chunk_that_two_workers_saw_differently_is_found(monkeypatch, folder):
    """One writes its rows and ledger between the other's two writes."""
    for name in ("00000", "00001"):
        commit_chunk(target(folder), name, chunk_of(name, [1, 0]))
    assert unpaired(folder, "double", "doubles", {"00000", "00001", "00002"}) == []
    write = commit.write_ledger

    def late(*given) -> None:
        monkeypatch.setattr(commit, "write_ledger", write)
        commit_chunk(target(folder), "00001", chunk_of("00001", [1, 1]))
        write(*given)

    monkeypatch.setattr(commit, "write_ledger", late)
    commit_chunk(target(folder), "00001", chunk_of("00001", [0, 1]))
    assert unpaired(folder, "double", "doubles", {"00000", "00001"}) == ["00001"]
    assert unpaired(folder, "double", "doubles", {"00000"}) == []
