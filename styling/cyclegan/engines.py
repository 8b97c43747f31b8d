"""Engines: the ways in which this machine can run a trained network, and the choice of the fastest that is true.

``eager`` (PyTorch as it is, bfloat16 where the hardware has it) needs no preparation, so work begins with it, and short
work ends with it. The others are prepared once the work so far has cost more than their preparation: OpenVINO (or ONNX
Runtime where there is none) after seconds, torch.compile after minutes. Each is timed on the same probe; none is taken
whose pictures are further than ``MIN_PSNR`` from float32's; what lost on this machine is not tried again in this process.
"""

from __future__ import annotations

import copy
import importlib.util
import logging
import math
import shutil
import tempfile
import time
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from styling.cyclegan import devices, export
from styling.cyclegan.devices import Compute
from styling.cyclegan.errors import CycleGANError

logger = logging.getLogger(__name__)

#: Decibels to float32, on pictures in [-1, 1], that an engine must reach; below, differences begin to be seen.
MIN_PSNR = 38.0
#: Seconds of translating after which engines are tried: about one is prepared in one second, the other in two minutes.
PREPARE_AFTER_SECONDS = {"openvino": 4.0, "onnxruntime": 4.0, "compiled": 240.0}
#: Share of the time at hand below which another engine is worth changing to.
WORTH_CHANGING = 0.9
#: Side of the square probe that engines are compared on.
PROBE_SIDE = 128


class Engine(Protocol):
    """Runs a network: N×C×H×W float32 in [-1, 1] on the CPU in, N×K×H×W float32 on the CPU out."""

    name: str

    def __call__(self, pictures: Tensor) -> Tensor: ...


class EagerEngine:
    """PyTorch as it is: float32, or bfloat16 by autocast, on the CPU or a GPU."""

    def __init__(self, core: nn.Module, compute: Compute) -> None:
        self.name = "eager"
        self.core, self.compute = core.to(compute.device), compute

    def __call__(self, pictures: Tensor) -> Tensor:
        with torch.inference_mode(), self.compute.autocast():
            answer: Tensor = self.core(pictures.to(self.compute.device))
        return answer.float().cpu()


class CompiledEngine(EagerEngine):
    """The same through torch.compile, for pictures of any size."""

    def __init__(self, core: nn.Module, compute: Compute) -> None:
        if compute.device.type == "cpu" and shutil.which("g++") is None and shutil.which("clang++") is None:
            raise CycleGANError("engine-unavailable", "torch.compile needs a C++ compiler. Install g++.")
        super().__init__(copy.deepcopy(core), compute)
        self.name = "compiled"
        self.core.compile(dynamic=True)


class OpenVinoEngine:
    """Intel's OpenVINO on the CPU, in bfloat16 where the CPU has it."""

    def __init__(self, core: nn.Module, *, channels: int) -> None:
        try:
            import openvino
        except ImportError as error:
            raise CycleGANError("engine-unavailable", "OpenVINO is not installed. Install openvino.") from error
        self.name = "openvino"
        precision = "bf16" if devices.has_bfloat16(torch.device("cpu")) else "f32"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "network.onnx")
            export.write_onnx(core, path, channels=channels)
            runtime = openvino.Core()
            self._model = runtime.compile_model(
                runtime.read_model(path),
                "CPU",
                {
                    "INFERENCE_PRECISION_HINT": precision,
                    "PERFORMANCE_HINT": "LATENCY",
                    "INFERENCE_NUM_THREADS": torch.get_num_threads(),
                },
            )

    def __call__(self, pictures: Tensor) -> Tensor:
        return torch.from_numpy(self._model(pictures.contiguous().numpy())[0].copy())


class OnnxRuntimeEngine:
    """ONNX Runtime on the CPU, in float32."""

    def __init__(self, core: nn.Module, *, channels: int) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise CycleGANError("engine-unavailable", "ONNX Runtime is not installed. Install onnxruntime.") from error
        self.name = "onnxruntime"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        # Without this, its threads burn a core each between two pictures.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "network.onnx")
            export.write_onnx(core, path, channels=channels)
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def __call__(self, pictures: Tensor) -> Tensor:
        (answer,) = self._session.run(None, {"picture": pictures.contiguous().numpy()})
        return torch.from_numpy(answer)


#: Names that ``Engines`` takes, beside ``None`` for the fastest.
NAMES = ("eager", "compiled", "openvino", "onnxruntime")


#: Engines that lost against another, by machine and network; networks of one shape are equally fast.
_beaten: dict[Hashable, set[str]] = {}


