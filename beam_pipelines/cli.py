"""The command `manyfaces`.

Exit codes: 0 done; 1 the run failed (its message says why; what is committed stays); 2 the command line, the
configuration or a model cannot be used; 130 interrupted, and the same command goes on where it stopped.
"""

import argparse
import difflib
import logging
import os
import sys
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import NoReturn

from beam_pipelines import __version__, curate_options, export_options
from beam_pipelines.driver import interrupt
from beam_pipelines.recipes import RECIPES
from model_handlers.errors import ModelError
from model_handlers.frameworks.devices import check_device

DONE, FAILED, UNUSABLE, INTERRUPTED = 0, 1, 2, 130

_AT_ONCE = ("init", "doctor", "completion")  # these need no Beam, which takes seconds to import
_TAKES_BEAM_OPTIONS = ("run", "plan", "resume", "retry", "curate")
_BEAM_OPTIONS = "Beam's options may stand here too: --runner, --direct_num_workers, --flink_master, ..."


def _run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "config", metavar="CONFIG", help="a YAML file, or the name of a shipped one: " + ", ".join(RECIPES)
    )
    parser.add_argument(
        "--input",
        metavar="MANIFEST",
        help="the list: CSV, TSV, JSON, parquet or text; a file, a folder of parts or a pattern in quotes",
    )
    parser.add_argument("--output", metavar="DIR", required=True, help="the run's folder: local, gs:// or s3://")
    _add_limit(parser)
    _add_set(parser)


def _add_limit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--limit",
        metavar="N",
        type=_first_rows,
        action="append",
        dest="set",
        default=[],
        help="only the first N rows of the list, to try it; the same run then goes on with more, or with `all`",
    )


def _first_rows(text: str) -> str:
    """The override that limits a run to so many rows of its list; `all` ends the limit."""
    if text != "all" and not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows; give 1 or more, or `all`.")
    return "manifest.first_rows=" + ("null" if text == "all" else text)


def _add_set(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set", metavar="KEY=VALUE", action="append", default=[], help="override one key: --set fetch.retries=3"
    )


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="manyfaces",
        description="Image URLs or videos in, clean datasets of faces and bodies out.",
        allow_abbrev=False,  # what stands for another option today may be one of its own, or Beam's, tomorrow
        epilog="Exit codes: 0 done, 1 the run failed, 2 unusable arguments, configuration or model, 130 interrupted.",
    )
    top.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    top.add_argument("--verbose", action="store_true", help="log what Beam and the stages say")
    commands_ = top.add_subparsers(title="commands", required=True)
    add = partial(commands_.add_parser, allow_abbrev=False)
    _commands_that_help(add)
    _commands_that_run(add)
    _commands_that_look(add)
    return top


def _commands_that_help(add: Callable[..., argparse.ArgumentParser]) -> None:
    init = add("init", help="write a commented configuration to start from")
    init.add_argument("recipe", metavar="RECIPE", help=", ".join(RECIPES) + "; with -gpu the larger models")
    init.add_argument("--to", metavar="FILE", help="default: RECIPE.yaml, here; a file that is there stays as it is")
    init.set_defaults(do="init", command=init)

    doctor = add("doctor", help="what this machine has for manyfaces, and what it lacks; the network is not touched")
    doctor.add_argument("recipes", metavar="RECIPE", nargs="*", help="only of these recipes; none: of all")
    doctor.add_argument("--json", action="store_true", help="as JSON")
    doctor.add_argument("--ask", action="store_true", help="import the frameworks too, and ask them for their devices")
    doctor.set_defaults(do="doctor", command=doctor)

    completion = add("completion", help="print the script with which a shell completes this command line")
    completion.add_argument("shell", choices=("bash", "zsh", "fish"))
    completion.set_defaults(do="completion", command=completion)


