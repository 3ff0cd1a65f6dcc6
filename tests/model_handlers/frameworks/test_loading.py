"""A framework that is not installed is one sentence, which says what to install."""

from pathlib import Path

import pytest

from model_handlers.errors import ModelError
from model_handlers.frameworks import loading
from model_handlers.frameworks.loading import FRAMEWORKS, Loading, load_network


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_framework_that_is_not_installed(framework, monkeypatch):
    monkeypatch.setattr(loading, "find_spec", lambda package: None)
    with pytest.raises(ModelError, match=r"^model 'mine' needs \w+: install manyfaces\[.*\]\.$"):
        load_network(Loading(framework, Path("none"), "mine"))
