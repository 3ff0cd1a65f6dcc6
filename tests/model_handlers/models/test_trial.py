"""Files, codecs and entries that do not fit each other."""

import hashlib
from typing import get_args

import numpy as np
import pytest
from onnx import TensorProto, helper

from model_handlers.errors import ModelError
from model_handlers.models import trial
from model_handlers.models.catalogue import Entry, Task
from model_handlers.models.examples import example
from model_handlers.models.handlers import Placement
from model_handlers.models.trial import try_model
from tests.onnx_files import save

FLOAT, UINT8 = TensorProto.FLOAT, TensorProto.UINT8


def tensor(name, *shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


@pytest.fixture
def vectors(tmp_path):
    """Write a network that averages its picture and gives a vector; keywords are its input, length and outputs."""

    def make(shape=("N", 3, 224, 224), length=512, outputs=1, inputs=1, kind=FLOAT):
        names = [f"y{n}" for n in range(outputs)]
        nodes = [
            helper.make_node("Cast", ["x"], ["f"], to=FLOAT),
            helper.make_node("ReduceMean", ["f"], ["mean"], axes=list(range(2, len(shape))), keepdims=0),
            *(helper.make_node("MatMul", ["mean", "weights"], [name]) for name in names),
        ]
        weights = {"weights": np.ones((3, length), np.float32)}
        fed = [tensor("x", *shape, kind=kind), *(tensor(f"more{n}", 1) for n in range(inputs - 1))]
        made = [tensor(name, shape[0], length) for name in names]
        return save(tmp_path / "model.onnx", nodes, weights, fed, made)

    return make


def entry(path, **changes) -> Entry:
    about = {"name": "mine", "framework": "onnx", "licence": "MIT", "commercial": True}
    about |= {"task": "semantics", "codec": "clip_image", "dimension": 512} | changes
    sources = [{"uri": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}]
    return Entry.model_validate(about | {"sources": sources})


FITS = [
    ({}, {}),
    ({"shape": (1, 3, 224, 224)}, {}),
    ({"shape": (4, 3, 224, 224)}, {"batch_size": 32}),  # a batch size of the file's own
    ({"shape": ("N", 3, "h", "w")}, {"options": {"side": 64}}),
    ({"shape": ("N", 3, 336, 336)}, {"options": {"side": 336}}),
    ({"length": 768}, {"dimension": 768}),
    ({"outputs": 2}, {}),
    ({"length": 1}, {"task": "quality", "codec": "image_quality", "dimension": None}),
    (
        {"shape": ("N", 3, 96, 96), "length": 1},
        {
            "task": "quality",
            "codec": "image_quality",
            "dimension": None,
            "options": {"side": 96, "normalization": "imagenet"},
        },
    ),
    ({"shape": ("N", 3, 150, 150)}, {"task": "embedding", "codec": "dlib_resnet"}),
    ({}, {"task": "appearance", "codec": "appearance"}),
    (
        {"shape": ("N", 3, 256, 128)},
        {"task": "appearance", "codec": "appearance", "options": {"height": 256, "width": 128}},
    ),
    (
        {"shape": ("N", 3, 112, 112), "length": 1},
        {"task": "face_quality", "codec": "ediffiqa", "dimension": None},
    ),
]


@pytest.mark.parametrize(("file", "changes"), FITS)
def test_what_fits_passes(vectors, file, changes):
    try_model(entry(vectors(**file), **changes))


MISFITS = [
    ({}, {"dimension": 768}, r"its dimension in the catalogue is 768, its file gives vectors of 512; correct dim"),
    (
        {"shape": ("N", 3, 150, 150), "length": 128},
        {"task": "embedding", "codec": "dlib_resnet"},
        r"its dimension in the catalogue is 512, its file gives vectors of 128; correct dimension",
    ),
    (
        {},
        {"options": {"side": 336}},
        r"makes .* \(None, 3, 336, 336\), its file takes .*224, 224\); correct options.side",
    ),
    ({"shape": (1, 3, 64, 64)}, {}, r"\(None, 3, 224, 224\), its file takes .*\(1, 3, 64, 64\); correct options.side"),
    ({"shape": ("N", 3, 224)}, {}, r"its file takes .*\(None, 3, 224\)"),
    ({"kind": UINT8}, {}, r"an input of float32 .*, its file takes uint8 "),
    ({"inputs": 2}, {}, r"its file has 2 inputs \(x, more0\), and codec 'clip_image' makes 1; correct its sources"),
    (
        {"shape": ("N", 3, 192, 192)},
        {"task": "mesh", "codec": "facemesh", "dimension": None},
        r"codec 'facemesh' makes an input .*\(None, 192, 192, 3\), its file takes .*\(None, 3, 192, 192\)",
    ),
    (
        {"shape": ("N", 3, 640, 640)},
        {"task": "face", "codec": "centerface", "dimension": None},
        r"codec 'centerface' cannot read the file's 1 outputs, \(512,\) an example",
    ),
    (
        {},
        {"task": "quality", "codec": "image_quality", "dimension": None},
        r"codec 'image_quality' cannot read the file's 1 outputs, \(512,\) an example .*; correct codec or sources",
    ),
    (
        {"shape": ("N", 3, 64, 64), "length": 7},
        {"task": "objects", "codec": "tests.model_handlers.models.seven_classes:codec", "dimension": None},
        r"its file knows 7 classes, its vocabulary has 80 names; correct vocabulary or sources",
    ),
    (
        {"shape": ("N", 3, 112, 112)},
        {"task": "face_quality", "codec": "ediffiqa", "dimension": None},
        r"codec 'ediffiqa' cannot read the file's 1 outputs, \(512,\) an example",
    ),
    (
        {"length": 128},
        {"task": "appearance", "codec": "appearance"},
        r"its dimension in the catalogue is 512, its file gives vectors of 128; correct dimension",
    ),
    ({}, {"task": "embedding"}, "its task is embedding, but codec 'clip_image' is for semantics"),
    ({}, {"options": {"normalization": "clip"}}, "codec 'clip_image' does not take all of its options: normalization"),
]


@pytest.mark.parametrize(("file", "changes", "words"), MISFITS)
def test_what_does_not_fit_names_the_model_and_the_key(vectors, file, changes, words):
    with pytest.raises(ModelError, match=rf"^model 'mine': .*{words}") as error:
        try_model(entry(vectors(**file), **changes))
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(".")


@pytest.mark.parametrize("content", [b"", b"no network", b"\x08\x08" * 50])
def test_a_file_that_is_no_network(tmp_path, content):
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"^model 'mine': its file cannot be loaded: .*; correct its sources\.$") as e:
        try_model(entry(tmp_path / "model.onnx"))
    assert "\n" not in str(e.value)


