"""What a process loads before it works: seconds, where there are many processes."""

import subprocess
import sys

import pytest

# module -> packages that it must not load
LIGHT = [
    ("beam_pipelines.cli", "apache_beam pyarrow numpy pydantic cv2"),
    ("beam_pipelines.at_once", "apache_beam pyarrow numpy pydantic cv2 yaml"),
    ("beam_pipelines.doctor.report", "apache_beam onnxruntime torch tensorflow faiss av yt_dlp cv2"),
    ("transforms.fetch.http.download_stage", "apache_beam.ml pypi_simple onnxruntime av scipy faiss yt_dlp"),
    ("transforms.videos.probe", "apache_beam.ml pypi_simple onnxruntime cv2 scipy faiss yt_dlp"),
    ("transforms.fetch.videos.child", "apache_beam.ml pypi_simple onnxruntime scipy faiss"),
    ("manyfaces", "onnxruntime av scipy faiss yt_dlp torch tensorflow"),
]


@pytest.mark.parametrize(("module", "heavy"), LIGHT)
def test_a_module_does_not_load_what_it_may_never_need(module, heavy):
    asked = f"import sys, {module}; print([name for name in {heavy.split()} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
