"""A model outside of pipelines: loaded once, then called with images."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from model_handlers.errors import ModelError
from model_handlers.frameworks.onnx import DeviceMissing
from model_handlers.interface import Answer, Codec, Request
from model_handlers.models.catalogue import Entry
from model_handlers.models.handlers import codec, handler

if TYPE_CHECKING:
    from apache_beam.ml.inference.base import ModelHandler


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model with its codec; called with what the codec encodes, it gives what that decodes: see Codec."""

    entry: Entry
    codec: Codec
    handler: "ModelHandler[Request, Answer, Any]"
    session: Any

    def __call__(self, *arguments: Any) -> Any:
        """The model's result for one example. ModelError if the model fails on it."""
        encoded, context = self.codec.encode(*arguments)
        (answer,) = self.handler.run_inference([Request((encoded,), None)], self.session)
        if answer.error is not None:
            raise ModelError(f"model {self.entry.name!r} failed: {answer.error}")
        return self.codec.decode(answer.outputs[0], context)


def load_model(entry: Entry, device: str = "cpu", threads: int = 1) -> LoadedModel:
    """Fetch the model's files if they are not cached yet, and load it. ModelError if that cannot be."""
    runs = handler(entry, device=device, threads=threads)
    try:
        return LoadedModel(entry, codec(entry), runs, runs.load_model())
    except DeviceMissing as missing:
        raise ModelError(str(missing)) from missing
