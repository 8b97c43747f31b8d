"""Sample grids: what the eye is shown of a run."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor

#: Pictures per row of a grid.
COLUMNS = 6
_GAP = 4


def grid(rows: list[Tensor]) -> bytes:
    """PNG of ``rows`` of pictures (each N×C×S×S in [-1, 1], one size); the first ``COLUMNS`` of each row."""
    side = rows[0].shape[-1]
    step = side + _GAP
    columns = min(COLUMNS, max(len(row) for row in rows))
    canvas = np.full((step * len(rows) + _GAP, step * columns + _GAP, 3), 255, dtype=np.uint8)
    for index, row in enumerate(rows):
        levels = row[:columns].detach().float().cpu().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
        for column, picture in enumerate(levels.permute(0, 2, 3, 1).numpy()):
            top, left = _GAP + index * step, _GAP + column * step
            canvas[top : top + side, left : left + side] = picture
    encoded = io.BytesIO()
    Image.fromarray(canvas).save(encoded, format="PNG", optimize=True)
    return encoded.getvalue()
