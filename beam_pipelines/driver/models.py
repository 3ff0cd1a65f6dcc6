"""The models of a run, made ready before its first job."""

from beam_pipelines.driver.order import Order
from beam_pipelines.errors import ConfigError
from model_handlers.models import store
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
        try_model(entry, order.config.models.placement())
