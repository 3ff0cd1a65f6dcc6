import pytest

from beam_pipelines.driver.work import pending
from tests.beam_pipelines.numbers_recipe import Number, NumbersConfig, stages
from transforms.flow.chunks import Chunk
from transforms.flow.stages import Job
from transforms.tables.ledger import write_ledger
from transforms.tables.retry import plan_retry
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, to_table, write_shard
from transforms.tables.verdicts import Verdict

TABLES = {"double": "doubles", "halve": "halves"}


def job(run: str, *names: str) -> Job:
    return Job(1, tuple(stage for stage in stages(NumbersConfig()) if stage.name in names))


def shard(run: str, table: str, name: str, n: int = 2) -> None:
    rows = [Number(f"{name}-{i}", i) for i in range(n)]
    write_shard(shard_path(run, table, name), to_table(rows, arrow_schema(Number)))


def done(run: str, stage: str, name: str, code: str = "") -> None:
    """The stage has committed the chunk; with a code its first item failed."""
    shard(run, TABLES[stage], name, 1 if code else 2)
    state = "failed" if code else "kept"
    verdicts = [(Verdict(f"{name}-0", state, code), int(not code)), (Verdict(f"{name}-1", "kept"), 1)]
    write_ledger(run, stage, name, verdicts)


def summary(work) -> list[tuple[str, list[str]]]:
    return [("+".join(stage.name for stage in one.stages), [chunk.name for chunk in one.chunks]) for one in work]


def test_without_a_manifest_there_is_nothing_to_do(folder):
    assert pending(folder, job(folder, "double", "halve")) == []


def test_all_chunks_go_through_all_stages_at_first(folder):
    for name in ("00000", "00001"):
        shard(folder, "manifest", name, 3)
    (work,) = pending(folder, job(folder, "double", "halve"))
    assert [stage.name for stage in work.stages] == ["double", "halve"]
    assert work.chunks == tuple(Chunk(name, "manifest") for name in ("00000", "00001"))
    assert work.items(folder) == 6


CASES = [
    ([("double", "0"), ("halve", "0"), ("double", "1"), ("halve", "1")], ("double", "halve"), []),
    ([("double", "0"), ("halve", "0")], ("double", "halve"), [("double+halve", ["1"])]),
    ([("double", "0")], ("double", "halve"), [("double+halve", ["1"]), ("halve", ["0"])]),
    ([("halve", "0")], ("double", "halve"), [("double+halve", ["0", "1"])]),
    ([("double", "0"), ("double", "1")], ("double",), []),
    ([("double", "0"), ("double", "1")], ("halve",), [("halve", ["0", "1"])]),
    ([("double", "0"), ("double", "1"), ("halve", "1")], ("halve",), [("halve", ["0"])]),
]


@pytest.mark.parametrize(("committed", "names", "expected"), CASES)
def test_a_chunk_enters_where_it_is_not_committed(folder, committed, names, expected):
    for name in ("0", "1"):
        shard(folder, "manifest", name)
    for stage, name in committed:
        done(folder, stage, name)
    assert summary(pending(folder, job(folder, *names))) == expected


def test_a_shard_without_its_ledger_is_not_committed(folder):
    """The job was killed between the two writes."""
    shard(folder, "manifest", "0")
    shard(folder, "doubles", "0")
    assert summary(pending(folder, job(folder, "double", "halve"))) == [("double+halve", ["0"])]


def test_retries_enter_at_their_stage_and_flow_on(folder):
    shard(folder, "manifest", "0")
    done(folder, "double", "0", "timeout")
    done(folder, "halve", "0", "model_error")
    for stage in ("double", "halve"):
        assert plan_retry(folder, stage, transient_only=False, rows_per_shard=1) == 1
    first, second = "r0001-double-00000", "r0002-halve-00000"
    both, last = pending(folder, job(folder, "double", "halve"))
    assert summary([both, last]) == [("double+halve", [first]), ("halve", [second])]
    assert both.chunks[0] == Chunk(first, "manifest", retry=True)
    assert last.chunks[0] == Chunk(second, "doubles", retry=True)
    assert (both.items(folder), last.items(folder)) == (1, 1)
    assert summary(pending(folder, job(folder, "double"))) == [("double", [first])]
    done(folder, "double", first)
    assert summary(pending(folder, job(folder, "halve"))) == [("halve", [first, second])]
    done(folder, "halve", first)
    done(folder, "halve", second)
    assert pending(folder, job(folder, "double", "halve")) == []
