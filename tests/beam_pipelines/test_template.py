"""The Flex Template: its metadata and the command line that a launch becomes."""

import json
import re
from pathlib import Path

import pytest
import yaml

from beam_pipelines import cli, template

FOLDER = Path(__file__).parents[2] / "configs/dataflow"
METADATA = json.loads((FOLDER / "template.json").read_text())
PARAMETERS = {one["name"]: one for one in METADATA["parameters"]}
LAUNCH = ["--config=webbody", "--input=gs://b/list.csv", "--output=gs://b/run"]


def test_the_metadata_tell_of_the_parameters_that_there_are():
    actions = {action.dest: action for action in template.parser()._actions if action.dest != "help"}
    assert list(PARAMETERS) == list(actions)
    assert {name: not one["isOptional"] for name, one in PARAMETERS.items()} == {
        name: action.required for name, action in actions.items()
    }
    assert all(one["label"] and one["helpText"] for one in PARAMETERS.values())
    assert METADATA.keys() == {"name", "description", "parameters"}


def test_the_workflow_gives_what_the_template_takes():
    (main,) = yaml.safe_load((FOLDER / "workflow.yaml").read_text()).values()
    loop = main["steps"][1]["each_job"]["for"]
    steps = {name: step for one in loop["steps"] for name, step in one.items()}
    launch = steps["launch"]["args"]["body"]["launchParameter"]
    assert launch["parameters"].keys() == PARAMETERS.keys()
    assert [case["next"] for case in steps["decide"]["switch"] if "next" in case] == ["continue"]
    assert steps["decide"]["next"] in steps
    told = set(re.findall(r"\w+", (FOLDER / "workflow.yaml").read_text().split("Its argument:")[1].split("\n")[0]))
    assert set(re.findall(r"given\.(\w+)", json.dumps(main))) == told - {"gs"}


EXAMPLES = [
    ("input", "gs://bucket/list.csv", True),
    ("input", "list.csv", False),
    ("output", "gs://bucket/runs/one", True),
    ("output", "gs://bucket", False),
    ("overrides", '{"bodies.min_score": 0.5}', True),
    ("overrides", "bodies.min_score=0.5", False),
]


@pytest.mark.parametrize(("name", "value", "fits"), EXAMPLES)
def test_the_metadata_refuse_what_could_not_run(name, value, fits):
    assert all(re.search(regex, value) for regex in PARAMETERS[name]["regexes"]) == fits


COMMANDS = [
    ([], ["--submit", "next", "--runner=DataflowRunner"]),
    (["--job=identity"], ["--submit", "identity", "--runner=DataflowRunner"]),
    (
        ['--overrides={"a.b": 0.5, "c": ["x", null], "d": "e: f"}'],
        ["--submit", "next", "--set", "a.b=0.5", "--set", 'c=["x", null]', "--set", 'd="e: f"',
         "--runner=DataflowRunner"],
    ),
    (
        ["--runner=DataflowRunner", "--job_name=x", "--template_location=gs://b/t", "--region", "r"],
        ["--submit", "next", "--runner=DataflowRunner", "--job_name=x", "--template_location=gs://b/t", "--region",
         "r"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("more", "expected"), COMMANDS)
def test_a_launch_is_a_command_that_the_command_line_knows(more, expected):
    command = template.command([*LAUNCH, *more])
    assert command == ["run", "webbody", "--input", "gs://b/list.csv", "--output", "gs://b/run", *expected]
    arguments, rest = cli.parser().parse_known_args(command)
    assert arguments.submit == expected[1]
    assert all(option in expected for option in rest)


def test_what_the_launcher_has_and_beam_does_not_know_is_passed_over_and_said(capsys):
    command = template.command([*LAUNCH, "--launcher_thing=7", "--region=r"])
    assert command[-1] == "--region=r"
    assert not any("launcher_thing" in word for word in command)
    assert "passed over, since Beam has no such options: --launcher_thing=7" in capsys.readouterr().err


@pytest.mark.parametrize("overrides", ["a=1", "[1]", "3", ""])
def test_overrides_that_are_no_object_are_refused(overrides, capsys):
    with pytest.raises(SystemExit) as end:
        template.command([*LAUNCH, f"--overrides={overrides}"])
    assert end.value.code == cli.UNUSABLE
    assert "write a JSON object" in capsys.readouterr().err
