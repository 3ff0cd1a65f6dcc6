"""A reader of RecordIO for the tests, written from the format's description: part by part, word by word."""

import struct


def read_records(data: bytes) -> list[tuple[int, bytes]]:
    """(offset, payload) of every record."""
    records, at = [], 0
    while at < len(data):
        start, payload, flag = at, b"", None
        while flag not in (0, 3):
            magic, word = struct.unpack_from("<II", data, at)
            assert magic == 0xCED7230A, f"no part at {at}"
            length, first = word & (2**29 - 1), flag is None
            flag = word // 2**29
            assert (flag in (0, 1)) == first, f"part {flag} out of order at {at}"
            payload += (b"" if first else b"\x0a\x23\xd7\xce") + data[at + 8 : at + 8 + length]
            padding = data[at + 8 + length : at + 8 + (length + 3) // 4 * 4]
            assert not any(padding)
            at += 8 + length + len(padding)
        records.append((start, payload))
    assert at == len(data)
    return records


def read_image_records(data: bytes) -> list[tuple[int, int, float, int, int, bytes]]:
    """(offset, flag, label, id, id2, image) of every record."""
    return [(at, *struct.unpack_from("<IfQQ", payload), payload[24:]) for at, payload in read_records(data)]
