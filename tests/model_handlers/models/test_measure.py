import onnxruntime
import pytest

from model_handlers.errors import ModelError
from model_handlers.models import catalogue
from model_handlers.models.handlers import Placement
from model_handlers.models.measure import measure

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("name", "given", "outputs"),
    [
        ("dlib-resnet", (3, 150, 150), ((128,),)),
        ("facemesh", (192, 192, 3), ((1404,), (1,))),
        ("brisque", (36,), ((1,),)),
    ],
)
def test_an_example_goes_through_the_model(name, given, outputs):
    found = measure(catalogue.load().get(name))
    assert (found.given, found.outputs) == ((given,), outputs)
    assert 0 < found.milliseconds < 10_000


@pytest.mark.skipif("CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="the device is there")
def test_a_device_that_is_not_there_is_a_sentence():
    with pytest.raises(ModelError, match=r"asks for cuda, but ONNX Runtime cannot use it here"):
        measure(catalogue.load().get("brisque"), Placement("cuda"))
