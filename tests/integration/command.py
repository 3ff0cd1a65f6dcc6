"""`manyfaces run` as a process that a test may kill, forked from one that has imported all: that takes seconds."""

import multiprocessing
import os
import sys
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "apache_beam.runners.portability.fn_api_runner.fn_runner",
        "apache_beam.runners.portability.portable_runner",
        "beam_pipelines.cli",
        "beam_pipelines.driver.run",
        "beam_pipelines.recipes.face_clips",
        "beam_pipelines.recipes.face_generation",
        "beam_pipelines.recipes.object_tracks",
        "beam_pipelines.recipes.webbody",
        "onnxruntime",
        __name__,
    ]
)


@dataclass(frozen=True)
class Command:
    """A command on its way, and the file of its messages."""

    process: BaseProcess
    said: Path

    @property
    def id(self) -> int:
        """Of the process."""
        return self.process.pid

    def wait(self, seconds: float) -> int | None:
        """Its exit code, -9 if it was killed; None if it has not ended by then."""
        self.process.join(seconds)
        return self.process.exitcode

    def kill(self) -> None:
        """SIGKILL; the process is gone afterwards."""
        self.process.kill()
        self.process.join()

    def messages(self) -> str:
        """What it has said so far."""
        return self.said.read_text()


def start(
    recipe: str, manifest: Path, output: Path | str, overrides: list[str], *beam: str, said: Path | None = None
) -> Command:
    """The command that makes a run, on its way; its messages go to the file `said`, else to one beside the run."""
    settings = [word for override in overrides for word in ("--set", override)]
    words = ["run", recipe, "--input", str(manifest), "--output", str(output), *settings, *beam]
    said = said or output.with_name(f"{output.name}.messages")
    said.write_text("")
    process = _FORKS.Process(target=_main, args=(words, str(said), dict(os.environ)))
    process.start()
    return Command(process, said)


def finish(command: Command, seconds: float = 300) -> str:
    """The messages of a run that ends well within that time; it is killed if it does not."""
    try:
        code = command.wait(seconds)
    finally:
        command.kill()
    assert code == 0, command.messages()
    return command.messages()


def _main(words: list[str], said: str, environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(os.open(said, os.O_WRONLY | os.O_APPEND), 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.argv = ["manyfaces", *words]
    from beam_pipelines import cli

    cli.entry()
