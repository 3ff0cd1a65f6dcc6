"""A file on a server read in blocks, and the height of its video from few of them."""

import io
from dataclasses import dataclass, field
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.videos import SIZE, Tone, number_frames, write
from tests.videos import File as Written
from transforms.fetch.videos.range_file import BLOCK, Exhausted, RangeFile, upright_height
from transforms.tables.reasons import Rejected


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: io.BytesIO

    def read(self, size):
        return self.body.read(min(size, 10_000))  # a socket gives what it has

    def close(self):
        self.body.close()


@dataclass
class Server:
    """Serves bytes, with ranges or without; tells how long they are, or not; counts the blocks asked for."""

    body: bytes
    ranges: bool = True
    tells: bool = True
    asked: list[int] = field(default_factory=list)

    def fetch(self, start, end):
        self.asked.append(start)
        if not self.ranges:
            return Answer(200, {"Content-Length": str(len(self.body))} if self.tells else {}, io.BytesIO(self.body))
        size = len(self.body) if self.tells else "*"
        return Answer(206, {"Content-Range": f"bytes {start}-{end}/{size}"}, io.BytesIO(self.body[start : end + 1]))


def test_an_empty_file():
    for ranges in (True, False):
        assert RangeFile(Server(b"", ranges).fetch, 10 * BLOCK).read(10) == b""


@given(
    st.lists(st.tuples(st.integers(0, 4 * BLOCK), st.integers(0, 2 * BLOCK)), max_size=6),
    st.integers(0, 3 * BLOCK + 17),
    st.booleans(),
)
def test_it_reads_what_the_file_has(reads, size, ranges):
    body = bytes(range(251)) * (size // 251 + 1)
    file, true = RangeFile(Server(body[:size], ranges).fetch, 100 * BLOCK), io.BytesIO(body[:size])
    for place, count in reads:
        assert file.seek(place) == true.seek(place) == file.tell()
        data = file.read(count)
        assert data == true.read(len(data))
        assert data or not count or place >= size


def test_from_the_end():
    body = bytes(3 * BLOCK) + b"end"
    for server in (Server(body), Server(body, ranges=False), Server(body, ranges=False, tells=False)):
        file = RangeFile(server.fetch, 10 * BLOCK)
        file.read(1)
        assert file.seek(-3, io.SEEK_END) == len(body) - 3
        assert file.read(10) == b"end"


def test_no_block_is_fetched_twice_and_no_more_than_may_be():
    server = Server(bytes(10 * BLOCK))
    file = RangeFile(server.fetch, 3 * BLOCK + 5)
    for place in (0, 1, 5 * BLOCK, 0, 5 * BLOCK + 1, 9 * BLOCK):
        file.seek(place)
        file.read(100)
    assert server.asked == [0, 5 * BLOCK, 9 * BLOCK]
    file.seek(2 * BLOCK)
    with pytest.raises(Exhausted):
        file.read(1)


@pytest.mark.parametrize("ranges", [True, False])
def test_an_end_that_is_not_told_is_not_looked_for_without_end(ranges):
    server = Server(bytes(10 * BLOCK), ranges, tells=False)
    file = RangeFile(server.fetch, 3 * BLOCK)
    file.read(1)
    with pytest.raises(Exhausted):
        file.seek(0, io.SEEK_END)
    assert len(server.asked) <= 3


@pytest.mark.parametrize(
    ("name", "how", "height"),
    [
        ("a.mp4", Written(), SIZE[1]),
        ("a.mp4", Written(rotation=90), SIZE[0]),
        ("a.mkv", Written(tones=(Tone(440, 0, 1),)), SIZE[1]),
        ("a.webm", Written(codec="libvpx", options={"deadline": "realtime", "cpu-used": "8"}), SIZE[1]),
        ("a.ts", Written(), SIZE[1]),
        ("a.avi", Written(codec="mpeg4", options={}), SIZE[1]),
        ("narrow.mkv", Written(pixel=Fraction(2, 3)), SIZE[1] * 3 // 2),
        ("wide.mp4", Written(pixel=Fraction(3, 2), rotation=270), SIZE[0] * 3 // 2),
    ],
)
def test_heights(tmp_path, name, how, height):
    upright = SIZE[::-1] if how.rotation else SIZE
    body = write(tmp_path / name, number_frames(5, upright), how).read_bytes()
    assert upright_height(RangeFile(Server(body).fetch, 4_000_000)) == height


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_a_video"),
        (b"<html>", "not_a_video"),
        (b"#EXTM3U\n#EXTINF:1\nhttp://127.0.0.1/\n", "playlist"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "playlist"),
    ],
)
def test_what_is_no_video(body, code):
    with pytest.raises(Rejected) as why:
        upright_height(RangeFile(Server(body).fetch, 4_000_000))
    assert why.value.code == code


def test_what_does_not_tell():
    junk = (32).to_bytes(4, "big") + b"ftypisom" + bytes(20) + bytes(10 * BLOCK)
    with pytest.raises(Exhausted):
        upright_height(RangeFile(Server(junk).fetch, 4 * BLOCK))


def test_a_servers_error_is_passed_on():
    def fetch(start, end):
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        upright_height(RangeFile(fetch, 4 * BLOCK))


def test_a_server_that_broke_off_is_not_asked_again():
    asked = []

    def fetch(start, end):
        asked.append(start)
        raise TimeoutError("stalls")

    file = RangeFile(fetch, 4 * BLOCK)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            file.read(1)
    assert asked == [0]


@pytest.mark.parametrize("length", ["", "²", "-1", "9" * 5000])
def test_a_length_that_is_no_number(length):
    body = b"abc"
    file = RangeFile(lambda start, end: Answer(200, {"Content-Length": length}, io.BytesIO(body)), BLOCK)
    assert file.read(10) == body
    assert file.size == len(body)


def test_a_range_that_is_no_number():
    answer = Answer(206, {"Content-Range": f"bytes 0-2/{'9' * 5000}"}, io.BytesIO(b"abc"))
    assert RangeFile(lambda start, end: answer, BLOCK).read(10) == b"abc"


def test_a_range_that_was_not_asked_for():
    answer = Answer(206, {"Content-Range": "bytes 5-7/100"}, io.BytesIO(b"abc"))
    with pytest.raises(Exhausted, match="from 5 on"):
        RangeFile(lambda start, end: answer, BLOCK).read(10)
