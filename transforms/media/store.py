"""A downloaded file as the file that is stored: accepted, resized, encoded, or kept byte for byte."""

from dataclasses import dataclass

from transforms.media.image import Header, decode, encode, read_header
from transforms.media.resize import apply_plan, plan_resize
from transforms.media.settings import AcceptSettings, StoreSettings


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
    if store.reencode == "when_needed" and _fits(header, store) and not plan.changes(header.width, header.height):
        if store.verify:
            decode(data, header, at_least=(1, 1))  # a scaled decode still reads every coefficient
        return Stored(data, header.width, header.height, header.format, header.width, header.height)
    image = decode(data, header, at_least=(plan.width, plan.height) if store.scaled_decode else None)
    file = encode(apply_plan(image, plan, store), store.format, store.quality)
    return Stored(file, plan.canvas_width, plan.canvas_height, header.format, header.width, header.height)


def _fits(header: Header, store: StoreSettings) -> bool:
    return header.plain and header.orientation == 1 and header.format == store.format
