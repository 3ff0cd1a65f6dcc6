"""Ids of items: the list's own, made safe for paths and keys, or a hash of the URL."""

import hashlib
import re

import pyarrow as pa
import pyarrow.compute as pc

_SAFE_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_UNSAFE = re.compile(rb"[^A-Za-z0-9_.-]")
_MAX_ID = 120  # characters; ids are parts of file names


def safe_id(name: str) -> str:
    """The name as an id: safe in paths and keys, and different for different names.

    Plain names (letters, digits, `_ . -`, not starting with `.` or `-`) stay. In others each other byte becomes
    `~` and two hex digits; what is then too long is cut and ends in `~h` and 32 hex digits of its sha256.
    """
    if _SAFE_ID.fullmatch(name) and len(name) <= _MAX_ID:
        return name
    raw = name.encode()
    shown = _UNSAFE.sub(lambda byte: b"~%02X" % byte[0][0], raw).decode()
    if shown[:1] in (".", "-"):
        shown = f"~{ord(shown[0]):02X}{shown[1:]}"
    if len(shown) <= _MAX_ID:
        return shown
    return f"{shown[:80]}~h{hashlib.sha256(raw).hexdigest()[:32]}"


def frame_id(video_id: str, number: int) -> str:
    """The id of a frame of a video; what is behind it in the id of a face names the face in that frame."""
    return f"{video_id}-n{number}"


def videos_of(ids: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """The videos of frames or of faces of frames, by their ids."""
    return pc.replace_substring_regex(ids, r"-n[0-9]+(-f[0-9]+)?$", "")


def url_id(url: str) -> str:
    """The id of an item that has none of its own: 20 hex digits of the SHA-256 of its URL."""
    return hashlib.sha256(url.encode()).hexdigest()[:20]
