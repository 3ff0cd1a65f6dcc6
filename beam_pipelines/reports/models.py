"""The models of the catalogue as tables: what there is, whether it fits, and all that is known of one."""

from collections.abc import Iterable

from rich.markup import escape
from rich.table import Table

from model_handlers.errors import ModelError
from model_handlers.models import store
from model_handlers.models.catalogue import Entry
from model_handlers.models.handlers import Placement
from model_handlers.models.measure import measure


def list_table(models: Iterable[Entry]) -> Table:
    """A line a model: task, framework, licence, and whether it is there."""
    table = Table("model", "task", "framework", "licence", "commercial", "state", title="models")
    for entry in models:
        commercial = "yes" if entry.commercial else "no"
        state = "cannot run yet" if entry.lacks() else store.status(entry)
        table.add_row(entry.name, entry.task, entry.framework, entry.licence, commercial, state)
    return table


def check_table(models: Iterable[Entry], placement: Placement) -> tuple[Table, int]:
    """A line a model: shapes, milliseconds and memory of one example, or what does not fit; and how many do not."""
    table = Table("model", "task", "input", "outputs", "ms", "MB", "state", title=f"models on {placement.device}")
    unfit = 0
    for entry in models:
        state, cells = store.status(entry), [""] * 4
        if state == "ready":
            try:
                found = measure(entry, placement)
                shapes = [", ".join(map(_shape, some)) for some in (found.given, found.outputs)]
                cells = [*shapes, f"{found.milliseconds:.1f}", f"{found.memory / 1e6:.0f}"]
            except ModelError as misfit:
                state = str(misfit)
        unfit += state != "ready"
        table.add_row(entry.name, entry.task, *cells, escape(state))  # it may name an extra, manyfaces[...]
    return table, unfit


def card_table(entry: Entry) -> Table:
    """All that the catalogue says of a model, a line each."""
    table = Table("", entry.name, show_lines=False, title_justify="left")
    facts = {
        "task": entry.task,
        "framework": entry.framework,
        "network": entry.network or "",
        "network's options": ", ".join(f"{key}: {value}" for key, value in entry.network_options.items()),
        "codec": entry.codec,
        "options": ", ".join(f"{key}: {value}" for key, value in entry.options.items()) or "none",
        "dimension": "" if entry.dimension is None else str(entry.dimension),
        "vocabulary": ", ".join(entry.classes),
        "licence": entry.licence,
        "commercial use": "allowed" if entry.commercial else "forbidden: accept_noncommercial is needed",
        "copyleft": "accept_copyleft is needed" if entry.copyleft else "",
        "trained on": entry.training_data,
        "reference": entry.reference,
        "source": "\n".join(source.uri for source in entry.sources) or "not configured",
        "conversion": entry.convert or "none",
        "sha256": entry.sha256,
        "batch on a GPU": str(entry.batch_size),
        "state": store.status(entry),
        "note": entry.note,
    }
    for name, value in facts.items():
        if value:
            table.add_row(name, escape(value))
    return table


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "1"