def test_a_file_that_fails_when_it_runs(tmp_path):
    nodes = [helper.make_node("Reshape", ["x", "shape"], ["y"])]
    path = save(
        tmp_path / "model.onnx",
        nodes,
        {"shape": np.array([1, 512], np.int64)},
        [tensor("x", "N", 3, 224, 224)],
        [tensor("y", "N", 512)],
    )
    with pytest.raises(ModelError, match=r"^model 'mine': its file fails on an example of codec 'clip_image': "):
        try_model(entry(path))


def test_shapes_that_the_task_has_not(tmp_path):
    """(N,64,64,1) -> (N,6): six expressions, where there are seven."""
    path = save(
        tmp_path / "model.onnx",
        [helper.make_node("Flatten", ["x"], ["flat"]), helper.make_node("MatMul", ["flat", "weights"], ["y"])],
        {"weights": np.zeros((64 * 64, 6), np.float32)},
        [tensor("x", "N", 64, 64, 1)],
        [tensor("y", "N", 6)],
    )
    wrong = entry(path, task="expression", codec="emotion", dimension=None)
    with pytest.raises(
        ModelError, match=r"^model 'mine': codec 'emotion' reads \(6,\) numbers off .*, not \(7,\); corr"
    ):
        try_model(wrong)


def test_nothing_is_tried_on_a_machine_without_the_device(vectors, monkeypatch):
    wrong = entry(vectors(), dimension=768)
    with pytest.raises(ModelError):
        try_model(wrong)
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    try_model(wrong, Placement("cuda"))
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CUDAExecutionProvider"])  # without a GPU
    monkeypatch.setattr("onnxruntime.InferenceSession", lambda *_, **__: CpuSession())
    try_model(wrong, Placement("cuda"))
    monkeypatch.setattr(trial, "is_installed", lambda framework: False)
    try_model(wrong)


class CpuSession:
    """What ONNX Runtime gives when it was asked for CUDA and fell back."""

    def get_providers(self):
        return ["CPUExecutionProvider"]


@pytest.mark.parametrize("task", get_args(Task))
def test_examples_are_the_same_every_time(task):
    for one, other in zip(example(task), example(task), strict=True):
        np.testing.assert_array_equal(one, other)