def _commands_that_run(add: Callable[..., argparse.ArgumentParser]) -> None:
    run = add("run", help="run a recipe, or go on with a run", epilog=_BEAM_OPTIONS)
    _run_options(run)
    run.add_argument("--recompute", action="store_true", help="delete and redo what the configuration makes stale")
    run.add_argument(
        "--submit", metavar="JOB", help="on Dataflow: only start this job (name, number or `next`), and do not wait"
    )
    run.add_argument("--dry-run", metavar="FOLDER", help="only write there the jobs that would be sent to the runner")
    run.set_defaults(do="run", command=run)

    plan = add("plan", help="show jobs and stages without running them", epilog=_BEAM_OPTIONS)
    _run_options(plan)
    plan.set_defaults(do="plan", command=plan)

    resume = add("resume", help="go on with a run as it was begun, without its options", epilog=_BEAM_OPTIONS)
    resume.add_argument("run", metavar="RUN", help="the run's folder")
    _add_limit(resume)
    _add_set(resume)
    resume.set_defaults(do="resume", command=resume)

    retry = add("retry", help="try a run's failed items again, and only them", epilog=_BEAM_OPTIONS)
    retry.add_argument("run", metavar="RUN", help="the run's folder")
    retry.add_argument("--transient-only", action="store_true", help="only what a later try may mend (timeouts, 5xx)")
    _add_set(retry)
    retry.set_defaults(do="retry", command=retry)

    demo = add("demo", help="a recipe on real photographs, or videos of them, served by this machine")
    demo.add_argument("recipe", nargs="?", default="webbody", choices=tuple(RECIPES), help="default: %(default)s")
    demo.add_argument("--output", metavar="DIR", help="the run's folder (default: runs/demo-<recipe>)")
    demo.set_defaults(do="demo", command=demo)

    remove = add("remove", help="take images, videos or people out of a run for good")
    _remove_options(remove)
    remove.set_defaults(do="remove", command=remove)

    curate = add("curate", help="choose a subset of object tracks", epilog=_BEAM_OPTIONS)
    curate_options.add_options(curate)
    curate.set_defaults(do="curate", command=curate)


def _remove_options(remove: argparse.ArgumentParser) -> None:
    each = "a file with one a line (or CSV), or several here"
    remove.add_argument("run", metavar="RUN", help="the run's folder")
    remove.add_argument("--urls", metavar="F", nargs="+", default=[], help=f"items by their URL: {each}")
    remove.add_argument(
        "--images", "--videos", metavar="F", nargs="+", default=[], help=f"items by their id in the run: {each}"
    )
    remove.add_argument(
        "--identities", metavar="F", nargs="+", default=[], help=f"people by the number of their identity: {each}"
    )
    pictures = remove.add_mutually_exclusive_group()
    pictures.add_argument(
        "--with-images",
        action="store_const",
        const=True,
        dest="pictures",
        help="the images or videos in which these identities are seen go too, with all else that came from them",
    )
    pictures.add_argument(
        "--keep-images",
        action="store_const",
        const=False,
        dest="pictures",
        help="of identities only faces, bodies and vectors go: stages that are redone find them again in the images",
    )
    remove.add_argument("--reference", metavar="TEXT", help="your name for the request, for the record of the removal")
    remove.add_argument("--dry-run", action="store_true", help="only say what would be removed")


def _commands_that_look(add: Callable[..., argparse.ArgumentParser]) -> None:
    inspect = add("inspect", help="tables, counts, reasons and sample rows of a run")
    _inspect_options(inspect)
    inspect.set_defaults(do="inspect", command=inspect)

    browse = add("browse", help="pages on this machine to look through a run and to mark mistakes")
    _browse_options(browse)
    browse.set_defaults(do="browse", command=browse)

    report = add("report", help="write one page of HTML that shows what a run did, for any browser")
    report.add_argument("run", metavar="RUN", help="the run's folder")
    report.add_argument("--output", metavar="FILE", help="the page (default: RUN/report.html)")
    report.set_defaults(do="report", command=report)

    verify = add("verify", help="how well a run tells pairs of the same person from pairs of different ones")
    _verify_options(verify)
    verify.set_defaults(do="verify", command=verify)

    calibrate = add("calibrate", help="find thresholds of similarity in a run's own vectors, without labels")
    _calibrate_options(calibrate)
    calibrate.set_defaults(do="calibrate", command=calibrate)

    evaluate = add("evaluate", help="compare a run's identities with labels: who is shown by which item")
    _evaluate_options(evaluate)
    evaluate.set_defaults(do="evaluate", command=evaluate)

    export = add("export", help="write a run's pictures in the format of another program")
    export_options.add_options(export)
    export.set_defaults(do="export", command=export)

    models = add("models", help="list, fetch, check or describe the models of the catalogue")
    _models_options(models)
    models.set_defaults(do="models", command=models)

    config = add("config", help="check a configuration, or print the JSON schema of a recipe's")
    config.add_argument("what", choices=("schema", "check"))
    config.add_argument("name", metavar="CONFIG", help="a YAML file or shipped name; for `schema` also a recipe's name")
    _add_set(config)
    config.set_defaults(do="config", command=config)


