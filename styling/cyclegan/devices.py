"""Where and in which arithmetic to compute: the one place that knows about devices."""

from __future__ import annotations

import logging
import os
import shutil
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

from styling.cyclegan.settings import TrainingSettings

logger = logging.getLogger(__name__)

#: Generator multiply-accumulates (in units of 10¹²) below which compiling costs more than it earns on a CPU.
#: Inductor takes one to two minutes here; the multiply-accumulates of a step run at about 10¹¹ a second.
COMPILE_ABOVE_TERA_MACS = 60.0


@dataclass(frozen=True, slots=True)
class Compute:
    """A device and the arithmetic of forward passes on it."""

    device: torch.device
    autocast_dtype: torch.dtype | None

    def autocast(self) -> AbstractContextManager[None]:
        """Mixed precision where it pays; weights, losses and optimisers stay float32."""
        return torch.autocast(
            self.device.type, dtype=self.autocast_dtype or torch.bfloat16, enabled=self.autocast_dtype is not None
        )


def choose(device: str | None = None, *, precision: str = "auto") -> Compute:
    """The given device, else CUDA, else CPU; bfloat16 where the device computes in it natively.

    bfloat16 has float32's range, so neither device needs loss scaling and the code path is one.
    """
    if device is None:
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else "cpu"
    chosen = torch.device(device)
    if precision == "auto":
        precision = "bfloat16" if has_bfloat16(chosen) else "float32"
    return Compute(chosen, torch.bfloat16 if precision == "bfloat16" else None)


def has_bfloat16(device: torch.device) -> bool:
    """Whether matrix products in bfloat16 run on the hardware, not emulated."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def should_compile(settings: TrainingSettings, compute: Compute) -> bool:
    """Whether the step budget is large enough for torch.compile to earn back its time.

    Decided from the settings alone, never from a measurement, so that a resumed run decides the same.
    """
    if settings.compile == "never" or (settings.compile == "auto" and not gains_from_compiling(compute.device)):
        return False
    if compute.device.type == "cpu" and shutil.which("g++") is None and shutil.which("clang++") is None:
        logger.warning("torch.compile needs a C++ compiler, and there is none: training runs uncompiled.")
        return False
    if settings.compile == "always":
        return True
    if settings.steps is None:
        return settings.minutes is not None and settings.minutes >= 30
    return settings.steps * _step_tera_macs(settings) > COMPILE_ABOVE_TERA_MACS


def gains_from_compiling(device: torch.device) -> bool:
    """Whether convolutions are fast enough for the rest, which compiling fuses, to count.

    With AMX or on a GPU they are. On plain AVX-512 convolutions take 87 % of a step of the paper's networks, and
    compiled or not it took the same time (``python -m benchmarks.train --compile always`` against ``never``), so
    that the minutes of compiling are never earned back.
    """
    return device.type == "cuda" or bool(torch.cpu.get_capabilities().get("amx_tile", False))


def _step_tera_macs(settings: TrainingSettings) -> float:
    width, pixels = settings.width, settings.crop_size**2
    stem = 49 * settings.channels * width * 2
    down_up = 2 * (9 * width * 2 * width / 4 + 9 * 2 * width * 4 * width / 16)
    blocks = settings.blocks * 2 * 9 * (4 * width) ** 2 / 16
    passes = 6 * 3 if settings.algorithm == "cyclegan" else 3 * 3  # translations × (forward + backward)
    return settings.batch_size * pixels * (stem + down_up + blocks) * passes / 1e12


def is_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` says that memory ran out, on a GPU or in the CPU's allocator."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and ("can't allocate memory" in text or "out of memory" in text.lower())
