"""The models of the catalogue, outside of runs."""

from model_handlers.models import catalogue as _catalogue
from model_handlers.models import store as _store
from model_handlers.models.catalogue import Entry
from model_handlers.models.handlers import Placement, Precision
from model_handlers.models.licences import Accepted
from model_handlers.models.loaded import LoadedModel, load_model

__all__ = ["Entry", "LoadedModel", "catalogue", "fetch", "load"]


def catalogue(extra: str | None = None) -> dict[str, Entry]:
    """All models by name; those of the YAML file `extra` are added or replace some."""
    return dict(_catalogue.load(extra).models)


def fetch(
    name: str, *, extra: str | None = None, accept_noncommercial: bool = False, accept_copyleft: bool = False
) -> str:
    """Have a model's file in the cache, verified; returns its path.

    ModelError if there is no such model, if it cannot be had, or if its licence has terms that are not accepted.
    """
    accepted = Accepted(accept_noncommercial, accept_copyleft)
    return str(_store.ensure(_catalogue.load(extra).get(name), accepted=accepted))


def load(
    name: str,
    *,
    device: str = "cpu",
    precision: Precision = "fp32",
    extra: str | None = None,
    accept_noncommercial: bool = False,
    accept_copyleft: bool = False,
) -> LoadedModel:
    """Fetch a model and load it, to be called with images (RGB uint8, (H,W,3)) and what else its task needs.

    `load("centerface")(image)` gives Detections; see `model_handlers.interface.Codec` for all tasks.
    """
    entry = _catalogue.load(extra).get(name)
    _store.ensure(entry, accepted=Accepted(accept_noncommercial, accept_copyleft))
    return load_model(entry, Placement(device, precision))
