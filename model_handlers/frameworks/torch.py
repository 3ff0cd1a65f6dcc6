"""Networks in PyTorch: built by a function of `model_handlers.networks`, with weights out of a file."""

from typing import Any

import torch

from model_handlers import named
from model_handlers.errors import ModelError
from model_handlers.frameworks.devices import gpu_number, is_gpu
from model_handlers.frameworks.loading import Loading
from model_handlers.frameworks.network import Feed
from model_handlers.interface import Array
from model_handlers.networks import NETWORKS

_HALVED = (torch.nn.Linear, torch.nn.Conv2d, torch.nn.ConvTranspose2d)
_TYPES = {"fp16": torch.float16, "bf16": torch.bfloat16}


class TorchNetwork:
    """A module in evaluation mode on its device; several threads may run it at once."""

    def __init__(self, module: torch.nn.Module, device: str, half: torch.dtype | None) -> None:
        self._module, self._device, self._half = module, torch.device(device), half

    def feeds(self) -> tuple[Feed, ...]:
        """Nothing: a module does not say what it takes."""
        return ()

    @torch.inference_mode()
    def run(self, *batches: Array) -> tuple[Array, ...]:
        """The module's outputs; half precision ends here, all floating point numbers come back as float32."""
        given = [self._to_device(batch) for batch in batches]
        with torch.autocast(self._device.type, self._half, enabled=self._half is not None):
            outputs = self._module(*given)
        flat = (outputs,) if isinstance(outputs, torch.Tensor) else outputs
        return tuple((one.float() if one.is_floating_point() else one).cpu().numpy() for one in flat)

    def memory(self) -> int:
        """What PyTorch's allocator holds of the GPU."""
        return torch.cuda.memory_reserved(self._device) if self._device.type == "cuda" else 0

    def _to_device(self, batch: Array) -> torch.Tensor:
        tensor = torch.from_numpy(batch)
        if self._device.type == "cpu":
            return tensor
        # out of pinned memory the copy runs beside what the GPU still has to do
        moved = tensor.pin_memory().to(self._device, non_blocking=True)
        return moved.contiguous(memory_format=torch.channels_last) if _is_planes(moved) else moved


def load(loading: Loading) -> TorchNetwork:
    """The network with the file's weights on its device; ModelError names what of the file does not fit."""
    torch.set_num_threads(loading.threads)  # of the whole process: its own choice would be every core, in each process
    device = f"cuda:{gpu_number(loading.device, 'PyTorch')}" if is_gpu(loading.device) else "cpu"
    try:
        build = named.load("network", loading.network or "", NETWORKS)
    except ValueError as error:
        raise ModelError(f"model {loading.name!r}: {str(error).rstrip('.')}.") from error
    module: Any = build(loading.file, **dict(loading.options)).eval().requires_grad_(False).to(device)
    half = _TYPES.get(loading.precision) if is_gpu(device) else None
    if is_gpu(device):
        torch.backends.cudnn.benchmark = False  # the fastest kernel of the moment is another one on every start
        torch.backends.cudnn.allow_tf32 = False  # fp32 is what was asked for, unless half precision was
        module = module.to(memory_format=torch.channels_last)
    return TorchNetwork(module if half is None else halved(module, half), device, half)


def halved(module: torch.nn.Module, half: torch.dtype) -> torch.nn.Module:
    """The module with the weights of its products and convolutions in half precision, and all else as it is.

    These are what autocast would round for every batch anew: reading ViT-base's 460 MB takes an L4 milliseconds.
    """
    for part in module.modules():
        if isinstance(part, _HALVED):
            part.to(half)
    return module


def _is_planes(tensor: torch.Tensor) -> bool:
    return bool(tensor.ndim == 4 and tensor.is_floating_point())
