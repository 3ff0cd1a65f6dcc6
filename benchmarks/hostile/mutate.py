"""Damage as files meet it: bits that flip, ends that are missing, lengths that lie, pieces of other files."""

from collections.abc import Callable, Sequence
from random import Random

_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)
_TOKENS = (
    b'"',
    b"'",
    b",",
    b"\t",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"[",
    b"{",
    b"\\",
    b"NaN",
)

Mutation = Callable[[bytes, Random], bytes]


def mutate(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """The file with one to four mutations; `others` are the files that pieces may come from."""
    for _ in range(rng.randint(1, 4)):
        mutation = rng.choice((*MUTATIONS, _splice(rng.choice(others))))
        data = mutation(data, rng)
    return data


def _place(data: bytes, rng: Random) -> int:
    """A place in the file; every other one is in its first 200 bytes, where headers are."""
    return rng.randrange(min(len(data), 200) + 1 if rng.random() < 0.5 else len(data) + 1)


def _flip(data: bytes, rng: Random) -> bytes:
    found = bytearray(data)
    for _ in range(rng.randint(1, 8) if data else 0):
        found[min(_place(data, rng), len(data) - 1)] ^= 1 << rng.randrange(8)
    return bytes(found)


def _number(data: bytes, rng: Random) -> bytes:
    """A number of one to four bytes becomes an extreme one."""
    size, at = rng.choice((1, 2, 4)), _place(data, rng)
    value = rng.choice((*_EXTREMES, len(data))) % (1 << 8 * size)
    return data[:at] + value.to_bytes(size, rng.choice(("big", "little"))) + data[at + size :]


def _cut(data: bytes, rng: Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _drop(data: bytes, rng: Random) -> bytes:
    at = _place(data, rng)
    return data[:at] + data[at + rng.randint(1, 64) :]


def _repeat(data: bytes, rng: Random) -> bytes:
    at = _place(data, rng)
    return data[:at] + data[at : at + rng.randint(1, 256)] * rng.randint(2, 20) + data[at:]


def _fill(data: bytes, rng: Random) -> bytes:
    at, count = _place(data, rng), rng.randint(1, 64)
    return data[:at] + bytes([rng.choice((0, 0xFF, 0x41))]) * count + data[at + count :]


def _insert(data: bytes, rng: Random) -> bytes:
    at = _place(data, rng)
    return data[:at] + rng.choice((*_TOKENS, rng.randbytes(rng.randint(1, 32)))) + data[at:]


def _append(data: bytes, rng: Random) -> bytes:
    return data + rng.choice((rng.randbytes(rng.randint(1, 2000)), bytes(rng.randint(1, 2000)), data))


def _splice(other: bytes) -> Mutation:
    def splice(data: bytes, rng: Random) -> bytes:
        """The beginning of the one file and the end of the other."""
        return data[: _place(data, rng)] + other[_place(other, rng) :]

    return splice


MUTATIONS: tuple[Mutation, ...] = (_flip, _number, _cut, _drop, _repeat, _fill, _insert, _append)
