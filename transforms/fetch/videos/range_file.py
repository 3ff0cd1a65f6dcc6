"""The resolution of a file on a server, from as few of its bytes as will tell."""

import io
import re
from collections.abc import Callable
from typing import IO, Any

from transforms.tables.reasons import Rejected

BLOCK = 65_536  # bytes of one request
_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-\d{1,19}/(\d{1,19}|\*)", re.ASCII)
_START = re.compile(r"bytes (\d{1,19})-", re.ASCII)


class Exhausted(OSError):
    """The bytes that may be fetched do not tell."""


class RangeFile(io.RawIOBase):
    """A file on a server, read in blocks by range requests; of at most `most` bytes in all.

    `fetch(start, end)` gives the answer (status, headers, read, close) for these bytes, `end` included. From a server
    that knows no ranges the file's beginning is read, as far as it goes.
    """

    def __init__(self, fetch: Callable[[int, int], Any], most: int) -> None:
        super().__init__()
        self._fetch, self._left = fetch, most
        self._blocks: dict[int, bytes] = {}
        self._stream: Any = None  # of a server without ranges, where its next block is the one after all that we have
        self._place = 0
        self._broke: Exception | None = None  # FFmpeg goes on reading after an error
        self.size: int | None = None

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The place of the next byte."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; where the server does not say how long the file is, the end is found by reading up to it."""
        if whence == io.SEEK_END:
            while self.size is None:
                self._get(len(self._blocks))
            offset += self.size
        elif whence == io.SEEK_CUR:
            offset += self._place
        self._place = max(0, offset)
        return self._place

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most as many as there are in one block."""
        block, offset = divmod(self._place, BLOCK)
        while block not in self._blocks and (self.size is None or self._place < self.size):
            self._get(block)
        data = self._blocks.get(block, b"")[offset : None if size < 0 else offset + size]
        self._place += len(data)
        return data

    def _get(self, block: int) -> None:
        """Fetch a block, unless a fetch has failed before."""
        if self._broke is not None:
            raise self._broke
        try:
            self._fetch_block(block)
        except Exception as error:
            self._broke = error
            raise

    def _fetch_block(self, block: int) -> None:
        if self._left < BLOCK:
            raise Exhausted("more bytes than may be fetched to learn the resolution")
        self._left -= BLOCK
        if self._stream is not None:
            self._take_next()
            return
        answer = self._fetch(block * BLOCK, block * BLOCK + BLOCK - 1)
        found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if answer.status == 206 and found and int(found[1]) == block * BLOCK:
            self.size = None if found[2] == "*" else int(found[2])
            self._blocks[block] = _read_fully(answer, BLOCK)
            answer.close()
        elif self._blocks:
            raise Exhausted("the server no longer gives ranges")
        elif (
            answer.status == 206 and (other := _START.match(answer.headers.get("Content-Range", ""))) and int(other[1])
        ):
            raise Exhausted(f"the server gives bytes from {other[1]} on instead of the first")
        else:
            self._stream = answer
            length = answer.headers.get("Content-Length", "")
            self.size = int(length) if length.isascii() and length.isdigit() and len(length) < 20 else None
            self._take_next()

    def _take_next(self) -> None:
        number = len(self._blocks)
        self._blocks[number] = data = _read_fully(self._stream, BLOCK)
        if len(data) < BLOCK:
            self.size = number * BLOCK + len(data)


def _read_fully(answer: Any, size: int) -> bytes:
    parts: list[bytes] = []
    while size > 0 and (data := answer.read(size)):
        parts.append(data)
        size -= len(data)
    return b"".join(parts)


def upright_height(file: IO[bytes] | RangeFile) -> int:
    """The height of the video's first frame as it is shown, pixels.

    Rejected `not_a_video`, `playlist` or `no_video_stream` where the first bytes say so; Exhausted where what may be
    fetched does not tell.
    """
    import av

    from transforms.videos.container import HEAD, shown_size, sniff_container, video_stream
    from transforms.videos.upright import display_matrix, is_turned

    head = file.read(HEAD)
    while len(head) < HEAD and (more := file.read(HEAD - len(head))):
        head += more
    kind = sniff_container(head)
    file.seek(0)
    limits = {"format_whitelist": kind, "protocol_whitelist": "", "probesize": "1000000"}
    try:
        with av.open(file, "r", format=kind, container_options=limits, metadata_errors="replace") as container:
            stream = container.streams.best("video")
            if stream is None:
                raise Rejected("no_video_stream", ", ".join(found.type for found in container.streams))
            for frame in container.decode(stream):
                assert isinstance(frame, av.VideoFrame)
                width, height = shown_size(video_stream(container), frame.width, frame.height)
                return width if is_turned(display_matrix(frame)) else height
    except (av.FFmpegError, ValueError, OverflowError) as error:
        raise Exhausted(f"{type(error).__name__}: {error}") from None
    raise Exhausted("no frame in the bytes that may be fetched")
