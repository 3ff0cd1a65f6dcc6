"""`manyfaces completion`: the script with which a shell completes commands, options and recipes.

It is made once, so that nothing of manyfaces runs while somebody types. The names in it are those of the version that
made it.
"""

import argparse
from collections.abc import Iterator

import shtab

from beam_pipelines.errors import ConfigError
from beam_pipelines.init import shipped

SHELLS = ("bash", "zsh", "fish")
# what stands behind an option or an argument, by the name that its help shows
_FILES = ("MANIFEST", "FILE", "F", "PAIRS", "LABELS", "TRACKS")
_FOLDERS = ("DIR", "RUN", "FOLDER")


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script of the shell for the whole command line; ConfigError for another shell."""
    if shell not in SHELLS:
        raise ConfigError(f"completion: there is none for {shell!r}; there is for {', '.join(SHELLS)}.")
    for action in _actions(parser):
        _complete(action)
    return str(shtab.complete(parser, shell=shell))


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)


def _complete(action: argparse.Action) -> None:
    """Say what a value can be: a folder, a file, or of a configuration also a name."""
    if action.metavar in _FOLDERS:
        action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    elif action.metavar in _FILES:
        action.complete = shtab.FILE  # type: ignore[attr-defined]
    elif action.metavar == "CONFIG":
        action.complete = _configurations(shipped())  # type: ignore[attr-defined]
    elif action.metavar == "RECIPE":
        action.choices = shipped()


def _configurations(names: list[str]) -> dict[str, str | dict[str, str]]:
    """For each shell a function that gives the names and the files there are, and its call."""
    words, function = " ".join(names), "_manyfaces_configurations"
    bash = f'{function}() {{ compgen -W "{words}" -- "$1"; compgen -f -- "$1"; }}'
    zsh = f'{function}() {{ _alternative "recipes:recipe:({words})" "files:file:_files"; }}'
    fish = f"function {function}; string split ' ' '{words}'; __fish_complete_path (commandline -ct); end"
    preamble = {"bash": bash, "zsh": zsh, "fish": fish}
    return {"bash": function, "zsh": function, "fish": f"({function})", "preamble": preamble}
