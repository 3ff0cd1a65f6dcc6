"""manyfaces installed from its wheel, and started in a folder of the user's with packages that are called like ours."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from beam_pipelines.demos.photographs import serve
from tests.integration.crowd import pages
from tests.integration.runs import column
from tests.videos import number_frames, write
from transforms.tables.ledger import tally

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
PACKAGES = ("beam_pipelines", "transforms", "model_handlers", "configs")


@pytest.fixture(scope="module")
def manyfaces(tmp_path_factory):
    """The command, in an environment of its own, whose other packages are those of this one; nothing is fetched."""
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    subprocess.run([sys.executable, "-c", BUILD, str(folder)], cwd=source, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    (packages,) = (folder / "venv").glob("lib/python3*/site-packages")
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--offline", "--no-deps", "--quiet"]
    subprocess.run([*uv, "--python", str(folder / "venv/bin/python"), str(wheel)], check=True)
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "venv/bin/manyfaces"


@pytest.fixture
def home(tmp_path):
    """A folder of the user's, in which whatever we would import by mistake says so."""
    for name in (*PACKAGES, "apache_beam"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise SystemExit('this is the user\\'s own {name}')\n")
    for name in ("yaml.py", "av.py", "runpy.py"):
        (tmp_path / name).write_text("raise SystemExit('this is the user\\'s own file')\n")
    return tmp_path


def run(manyfaces, home, *arguments):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [manyfaces, *arguments], cwd=home, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr


def test_images_with_worker_processes(manyfaces, home):
    found = pages(60)
    with serve(found) as port:
        (home / "urls.txt").write_text("\n".join(f"http://127.0.0.1:{port}{path}" for path in found))
        sets = ["jobs=[[download]]", "columns.id=null", f"allow_hosts=['127.0.0.1:{port}']", "rows_per_shard=20"]
        blocks = ["", "manifest.", "fetch.", "manifest."]
        words = [word for block, one in zip(blocks, sets, strict=True) for word in ("--set", block + one)]
        workers = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
        run(manyfaces, home, "run", "webbody", "--input=urls.txt", "--output=run", *words, *workers)
    assert tally(str(home / "run"), "download").by_reason == {"http_404": 2, "kept": 57, "not_an_image": 1}


def test_a_configuration_to_start_from_is_in_the_package(manyfaces, home):
    run(manyfaces, home, "init", "webbody", "--to", "mine.yaml")
    assert (home / "mine.yaml").read_bytes() == (ROOT / "configs/webbody.yaml").read_bytes()


def test_a_video_is_looked_at(manyfaces, home):
    video = home / "videos" / "one.mp4"
    video.parent.mkdir()
    write(video, number_frames(24))
    (home / "videos.txt").write_text(str(video))
    sets = ["jobs=[[download]]", f"fetch.allow_paths=['{video.parent}']", "fetch.accept.min_height=0"]
    words = [word for one in sets for word in ("--set", one)]
    run(manyfaces, home, "run", "face_generation", "--input=videos.txt", "--output=run", *words)
    assert column(str(home / "run"), "videos", "frames") == [24]
