"""What the commands do that answer at once: they need no Beam, and work where something else is not installed."""

import argparse

from beam_pipelines import init as starting


def init(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """`manyfaces init RECIPE`."""
    path = arguments.to or f"{arguments.recipe}.yaml"
    starting.write_configuration(arguments.recipe, path)
    print(starting.next_steps(path))


def doctor(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """`manyfaces doctor`."""
    from beam_pipelines.doctor import report

    report.command(arguments)


def completion(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """`manyfaces completion SHELL`."""
    from beam_pipelines.completion import script

    print(script(parser, arguments.shell))
