"""A run's folder may be on an object store: no renames, no folders."""

import pytest

from tests.integration.runs import assert_same_run, run_webbody
from tests.object_store import new_folder

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("webbody")]


def test_a_run_on_an_object_store_equals_a_local_one(site, whole_run):
    assert_same_run(run_webbody(site.manifest, new_folder(), site.port), whole_run)
