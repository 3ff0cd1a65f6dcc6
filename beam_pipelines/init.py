"""`manyfaces init`: a configuration to start from, with a comment on every key."""

import os

import configs
from beam_pipelines.errors import ConfigError
from beam_pipelines.recipes import RECIPES
from model_handlers.named import nearest


def shipped() -> list[str]:
    """The names of the configurations that come with manyfaces: a recipe's own, and those for a GPU."""
    names = sorted(path.stem for path in configs.FOLDER.glob("*.yaml"))
    return [name for name in names if name.partition("-")[0] in RECIPES]


def write_configuration(name: str, path: str) -> None:
    """Copy the shipped configuration of this name to the path; ConfigError if there is none, or a file already."""
    names = shipped()
    if name not in names:
        raise ConfigError(f"init: there is no recipe {name!r}; {nearest(name, names)}")
    text = (configs.FOLDER / f"{name}.yaml").read_bytes()
    try:
        with open(path, "xb") as out:
            out.write(text)
    except FileExistsError as error:
        raise ConfigError(f"init: {path} is there already and stays as it is; name another file with --to.") from error
    except OSError as error:
        raise ConfigError(f"init: {path} cannot be written ({error.strerror}); name another file with --to.") from error


def next_steps(path: str) -> str:
    """What to do with the configuration, a command a line."""
    name = path if os.path.dirname(path) else f"./{path}"
    run = f"manyfaces run {name} --input LIST --output runs/mine"
    return "\n".join(
        [
            f"{path}: every key has its default; change what you like, delete what you do not need. Then:",
            f"  manyfaces config check {name}",
            f"  {run} --limit 10    # try it",
            "  manyfaces inspect runs/mine",
            f"  {run}               # all of the list, in the same folder",
        ]
    )
