"""Writing an object to an object store, whatever happens on the way.

The stores' clients try a failed request again for a while (Google's: two minutes), so that reading and listing ride
out a short outage. An upload that breaks in the middle they give up.
"""

import logging
import shutil
import time
from typing import IO

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from transforms.tables.s3 import is_s3, put

_PATIENCE = 120.0  # seconds in which a broken upload is begun anew: as long as Google's client tries one request
_PAUSE = 1.0  # seconds before the second try, twice as many before each further one
_DENIED = (401, 403)  # HTTP statuses that no second try changes
_LOG = logging.getLogger(__name__)


def upload(content: IO[bytes], path: str) -> None:
    """Write the object; an upload that breaks is begun anew, since its session may be lost with what it had sent."""
    give_up, pause = time.monotonic() + _PATIENCE, _PAUSE
    while True:
        try:
            content.seek(0)
            _write(content, path)
            return
        except Exception as error:  # every store's client has its own
            if http_status(error) in _DENIED or time.monotonic() + pause > give_up:
                raise
            _LOG.warning("the upload of %s broke (%s) and is tried again in %g s", path, error, pause)
        time.sleep(pause)
        pause *= 2


def _write(content: IO[bytes], path: str) -> None:
    if is_s3(path):
        put(content, path)
        return
    out = FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED)
    try:
        with out:
            shutil.copyfileobj(content, out, 2**20)
    except BaseException:
        # Python closes a file that is collected as garbage: Google's would upload what it holds then, minutes later
        out.close = lambda: None
        raise


def http_status(error: Exception) -> int | None:
    """The HTTP status in a client's error, if there is one."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):  # boto3's
        code = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        code = getattr(error, "code", getattr(response, "status_code", None))
    return code if isinstance(code, int) else None