def _inspect_options(inspect: argparse.ArgumentParser) -> None:
    inspect.add_argument("run", metavar="RUN", help="the run's folder")
    inspect.add_argument("--table", metavar="NAME", help="only this table: its columns and sample rows")
    inspect.add_argument("--to", metavar="FILE", help="write the table, without its bytes, as FILE.csv or FILE.parquet")
    inspect.add_argument(
        "--columns",
        metavar="A,B,...",
        help="with --to: these columns; by default all but bytes, and in CSV but meshes, vectors and other long lists",
    )
    inspect.add_argument(
        "--sheet",
        metavar="FILE",
        help="write a picture of the identities or clips, a row for each: .png, .jpg or .webp",
    )


def _browse_options(browse: argparse.ArgumentParser) -> None:
    browse.add_argument("run", metavar="RUN", help="the run's folder")
    browse.add_argument("--port", metavar="N", type=int, default=0, help="of 127.0.0.1 (default: a free one)")
    browse.add_argument(
        "--overrides",
        metavar="FILE",
        help="where marks are written, a CSV (default: that of the run's configuration, else RUN-overrides.csv)",
    )


def _evaluate_options(evaluate: argparse.ArgumentParser) -> None:
    evaluate.add_argument(
        "labels", metavar="LABELS", help="CSV, TSV or parquet: items (file names, URLs, ids), identities"
    )
    evaluate.add_argument("run", metavar="RUN", help="the run's folder")
    evaluate.add_argument(
        "--item-column", metavar="NAME", help="default: the first usual one, such as item, file or url"
    )
    evaluate.add_argument("--identity-column", metavar="NAME", help="default: as identity, person or label")
    evaluate.add_argument("--output", metavar="DIR", help="a folder for figures and mistakes (default: RUN/evaluation)")


def _verify_options(verify: argparse.ArgumentParser) -> None:
    verify.add_argument(
        "pairs", metavar="PAIRS", help="CSV, TSV or parquet: two items, same or different; or LFW's pairs"
    )
    verify.add_argument("run", metavar="RUN", help="the run's folder")
    verify.add_argument("--output", metavar="DIR", help="where figures and pictures go (default: RUN/verification)")
    verify.add_argument("--first-column", metavar="NAME", help="the column of the first item: file name, URL or id")
    verify.add_argument("--second-column", metavar="NAME", help="the column of the second item")
    verify.add_argument("--same-column", metavar="NAME", help="the column of 1, true or same, or 0, false or different")


def _calibrate_options(calibrate: argparse.ArgumentParser) -> None:
    calibrate.add_argument("run", metavar="RUN", help="the run's folder")
    calibrate.add_argument("--output", metavar="DIR", help="where figures and picture go (default: RUN/calibration)")
    calibrate.add_argument(
        "--method", default="average", choices=("average", "connected"), help="what will cluster (default: %(default)s)"
    )
    calibrate.add_argument(
        "--wrong-links", metavar="N", type=float, help="different people's faces that each may be linked with, at most"
    )


def _models_options(models: argparse.ArgumentParser) -> None:
    models.add_argument("what", choices=("list", "fetch", "check", "card"))
    models.add_argument("names", nargs="*", metavar="MODEL", help="none: the CPU profile, as far as it runs here")
    models.add_argument("--catalogue", metavar="FILE", help="a YAML file that adds or replaces models")
    models.add_argument("--device", type=_device, default="cpu", help="where check runs them: cpu, cuda, cuda:N")
    models.add_argument("--accept-noncommercial", action="store_true", help="also those not for commercial use")
    models.add_argument("--accept-copyleft", action="store_true", help="also those under AGPL-3.0, GPL-3.0")


