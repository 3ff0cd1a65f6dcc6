"""An object store in memory behind Beam's FileSystem, with the semantics of Beam's GCSFileSystem.

There are no folders, a pattern matches by prefix, an object appears when its writer is closed and not at all when the
block that writes it fails, and deleting a "folder" without its trailing slash deletes nothing.
"""

import hashlib
import io
import time
import uuid
from collections.abc import Iterator

from apache_beam.io.filesystem import BeamIOError, FileMetadata, FileSystem

OBJECTS: dict[str, bytes] = {}
_SCHEME = "objects"


class _Writer(io.BytesIO):
    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def close(self) -> None:
        if not self.closed:
            OBJECTS[self._path] = self.getvalue()
        super().close()

    def __exit__(self, kind, error, trace) -> None:
        if kind is not None:
            super().close()  # the upload is cancelled
        self.close()


class ObjectStore(FileSystem):
    @classmethod
    def scheme(cls) -> str:
        return _SCHEME

    def join(self, basepath: str, *paths: str) -> str:
        return "/".join([basepath.rstrip("/"), *(path.strip("/") for path in paths)])

    def split(self, path: str) -> tuple[str, str]:
        head, _, tail = path.rpartition("/")
        return head, tail

    def mkdirs(self, path: str) -> None:
        pass

    def has_dirs(self) -> bool:
        return False

    def _list(self, prefix: str) -> Iterator[FileMetadata]:
        for path in sorted(OBJECTS):
            if path.startswith(prefix):
                yield FileMetadata(path, len(OBJECTS[path]), time.time())

    def create(self, path, mime_type="", compression_type=None) -> io.BytesIO:
        return _Writer(path)

    def open(self, path, mime_type="", compression_type=None) -> io.BytesIO:
        if path not in OBJECTS:
            raise FileNotFoundError(path)
        return io.BytesIO(OBJECTS[path])

    def copy(self, source_file_names, destination_file_names) -> None:
        for source, destination in zip(source_file_names, destination_file_names, strict=True):
            OBJECTS[destination] = OBJECTS[source]

    def rename(self, source_file_names, destination_file_names) -> None:
        self.copy(source_file_names, destination_file_names)
        self.delete(source_file_names)

    def exists(self, path: str) -> bool:
        return path in OBJECTS

    def size(self, path: str) -> int:
        return self.metadata(path).size_in_bytes

    def checksum(self, path: str) -> str:
        self.metadata(path)
        return hashlib.sha256(OBJECTS[path]).hexdigest()

    def last_updated(self, path: str) -> float:
        return self.metadata(path).last_updated_in_seconds

    def metadata(self, path: str) -> FileMetadata:
        if path not in OBJECTS:
            raise BeamIOError("no such object", {path: FileNotFoundError(path)})
        return FileMetadata(path, len(OBJECTS[path]), time.time())

    def delete(self, paths) -> None:
        for path in paths:
            pattern = f"{path}**" if path.endswith("/") else path
            for found in self.match([pattern])[0].metadata_list:
                OBJECTS.pop(found.path)


def new_folder() -> str:
    """A folder of the store that nothing else uses."""
    return f"{_SCHEME}://bucket/{uuid.uuid4().hex}"