class Engines:
    """The engines of one network on one machine; calling it runs the one in use.

    ``rendered`` turns a probe and an engine's answer into pictures, so that distances are between pictures.
    ``only`` fixes the engine by name; raises ``CycleGANError('engine-unavailable')`` where it cannot be had.
    """

    def __init__(
        self,
        core: nn.Module,
        compute: Compute,
        *,
        channels: int,
        rendered: Callable[[Tensor, Tensor], Tensor],
        only: str | None = None,
    ) -> None:
        if only is not None and only not in NAMES:
            raise CycleGANError("bad-settings", f"There is no engine “{only}”. There are: {', '.join(NAMES)}.")
        self._core, self._channels, self._rendered = core, channels, rendered
        self.compute = self._true_arithmetic(compute)
        #: The engine in use.
        self.current: Engine = EagerEngine(core, self.compute)
        self._untried = [] if only else self._candidates()
        self._seconds = 0.0
        if only is not None and only != "eager":
            self.current = self._make(only)
            distance = self.psnr(self.current)
            if distance < MIN_PSNR:
                logger.warning("Engine %s is only %.1f dB from float32, as asked for by name.", only, distance)

    def __call__(self, pictures: Tensor) -> Tensor:
        """Run the engine in use; change to a faster one once the work so far has paid for looking."""
        due = [name for name in self._untried if self._seconds > PREPARE_AFTER_SECONDS[name]]
        if due:
            self.prepare(due)
        start = time.perf_counter()
        try:
            answer = self.current(pictures)
        except Exception as error:
            if self.current.name == "eager" or devices.is_out_of_memory(error):
                raise
            logger.warning("Engine %s failed (%s): going on with eager.", self.current.name, error)
            self.current = EagerEngine(self._core, self.compute)
            answer = self.current(pictures)
        self._seconds += time.perf_counter() - start
        return answer

    def prepare(self, names: Sequence[str] | None = None) -> None:
        """Try these engines (by default all) now, and keep the fastest that is true to float32."""
        names = self._untried if names is None else names
        self._untried = [name for name in self._untried if name not in names]
        seconds = {self.current.name: self._seconds_of(self.current)}
        for name in names:
            try:
                engine = self._make(name)
                distance, took = self.psnr(engine), self._seconds_of(engine)
            except Exception as error:  # noqa: BLE001 - whatever a third party raises, the work goes on without it
                logger.warning("Engine %s is left out: %s", name, error)
                _beaten.setdefault(self._shape(), set()).add(name)
                continue
            logger.info("Engine %s: %.1f ms a probe, %.1f dB to float32", name, took * 1000, distance)
            if distance < MIN_PSNR:
                logger.warning("Engine %s is left out: %.1f dB to float32", name, distance)
            elif took < WORTH_CHANGING * seconds[self.current.name]:
                self.current, seconds = engine, {name: took}
            else:
                _beaten.setdefault(self._shape(), set()).add(name)
        logger.info("Translating with engine %s", self.current.name)

    def psnr(self, engine: Engine) -> float:
        """Decibels between an engine's pictures and float32's, of the range 2; infinite where they are equal."""
        pictures = self._probe()
        reference = self._rendered(pictures, _in_float32(self._core, pictures, self._core_device()))
        error = (self._rendered(pictures, engine(pictures)) - reference).double().square().mean().item()
        return math.inf if error == 0 else 10 * math.log10(4 / error) if math.isfinite(error) else -math.inf

    def _candidates(self) -> list[str]:
        names = []
        if self.compute.device.type == "cpu":
            # Of the two, OpenVINO alone computes in bfloat16.
            names += [name for name in ("openvino", "onnxruntime") if importlib.util.find_spec(name)][:1]
        # On CPUs whose matrix units do not outrun memory, compiling gains nothing (see ``devices``).
        if devices.gains_from_compiling(self.compute.device):
            names.append("compiled")
        return [name for name in names if name not in _beaten.get(self._shape(), ())]

    def _shape(self) -> Hashable:
        """What decides how fast the engines are: device, threads and the network's layers."""
        layers = tuple(tuple(parameter.shape) for parameter in self._core.parameters())
        return str(self.compute), torch.get_num_threads(), layers

    def _make(self, name: str) -> Engine:
        if name == "compiled":
            return CompiledEngine(self._core, self.compute)
        if self.compute.device.type != "cpu":
            raise CycleGANError("engine-unavailable", f"Engine {name} runs on the CPU alone. Choose eager or compiled.")
        if name == "openvino":
            return OpenVinoEngine(self._core, channels=self._channels)
        return OnnxRuntimeEngine(self._core, channels=self._channels)

    def _true_arithmetic(self, compute: Compute) -> Compute:
        """``compute``, or float32 where bfloat16 loses too much in this network."""
        if compute.autocast_dtype is None:
            return compute
        distance = self.psnr(EagerEngine(self._core, compute))
        if distance >= MIN_PSNR:
            return compute
        logger.warning("bfloat16 is only %.1f dB from float32 with these weights: translating in float32.", distance)
        return Compute(compute.device, None)

    def _probe(self) -> Tensor:
        return export.probe(1, self._channels, PROBE_SIDE, PROBE_SIDE)

    def _core_device(self) -> torch.device:
        return next(self._core.parameters()).device

    def _seconds_of(self, engine: Engine) -> float:
        """Best of three runs on the probe, after one that does not count."""
        pictures = self._probe()
        engine(pictures)
        best = math.inf
        for _ in range(3):
            start = time.perf_counter()
            engine(pictures)
            best = min(best, time.perf_counter() - start)
        return best


def _in_float32(core: nn.Module, pictures: Tensor, device: torch.device) -> Tensor:
    with torch.inference_mode():
        answer: Tensor = core(pictures.to(device))
    return answer.cpu()
