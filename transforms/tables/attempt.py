"""Attempts: of all that were started on one run, only the last may commit.

A submitter may die while its job lives on in a cluster, and the run be started again. The file `attempt` of the run
names the start that counts; a worker of another one must not mix its shards with those of the new one.
"""

import uuid

from apache_beam.io.filesystems import FileSystems

from transforms.tables.files import commit_file, open_binary

_FILE = "attempt"


class Superseded(RuntimeError):
    """The run was started again elsewhere; this worker belongs to an earlier attempt."""


def begin_attempt(run: str) -> str:
    """Supersede all earlier attempts; the name of the new one."""
    attempt = uuid.uuid4().hex
    with commit_file(FileSystems.join(run, _FILE)) as out:
        out.write(attempt.encode())
    return attempt


def check_attempt(run: str, attempt: str) -> None:
    """Raise Superseded unless this attempt is the run's last."""
    with open_binary(FileSystems.join(run, _FILE)) as file:
        last = file.read().decode()
    if last != attempt:
        raise Superseded(f"{run} was started again (attempt {last}); this one, {attempt}, no longer commits.")
