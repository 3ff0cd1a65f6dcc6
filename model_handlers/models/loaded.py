"""A model outside of pipelines: loaded once, then called with images."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from model_handlers.errors import ModelError
from model_handlers.frameworks.devices import DeviceMissing
from model_handlers.frameworks.network import Network
from model_handlers.interface import Codec, Request
from model_handlers.models.catalogue import Entry
from model_handlers.models.codecs import codec
from model_handlers.models.handlers import Placement, handler

if TYPE_CHECKING:
    from model_handlers.frameworks.handler import NetworkHandler


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model with its codec; called with what the codec encodes, it gives what that decodes: see Codec."""

    entry: Entry
    codec: Codec
    handler: "NetworkHandler"
    network: Network

    def __call__(self, *arguments: Any) -> Any:
        """The model's result for one example. ModelError if the model fails on it."""
        encoded, context = self.codec.encode(*arguments)
        (answer,) = self.handler.run_inference([Request((encoded,), None)], self.network)
        if answer.error is not None:
            raise ModelError(f"model {self.entry.name!r} failed: {answer.error}")
        return self.codec.decode(answer.outputs[0], context)


def load_model(entry: Entry, placement: Placement = Placement(), threads: int = 1) -> LoadedModel:
    """Fetch the model's files if they are not cached yet, and load it. ModelError if that cannot be."""
    runs = handler(entry, placement, threads=threads)
    try:
        return LoadedModel(entry, codec(entry), runs, runs.load_model())
    except DeviceMissing as missing:
        raise ModelError(str(missing)) from missing
