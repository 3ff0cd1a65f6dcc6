"""Downloads against img2dataset: images a second and CPU an image, with equal settings, from a local nginx.

    python -m benchmarks.download [--cache DIR] [--repeats 2] [--only MODE ...]

Start-up is taken out by running two sizes: figures are differences. Our side is `manyfaces run` with the download job
alone, in two processes, as it chooses for long lists; img2dataset runs two processes too, in an environment of its own
in the cache, built on the first run from img2dataset.txt. Needs nginx on the PATH.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from benchmarks.results import report

HERE = Path(__file__).parent
PORT = 8473
THREADS = 32  # connections of each worker process, on both sides
STORE = {
    "unchanged": {"mode": "no", "verify": False},
    "verified": {"mode": "no", "verify": True},
    "keep_ratio": {"mode": "keep_ratio", "only_if_bigger": True},
    "keep_ratio, area": {"mode": "keep_ratio", "only_if_bigger": True, "shrink": "area"},
    "border": {"mode": "border", "only_if_bigger": False},
}
RIVAL = {
    "unchanged": ["--disable_all_reencoding=True", "--resize_mode=no"],
    "keep_ratio": ["--resize_mode=keep_ratio", "--resize_only_if_bigger=True"],
    "border": ["--resize_mode=border"],
}
# files, images of the small and the large run, images a chunk (shard)
PLANS = {
    "unchanged": ("small", 5_000, 25_000, 1000),
    "verified": ("small", 5_000, 25_000, 1000),
    "keep_ratio": ("photos", 100, 500, 50),
    "keep_ratio, area": ("photos", 100, 500, 50),
    "border": ("photos", 100, 500, 50),
}


def photographs() -> list[np.ndarray]:
    """Real photographs from installed packages, BGR."""
    from skimage import data
    from sklearn.datasets import load_sample_images

    pictures = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket(), *load_sample_images().images]
    return [cv2.cvtColor(picture, cv2.COLOR_RGB2BGR) for picture in pictures]


def make_files(folder: Path) -> None:
    """Small files of about 9-69 KB, and photographs of 1-12 megapixels with a sensor's grain."""
    dice = np.random.default_rng(0)
    pictures = photographs()
    for kind, count in (("small", 500), ("photos", 24)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            path = folder / kind / f"{number}.jpg"
            if path.exists():
                continue
            picture = pictures[number % len(pictures)]
            pixels = dice.uniform(5e4, 3e5) if kind == "small" else (1 + number * 11 / (count - 1)) * 1e6
            height, width = round((pixels * 0.75) ** 0.5), round((pixels / 0.75) ** 0.5)
            # at 1.5 times its size and repeated, so that there is detail at every scale
            enlarged = cv2.resize(picture, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)
            repeats = (height // enlarged.shape[0] + 1, width // enlarged.shape[1] + 1, 1)
            tiled = np.tile(enlarged, repeats)
            y, x = dice.integers(0, tiled.shape[0] - height + 1), dice.integers(0, tiled.shape[1] - width + 1)
            cut = tiled[y : y + height, x : x + width].astype(np.int16)
            grain = dice.normal(0, 3, (*cut.shape[:2], 1)).astype(np.int16)
            quality = 85 if kind == "small" else 90
            cv2.imwrite(str(path), (cut + grain).clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])


def start_nginx(root: Path, scratch: Path) -> subprocess.Popen[bytes]:
    """nginx serving the files without a log."""
    configuration = scratch / "nginx.conf"
    paths = "".join(
        f"{name}_temp_path {scratch}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root; " if os.geteuid() == 0 else ""  # else its worker could not read the cache of root
    configuration.write_text(
        f"{user}daemon off; pid {scratch}/nginx.pid; error_log stderr crit; worker_processes 1;\n"
        "events { worker_connections 2048; }\n"
        f"http {{ access_log off; sendfile on; keepalive_requests 1000000; {paths} open_file_cache max=2000;\n"
        f"server {{ listen 127.0.0.1:{PORT} backlog=1024; root {root}; types {{ image/jpeg jpg; }} }} }}\n"
    )
    server = subprocess.Popen(["nginx", "-c", str(configuration)])
    time.sleep(1)
    if server.poll() is not None:
        raise RuntimeError(f"nginx did not start on port {PORT}.")
    return server


def rival_environment(cache: Path) -> Path:
    """The command of img2dataset, installed from the pinned list if it is not there."""
    folder = cache / "img2dataset"
    if not (folder / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(folder / "bin/pip"), "install", "-q", "-r", str(HERE / "img2dataset.txt")], check=True)
        (folder / "done").touch()
    return folder / "bin/img2dataset"


def rival_command(command: Path, mode: str, urls: Path, out: Path, chunk: int) -> list[str]:
    """img2dataset with the settings of ours."""
    same = (
        f"--input_format=txt --output_format=parquet --processes_count=2 --thread_count={THREADS} "
        f"--number_sample_per_shard={chunk} --image_size=640 --encode_quality=85 --upscale_interpolation=cubic "
        "--downscale_interpolation=area --timeout=20 --retries=1 --extract_exif=False --compute_hash=sha256"
    )
    return [str(command), f"--url_list={urls}", f"--output_folder={out}", *same.split(), *RIVAL[mode]]


def our_command(mode: str, urls: Path, out: Path, chunk: int, workers: int = 2) -> list[str]:
    """The product: a run of webbody that is cut after its first job."""
    settings = {
        "jobs": "[[download]]",
        "manifest.columns": "{url: url}",
        "manifest.rows_per_shard": chunk,
        "fetch.connections": THREADS,
        "fetch.per_host": THREADS,
        "fetch.allow_hosts": f"['127.0.0.1:{PORT}']",
        "fetch.store": json.dumps({"quality": 85, **STORE[mode]}),
    }
    overrides = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    command = [sys.executable, "-m", "beam_pipelines.cli", "run", "webbody", f"--input={urls}", f"--output={out}"]
    return [*command, *overrides, f"--direct_num_workers={workers}", "--direct_running_mode=multi_processing"]


def measure(command: list[str]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and the largest resident MB of a command and its children."""
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent), "NO_ALBUMENTATIONS_UPDATE": "1"}
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{command[:3]} failed:\n{errors.decode()[-2000:]}")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def write_urls(path: Path, kind: str, files: int, count: int) -> Path:
    """A list of URLs, each different, over the same files."""
    path.write_text("".join(f"http://127.0.0.1:{PORT}/{kind}/{i % files}.jpg?n={i}\n" for i in range(count)))
    return path


def compare(mode: str, scratch: Path, files: Path, rival: Path, repeats: int) -> list[list[str | float]]:
    """A row for each side: mode, side, images a second, CPU milliseconds an image, by differences of the best runs."""
    kind, few, many, chunk = PLANS[mode]
    available = len(list((files / kind).iterdir()))
    sides = {"manyfaces": our_command, "img2dataset": partial(rival_command, rival)}
    rows: list[list[str | float]] = []
    for side, command in sides.items():
        if side == "img2dataset" and mode not in RIVAL:
            continue
        best: dict[int, tuple[float, float]] = {}
        for count in [few, many] * repeats:
            urls = write_urls(scratch / "urls.txt", kind, available, count)
            wall, cpu, _ = measure(command(mode, urls, scratch / "out", chunk))
            old = best.get(count, (wall, cpu))
            best[count] = (min(old[0], wall), min(old[1], cpu))
            shutil.rmtree(scratch / "out")
        wall, cpu = ((best[many][i] - best[few][i]) / (many - few) for i in (0, 1))
        rows.append([mode, side, 1 / wall, 1000 * cpu])
    return rows


def memory(scratch: Path, files: Path) -> list[list[str | float]]:
    """The largest resident MB of a run at two sizes."""
    available = len(list((files / "small").iterdir()))
    rows: list[list[str | float]] = []
    for count in (1_000, 20_000):
        urls = write_urls(scratch / "urls.txt", "small", available, count)
        rows.append([f"{count} images", measure(our_command("border", urls, scratch / "out", 1000))[2]])
        shutil.rmtree(scratch / "out")
    return rows


def main() -> None:
    """Run what is asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/manyfaces-benchmarks")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--only", nargs="*", choices=[*STORE, "memory"], default=[*STORE, "memory"])
    options = parser.parse_args()
    if shutil.which("nginx") is None:
        sys.exit("benchmarks.download needs nginx on the PATH (package nginx).")
    make_files(options.cache / "files")
    rival = rival_environment(options.cache)
    rows: list[list[str | float]] = []
    with tempfile.TemporaryDirectory() as scratch:
        server = start_nginx(options.cache / "files", Path(scratch))
        try:
            for mode in options.only:
                if mode == "memory":
                    found = memory(Path(scratch), options.cache / "files")
                    report("download-memory", "resident memory of the download job", ["", "MB at most"], found)
                else:
                    rows += compare(mode, Path(scratch), options.cache / "files", rival, options.repeats)
                    report("download", "downloads, 2 cores", ["mode", "", "images/s", "CPU ms an image"], rows)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
