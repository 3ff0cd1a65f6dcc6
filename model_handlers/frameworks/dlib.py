"""dlib's own face recognition network, run by dlib."""

from threading import Lock
from typing import Any

import dlib
import numpy as np

from model_handlers.frameworks.devices import DeviceMissing, gpu_number, is_gpu
from model_handlers.frameworks.loading import Loading
from model_handlers.frameworks.network import Feed
from model_handlers.interface import Array

_CHIP = (150, 150, 3)  # aligned, RGB


class DlibNetwork:
    """A `face_recognition_model_v1`, for one thread at a time."""

    def __init__(self, network: Any, gpu: int | None) -> None:
        self._network, self._gpu = network, gpu
        self._running = Lock()  # a pass leaves its numbers in the network

    def feeds(self) -> tuple[Feed, ...]:
        """Aligned faces, uint8 RGB."""
        return (Feed("chips", "uint8", (None, *_CHIP)),)

    def run(self, *batches: Array) -> tuple[Array, ...]:
        """(N,150,150,3) uint8 RGB -> (N,128) float32."""
        (chips,) = batches
        with self._running:
            if self._gpu is not None:
                dlib.cuda.set_device(self._gpu)  # of this thread alone
            found = self._network.compute_face_descriptor(list(chips))
        return (np.array(found, dtype=np.float32),)

    def memory(self) -> int:
        """0: dlib does not tell."""
        return 0


def load(loading: Loading) -> DlibNetwork:
    """The file's network on its device; DeviceMissing where dlib was built without CUDA, or there is no GPU."""
    gpu = None
    if is_gpu(loading.device):
        if not dlib.DLIB_USE_CUDA:
            raise DeviceMissing(
                f"{loading.name}: the configuration asks for {loading.device}, but dlib was built without CUDA here; "
                "set the device to cpu, or build dlib with CUDA in place of the package dlib-bin."
            )
        gpu = gpu_number(loading.device, "dlib")
        dlib.cuda.set_device(gpu)
    elif dlib.DLIB_USE_CUDA:
        # what was built with CUDA has no other way
        raise DeviceMissing(
            f"{loading.name}: the configuration asks for cpu, but dlib was built with CUDA here and runs on a GPU "
            "alone; set the device to cuda, or install the package dlib-bin."
        )
    return DlibNetwork(dlib.face_recognition_model_v1(str(loading.file)), gpu)
