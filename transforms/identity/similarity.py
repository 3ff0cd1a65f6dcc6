"""A similarity of the settings: a number, found in the vectors, or the embedding model's own."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

Cosine = Annotated[float, Field(gt=-1, le=1)]


def _similarity(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is None or value == "auto" or (is_number and -1 < value <= 1):
        return value
    raise ValueError(
        f"a similarity is a number above -1 and at most 1, auto, or null for the embedding model's own, not {value!r}"
    )


# a number, `auto`, which is found in the vectors, or null: what the catalogue says of the embedding model
Similarity = Annotated[Cosine | Literal["auto"] | None, BeforeValidator(_similarity)]


def number(similarity: Similarity) -> float:
    """The similarity as a number. ValueError while it is still to be found."""
    if similarity is None or similarity == "auto":
        raise ValueError(f"a similarity is still {similarity}: transforms.identity.thresholds makes a number of it")
    return similarity
