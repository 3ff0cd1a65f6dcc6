"""Waves: which chunks are in which, and what closing and reopening chunks leaves."""

import pytest

from beam_pipelines.driver.waves import close, closed, plan, reopen, unfinished
from beam_pipelines.recipes.recipe import Limit
from tests.beam_pipelines.driver.test_work import done, job, shard
from transforms.tables.attempt import begin_attempt
from transforms.tables.ledger import RETRIES, tally
from transforms.tables.shards import read_column, shard_names, shard_path, to_table, write_shard

NAMES = ["00000", "00001", "00002", "00003", "00004"]


def limit(chunks_per_wave):
    return Limit("halve", chunks_per_wave, lambda run, chunks: None, "over_size_limit")


@pytest.fixture
def numbers(folder):
    """The job of a run with five chunks of two numbers, of which two are done."""
    for name in NAMES:
        shard(folder, "manifest", name)
    for name in NAMES[:2]:
        done(folder, "double", name)
        done(folder, "halve", name)
    return job(folder, "double", "halve")


def test_without_a_manifest_there_are_no_waves_but_that_of_the_retries(folder):
    assert list(plan(folder, job(folder, "double", "halve"), limit(2))) == [frozenset()]


@pytest.mark.parametrize(("size", "waves"), [(1, 5), (2, 3), (5, 1), (6, 1)])
def test_waves_are_fixed_stretches_of_the_manifest_in_its_order(folder, numbers, size, waves):
    first, *others = plan(folder, numbers, limit(size))
    assert first == frozenset()
    assert len(others) == waves
    assert [name for wave in others for name in sorted(wave)] == NAMES
    assert all(len(wave) == size for wave in others[:-1])


def test_retries_are_a_wave_before_all_others(folder, numbers):
    write_shard(shard_path(folder, RETRIES, "again"), to_table([], numbers.stages[0].schema))
    assert [sorted(wave) for wave in plan(folder, numbers, limit(3))] == [["again"], NAMES[:3], NAMES[3:]]


def test_what_is_closed_is_dropped_in_the_first_stage_and_the_counts_balance(folder, numbers):
    assert unfinished(folder, numbers) == frozenset(NAMES[2:])
    assert close(folder, numbers, limit(2), begin_attempt(folder)) == 6
    assert unfinished(folder, numbers) == frozenset()
    assert closed(folder, numbers, limit(2)) == frozenset(NAMES[2:])
    assert tally(folder, "double").by_reason == {"kept": 4, "over_size_limit": 6}
    assert tally(folder, "halve").by_reason == {"kept": 4}
    assert len(read_column(folder, "halves", ["number_id"])) == 4


def test_a_chunk_that_is_half_done_is_closed_too(folder, numbers):
    done(folder, "double", NAMES[2])
    assert close(folder, numbers, limit(2), begin_attempt(folder)) == 6
    assert closed(folder, numbers, limit(2)) == frozenset(NAMES[2:])


def test_nothing_is_left_to_close_the_second_time(folder, numbers):
    attempt = begin_attempt(folder)
    close(folder, numbers, limit(2), attempt)
    assert close(folder, numbers, limit(2), attempt) == 0


def test_what_is_reopened_is_work_again_and_the_rest_stays(folder, numbers):
    close(folder, numbers, limit(2), begin_attempt(folder))
    reopen(folder, numbers, NAMES[2:4])
    assert unfinished(folder, numbers) == frozenset(NAMES[2:4])
    assert closed(folder, numbers, limit(2)) == frozenset(NAMES[4:])
    assert shard_names(folder, "halves") == [NAMES[0], NAMES[1], NAMES[4]]
    reopen(folder, numbers, [])
    assert unfinished(folder, numbers) == frozenset(NAMES[2:4])
