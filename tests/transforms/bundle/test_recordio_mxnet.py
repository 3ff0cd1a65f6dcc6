"""MXNet itself reads what the RecordIO sink writes."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.transforms.bundle.synthetic_run import jpeg
from tests.transforms.bundle.synthetic_samples import sample
from transforms.bundle.recordio import MAGIC, open_recordio

pytestmark = [pytest.mark.mxnet, pytest.mark.integration]
HERE = Path(__file__).parent
REQUIREMENTS = HERE.parents[1] / "mxnet-requirements.txt"


def build(folder: Path) -> None:
    """An environment with the pinned requirements, put into place only when it works."""
    new = folder.with_name(f"{folder.name}.{os.getpid()}")
    python = str(new / "bin" / "python")
    uv = str(Path(sys.executable).with_name("uv"))
    commands = [
        [uv, "venv", "-q", "--python", sys.executable, "--relocatable", str(new)],
        [uv, "pip", "sync", "-q", "--require-hashes", "--python", python, str(REQUIREMENTS)],
        [python, "-c", "import mxnet"],
    ]
    try:
        for command in commands:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=500)
        new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)


@pytest.fixture(scope="session")
def mxnet_python() -> str:
    """The interpreter of an environment with MXNet, below the user's cache folder; built at the first use."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "manyfaces"
    pins = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = cache / f"mxnet-{pins}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        try:
            build(folder)
        except subprocess.SubprocessError as error:
            output = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
            pytest.skip(f"no environment with MXNet could be built: {output[-1] if output else error}")
    return str(folder / "bin" / "python")


def with_mxnet(python: str, stem: Path) -> dict:
    command = [python, str(HERE / "read_with_mxnet.py"), str(stem)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_mxnet_reads_records_by_key_and_in_order(tmp_path, mxnet_python):
    images = {
        11: jpeg(384, 384, 1),
        3: MAGIC,
        7: MAGIC * 2 + b"abc" + MAGIC + b"d" + MAGIC,
        400: b"",
        5: jpeg(33, 20, 2) + MAGIC * 3,
        6: b"x" + MAGIC + b"yyy" + MAGIC,
    }
    with open_recordio(str(tmp_path / "x")) as sink:
        for record, image in images.items():
            sink.add(sample(record, record * 1000 + 1, image))
    found = with_mxnet(mxnet_python, tmp_path / "x")
    assert found["in_file_order"] == list(images)
    sizes = {11: [384, 384, 3], 5: [20, 33, 3]}
    assert found["indexed"] == [
        [key, [0, key * 1000 + 1, key, 0], hashlib.sha256(images[key]).hexdigest(), sizes.get(key)]
        for key in sorted(images)
    ]
