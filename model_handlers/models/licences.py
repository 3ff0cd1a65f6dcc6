"""The licences of models: what a user must accept before one is used."""

from dataclasses import dataclass

from model_handlers.errors import ModelError
from model_handlers.models.catalogue import Entry


@dataclass(frozen=True, slots=True)
class Accepted:
    """Terms that whoever starts a run has accepted: no commercial use, and licences that reach their own work."""

    noncommercial: bool = False
    copyleft: bool = False


ALL_TERMS = Accepted(noncommercial=True, copyleft=True)


def check_licence(entry: Entry, accepted: Accepted) -> None:
    """ModelError when the model's licence has terms that were not accepted."""
    if not entry.commercial and not accepted.noncommercial:
        raise ModelError(
            f"model {entry.name!r} is not for commercial use (licence: {entry.licence}); if your use is allowed, "
            "set models.accept_noncommercial: true, or give --accept-noncommercial"
        )
    if entry.copyleft and not accepted.copyleft:
        raise ModelError(
            f"model {entry.name!r} is under {entry.licence}, which may reach the work that uses it; if you accept "
            "that, set models.accept_copyleft: true, or give --accept-copyleft"
        )
