"""The image pool: discriminators also see earlier fakes (Shrivastava et al. 2017), so they do not forget."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


class ImagePool:
    """A history of fakes with one lane per picture of the global batch.

    Lanes make the pool independent of how many devices share the batch: each device keeps its own lanes, and
    every decision follows from (seed, step, lane) alone, which is also what makes a resumed run exact.
    """

    def __init__(self, *, size: int, lanes: range, batch_size: int, shape: tuple[int, int, int], seed: int) -> None:
        self.lanes = lanes
        self.seed = seed
        capacity = -(-size // batch_size)
        self.pictures = torch.zeros(len(lanes), capacity, *shape)
        self.filled = 0

    def exchange(self, fakes: Tensor, *, step: int) -> Tensor:
        """Take in ``fakes`` (one per lane, N×C×H×W, detached); give back, for about half of them, an older
        one.
        """
        capacity = self.pictures.shape[1]
        if capacity == 0:
            return fakes
        if self.filled < capacity:
            self.pictures[:, self.filled] = fakes.to(self.pictures)
            self.filled += 1
            return fakes
        shown = fakes.clone()
        for index, lane in enumerate(self.lanes):
            draw = np.random.Generator(np.random.Philox(key=self.seed, counter=[step, lane, 1, 0]))
            if draw.random() < 0.5:
                slot = int(draw.integers(capacity))
                shown[index] = self.pictures[index, slot].to(fakes)
                self.pictures[index, slot] = fakes[index].to(self.pictures)
        return shown
