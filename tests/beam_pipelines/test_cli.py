"""The command line: what is refused before anything is done, and in which order words may stand."""

import sys

import pytest

from beam_pipelines import at_once, cli, commands

RUN = ["run", "webbody", "--input=urls.csv", "--output=run"]
REFUSED = [
    ([*RUN, "--st", "fetch.retries=3"], "run: there is no option --st; did you mean --set?"),
    ([*RUN, "--st=fetch.retries=3"], "run: there is no option --st; did you mean --set?"),
    ([*RUN, "--rec"], "run: there is no option --rec; did you mean --recompute?"),
    ([*RUN, "--dry_run"], "run: there is no option --dry_run; did you mean --dry-run?"),
    ([*RUN, "--direct-num-workers=2"], "run: there is no option --direct-num-workers; did you mean --direct_num_work"),
    ([*RUN, "--direct_num_workers=two"], "argument --direct_num_workers: invalid int value: 'two'"),
    ([*RUN, "--no_public_ips"], "run: there is no option --no_public_ips; did you mean --no_use_public_ips?"),
    ([*RUN, "--use_public_ips=false"], "argument --use_public_ips: ignored explicit argument 'false'"),
    ([*RUN, "--max_bundle_size=1"], "run: there is no option --max_bundle_size"),
    ([*RUN, "-x"], "run: there is no option -x; see `manyfaces --help`."),
    ([*RUN, "more"], "run: 'more' belongs to no option; see `manyfaces --help`."),
    ([*RUN, "--set", "fetch.retries", "=", "3"], "run: '=' belongs to no option"),
    ([*RUN, "--runner", "PrismRunner", "--prism_locaton=x"], "run: there is no option --prism_locaton; did you me"),
    (["plan", "webbody", "--output=x", "--flink_mastr=y"], "plan: there is no option --flink_mastr; did you mean --f"),
    (["retry", "run", "--transient"], "retry: there is no option --transient; did you mean --transient-only?"),
    (["inspect", "run", "--tabel", "faces"], "inspect: there is no option --tabel; did you mean --table?"),
    (["inspect", "run", "--runner=FlinkRunner"], "inspect: there is no option --runner"),
    (["models", "list", "--catalog=x"], "models: there is no option --catalog; did you mean --catalogue?"),
    (["config", "check", "webbody", "other"], "config: 'other' belongs to no option"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "sentence"), REFUSED)
def test_what_nobody_knows_is_refused_with_the_nearest_name(words, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == cli.UNUSABLE
    told = capsys.readouterr().err.splitlines()
    assert [line[: len(sentence) + 11] for line in told] == [f"manyfaces: {sentence}"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rows", ["0", "-3", "ten", "1.5", "٣"])
def test_a_limit_is_a_number_of_rows(rows, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main([*RUN, f"--limit={rows}"])
    assert end.value.code == cli.UNUSABLE
    assert f"'{rows}' is no number of rows; give 1 or more, or `all`." in capsys.readouterr().err


def test_a_limit_is_a_setting_of_the_list():
    arguments, _ = cli.read_arguments(cli.parser(), "run", [*RUN, "--set", "fetch.retries=3", "--limit", "5"])
    assert arguments.set == ["fetch.retries=3", "manifest.first_rows=5"]
    arguments, _ = cli.read_arguments(cli.parser(), "resume", ["resume", "run", "--limit", "all"])
    assert arguments.set == ["manifest.first_rows=null"]


ORDERS = [
    (["run", "webbody", "--output", "o", "--direct_num_workers", "2"], ["--direct_num_workers", "2"]),
    (["run", "--direct_num_workers", "2", "webbody", "--output", "o"], ["--direct_num_workers", "2"]),
    (["run", "--runner", "FlinkRunner", "--max_bundle_size", "3", "webbody", "--output", "o"],
     ["--runner", "FlinkRunner", "--max_bundle_size", "3"]),
    (["run", "--no_use_public_ips", "webbody", "--output", "o"], ["--no_use_public_ips"]),
    (["--verbose", "run", "--output", "o", "--experiments=a=b", "webbody"], ["--experiments=a=b"]),
    (["run", "webbody", "--output", "o", "--runner=a.b.DirectRunner"], ["--runner=a.b.DirectRunner"]),
]  # fmt: skip


@pytest.mark.parametrize(("words", "beam"), ORDERS)
def test_options_of_beam_stand_anywhere(words, beam):
    arguments, found = cli.read_arguments(cli.parser(), "run", words)
    assert (arguments.config, arguments.output, found) == ("webbody", "o", beam)


@pytest.mark.parametrize(
    "words",
    [
        ["list", "brisque", "emotion", "--catalogue", "more.yaml"],
        ["list", "--catalogue", "more.yaml", "brisque", "emotion"],
        ["list", "brisque", "--catalogue=more.yaml", "emotion"],
        ["--catalogue", "more.yaml", "list", "brisque", "emotion"],
    ],
)
def test_models_are_named_before_or_behind_the_catalogue(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "more.yaml").write_text("models: {}\n")
    assert cli.main(["models", *words]) == cli.DONE
    shown = capsys.readouterr().out
    assert [name in shown for name in ("brisque", "emotion", "centerface")] == [True, True, False]


def test_help_does_not_wait_for_beam(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "beam_pipelines.commands", None)
    with pytest.raises(SystemExit) as end:
        cli.main(["run", "--help"])
    assert (end.value.code, "--recompute" in capsys.readouterr().out) == (0, True)


def test_all_commands_are_there():
    (choices,) = (action.choices for action in cli.parser()._actions if action.choices)
    rooms = {name: at_once if name in cli._AT_ONCE else commands for name in choices}
    assert [name for name, room in rooms.items() if not callable(getattr(room, name))] == []
