"""GPUs by number, and processes spread over them; this machine need not have one."""

import subprocess
import sys

import pytest

from model_handlers.frameworks import devices
from model_handlers.frameworks.devices import DeviceMissing, check_device, gpu_number, is_gpu

CLAIM = """
import sys
from model_handlers.frameworks import devices
devices.gpus = lambda: 3
print(devices.gpu_number("cuda", "PyTorch"), devices.gpu_number("cuda", "PyTorch"), flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(
    "device", ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:100", "tpu", "CUDA", "cpu:0", "cuda\n"]
)
def test_no_devices(device):
    with pytest.raises(ValueError, match=r"there is no device .*; give cpu, cuda or cuda:N"):
        check_device(device)


@pytest.mark.parametrize(("device", "gpu"), [("cpu", False), ("cuda", True), ("cuda:0", True), ("cuda:11", True)])
def test_devices(device, gpu):
    assert is_gpu(check_device(device)) is gpu


@pytest.mark.parametrize(
    ("there", "device", "number"),
    [(1, "cuda", 0), (1, "cuda:0", 0), (4, "cuda:3", 3), (0, "cuda", None), (2, "cuda:2", None)],
)
def test_the_number_of_a_gpu(monkeypatch, there, device, number):
    monkeypatch.setattr(devices, "gpus", lambda: there)
    if number is None:
        with pytest.raises(
            DeviceMissing, match=rf"^the configuration asks for {device}, but X cannot use it .* to cpu, or"
        ):
            gpu_number(device, "X")
    else:
        assert gpu_number(device, "X") == number


def test_a_machine_without_a_driver_has_none(monkeypatch):
    def absent(name):
        raise OSError(name)

    monkeypatch.setattr(devices.ctypes, "CDLL", absent)
    assert devices.gpus() == 0


def test_processes_spread_over_the_gpus_and_free_theirs_at_their_end(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(devices.tempfile, "tempdir", None)

    def start() -> tuple[subprocess.Popen[str], int]:
        made = subprocess.Popen([sys.executable, "-c", CLAIM], stdin=-1, stdout=-1, text=True)
        first, second = made.stdout.readline().split()
        assert first == second  # a process has one
        return made, int(first)

    running = [start() for _ in range(4)]
    assert [number for _, number in running] == [0, 1, 2, 0]
    running[1][0].kill()
    running[1][0].wait()
    running.append(start())
    assert running[-1][1] == 1
    for process, _ in running:
        process.kill()
        process.communicate()
