"""The folder of a subset: empty at the start, with a folder in it for what is unfinished, which goes at the end."""

from apache_beam.io.filesystems import FileSystems

from beam_pipelines.curating.source import TABLE
from beam_pipelines.driver import storage
from beam_pipelines.errors import ConfigError
from transforms.tables.files import commit_file, delete_folder, is_folder

LINES, RECORD, PLOT = "tracks.jsonl.gzip", "curation.json", "curation.html"
_WORK = "unfinished"


def work_folder(output: str) -> str:
    """The folder for what is between; while it is there, the subset is not finished."""
    return str(FileSystems.join(output, _WORK))


def make_empty(output: str) -> None:
    """Have an empty folder; what a stopped curation has left in it goes. ConfigError if anything else is in it."""
    storage.check_folder(output, "--output")
    if any(character in output for character in "*?["):
        raise ConfigError(f"--output {output}: the name must not have any of * ? [ in it.")
    work = work_folder(output)
    names = [one.path for one in FileSystems.match([f"{output.rstrip('/')}/**"])[0].metadata_list]
    unfinished = is_folder(work)
    if names and not unfinished:
        raise ConfigError(f"--output {output}: the folder is not empty; name another one.")
    if unfinished:
        delete_folder(str(FileSystems.join(output, TABLE)))
        delete_folder(work)
    storage.make_folder(output, "--output")
    with commit_file(str(FileSystems.join(work, "started"))) as file:
        file.write(b"a curation is at work here, or was stopped; the same command begins anew\n")
