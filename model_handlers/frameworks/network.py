"""What every framework gives: a network that is loaded and takes batches of arrays."""

from dataclasses import dataclass
from typing import Protocol

from model_handlers.interface import Array

_MEMORY_SIGNS = (
    "out of memory",
    "failed to allocate memory",
    "bad_alloc",
    "bfcarena",
    "resource_exhausted",
    "oom when",
)


@dataclass(frozen=True, slots=True)
class Feed:
    """One input that a network takes: its name, NumPy's name of its type, its shape with the batch axis.

    A length that is free is None.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]


class Network(Protocol):
    """A loaded network. Only methods are called, so that it may live in another process than its caller."""

    def feeds(self) -> tuple[Feed, ...]:
        """The inputs in order; empty where the file does not say what they are."""

    def run(self, *batches: Array) -> tuple[Array, ...]:
        """The outputs for one batch of each input, the batch axis first in all of them."""

    def memory(self) -> int:
        """Bytes of the device that the framework holds in this process; 0 on a CPU."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a framework failed for want of memory; each of them words it in its own way."""
    return isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in _MEMORY_SIGNS)
