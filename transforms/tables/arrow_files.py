"""Files of any store as Arrow's datasets see them: opened by Beam, with its credentials, only ever to be read."""

from collections.abc import Sequence
from typing import Any, NoReturn

import pyarrow as pa
from apache_beam.io.filesystems import FileSystems
from pyarrow import fs

from transforms.tables.files import open_binary


class _Reading(fs.FileSystemHandler):
    """Arrow asks of a dataset's files what they are, and opens them; all else is refused."""

    def get_type_name(self) -> str:
        return "beam"

    def normalize_path(self, path: str) -> str:
        return path

    def get_file_info(self, paths: Sequence[str]) -> list[fs.FileInfo]:
        found = {one.path: one.size_in_bytes for match in FileSystems.match(list(paths)) for one in match.metadata_list}
        kinds = {path: fs.FileType.File if path in found else fs.FileType.NotFound for path in paths}
        return [fs.FileInfo(path, kinds[path], size=found.get(path)) for path in paths]

    def open_input_file(self, path: str) -> pa.NativeFile:
        return pa.PythonFile(open_binary(path), mode="r")

    open_input_stream = open_input_file

    def _refused(self, *_: Any) -> NoReturn:
        raise NotImplementedError("these files are only read")

    get_file_info_selector = create_dir = delete_dir = delete_dir_contents = delete_root_dir_contents = _refused
    delete_file = move = copy_file = open_output_stream = open_append_stream = _refused


def reading() -> fs.FileSystem:
    """Arrow's view of the files; paths are those of Beam, `gs://bucket/name` among them."""
    return fs.PyFileSystem(_Reading())
