from typing import get_args

import pytest

from tests.transforms.bundle.synthetic_samples import sample
from transforms.bundle.formats import FORMATS
from transforms.bundle.settings import BundleSettings, SinkName
from transforms.tables.shards import exists


def test_every_sink_that_can_be_configured_is_there():
    assert set(FORMATS) == set(get_args(SinkName)) == set(BundleSettings().sinks)


@pytest.mark.parametrize("name", FORMATS)
def test_a_sink_leaves_the_files_it_names(folder, name):
    with FORMATS[name].open(f"{folder}/x") as sink:
        sink.add(sample(0, 0, b"image"))
    assert all(exists(f"{folder}/x{suffix}") for suffix in FORMATS[name].suffixes)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("interruption", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_interrupted_file_does_not_appear(folder, name, interruption):
    def interrupted():
        with FORMATS[name].open(f"{folder}/x") as sink:
            sink.add(sample(0, 0, b"image"))
            raise interruption

    with pytest.raises(interruption):
        interrupted()
    assert not any(exists(f"{folder}/x{suffix}") for suffix in FORMATS[name].suffixes)
