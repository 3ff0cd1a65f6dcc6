"""Which words of a command line are Beam's: it drops in silence what it does not know, so that is found out before."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NoReturn

from apache_beam.options.pipeline_options import PipelineOptions, _BeamArgumentParser

from beam_pipelines.errors import ConfigError
from beam_pipelines.runners.flink import ENGINE_OPTIONS

# such as --s3_secret_access_key, --azure_connection_string; environments may hold any variable
_SECRET_NAME = re.compile(r"secret|passw|token|credential|connection_string|access_key|environment")
_PASSWORD = re.compile(r"://[^/\s]*:[^/\s]*@")  # of a URL


class _Parser(_BeamArgumentParser):
    """Beam's options, all of them; a value that one cannot take is a ConfigError and not the end of the process."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(message)


def split(words: Sequence[str], own: Collection[str] = ()) -> tuple[list[str], list[str]]:
    """The words that are options of Beam's, with their values, and the others; those of `own` are never Beam's.

    ConfigError if one of Beam's has a value that it cannot have.
    """
    parser = _parser(words)
    with_value = {name: action.nargs != 0 for name, action in parser._option_string_actions.items() if name not in own}
    beam: list[str] = []
    others: list[str] = []
    left = iter(words)
    for word in left:
        name, equals, _ = word.partition("=")
        if name not in with_value:
            others.append(word)
        elif equals or not with_value[name]:
            beam.append(word)
        else:
            beam += [word, *_next(left)]
    parser.parse_args(beam)
    return beam, others


def _next(words: Iterator[str]) -> list[str]:
    return [word for word in (next(words, None),) if word is not None]


def to_record(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Options of Beam's as `--name=value`, for the record of a run, and the names of those left out as secret."""
    parser = _parser(words)
    kept: list[str] = []
    secret: list[str] = []
    left = iter(words)
    for word in left:
        name, equals, _ = word.partition("=")
        action = parser._option_string_actions.get(name)
        takes_next = not equals and action is not None and action.nargs != 0
        option = "=".join([word, *_next(left)]) if takes_next else word
        if _SECRET_NAME.search(name) or _PASSWORD.search(option):
            secret.append(name)
        else:
            kept.append(option)
    return kept, secret


def names(words: Sequence[str]) -> set[str]:
    """The names of all options that Beam has where these words are given."""
    return set(_parser(words)._option_string_actions)


def _parser(words: Sequence[str]) -> _Parser:
    """A parser of all options of Beam's, and of those of Flink's job server if the words name its runner."""
    parser = _Parser(allow_abbrev=False, add_help=False)
    for options in _subclasses(PipelineOptions):
        if "_add_argparse_args" in vars(options):
            options._add_argparse_args(parser)
    for name in ENGINE_OPTIONS if "FlinkRunner" in " ".join(words) else ():
        if f"--{name}" not in parser._option_string_actions:
            parser.add_argument(f"--{name}", nargs="?")
    return parser


def _subclasses(options: type[PipelineOptions]) -> Iterator[type[PipelineOptions]]:
    for subclass in options.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
