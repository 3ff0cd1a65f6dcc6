"""What shells complete."""

import shutil
import subprocess

import pytest

from beam_pipelines import cli
from beam_pipelines.completion import SHELLS, script
from beam_pipelines.init import shipped

# the words on the line, the last of them unfinished -> what is offered
COMPLETED = [
    (["re"], {"resume", "retry", "remove", "report"}),
    (["run", "web"], {"webbody", "webbody-gpu"}),
    (["run", "mi"], {"mine.yaml"}),
    (["run", "webbody", "--li"], {"--limit"}),
    (["run", "webbody", "--input", "m"], {"mine.yaml"}),
    (["resume", ""], {"runs"}),
    (["init", "anonymize_"], {"anonymize_images"}),
    (["completion", ""], set(SHELLS)),
]
ASK = """
source "$1"; shift
COMP_WORDS=(manyfaces "$@"); COMP_CWORD=$#; COMP_LINE="manyfaces $*"; COMP_POINT=${#COMP_LINE}
_shtab_manyfaces
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scripts")
    for shell in SHELLS:
        (folder / shell).write_text(script(cli.parser(), shell))
    return folder


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
@pytest.mark.parametrize(("words", "offered"), COMPLETED)
def test_bash_completes_commands_options_recipes_and_files(scripts, words, offered, tmp_path):
    (tmp_path / "mine.yaml").write_text("")
    (tmp_path / "runs").mkdir()
    asked = ["bash", "-c", ASK, "ask", str(scripts / "bash"), *words]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=30)
    assert set(done.stdout.split()) == offered


@pytest.mark.parametrize("shell", SHELLS)
def test_every_script_knows_commands_and_recipes(scripts, shell):
    text = (scripts / shell).read_text()
    assert [word for word in (*shipped(), "doctor", "resume", "limit") if word not in text] == []
    if program := shutil.which(shell):
        subprocess.run([program, "-n", str(scripts / shell)], check=True, timeout=30)
