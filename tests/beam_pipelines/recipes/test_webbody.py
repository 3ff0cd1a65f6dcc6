"""The recipe webbody: its jobs, as far as their order is the user's."""

import pytest

from beam_pipelines.driver.jobs import cut_jobs
from beam_pipelines.errors import ConfigError
from beam_pipelines.recipes.webbody import RECIPE, WebbodyConfig

BEFORE = [["download"], ["bodies", "faces", "embeddings"], ["identity"]]


@pytest.mark.parametrize(
    ("last", "reads"),
    [
        ([["bundle", "splits"]], ("identities", "faces", "bodies")),
        ([["bundle"]], ("identities", "faces", "bodies")),
        ([["splits"], ["bundle"]], ("identities", "faces", "bodies", "splits")),
    ],
)
def test_the_bundle_knows_the_splits_that_stand_before_it(last, reads):
    config = WebbodyConfig(jobs=BEFORE + last)
    jobs = cut_jobs(RECIPE.stages_of(config), config.jobs)
    (bundle,) = [stage for job in jobs for stage in job.stages if stage.name == "bundle"]
    assert bundle.reads == reads
    assert [stage.name for job in jobs[3:] for stage in job.stages] == [name for names in last for name in names]


def test_splits_of_the_bundle_s_own_job_come_too_late():
    config = WebbodyConfig(jobs=[*BEFORE, ["splits", "bundle"]])
    with pytest.raises(ConfigError, match="bundle reads the table splits, which no job before its own writes"):
        cut_jobs(RECIPE.stages_of(config), config.jobs)
