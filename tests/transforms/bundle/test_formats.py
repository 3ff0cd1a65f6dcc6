import numpy as np
import pytest

from tests.transforms.bundle.synthetic_samples import sample
from transforms.bundle.formats import FORMATS, load_format
from transforms.bundle.settings import BundleSettings
from transforms.bundle.sink import Format, beside
from transforms.tables.files import exists

UNNAMED = Format("../up", lambda stem: None, beside(".x"))
NO_FORMAT = 7


def files(name: str, stem: str) -> list[str]:
    return list(load_format(name).files(stem, np.array([0]), np.array([0])))


def test_all_formats_but_arcface_are_written_by_default():
    assert set(FORMATS) - {"arcface"} == set(BundleSettings().sinks)


@pytest.mark.parametrize("name", FORMATS)
def test_a_sink_leaves_the_files_it_names(folder, name):
    with load_format(name).open(f"{folder}/x") as sink:
        sink.add(sample(0, 0, b"image"))
    assert load_format(name).name == name
    assert files(name, f"{folder}/x")
    assert all(map(exists, files(name, f"{folder}/x")))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("interruption", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_interrupted_file_does_not_appear(folder, name, interruption):
    def interrupted():
        with load_format(name).open(f"{folder}/x") as sink:
            sink.add(sample(0, 0, b"image"))
            raise interruption

    with pytest.raises(interruption):
        interrupted()
    assert not any(map(exists, files(name, f"{folder}/x")))


@pytest.mark.parametrize(
    ("sinks", "words"),
    [
        (["recordi"], "there is no sink 'recordi'; did you mean 'recordio'"),
        (["nowhere.sinks:FORMAT"], "there is no module 'nowhere'; install the package"),
        ([f"{__name__}:MISSING"], "has no 'MISSING'"),
        ([f"{__name__}:NO_FORMAT"], "this is a int and no Format"),
        ([f"{__name__}:UNNAMED"], "'../up' is no name of a folder"),
        (["recordio", "transforms.bundle.recordio:FORMAT"], "two of these write the same folder"),
        ([], "at least 1 item"),
    ],
)
def test_sinks_that_cannot_be_say_why(sinks, words):
    with pytest.raises(ValueError, match=words):
        BundleSettings(sinks=sinks)
