"""What a network sees in a picture, beside the hand-made numbers. Imports torch: for workers alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from recommend.engine.style import on_white
from styling.cyclegan.features import ResNetFeatures

SIDE = 256  # pixels; the network looks at 224


class NetworkLooks:
    """ResNet-18's statistics of a picture (He et al., CVPR 2016; their use as style: Gatys et al., CVPR 2016)."""

    size = ResNetFeatures.SIZE

    def __init__(self, weights: Path) -> None:
        """``weights``: torchvision's file for ``resnet18``. Raises ``CycleGANError``, ``bad-settings``."""
        self._features = ResNetFeatures(weights)

    def __call__(self, picture: Image.Image) -> NDArray[np.float32]:
        """896 float32 numbers of unit length. Any mode; transparency is read as white."""
        pixels = np.array(on_white(picture).resize((SIDE, SIDE), Image.Resampling.BILINEAR), dtype=np.float32)
        seen = torch.from_numpy(pixels / 127.5 - 1).permute(2, 0, 1)[None]
        vector: NDArray[np.float32] = self._features(seen)[0].numpy()
        return vector / max(float(np.linalg.norm(vector)), 1e-9)
