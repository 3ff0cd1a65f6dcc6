"""Networks that cannot be loaded for want of a framework."""

import pytest

from model_handlers.errors import ModelError
from model_handlers.frameworks import loading
from model_handlers.frameworks.loading import FRAMEWORKS, Loading, load_network


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_framework_that_is_not_installed_is_a_sentence(tmp_path, monkeypatch, framework):
    monkeypatch.setattr(loading, "find_spec", lambda package: None)
    with pytest.raises(ModelError, match=r"^model 'mine' needs \w+, which is not here: install manyfaces\[.*\]\.$"):
        load_network(Loading(framework, tmp_path / "file", "mine"))
