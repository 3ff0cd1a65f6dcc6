"""The machine itself: Python, processor, memory, disk, GPU, and the programs that some engines need."""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from beam_pipelines.doctor.finding import Finding, State, size
from model_handlers.models.store import is_offline
from model_handlers.weights import cache

_PYTHON = (3, 10), (3, 15)  # as setup.py has it: from the first, below the second
_ANSWER_SECONDS = 10
_LITTLE_MEMORY, _LITTLE_DISK = 2e9, 2e9  # bytes: the models and Beam take about 1.5 GB, models and archives 0.5 GB
_GPU_QUERY = ("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")


def look_at_machine() -> Iterator[Finding]:
    """Python, system, cores, memory, disk and the cache's folder."""
    fits = _PYTHON[0] <= sys.version_info[:2] < _PYTHON[1]
    wanted = "" if fits else "manyfaces needs Python 3.10 to 3.14"
    yield Finding("Python", "yes" if fits else "lacks", platform.python_version(), wanted)
    known = sys.platform == "linux" or (sys.platform == "darwin" and platform.machine() == "arm64")
    other = "" if known else "manyfaces runs on Linux, and on macOS on Apple's processors"
    yield Finding("system", "yes" if known else "lacks", f"{platform.system()} {platform.machine()}", other)
    yield Finding("cores", "yes", f"{_cores()} for this process")
    yield _memory()
    yield _disk("disk here", Path.cwd())
    yield _cache()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory() -> Finding:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    free = _free_memory()
    told = size(total) if free is None else f"{size(free)} of {size(total)} free"
    little = (total if free is None else free) < _LITTLE_MEMORY
    return Finding("memory", "yes", told + (": little; give --direct_num_workers=1" if little else ""))


def _free_memory() -> int | None:
    """The bytes that a new process may take, as Linux reckons them; None elsewhere."""
    try:
        found = re.search(r"^MemAvailable:\s+(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


def _disk(what: str, folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    little = ": little" if free < _LITTLE_DISK else ""
    return Finding(what, "yes", f"{size(free)} free{little} in {folder}")


def _cache() -> Finding:
    """Whether models can be kept; nothing is left behind, and the folder is not made."""
    root = cache.root()
    there = next(folder for folder in (root, *root.parents) if folder.exists())
    held = sum(file.stat().st_size for file in root.rglob("*") if file.is_file()) if root.is_dir() else 0
    offline = "; MANYFACES_OFFLINE is set: nothing is fetched" if is_offline() else ""
    told = f"{size(held)} in it, {size(shutil.disk_usage(there).free)} free, {root}{offline}"
    try:
        with tempfile.TemporaryFile(dir=there):
            return Finding("cache of models", "yes", told)
    except OSError as error:
        mend = "export MANYFACES_CACHE=FOLDER, one that you may write to"
        return Finding("cache of models", "lacks", f"{there}: {error.strerror}", mend)


def look_at_programs() -> Iterator[Finding]:
    """GPU, Java, Go and FFmpeg's own programs: none is needed for the CPU profile on this machine."""
    gpus = _say(_GPU_QUERY)
    yield Finding("GPU", "yes" if gpus else "no", "; ".join(gpus.splitlines()) or "none that nvidia-smi shows")
    runs, told = onnx_devices()
    yield Finding("ONNX on GPU", runs, told)
    java = re.search(r'version "([^"]+)"', _say(("java", "-version")))
    yield Finding("Java", "yes" if java else "no", f"{java[1] if java else 'none'}; Flink needs 17 or later")
    ffmpeg = re.match(r"ffmpeg version (\S+)", _say(("ffmpeg", "-version")))
    told = "not needed, PyAV brings its libraries"
    yield Finding("ffmpeg", "yes" if ffmpeg else "no", f"{ffmpeg[1] if ffmpeg else 'none'}; {told}")


def onnx_devices() -> tuple[State, str]:
    """Whether the ONNX Runtime that is installed has a provider for CUDA, told by its files alone."""
    spec = find_spec("onnxruntime")
    if spec is None or spec.origin is None:
        return "no", "ONNX Runtime is not installed"
    libraries = Path(spec.origin).parent / "capi"
    there = sorted(path.name for path in libraries.glob("*onnxruntime_providers_*"))
    names = [name.partition("providers_")[2].partition(".")[0] for name in there]
    on_gpu = [name for name in names if name in ("cuda", "tensorrt")]
    return ("yes", f"with {', '.join(on_gpu)}") if on_gpu else ("no", "the one installed is for the CPU: extra gpu")


def _say(command: Sequence[str]) -> str:
    """What a program says, on either stream; empty if it is not there, fails or does not answer."""
    if (path := shutil.which(command[0])) is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            [path, *command[1:]],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_ANSWER_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout + done.stderr).strip() if done.returncode == 0 else ""
