"""Hostile files given to the conversions that read one binary file."""

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from model_handlers.errors import ModelError
from model_handlers.weights.convert import ConversionError, conversion

DLIB_START = b"\x01\x15input_rgb_image_sized" + bytes(20)
CONVOLUTION = b"\x01\x05con_4"


@pytest.mark.parametrize("name", ["dlib-resnet", "centerface", "fr-feature", "mtcnn", "transnetv2"])
@pytest.mark.parametrize("content", [b"", b"\x80" * 100, b"x" * 5000])
def test_noise_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / "w").write_bytes(content)
    with pytest.raises(ConversionError, match=str(tmp_path / "w")):
        conversion(name)([tmp_path / "w"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (DLIB_START, "no layer 'con_4'"),
        (DLIB_START + CONVOLUTION, "no packed integer"),
        (DLIB_START + CONVOLUTION + b"\x01\x02" + b"\x81\x05" * 4, "no packed integer"),
        (DLIB_START + CONVOLUTION + b"\x01\x02" + b"\x08" + b"\xff" * 8 + b"\x01\x01" * 3, "expected 4736 values"),
        (DLIB_START + CONVOLUTION + b"\x01\x02\x02\x80\x12" + b"\x01\x01" * 3, "the file at"),
        (DLIB_START + CONVOLUTION + b"\x01\x02\x02\x80\x12" + b"\x01\x01" * 3 + bytes(4736 * 4 + 50), "integer"),
        (DLIB_START + bytes(4000) + CONVOLUTION, "no layer 'con_4' within"),
    ],
)
def test_dlib_files_that_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "w.dat").write_bytes(content)
    with pytest.raises(ConversionError, match=message):
        conversion("dlib-resnet")([tmp_path / "w.dat"])


def test_an_onnx_file_with_other_outputs_is_refused(tmp_path: Path) -> None:
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Relu", ["input.1"], ["y"])],
        "g",
        [value("input.1", TensorProto.FLOAT, [1])],
        [value("y", TensorProto.FLOAT, [1])],
    )
    onnx.save(helper.make_model(graph), tmp_path / "w.onnx")
    with pytest.raises(ConversionError, match="CenterFace's input and outputs"):
        conversion("centerface")([tmp_path / "w.onnx"])


@pytest.mark.parametrize("name", ["centerface", "fr-feature"])
def test_weights_outside_the_onnx_file_are_refused(tmp_path: Path, name: str) -> None:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="/etc/passwd")
    graph = helper.make_graph([helper.make_node("Relu", ["w"], ["y"])], "g", [], [], [tensor])
    (tmp_path / "w.onnx").write_bytes(helper.make_model(graph).SerializeToString())
    with pytest.raises(ConversionError, match="another file"):
        conversion(name)([tmp_path / "w.onnx"])


def test_unknown_conversions_are_named() -> None:
    with pytest.raises(ModelError, match="no conversion 'x'; there are: brisque, centerface"):
        conversion("x")
