"""The models of a run, made ready before its first job."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from beam_pipelines.driver.order import Order
from beam_pipelines.errors import ConfigError
from model_handlers.models import store
from model_handlers.models.catalogue import Entry
from model_handlers.models.handlers import Placement
from model_handlers.models.trial import try_model


def make_ready(order: Order) -> None:
    """Fetch and try every model, so that a missing or unfit one fails here and not after hours of work.

    ConfigError or ModelError says what is missing, or what does not fit.
    """
    entries = order.recipe.models(order.config).values()
    lacking = [sentence for entry in entries for sentence in entry.lacks()]
    if lacking:
        raise ConfigError("\n".join(dict.fromkeys(lacking)))
    for entry in entries:
        store.ensure(entry, accepted=order.config.models.accepted())
    _try_all(list(entries), order.config.models.placement())


def _try_all(entries: list[Entry], placement: Placement) -> None:
    """Try the models side by side; what the first that does not fit raises, in their order."""
    with ThreadPoolExecutor(max(1, min(len(entries), os.cpu_count() or 1))) as pool:
        for _ in pool.map(partial(try_model, placement=placement), entries):
            pass
