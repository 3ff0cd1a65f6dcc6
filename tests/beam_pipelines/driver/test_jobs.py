import apache_beam as beam
import pytest

from beam_pipelines.driver.jobs import cut_jobs, fingerprints
from beam_pipelines.errors import ConfigError
from transforms.flow.stages import Job, RowStage, TableStage
from transforms.tables.rows import ListedImage


def rows(name, reads, writes, **more):
    types = {"row_in": ListedImage, "row_out": ListedImage}
    return RowStage(name=name, reads=reads, writes=writes, transform=lambda run: beam.Map(print), **types, **more)


def tables(name, reads, writes, **settings):
    return TableStage(
        name=name, reads=reads, writes=writes, transform=lambda run: beam.Create([None]), settings=settings
    )


STAGES = [
    rows("download", "manifest", "images", whole_chunks=True),
    tables("deduplicate", ("images",), ("duplicates",)),
    rows("bodies", "images", "bodies", without="duplicates"),
    rows("faces", "bodies", "faces"),
    tables("identity", ("faces",), ("edges", "identities")),
    tables("bundle", ("identities", "bodies"), ("bundle_index",)),
    tables("splits", ("identities",), ("splits",)),
]


def test_no_cuts_make_no_jobs():
    assert cut_jobs(STAGES, []) == []
    assert cut_jobs(STAGES, [[]]) == []
    assert cut_jobs([], []) == []


@pytest.mark.parametrize(
    "cuts",
    [
        [["download"]],
        [["download"], ["deduplicate"]],
        [["download"], ["deduplicate"], ["bodies", "faces"], ["identity"], ["bundle", "splits"]],
        [["download"], ["deduplicate"], ["bodies"], ["faces"], ["identity"], ["bundle"], ["splits"]],
        [["download"], ["deduplicate"], ["bodies", "faces"], ["identity"], ["splits"]],
    ],
)
def test_cuts_make_jobs_numbered_from_one(cuts):
    jobs = cut_jobs(STAGES, cuts)
    assert [[stage.name for stage in job.stages] for job in jobs] == cuts
    assert [job.number for job in jobs] == list(range(1, len(cuts) + 1))
    assert [job.name for job in jobs] == ["+".join(names) for names in cuts]
    assert [job.by_rows for job in jobs] == [names[0] in ("download", "bodies", "faces") for names in cuts]


def test_an_empty_job_is_none():
    assert [job.name for job in cut_jobs(STAGES, [[], ["download"], []])] == ["download"]


FULL = [["download"], ["deduplicate"], ["bodies", "faces"], ["identity"]]
WRONG = [
    ([["downlod"]], "no stage 'downlod'; its stages are download, deduplicate"),
    ([["download"], ["download"]], "name each stage once, in the recipe's order"),
    ([["deduplicate"], ["download"]], "name each stage once, in the recipe's order"),
    ([["bodies"]], "bodies reads the table images, which no job"),
    ([["download"], ["bodies"]], "bodies reads the table duplicates"),
    ([["download", "deduplicate"]], "download\\+deduplicate mixes stages .* cut between them"),
    ([*FULL[:3], ["identity", "splits"]], "splits reads the table identities, which no job before its own"),
    ([*FULL[:2], ["faces"]], "faces reads the table bodies"),
]


@pytest.mark.parametrize(("cuts", "words"), WRONG)
def test_cuts_that_cannot_be_say_why(cuts, words):
    with pytest.raises(ConfigError, match=words) as error:
        cut_jobs(STAGES, cuts)
    assert str(error.value).startswith("jobs: ")
    assert "\n" not in str(error.value)


def test_a_row_stage_in_the_middle_of_a_job_has_the_rows_of_the_one_before():
    """Also where an earlier job has written what it reads: it would be given other rows."""
    stages = [rows("a", "manifest", "as"), rows("b", "as", "bs"), rows("c", "as", "cs")]
    assert len(cut_jobs(stages, [["a", "b"], ["c"]])) == len(cut_jobs(stages, [["a"], ["c"]])) == 2
    with pytest.raises(ConfigError, match=r"jobs: c reads the table as, .* hands on bs; cut before it\."):
        cut_jobs(stages, [["a"], ["b", "c"]])


def test_a_stage_on_whole_chunks_must_stand_first():
    stages = [rows("copy", "manifest", "list"), rows("download", "list", "images", whole_chunks=True)]
    with pytest.raises(ConfigError, match="download fetches whole chunks and must stand first"):
        cut_jobs(stages, [["copy", "download"]])
    assert len(cut_jobs(stages, [["copy"], ["download"]])) == 2


def test_row_stages_hand_over_along_a_chain_only():
    stages = [rows("a", "manifest", "as"), rows("b", "as", "bs"), rows("c", "as", "cs")]
    with pytest.raises(ConfigError, match="c reads the table as, which no job before its own writes"):
        cut_jobs(stages, [["a", "b", "c"]])
    assert isinstance(cut_jobs(stages, [["a"], ["b"], ["c"]])[0], Job)


def changed(stages, manifest="m"):
    """The stages whose fingerprints differ from those of STAGES."""
    before, after = fingerprints(STAGES, "m"), fingerprints(stages, manifest)
    return [name for name in before if before[name] != after[name]]


def test_without_stages_there_is_the_manifest():
    assert fingerprints([], "m") == {"manifest": "m"}


def test_fingerprints_are_stable_and_differ():
    assert changed(STAGES) == []
    prints = fingerprints(STAGES, "m")
    assert len(set(prints.values())) == len(STAGES) + 1


@pytest.mark.parametrize(
    ("place", "stage", "stale"),
    [
        (0, rows("download", "manifest", "images", settings={"retries": 2}), [stage.name for stage in STAGES]),
        (1, tables("deduplicate", ("images",), ("duplicates",), size=1), [stage.name for stage in STAGES[1:]]),
        (3, rows("faces", "bodies", "faces", settings={"size": 1}), ["faces", "identity", "bundle", "splits"]),
        (5, tables("bundle", ("identities", "bodies"), ("bundle_index",), size=1), ["bundle"]),
        (2, rows("bodies", "images", "bodies"), ["bodies", "faces", "identity", "bundle", "splits"]),
    ],
)
def test_a_change_makes_stale_what_comes_after_it(place, stage, stale):
    assert changed([*STAGES[:place], stage, *STAGES[place + 1 :]]) == stale


def test_another_manifest_makes_everything_stale():
    assert changed(STAGES, "other") == ["manifest", *(stage.name for stage in STAGES)]
