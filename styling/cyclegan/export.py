"""ONNX export of a trained model, checked against PyTorch in ONNX Runtime."""

from __future__ import annotations

import copy
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from styling.cyclegan import artifact
from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.layers import FewChannelConv, InstanceNorm, ReflectionPad, ResizeConv

#: The ONNX operator set that is written: understood by every runtime of the last years.
OPSET = 17
#: Largest difference between ONNX Runtime and PyTorch on pictures in [-1, 1] that passes (an 8-bit level is 0.008).
TOLERANCE = 2e-3
#: Batch, height and width of the pictures that are compared; none is the size that the export was traced at.
_CHECKED = ((1, 64, 64), (2, 96, 128), (1, 36, 132))


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written and how far it is from PyTorch."""

    path: Path
    #: Largest absolute difference on pictures in [-1, 1].
    max_difference: float
    #: Bytes of the file.
    size: int
    opset: int

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dict."""
        return asdict(self) | {"path": str(self.path)}


def portable(network: nn.Module) -> nn.Module:
    """A copy in layers that every exporter knows; the same numbers up to rounding."""
    network = copy.deepcopy(network)
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, InstanceNorm):
                setattr(module, name, nn.InstanceNorm2d(child.channels, eps=InstanceNorm.EPSILON))
            elif isinstance(child, ReflectionPad):
                setattr(module, name, nn.ReflectionPad2d(child.margin))
            elif isinstance(child, ResizeConv):
                setattr(module, name, _as_transposed(child))
            elif isinstance(child, FewChannelConv):
                child.__class__ = nn.Conv2d  # type: ignore[assignment]  # its memory format is a matter of PyTorch's own kernels
    return network.eval()


def _as_transposed(resize: ResizeConv) -> nn.Module:
    """Doubling and a 3×3 convolution as one transposed convolution, whose 4 taps a side are sums of the 3."""
    inputs, outputs = resize.in_channels, resize.out_channels
    taps = resize.weight.detach().transpose(0, 1)
    for dimension in (2, 3):
        first, middle, last = taps.unbind(dimension)
        taps = torch.stack((last, middle + last, first + middle, first), dim=dimension)
    transposed = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=3, bias=False)
    with torch.no_grad():
        transposed.weight.copy_(taps)
    return nn.Sequential(nn.ReplicationPad2d(1), transposed.requires_grad_(False))


def write_onnx(network: nn.Module, path: Path, *, channels: int) -> None:
    """Write ``network`` (N×C×H×W → N×K×H×W) with free N, H and W; no check."""
    sample = torch.zeros(1, channels, 48, 80)
    axes = {0: "batch", 2: "height", 3: "width"}
    with warnings.catch_warnings():
        # The tracing exporter is older and ten times faster than the newer one, and writes the same graph here; what
        # it warns about is its age, and norms that have no training mode.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            portable(network),
            (sample,),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=["picture"],
            output_names=["rendering"],
            dynamic_axes={"picture": axes, "rendering": axes},
        )


def export_onnx(directory: Path, path: Path) -> ExportReport:
    """Write the model at ``directory`` as ONNX to ``path`` and compare it with PyTorch.

    Input ``picture`` and output ``rendering`` are float32 N×C×H×W in [-1, 1], H and W multiples of 4 and at least 16.
    The metadata carry the domain's notice. Raises ``CycleGANError``: what ``artifact.load_generator`` raises,
    ``engine-unavailable`` without onnx and onnxruntime, ``export-differs`` where the file gives other pictures (it is
    removed again).
    """
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise CycleGANError(
            "engine-unavailable", "ONNX export needs the packages onnx and onnxruntime. Install them."
        ) from error
    generator, config = artifact.load_generator(directory)
    channels = int(config["generator"]["channels"])
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        write_onnx(generator, temporary, channels=channels)
        model = onnx.load(str(temporary))
        onnx.helper.set_model_props(
            model,
            {
                "weights_sha256": config["weights_sha256"],
                "image_size": str(config["image_size"]),
                "range": "[-1, 1]",
                "notice": str(config.get("domain", {}).get("notice", "")),
            },
        )
        onnx.save(model, str(temporary))
        session = onnxruntime.InferenceSession(str(temporary), providers=["CPUExecutionProvider"])
        worst = 0.0
        for batch, height, width in _CHECKED:
            pictures = probe(batch, channels, height, width)
            (answer,) = session.run(None, {"picture": pictures.numpy()})
            with torch.inference_mode():
                worst = max(worst, (generator(pictures) - torch.from_numpy(answer)).abs().max().item())
        if not worst <= TOLERANCE:
            raise CycleGANError(
                "export-differs", f"The exported model differs from PyTorch by {worst:.4f}; it was not written."
            )
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return ExportReport(path, worst, path.stat().st_size, OPSET)


def probe(batch: int, channels: int, height: int, width: int) -> Tensor:
    """Pictures to compare engines on: soft colours, hard edges and some grain, N×C×H×W in [-1, 1]."""
    draw = torch.Generator().manual_seed(7)
    coarse = torch.rand(batch, channels, 5, 5, generator=draw)
    soft = F.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=False)
    hard = F.interpolate(coarse.flip(-1), size=(height, width), mode="nearest")
    grain = torch.rand(batch, channels, height, width, generator=draw)
    return (0.6 * soft + 0.3 * hard + 0.1 * grain).mul(2).sub(1).clamp(-1, 1)
