import cv2
import lmdb
import numpy as np
import pytest

from transforms.videos.lmdb_frames import DATA, key, lmdb_frames


def images(count: int, side: int, noise: bool = False) -> list[np.ndarray]:
    """Frames whose red, green and blue differ; or noise, which PNG cannot compress."""
    rng = np.random.default_rng(count)
    if noise:
        return [rng.integers(0, 256, (side, side, 3), np.uint8) for _ in range(count)]
    return [np.full((side, side, 3), (200, 100 + i % 100, 10), np.uint8) for i in range(count)]


def write(folder, frames, side):
    with lmdb_frames(str(folder), len(frames), side) as add:
        for frame in frames:
            add(frame)
    return (folder / DATA).read_bytes()


@pytest.mark.parametrize(("count", "side", "noise"), [(0, 8, False), (1, 2, True), (33, 10, False), (70, 96, True)])
def test_frames_are_read_back_in_order_and_in_their_colours(tmp_path, count, side, noise):
    frames = images(count, side, noise)
    write(tmp_path / "frames", frames, side)
    with lmdb.open(str(tmp_path / "frames"), readonly=True, lock=False) as database, database.begin() as transaction:
        found = list(transaction.cursor())
    assert [name for name, _ in found] == [b"%010d" % i for i in range(count)]
    for frame, (_, value) in zip(frames, found, strict=True):
        assert bytes(value[:8]) == b"\x89PNG\r\n\x1a\n"
        decoded = cv2.imdecode(np.frombuffer(value, np.uint8), cv2.IMREAD_COLOR_RGB)
        np.testing.assert_array_equal(decoded, frame)


def test_the_same_frames_give_the_same_bytes_and_one_file(tmp_path):
    frames = images(40, 64, noise=True)
    assert write(tmp_path / "one", frames, 64) == write(tmp_path / "other", frames, 64)
    assert [path.name for path in (tmp_path / "one").iterdir()] == [DATA]


def test_keys_are_ten_digits():
    assert key(0) == b"0000000000"
    assert key(123) == b"0000000123"
