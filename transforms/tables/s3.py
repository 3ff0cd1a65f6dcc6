"""s3:// through Beam: one client for a process, objects written whole, and whether a bucket is there.

Beam's own file system for S3 makes a client, with new connections, for every call (0.1 s of computing each). It writes
an object in three requests or more, none that is empty, and gives one that broke in the middle its name all the same.
"""

import io
from functools import lru_cache
from typing import IO, Any

from apache_beam.io.aws import s3io
from apache_beam.io.aws.clients.s3 import boto3_client
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions, S3Options

_CONNECTIONS = 64  # that are kept for the threads of a process; boto3's own 10 are too few for a worker's
_ONE_REQUEST = 64 * 2**20  # bytes of an object that is put at once; larger ones go in parts
_OPTIONS = {
    "s3_endpoint_url": "endpoint_url",
    "s3_region_name": "region_name",
    "s3_access_key_id": "aws_access_key_id",
    "s3_secret_access_key": "aws_secret_access_key",
    "s3_session_token": "aws_session_token",
    "s3_api_version": "api_version",
    "s3_verify": "verify",
}  # Beam's option -> boto3's argument


class _SharedClient(boto3_client.Client):
    """Beam's client, on the connections that the process has already."""

    def __init__(self, options: PipelineOptions) -> None:
        self.client = _connected(options)
        self._download_request = self._download_stream = None
        self._download_pos = 0


def share_client() -> None:
    """From now on Beam's calls of this process share one client of S3, where boto3 is installed.

    Beam makes its clients itself and takes none, so its class is replaced; its file system needs options, if none too.
    """
    if s3io.BOTO3_INSTALLED:
        boto3_client.Client = _SharedClient
        if FileSystems._pipeline_options is None:
            FileSystems.set_options(PipelineOptions([]))


def is_s3(path: str) -> bool:
    """Whether the path is on S3, and there is a client for it."""
    return path.startswith("s3://") and bool(s3io.BOTO3_INSTALLED)


def put(content: IO[bytes], path: str) -> None:
    """Write the object from the start of a file: it is there whole, or as before if this fails."""
    size = content.seek(0, io.SEEK_END)
    content.seek(0)
    bucket, key = s3io.parse_s3_path(path)
    if size <= _ONE_REQUEST:
        _client().put_object(Bucket=bucket, Key=key, Body=content)
    else:
        _client().upload_fileobj(content, bucket, key)


def check_bucket(path: str) -> None:
    """An error of the client if the path's bucket is not there, or not for the account of this process."""
    bucket, _ = s3io.parse_s3_path(f"{path}/", object_optional=True)
    _client().head_bucket(Bucket=bucket)


def forget_client() -> None:
    """The next call makes the client anew, as the environment is then."""
    _make.cache_clear()


def _client() -> Any:
    return _connected(FileSystems._pipeline_options)


def _connected(options: PipelineOptions) -> Any:
    given = options.view_as(S3Options)
    return _make(not given.s3_disable_ssl, tuple(getattr(given, name) for name in _OPTIONS))


@lru_cache(maxsize=4)
def _make(use_ssl: bool, given: tuple[Any, ...]) -> Any:
    """boto3's client; what is None comes from the environment, as boto3 has it. Threads may share it."""
    import boto3
    from botocore.config import Config

    arguments = dict(zip(_OPTIONS.values(), given, strict=True))
    config = Config(max_pool_connections=_CONNECTIONS)
    return boto3.session.Session().client("s3", use_ssl=use_ssl, config=config, **arguments)
