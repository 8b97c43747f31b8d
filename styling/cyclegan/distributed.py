"""Sharing one run between devices under ``torchrun``: my rank, my lanes of the batch, averages over all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from styling.cyclegan.devices import Compute
from styling.cyclegan.errors import CycleGANError


@dataclass(frozen=True, slots=True)
class Workers:
    """The processes that train together; without torchrun there is one, and everything here is free."""

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and reports."""
        return self.rank == 0

    def lanes(self, batch_size: int) -> range:
        """This process's places in the global batch."""
        if batch_size % self.count:
            raise CycleGANError(
                "bad-settings", f"batch_size {batch_size} cannot be shared by {self.count} processes. Use a multiple."
            )
        share = batch_size // self.count
        return range(self.rank * share, (self.rank + 1) * share)

    def mean(self, values: Tensor) -> Tensor:
        """Average over the processes."""
        if self.count > 1:
            distributed.all_reduce(values)
            values = values / self.count
        return values

    def agree(self, values: Tensor) -> Tensor:
        """The first process's values, everywhere."""
        if self.count > 1:
            distributed.broadcast(values, src=0)
        return values

    def gather(self, lanes: Tensor) -> Tensor:
        """All lanes in order, from each process's own (first dimension)."""
        if self.count == 1:
            return lanes
        parts = [torch.empty_like(lanes) for _ in range(self.count)]
        distributed.all_gather(parts, lanes.contiguous())
        return torch.cat(parts)

    def wrap(self, objective: nn.Module) -> nn.Module:
        """``objective`` with its gradients averaged over the processes."""
        return DistributedDataParallel(objective) if self.count > 1 else objective


@contextmanager
def join(compute: Compute) -> Iterator[Workers]:
    """Join the processes that torchrun started (NCCL on CUDA, gloo on CPU); alone otherwise."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Workers()
        return
    backend = "nccl" if compute.device.type == "cuda" else "gloo"
    if compute.device.type == "cuda":
        torch.cuda.set_device(compute.device)
    distributed.init_process_group(backend)
    try:
        yield Workers(rank=distributed.get_rank(), count=count)
    finally:
        distributed.destroy_process_group()
