"""Whether a path that the user gave can be used, said in a sentence before anything is done with it."""

import os
import re
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from beam_pipelines.errors import ConfigError
from transforms.fetch.lists.files import is_media_folder, list_files, nothing_at
from transforms.tables import files
from transforms.tables.files import exists, is_local
from transforms.tables.s3 import check_bucket, is_s3
from transforms.tables.upload import http_status

_CLIENTS = {
    "gs": "manyfaces[gcp]",
    "s3": "manyfaces[aws]",
    "hdfs": "apache-beam[hadoop]",
    "azfs": "apache-beam[azure]",
}
_ONE_SLASH = re.compile(r"([a-z][a-z0-9]+):/[^/]")


def use_options(beam: Sequence[str]) -> None:
    """From now on the clients of all storages in this process take these options of Beam's (accounts, regions)."""
    FileSystems.set_options(PipelineOptions(list(beam)))


def check_folder(path: str, what: str) -> None:
    """ConfigError unless the folder's store is there and may be listed; a local folder need not be there yet."""
    _check_form(path, what)
    if is_local(path):
        _check_local(path, what)
    else:
        ask(lambda: FileSystems.match([f"{path.rstrip('/')}/*"], limits=[1]), path, what)


def _check_local(path: str, what: str) -> None:
    """ConfigError for what is no folder and can be none: a file, or something below a file."""
    place = os.path.abspath(path)
    while not os.path.lexists(place):
        place = os.path.dirname(place)
    if not os.path.isdir(place):
        shown = "this" if place == os.path.abspath(path) else place
        raise ConfigError(f"{what} {path}: {shown} is a file and no folder; name another one.")


def make_folder(path: str, what: str) -> None:
    """Have the folder there, and able to take files; ConfigError says why that cannot be."""
    try:
        files.make_folder(path)
        if is_local(path):
            with tempfile.TemporaryFile(dir=path):
                pass
    except OSError as error:
        raise ConfigError(
            f"{what} {path}: no folder can be made there, or no file in it ({error.strerror}); name another one."
        ) from error


def is_file(path: str, what: str) -> bool:
    """Whether the file is there; ConfigError if its store cannot say so."""
    _check_form(path, what)
    return bool(ask(lambda: exists(path), path, what))


def is_list(path: str, what: str) -> bool:
    """Whether there is a list: a file, a folder with lists or with media, or a pattern that some have."""
    _check_form(path, what)
    return bool(ask(lambda: list_files(path) or is_media_folder(path), path, what))


def check_list(path: str, what: str) -> None:
    """ConfigError unless there is a list."""
    if not is_list(path, what):
        raise ConfigError(f"{what} {path}: {nothing_at(path)}")


def ask(action: Callable[[], Any], path: str, what: str) -> Any:
    """What the action on the path returns; ConfigError if the path's store refuses it or does not answer."""
    try:
        return action()
    except Exception as error:  # every store's client has its own
        raise ConfigError(f"{what} {path}: {_reason(path, error)}") from error


def _check_form(path: str, what: str) -> None:
    if found := _ONE_SLASH.match(path):
        raise ConfigError(f"{what} {path}: write {found[1]}:// with two slashes.")
    if is_s3(path):  # whose listing finds nothing where there is no bucket, and whose client goes on asking for minutes
        ask(lambda: check_bucket(path), path, what)


def _reason(path: str, error: Exception) -> str:
    """Why a store did not answer, and how to mend it."""
    while isinstance(error, BeamIOError) and error.exception_details:
        error = next(iter(error.exception_details.values()))
    scheme = FileSystems.get_scheme(path)
    message = " ".join(str(error).split())[:300]
    if isinstance(error, ImportError | AssertionError) or "Unable to get filesystem" in message:
        if scheme in _CLIENTS:
            return f"the client of {scheme}:// is not installed: pip install '{_CLIENTS[scheme]}'."
        return f"no storage is known as {scheme}://; there are: {', '.join(f'{name}://' for name in _CLIENTS)}."
    status = http_status(error)
    if status == 404:
        return "there is no such bucket, or you may not see it; create it first, or mend the name."
    if status in (401, 403):
        return f"access is denied; give the account of this process the role to read and write there ({message})."
    if type(error).__name__ == "NoCredentialsError":  # boto3's
        return "no credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
    return f"the storage does not answer: {message}"
