"""Whether a JPEG is whole, as its decoder sees it; and that what is no fault of the picture does not count."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.image_files import PHOTO, SMALL, in_jpeg, jpeg_segment, saved
from transforms.images.decode import decode, is_sound
from transforms.images.header import read_header
from transforms.images.jpeg import MAX_SCANS, follow_scans, plain_jpeg, read_jpeg
from transforms.images.settings import AcceptSettings, StoreSettings
from transforms.images.store import store_image
from transforms.tables.reasons import Rejected

ACCEPT = AcceptSettings()
END = b"\xff\xd9"
PICTURE = np.ascontiguousarray(PHOTO[:256, 128:384])
PLAIN = saved(PICTURE, "jpeg", quality=85)
PROGRESSIVE = saved(PICTURE, "jpeg", quality=85, progressive=True)
RESTARTS = saved(PICTURE, "jpeg", quality=85, restart_marker_blocks=8)
CMYK = saved(Image.fromarray(PICTURE).convert("CMYK"), "jpeg", quality=85)
GREY = saved(Image.fromarray(PICTURE).convert("L"), "jpeg", quality=85)
KINDS = {"plain": PLAIN, "progressive": PROGRESSIVE, "restarts": RESTARTS, "cmyk": CMYK, "grey": GREY}


def wanted(file):
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))


def got(file):
    header = read_header(file, ACCEPT)
    return decode(file, header), is_sound(file, header)


def half(file):
    return file[: len(file) // 2]


def scan_starts(file):
    return [at for at in range(len(file) - 1) if file[at : at + 2] == b"\xff\xda"]


def restarts(file):
    return [at for at in range(len(file) - 1) if file[at] == 0xFF and 0xD0 <= file[at + 1] <= 0xD7]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    "cut",
    [
        half,
        lambda file: half(file) + END,
        lambda file: half(file) + bytes(5000) + END,
        lambda file: half(file) + bytes(len(file) - len(half(file))),
        lambda file: half(file) + b"\xff" * 5000 + END,
        lambda file: half(file) + file,  # another picture behind it
        lambda file: half(file) + END + file,
        lambda file: file[:-20] + END,
        lambda file: file[: int(len(file) * 0.9)] + END,
        lambda file: file[: len(file) // 2] + file[len(file) // 2 + 900 :],  # a piece of the middle is lost
    ],
)
def test_a_part_of_a_picture_is_broken(name, cut):
    with pytest.raises(Rejected) as why:
        got(cut(KINDS[name]))
    assert why.value.code == "broken_image"
    with pytest.raises(Rejected):
        store_image(cut(KINDS[name]), ACCEPT, StoreSettings(mode="no"))


@pytest.mark.parametrize("scans", range(1, 10))
def test_a_progressive_picture_without_its_last_scans_is_broken(scans):
    starts = scan_starts(PROGRESSIVE)
    assert len(starts) == 10
    with pytest.raises(Rejected, match="scans are missing"):
        got(PROGRESSIVE[: starts[scans]] + END)


def test_lost_segments_between_restarts_are_found():
    at = restarts(RESTARTS)
    for file in (RESTARTS[: at[5]] + RESTARTS[at[6] :], RESTARTS[: at[len(at) // 2]] + END):
        with pytest.raises(Rejected, match="instead of RST"):
            got(file)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    ("change", "sound"),
    [
        (lambda file: file, True),
        (lambda file: file[:-2], False),
        (lambda file: file[:-1], False),
        (lambda file: file[:-2] + bytes(3000), False),
        (lambda file: file[:-2] + bytes(3000) + END, None),
        (lambda file: file[:-2] + b"\xff\xff\xff" + END, True),
        (lambda file: file + b"\xff\xda" * 300, True),
        (lambda file: file + file, True),
        (lambda file: file + bytes(10_000), True),
        (lambda file: file[: file.index(b"\xff\xdb")] + b"junk" + file[file.index(b"\xff\xdb") :], False),
        (lambda file: in_jpeg(file, jpeg_segment(0xE5, b"maker")[:3] + b"\x03" + b"\0longer than it says"), False),
        (lambda file: in_jpeg(file, jpeg_segment(0xFE, bytes(60_000))), True),
        (lambda file: in_jpeg(file, *[jpeg_segment(0xE1, b"Exif\0\0" + bytes(60_000))] * 20), True),
        (lambda file: in_jpeg(file, jpeg_segment(0xE2, b"MPF\0II*\0\x08\0\0\0\xff\xff" + b"\x01\xb0" * 300)), True),
        (lambda file: in_jpeg(file, jpeg_segment(0xE2, b"ICC_PROFILE\0\x01\x05half a profile")), None),
        (lambda file: file.replace(b"JFIF\0\x01\x01", b"JFIF\0\x07\x01"), None),
    ],
)
def test_a_whole_picture_is_kept_whatever_surrounds_it(name, change, sound):
    file = KINDS[name]
    image, is_good = got(change(file))
    assert np.abs(image.astype(int) - wanted(file)).max() <= 2
    if sound is not None:
        assert is_good == sound


def test_what_others_may_not_read_is_encoded_anew():
    settings = StoreSettings(mode="no")
    assert store_image(PLAIN, ACCEPT, settings).file == PLAIN
    assert store_image(PLAIN + b"trailer", ACCEPT, settings).file == PLAIN + b"trailer"
    stored = store_image(PLAIN[:-2], ACCEPT, settings).file
    assert stored != PLAIN[:-2]
    assert cv2.PSNR(got(stored)[0], wanted(PLAIN)) > 35
    assert got(stored)[1]


def test_odd_spectral_selection_of_a_sequential_picture_is_no_damage():
    start = read_jpeg(PLAIN).start
    header = start + 2 + int.from_bytes(PLAIN[start + 2 : start + 4], "big")
    odd = PLAIN[: header - 3] + b"\0\0\0" + PLAIN[header:]
    assert (got(odd)[0] == got(PLAIN)[0]).all()
    with pytest.raises(Rejected):
        got(odd[: len(odd) // 2] + END)


def interleaved_by_component():
    """A sequential JPEG of a scan for each component, each of one grey level, and such scans as are asked for."""
    one = saved(np.full((8, 8, 3), 100, np.uint8), "jpeg", quality=75, subsampling=0)
    found = read_jpeg(one)
    coded = one[found.start + 14 : -2]
    scan = lambda component: jpeg_segment(0xDA, bytes([1, component, 0, 0, 63, 0])) + coded  # noqa: E731
    return one[: found.start], scan


@pytest.mark.parametrize(("components", "whole"), [((1, 2, 3), True), ((1, 2), False), ((1,), False), ((2, 3), False)])
def test_every_component_must_be_there(components, whole):
    head, scan = interleaved_by_component()
    file = head + b"".join(scan(component) for component in components) + END
    assert plain_jpeg(file) is None
    assert follow_scans(file, read_jpeg(file)).complete == whole
    if not whole:
        with pytest.raises(Rejected, match="scans are missing"):
            read_header(file, ACCEPT)


@pytest.mark.parametrize("times", [MAX_SCANS, 3 * MAX_SCANS])
def test_endless_scans_are_refused_in_sequential_files_too(times):
    head, scan = interleaved_by_component()
    file = head + scan(1) * times + scan(2) + scan(3) + END
    with pytest.raises(Rejected, match="more than 200 scans"):
        read_header(file, ACCEPT)


def test_scans_are_counted_up_to_the_end_marker():
    found = follow_scans(PROGRESSIVE + b"\xff\xda" * 500, read_jpeg(PROGRESSIVE))
    assert (found.count, found.end, found.complete) == (10, len(PROGRESSIVE) - 2, True)


@pytest.mark.parametrize(
    "adobe", [b"\xff\xee\x00\x0eAdobe\0\x64\0\0\0\0\x09", b"\xff\xee\x00\x0eAdobe\0\x64\0\0\0\0\x01"]
)
def test_an_unknown_colour_transform_is_the_usual_one(adobe):
    assert np.abs(got(in_jpeg(PLAIN, adobe))[0].astype(int) - wanted(PLAIN)).max() <= 2


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("scale", [1, 2, 4, 8])
@pytest.mark.parametrize("size", [(96, 80), (33, 17), (1, 1), (7, 300)])
def test_scaled_pixels_are_as_many_as_they_should_be(mode, scale, size):
    file = saved(Image.fromarray(cv2.resize(SMALL, size)).convert(mode), "jpeg")
    header = read_header(file, ACCEPT)
    target = (max(1, size[0] // scale), max(1, size[1] // scale))
    image = decode(file, header, target)
    assert image.shape[1] >= target[0]
    assert image.shape[0] >= target[1]
    assert abs(image.mean() - wanted(file).mean()) < 12


def test_damage_that_the_decoder_tells_costs_the_picture():
    dice = np.random.default_rng(0)
    told = []
    for _ in range(60):
        file = bytearray(PLAIN)
        at = int(dice.integers(len(file) // 3, len(file) - 600))
        file[at : at + 500] = dice.bytes(500).replace(b"\xff", b"\xfe")
        try:
            got(bytes(file))
        except Rejected as why:
            told.append(why.code)
    assert set(told) == {"broken_image"}
    assert len(told) > 20  # of damage that leaves as many bits as there should be no decoder knows
