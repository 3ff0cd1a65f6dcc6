"""A downloaded file as the file that is stored: accepted, resized, encoded, or kept byte for byte."""

from dataclasses import dataclass

from transforms.images.decode import decode, is_sound
from transforms.images.encode import MAX_SIDE, encode
from transforms.images.header import Header, read_header
from transforms.images.resize import Plan, apply_plan, plan_resize
from transforms.images.settings import AcceptSettings, StoreSettings
from transforms.tables.reasons import Rejected


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """The file to store and its size in pixels, with format and upright size of what came."""

    file: bytes
    width: int
    height: int
    original_format: str
    original_width: int
    original_height: int


def store_image(data: bytes, accept: AcceptSettings, store: StoreSettings) -> Stored:
    """The file to store for these bytes; Rejected says why there is none."""
    header = read_header(data, accept)
    plan = plan_resize(header.width, header.height, store)
    if _stays(header, plan, store) and (not store.verify or is_sound(data, header)):
        return Stored(data, header.width, header.height, header.format, header.width, header.height)
    _check_result(plan, accept, store)
    image = decode(data, header, at_least=(plan.width, plan.height) if store.scaled_decode else None)
    file = encode(apply_plan(image, plan, store), store.format, store.quality)
    return Stored(file, plan.canvas_width, plan.canvas_height, header.format, header.width, header.height)


def _stays(header: Header, plan: Plan, store: StoreSettings) -> bool:
    """Whether the file is already what would be made of it."""
    fits = header.plain and header.sound and header.orientation == 1 and header.format == store.format
    return fits and store.reencode == "when_needed" and not plan.changes(header.width, header.height)


def _check_result(plan: Plan, accept: AcceptSettings, store: StoreSettings) -> None:
    """Rejected `too_large_result` for a picture that would grow beyond what is let in, or beyond what a file holds."""
    width, height = plan.canvas_width, plan.canvas_height
    if max(width, height) > MAX_SIDE[store.format]:
        limit = MAX_SIDE[store.format]
        raise Rejected("too_large_result", f"{width} x {height}; a side of a {store.format} has {limit} pixels at most")
    if width * height > max(accept.max_pixels, store.size**2):
        raise Rejected("too_large_result", f"{width} x {height}, more than accept.max_pixels {accept.max_pixels}")