def _device(text: str) -> str:
    try:
        return check_device(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    top = parser()
    words = sys.argv[1:] if argv is None else list(argv)
    arguments = top.parse_known_args(words)[0]
    logging.basicConfig(level=logging.INFO if arguments.verbose else logging.ERROR, format="%(levelname)s %(message)s")
    logging.getLogger("manyfaces").setLevel(logging.DEBUG if arguments.verbose else logging.INFO)
    if not arguments.verbose:  # it logs what the command says in its own words
        for name in ("common", "dataflow", "portability.fn_api_runner", "portability.local_job_service", "worker"):
            logging.getLogger(f"apache_beam.runners.{name}").setLevel(logging.CRITICAL + 1)
        threading.excepthook = lambda ended: None  # Beam's threads; what they raise reaches the runner as well
    try:
        return _do(top, arguments.do, words, arguments.verbose)
    except KeyboardInterrupt:
        print("\nmanyfaces: interrupted; the same command goes on from the committed shards.", file=sys.stderr)
        return INTERRUPTED


def _do(top: argparse.ArgumentParser, command: str, words: Sequence[str], verbose: bool) -> int:
    from beam_pipelines.errors import ConfigError, PipelineFailed, RunFailed

    try:
        (_do_at_once if command in _AT_ONCE else _do_with_beam)(top, command, words, verbose)
    except (ConfigError, ModelError) as error:
        print(f"manyfaces: {error}", file=sys.stderr)
        return UNUSABLE
    except (RunFailed, PipelineFailed) as error:
        print(f"manyfaces: {error}", file=sys.stderr)
        return FAILED
    except OSError as error:  # of a file of the user's or of the run: no defect, and no traceback
        logging.getLogger("manyfaces").debug("where it happened", exc_info=True)
        print(f"manyfaces: {_told(error)}", file=sys.stderr)
        return FAILED
    return DONE


def _do_at_once(top: argparse.ArgumentParser, command: str, words: Sequence[str], verbose: bool) -> None:
    from beam_pipelines import at_once

    getattr(at_once, command)(top.parse_args(words), top)


def _do_with_beam(top: argparse.ArgumentParser, command: str, words: Sequence[str], verbose: bool) -> None:
    from beam_pipelines import commands  # Beam takes seconds to import, and logs while it does: not for --help
    from beam_pipelines.driver.storage import use_options
    from beam_pipelines.runners.worker import say_errors_once

    if not verbose:
        say_errors_once()
    arguments, beam = read_arguments(top, command, words)
    use_options(beam)
    getattr(commands, command)(arguments, beam)


def _told(error: OSError) -> str:
    """An operating system's error in a sentence that names the file."""
    if error.filename is None or error.strerror is None:
        return " ".join(str(error).split()) or type(error).__name__
    return f"{os.fsdecode(error.filename)}: {error.strerror}."


def read_arguments(
    top: argparse.ArgumentParser, command: str, words: Sequence[str]
) -> tuple[argparse.Namespace, list[str]]:
    """The command line as our arguments and Beam's options; ConfigError for a word that is neither."""
    from beam_pipelines.errors import ConfigError
    from beam_pipelines.runners import beam_options

    own = set(top.parse_known_args(words)[0].command._option_string_actions)
    takes_beam = command in _TAKES_BEAM_OPTIONS
    beam, words = beam_options.split(words, own | _spelled_otherwise(own)) if takes_beam else ([], words)
    arguments, rest = top.parse_known_args(words)
    if command == "models":  # argparse takes all names at once, before or behind the options
        arguments.names = [*arguments.names, *(word for word in rest if not word.startswith("-"))]
        rest = [word for word in rest if word.startswith("-")]
    if rest:
        known = beam_options.names(words) if takes_beam else ()
        raise ConfigError(f"{command}: {_unknown(rest[0], own, known)}")
    return arguments, beam


def _spelled_otherwise(options: Collection[str]) -> set[str]:
    """`--dry_run`, which Beam has too, is not taken for it in silence where `--dry-run` is ours."""
    return {option[:2] + option[2:].replace("-", "_") for option in options}


def _unknown(word: str, own: Collection[str], beam: Collection[str]) -> str:
    if not word.startswith("-"):
        return f"{word!r} belongs to no option; see `manyfaces --help`."
    name = word.partition("=")[0]
    begun = [option for option in sorted(own) if option.startswith(name)]
    near = begun or difflib.get_close_matches(name, sorted({*own, *beam} - {name}), n=1)
    return f"there is no option {name}; " + (f"did you mean {near[0]}?" if near else "see `manyfaces --help`.")


def entry() -> NoReturn:
    """The process `manyfaces`: it ends when the command does, whatever the runner's threads are about.

    They are daemons or wait for servers; an orderly shutdown would hang on some and abort on others that still log.
    """
    interrupt.listen()
    try:
        code = main()
    except SystemExit as end:  # argparse: --help, or arguments that it cannot read
        code = end.code if isinstance(end.code, int) else UNUSABLE
    with suppress(BrokenPipeError):  # the reader of a pipe has seen enough
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    entry()
