"""Pictures out of a table's cells, and nothing but pictures."""

from beam_pipelines.browse.asked import Asked
from beam_pipelines.browse.refused import not_there
from beam_pipelines.browse.site import Site
from transforms.images.sniff import sniff
from transforms.tables.reasons import Rejected

TYPES = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}  # what tables hold, and browsers show


def picture(site: Site, asked: Asked) -> tuple[str, bytes]:
    """The content type and the bytes of a cell, by what its first bytes are; Refused if that is no picture."""
    content = site.stored.cell(asked.text("table"), asked.text("shard"), asked.number("row"), asked.text("column"))
    try:
        kind = TYPES[sniff(content)] if isinstance(content, bytes) else ""
    except (Rejected, KeyError):
        kind = ""
    if not kind or not isinstance(content, bytes):
        raise not_there("this cell holds no picture (JPEG, PNG or WebP).")
    return kind, content
