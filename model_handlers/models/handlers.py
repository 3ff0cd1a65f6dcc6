"""From an entry of the catalogue to what runs it and what reads it."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from model_handlers.frameworks.devices import check_device, is_gpu
from model_handlers.frameworks.loading import Loading
from model_handlers.models import store
from model_handlers.models.catalogue import Entry
from model_handlers.models.codecs import codec
from model_handlers.models.examples import example_input
from model_handlers.models.licences import ALL_TERMS

if TYPE_CHECKING:
    from model_handlers.frameworks.handler import NetworkHandler

Precision = Literal["fp32", "fp16", "bf16"]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where and how networks run; see the settings of the block `models`."""

    device: str = "cpu"
    precision: Precision = "fp32"
    copies: int | None = None


def handler(
    entry: Entry, placement: Placement = Placement(), *, batch_size: int | None = None, threads: int = 1
) -> "NetworkHandler":
    """The handler of the entry's model for RunInference; it fetches and loads the model on the worker.

    `batch_size`: examples at a time on a GPU; None for the catalogue's. On a CPU they run one by one: the time is
    linear in the examples, and the same example gives the same bits whatever is beside it.
    """
    # the stages load Beam's inference when they are built, and the command line never does
    from model_handlers.frameworks.handler import NetworkHandler

    on_gpu = is_gpu(check_device(placement.device))
    return NetworkHandler(
        loading(entry, placement, threads),
        batch_size=(batch_size or entry.batch_size) if on_gpu else 1,
        copies=placement.copies,
        warm_up=partial(example_input, entry) if on_gpu else None,
    )


def loading(entry: Entry, placement: Placement, threads: int) -> Loading:
    """What the entry's framework needs to know to load the model; a network that finds objects gets their names."""
    classes = {"vocabulary": entry.classes} if entry.classes and entry.network else {}
    return Loading(
        entry.framework,
        # whoever starts a run answers for the licence, before any worker loads the model
        partial(store.ensure, entry, accepted=ALL_TERMS),
        entry.name,
        entry.network,
        tuple(sorted((entry.network_options | classes).items())),
        placement.device,
        threads,
        precision_of(entry, placement),
    )


def precision_of(entry: Entry, placement: Placement) -> Precision:
    """The precision that the model runs in: what was asked for on a GPU, if its codec allows half precision."""
    if placement.precision == "fp32" or not is_gpu(placement.device) or entry.framework != "torch":
        return "fp32"
    return placement.precision if codec(entry).half else "fp32"


def numbers_from(entry: Entry) -> dict[str, Any]:
    """All of a catalogue's entry that the model's numbers depend on, as plain data.

    That is the file, the network that takes it, the codec with its version (None where there is no such codec yet),
    their options, and what its classes are called.
    """
    network = {"network": entry.network, "network_options": entry.network_options} if entry.network else {}
    return {
        "sha256": entry.sha256,
        "codec": entry.codec,
        "codec_version": codec(entry).version if entry.codec_is_here() else None,
        "options": entry.options,
        "dimension": entry.dimension,
        **network,
        **({"vocabulary": list(entry.classes)} if entry.classes else {}),
    }
