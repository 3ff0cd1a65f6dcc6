"""`manyfaces browse RUN`."""

import argparse
import json
import os
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from apache_beam.io.filesystems import FileSystems

from beam_pipelines import config as configuration
from beam_pipelines.browse.marks import Marks
from beam_pipelines.browse.server import Server
from beam_pipelines.browse.site import Marking, Site
from beam_pipelines.browse.stored import Stored
from beam_pipelines.driver import storage
from beam_pipelines.driver.record import read_record
from beam_pipelines.errors import ConfigError
from transforms.tables.files import is_local


def command(arguments: argparse.Namespace) -> None:
    """Serve the run until Ctrl-C."""
    server = Server(open_site(arguments.run, arguments.overrides), arguments.port)
    print(f"{arguments.run}: {server.address}", flush=True)
    print("Whoever has this address may look and mark; Ctrl-C ends it.", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    finally:
        server.server_close()


def open_site(run: str, overrides: str | None = None) -> Site:
    """The pages of a run; ConfigError if there is no run, or no file of marks can be at that path."""
    storage.check_folder(run, "run")
    stored = Stored(os.path.abspath(run) if is_local(run) else run.rstrip("/"))
    record = read_record(stored.run)
    if not stored.names():
        raise ConfigError(f"{run}: there are no tables of a run here; name a run's folder.")
    path = marks_path(stored.run, record, overrides)
    site = Site(stored, Marks(stored, path), marking(stored, record, path))
    if not site.marking.why_not:
        try:
            site.marks.lines()
        except ValueError as error:
            raise ConfigError(f"{error} Mend it, or name another file with --overrides.") from error
    return site


def marks_path(run: str, record: Mapping[str, Any], given: str | None) -> str:
    """The file of marks: as it is given, else that which the run was made with, else one beside the run's folder.

    Not in the folder, since that may be deleted and made anew, and what a person said is kept.
    """
    made_with = record.get("config", {}).get("identity", {}).get("overrides")
    if not (given or made_with or is_local(run) or "/" in run.partition("://")[2]):
        raise ConfigError(f"{run}: a whole bucket has nothing beside it; name the file of marks with --overrides.")
    path = given or made_with or f"{run}-overrides.csv"
    if not given and made_with and not storage.is_file(made_with, "identity.overrides"):
        raise ConfigError(
            f"{run}: it was made with the overrides {made_with}, which are not here; name the file with --overrides."
        )
    storage.check_folder(os.path.dirname(path) if is_local(path) else FileSystems.split(path)[0], "--overrides")
    if is_local(path) and os.path.isdir(path):
        raise ConfigError(f"--overrides {path}: this is a folder; name a file.")
    return os.path.abspath(path) if is_local(path) else str(path)


def marking(stored: Stored, record: Mapping[str, Any], path: str) -> Marking:
    """How marks of this run are applied, or why it takes none."""
    if not stored.has("identities"):
        return Marking(why_not="The run has no identities, so there is nothing to mark.")
    config = record.get("config", {})
    if record and "identity" not in config:
        return Marking(
            why_not=f"The recipe {record.get('recipe')} has no identity.overrides, so its identities cannot be marked."
        )
    recipe, listed = record.get("recipe", "CONFIG"), record.get("manifest", "LIST")
    words = ["manyfaces", "run", recipe, "--input", listed, "--output", stored.run, "--recompute"]
    for key, value in _given(config):
        if key != "identity.overrides":
            words += ["--set", f"{key}={json.dumps(value, ensure_ascii=False)}"]
    return Marking(command=shlex.join([*map(str, words), "--set", f"identity.overrides={path}"]))


def _given(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The keys whose values are not those of the recipe alone, since the command must give them again."""
    try:
        _, shipped = configuration.load(str(config.get("recipe")))
    except ConfigError:  # a recipe that is not installed here: its run may be looked at all the same
        return
    yield from _differences(shipped.model_dump(mode="json"), config, "")


def _differences(usual: Any, now: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(usual, dict) and isinstance(now, dict) and usual.keys() >= now.keys() and now:
        for name, value in now.items():
            yield from _differences(usual[name], value, f"{key}.{name}" if key else name)
    elif usual != now:
        yield key, now
