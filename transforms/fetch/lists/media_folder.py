"""A folder of images or videos as a list: a row for each file in it and in the folders below it."""

import os
from collections.abc import Iterator

from transforms.fetch.lists.record import Record
from transforms.tables.files import is_local

IMAGES = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif")
VIDEOS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mpg", ".mpeg", ".flv", ".wmv", ".3gp")
FOLDER_COLUMNS = ("url", "folder", "file")


def media_rows(path: str, endings: tuple[str, ...]) -> Iterator[Record]:
    """The files with these endings, as their whole path `url`, the `folder` below the path, and their name `file`.

    In the order of their names, folder by folder; hidden ones are left out, and links to folders are not followed.
    """
    top = os.path.realpath(path)
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = os.path.relpath(folder, top)
        for name in sorted(names):
            if not name.startswith(".") and name.lower().endswith(endings):
                place = None if below == os.curdir else below
                yield dict(zip(FOLDER_COLUMNS, (os.path.join(folder, name), place, name), strict=True))


def has_media(path: str) -> bool:
    """Whether this is a folder of this machine with images or videos in it, or below it."""
    return is_local(path) and os.path.isdir(path) and next(media_rows(path, IMAGES + VIDEOS), None) is not None


def media_names(path: str) -> Iterator[str]:
    """The whole paths of all images and videos of the folder."""
    return (row["url"] for row in media_rows(path, IMAGES + VIDEOS))
