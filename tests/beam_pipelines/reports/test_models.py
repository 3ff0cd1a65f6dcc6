"""The tables of models, through the command line."""

import onnxruntime
import pytest

from beam_pipelines import cli, commands
from model_handlers.frameworks import loading
from model_handlers.models import catalogue, store


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["list"], ["centerface", "yolov8n-pose", "cannot run yet"]),
        (["list", "centerface"], ["MIT", "face"]),
        (["card", "movenet-thunder"], ["side: 256", "keypoints", "npm://", "allowed"]),
        (["card", "vit-kprpe"], ["vit_kprpe", "not configured"]),
    ],
)
def test_what_is_known_of_models(capsys, words, shown):
    assert cli.main(["models", *words]) == cli.DONE
    out = capsys.readouterr().out
    assert [word for word in shown if word not in out] == []


def test_a_card_needs_a_name(capsys):
    assert cli.main(["models", "card"]) == cli.UNUSABLE
    assert "name the models; `manyfaces models list` shows them." in capsys.readouterr().err


def test_of_the_profile_are_those_whose_framework_is_here(monkeypatch):
    monkeypatch.setattr(commands, "is_installed", lambda framework: framework == "litert")
    known = catalogue.load()
    found = commands._of_profile(known, "cpu")
    assert "emotion-litert" in found
    assert {known.get(name).framework for name in found} == {"litert"}
    assert commands._of_profile(known, None) == sorted(known.models)


@pytest.fixture
def fetched():
    """The model that is checked: `check` fetches nothing."""
    store.ensure(catalogue.load().get("dlib-resnet"))


@pytest.mark.integration
def test_a_check_says_what_to_install(fetched, capsys, monkeypatch):
    monkeypatch.setattr(loading, "find_spec", lambda package: None)
    assert cli.main(["models", "check", "dlib-resnet"]) == cli.UNUSABLE
    assert "manyfaces[cpu]" in capsys.readouterr().out


@pytest.mark.integration
def test_a_check_shows_shapes_and_times_or_what_does_not_fit(fetched, capsys):
    assert cli.main(["models", "check", "dlib-resnet"]) == cli.DONE
    out = capsys.readouterr().out
    assert "3x150x150" in out
    assert "ready" in out


@pytest.mark.integration
@pytest.mark.skipif("CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="the device is there")
def test_a_check_on_a_device_that_is_not_there_says_so(fetched, capsys):
    assert cli.main(["models", "check", "dlib-resnet", "--device", "cuda"]) == cli.UNUSABLE
    said = capsys.readouterr()
    assert "cuda" in said.out.partition("dlib-resnet")[2]
    assert said.err.endswith("models check: 1 of 1 models cannot run; the table says why.\n")


def test_no_device_is_a_sentence(capsys):
    with pytest.raises(SystemExit):
        cli.main(["models", "check", "--device", "tpu"])
    assert "argument --device: there is no device 'tpu'; give cpu, cuda or cuda:N." in capsys.readouterr().err
