"""Devices: `cpu`, `cuda` (each process takes one of the machine's GPUs), `cuda:N` (the GPU of that number)."""

import ctypes
import fcntl
import os
import re
import tempfile
from functools import cache
from itertools import count
from pathlib import Path
from typing import IO

DEVICE = r"^(cpu|cuda(:\d{1,2})?)$"
_claims: list[IO[str]] = []  # held open as long as the process lives: a claim ends with its process


class DeviceMissing(RuntimeError):
    """The device asked for cannot be used on this machine; the message is one sentence."""


def check_device(device: str) -> str:
    """The device itself; ValueError when it is none of those above."""
    if not re.fullmatch(DEVICE, device):
        raise ValueError(f"there is no device {device!r}; give cpu, cuda or cuda:N.")
    return device


def is_gpu(device: str) -> bool:
    """Whether it is a GPU."""
    return device.startswith("cuda")


def gpu_number(device: str, framework: str) -> int:
    """Which of the machine's GPUs this process uses for `cuda` or `cuda:N`; DeviceMissing when it is not there."""
    there = gpus()
    wanted = device.partition(":")[2]
    if not there or int(wanted or 0) >= there:
        has = f"it has {there}, numbered from 0" if there else "an NVIDIA driver with a GPU is needed"
        raise DeviceMissing(
            f"the configuration asks for {device}, but {framework} cannot use it on this machine: {has}; "
            "set the device to cpu, or run where there is one."
        )
    return int(wanted) if wanted else _least_used(there)


def gpus() -> int:
    """How many GPUs NVIDIA's driver shows to this process, after CUDA_VISIBLE_DEVICES."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    found = ctypes.c_int(0)
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(found)):
        return 0
    return found.value


@cache  # one for a process, however many networks it loads
def _least_used(there: int) -> int:
    """A GPU that no more processes have than any other: each process locks one file, and its end frees that."""
    if there == 1:
        return 0
    folder = Path(tempfile.gettempdir()) / f"manyfaces-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for turn in count():  # every GPU once, then every GPU a second time, and so on
        for number in range(there):
            claim = (folder / f"{number}-{turn}").open("w")
            try:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                claim.close()
                continue
            _claims.append(claim)
            return number
    raise AssertionError("the turns never end")
