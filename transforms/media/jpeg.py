"""The header of plain JPEGs, by their markers: most of what the web serves, without the cost of a general reader."""

_START_OF_SCAN = 0xDA
_BASELINE = frozenset({0xC0, 0xC1})  # frames of sequential Huffman coding
# APP0 (JFIF), quantisation and Huffman tables, restart interval, comment: segments that change nothing here.
# Any other (EXIF, ICC, Adobe, progressive frames, ...) is for a general reader.
_HARMLESS = frozenset({0xE0, 0xDB, 0xC4, 0xDD, 0xFE})


def plain_jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a sequential 8-bit JPEG, grey or colour, that says nothing of orientation or colour space.

    None for every other file, damaged ones too (ITU-T T.81, annex B).
    """
    size = None
    at = 2  # behind the start of the image
    while at + 10 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == _START_OF_SCAN:
            return size
        if marker in _BASELINE and size is None:
            if data[at + 4] != 8 or data[at + 9] not in (1, 3):
                return None
            size = (data[at + 7] << 8 | data[at + 8], data[at + 5] << 8 | data[at + 6])
        elif marker not in _HARMLESS:
            return None
        at += 2 + (data[at + 2] << 8 | data[at + 3])
    return None
