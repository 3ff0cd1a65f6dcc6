"""A network of the catalogue's kind with generated weights, asked as a stage asks it."""

from pathlib import Path
from typing import Any

from model_handlers.interface import Request
from model_handlers.models.catalogue import Entry
from model_handlers.models.codecs import codec
from model_handlers.models.handlers import handler
from model_handlers.models.trial import try_model
from model_handlers.weights import cache


def entry_of(path: Path, **about: Any) -> Entry:
    """The entry of a file of PyTorch's weights."""
    source = {"uri": str(path), "sha256": cache.sha256_of(path)}
    given = {"name": "mine", "framework": "torch", "licence": "mine", "commercial": True, "sources": (source,)}
    return Entry.model_validate(given | about)


def ask(entry: Entry, pictures: list[tuple[Any, ...]]) -> list[Any]:
    """What codec and network make of each, in one request as alone; the entry is tried as before a run."""
    try_model(entry)
    made, runs = codec(entry), handler(entry)
    network = runs.load_model()
    encoded = [made.encode(*picture) for picture in pictures]
    inputs = tuple(one for one, _ in encoded)
    together, *alone = runs.run_inference([Request(inputs, None), *(Request((one,), None) for one in inputs)], network)
    assert [answer.error for answer in (together, *alone)] == [None] * (1 + len(inputs))
    for outputs, single in zip(together.outputs, alone, strict=True):
        assert [one.tobytes() for one in outputs] == [one.tobytes() for one in single.outputs[0]]
    return [made.decode(outputs, context) for outputs, (_, context) in zip(together.outputs, encoded, strict=True)]
