"""The Dockerfile, read and held against what it uses: there may be no engine here that could build it."""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from tests.locks import ROOT, locked, version

UV = Path(sys.executable).with_name("uv")
NO_NETWORK = ("error sending request", "Failed to fetch", "dns error", "timed out")


@dataclass(frozen=True)
class Instruction:
    stage: str
    word: str
    text: str


def instructions() -> list[Instruction]:
    """The Dockerfile's instructions with the stage in which they stand."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    stage, found = "", []
    for line in filter(None, map(str.strip, text.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stage = rest.partition(" AS ")[2] or "(last)"
        found.append(Instruction(stage, word, " ".join(rest.split())))
    return found


ALL = instructions()
STAGES = {one.stage: one.text.partition(" AS ")[0] for one in ALL if one.word == "FROM"}
ARGS = dict(one.text.split("=", 1) for one in ALL if one.word == "ARG" and "=" in one.text)


def of(stage: str, word: str) -> list[str]:
    """The instructions of a stage and of the stages that it is built on, the base's first."""
    base = of(STAGES[stage], word) if STAGES.get(stage) in STAGES else []
    return base + [one.text for one in ALL if one.stage == stage and one.word == word]


def copied() -> list[str]:
    """The sources of all COPY instructions that take from the build's context."""
    texts = [one.text for one in ALL if one.word == "COPY" and not one.text.startswith("--from")]
    return [source for text in texts for source in text.split()[:-1]]


def allowed() -> list[str]:
    return [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]


def test_beam_uv_and_python_are_those_of_the_lock():
    assert (
        version("requirements.lock", "apache-beam") == ARGS["BEAM"] == version("requirements-gpu.lock", "apache-beam")
    )
    assert version("requirements.lock", "uv") == ARGS["UV"]
    needed = re.search(r'python_requires="(.+)"', (ROOT / "setup.py").read_text())[1]
    assert f"{ARGS['PYTHON']}.0" in SpecifierSet(needed)


def test_stages_build_on_what_there_is():
    bases = {"apache/beam_python${PYTHON}_sdk:${BEAM}", "python:${PYTHON}-slim", "${LAUNCHER}"}
    seen: set[str] = set()
    for stage, base in STAGES.items():
        assert base in bases | seen
        seen.add(stage)
    assert {"cpu", "cuda", "template"} < seen
    sources = {one.text.split()[0].removeprefix("--from=") for one in ALL if one.text.startswith("--from=")}
    assert sources <= seen


@pytest.mark.parametrize("stage", ["cpu", "cuda", "(last)"])
def test_a_worker_starts_beams_boot_program_in_the_images_own_environment(stage):
    assert of(stage, "ENTRYPOINT")[-1] == '["/opt/apache/beam/boot"]'
    assert "RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1" in " ".join(of(stage, "ENV"))
    assert "--from=beam /opt/apache/beam /opt/apache/beam" in of(stage, "COPY")


def test_the_template_runs_the_launcher_with_our_entry():
    launcher = "/opt/google/dataflow/python_template_launcher"
    assert of("template", "ENTRYPOINT")[-1] == f'["{launcher}"]'
    assert f"--from=launcher {launcher} {launcher}" in of("template", "COPY")
    (entry,) = re.findall(r"FLEX_TEMPLATE_PYTHON_PY_FILE=(\S+)", " ".join(of("template", "ENV")))
    assert f"beam_pipelines/launch.py {entry}" in of("template", "COPY")


def test_every_source_is_there_and_goes_into_the_context():
    assert copied()
    for source in copied():
        assert (ROOT / source).exists()
        assert source == "." or any(Path(source).is_relative_to(name) for name in allowed()), source


def test_the_context_has_the_packages_and_no_more():
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*"  # all is left out that no later line names: keys, data, runs, tests
    assert all((ROOT / name).exists() for name in allowed())
    packages = re.search(r"include=\[(.+?)\]", (ROOT / "setup.py").read_text())[1]
    assert {name.strip(' "*') for name in packages.split(",")} <= set(allowed())
    files = [
        path
        for name in allowed()
        for path in ([ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assert sum(path.stat().st_size for path in files) < 4_000_000
    assert {path.suffix for path in files} <= {".py", ".css", ".yaml", ".yml", ".json", ".lock", ".md", ".toml", ".txt"}


def test_cuda_and_cudnn_are_those_that_the_locked_onnx_runtime_was_built_for():
    lock = locked("requirements-gpu.lock")
    assert not {"onnxruntime", "faiss-cpu"} & lock.keys()  # they write the same folders as the CUDA builds
    assert version("requirements-gpu.lock", "onnxruntime-gpu") in SpecifierSet(">=1.20,<1.27")  # CUDA 12, cuDNN 9
    assert version("requirements-gpu.lock", "nvidia-cudnn-cu12").startswith("9.")
    for library in ("cuda-runtime", "cublas", "cufft", "curand"):
        assert f"nvidia-{library}-cu12" in lock
    assert [name for name in lock if name.startswith("nvidia-") and not name.endswith("-cu12")] == []


@pytest.mark.parametrize("lock", ["requirements-cpu.lock", "requirements-gpu.lock", "requirements-frameworks.lock"])
def test_the_other_locks_have_the_versions_of_the_one_that_is_tested(lock):
    common = locked("requirements.lock").keys() & locked(lock).keys()
    assert len(common) > 80
    for package in common:
        tested = version("requirements.lock", package)
        assert tested in (None, version(lock, package)), package  # some are tested with other versions of Python only


INSTALLS = [one for one in ALL if one.word == "RUN" and one.text.startswith("uv pip sync")]


@pytest.mark.integration
@pytest.mark.parametrize("install", INSTALLS, ids=lambda one: one.stage)
def test_what_an_image_installs_is_to_be_had_and_locked_and_no_tool_of_developers(install, tmp_path):
    environment = os.environ | {"VIRTUAL_ENV": str(tmp_path / "venv")}
    subprocess.run([UV, "venv", "--quiet", "--python", ARGS["PYTHON"], tmp_path / "venv"], check=True, env=environment)
    command = [str(UV), *shlex.split(install.text)[1:], "--dry-run", "--python-platform", "x86_64-manylinux_2_28"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    if done.returncode and any(sign in done.stderr for sign in NO_NETWORK):
        pytest.skip("the package index cannot be reached")
    assert done.returncode == 0, done.stderr
    found = dict(re.findall(r"^ \+ (\S+)==(\S+)$", done.stderr, flags=re.MULTILINE))
    lock = install.text.split()[-1]
    assert {"apache-beam", "google-cloud-dataflow-client", "onnx"} < found.keys()
    assert {package: version(lock, package) for package in found} == found
    assert not {"pytest", "ruff", "mypy", "uv", "hypothesis", "gcp-storage-emulator"} & found.keys()
