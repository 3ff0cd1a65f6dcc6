import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.bundle.recordio_reader import read_image_records, read_records
from tests.transforms.bundle.synthetic_samples import read, sample
from transforms.bundle import recordio
from transforms.bundle.recordio import MAGIC, MAX_LABEL, MAX_LENGTH, encode_record, header, open_recordio


def test_no_samples_make_empty_files(folder):
    with open_recordio(f"{folder}/x"):
        pass
    assert [read(f"{folder}/x{suffix}") for suffix in (".rec", ".idx", ".lst")] == [b"", b"", b""]


def test_bytes_of_a_small_file(folder):
    with open_recordio(f"{folder}/x") as sink:
        sink.add(sample(7, 3, b"abcde"))
        sink.add(sample(2, 1, MAGIC + b"z", key="a\tb/c d"))
    golden = bytes.fromhex(
        "0a23d7ce 1d000000 00000000 00004040 0700000000000000 0000000000000000 6162636465 000000"
        "0a23d7ce 18000020 00000000 0000803f 0200000000000000 0000000000000000"
        "0a23d7ce 01000060 7a 000000"
    )
    assert read(f"{folder}/x.rec") == golden
    assert read(f"{folder}/x.idx") == b"7\t0\n2\t40\n"
    assert read(f"{folder}/x.lst") == b"7\t3.000000\ta-b0.jpg\n2\t1.000000\ta%09b/c%20d.jpg\n"
    assert read_image_records(golden) == [(0, 0, 3.0, 7, 0, b"abcde"), (40, 0, 1.0, 2, 0, MAGIC + b"z")]


pieces = st.one_of(st.just(MAGIC), st.binary(max_size=9), st.sampled_from([MAGIC[:1], MAGIC[:3], MAGIC * 3]))


@given(st.lists(st.lists(pieces, max_size=6).map(b"".join), max_size=4))
def test_any_payload_comes_back(payloads):
    written = b"".join(map(encode_record, payloads))
    assert [payload for _, payload in read_records(written)] == payloads
    assert list(recordio.read_records(io.BytesIO(written))) == payloads


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda data: data[:-5], "its last record is cut short"),
        (lambda data: data + b"\0\0", "no record begins where one should"),
        (lambda data: b"\0" + data, "no record begins where one should"),
        (lambda data: encode_record(b"a" + MAGIC * 2 + b"bcd")[:16] + b"\0" * 8, "no record begins where one should"),
    ],
)
def test_a_damaged_file_is_said_to_be(damage, words):
    with pytest.raises(ValueError, match=f"recordio: the file is damaged: .*{words}"):
        list(recordio.read_records(io.BytesIO(damage(encode_record(b"a record")))))


@given(st.lists(pieces, max_size=6).map(b"".join))
def test_the_magic_stands_aligned_only_where_a_part_begins(payload):
    encoded = encode_record(payload)
    starts, at = set(), 0
    while at < len(encoded):
        starts.add(at)
        at += 8 + ((struct.unpack_from("<I", encoded, at + 4)[0] & MAX_LENGTH) + 3) // 4 * 4
    assert starts == {i for i in range(0, len(encoded), 4) if encoded[i : i + 4] == MAGIC}


def test_a_record_that_is_too_long_is_refused():
    class Long(bytes):
        def __len__(self):
            return MAX_LENGTH + 1

    with pytest.raises(ValueError, match=f"limit of {MAX_LENGTH}"):
        encode_record(Long())


@pytest.mark.parametrize("identity", [-1, MAX_LABEL + 1])
def test_a_label_that_float32_cannot_hold_is_refused(identity):
    with pytest.raises(ValueError, match="recordio: identity"):
        header(identity, 0)
