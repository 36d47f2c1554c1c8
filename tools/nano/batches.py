"""Batches in the order of the steps, made ahead by worker processes where a fast card waits."""

import os
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

AHEAD = 4  # batches a worker may be ahead


class Chance:
    """The random numbers of one step."""

    def __init__(self, seed: int, step: int) -> None:
        self.step = step
        self.numpy = np.random.default_rng((seed, step))
        self.torch = torch.Generator().manual_seed(seed * 1_000_003 + step)

    def normal(self, like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=self.torch).to(like.device)


BatchOf = Callable[[Chance], tuple[Tensor, ...]]


class Batches(Dataset[tuple[Tensor, ...]]):
    """A step's number to its batch: any process makes the same."""

    def __init__(self, batch_of: BatchOf, seed: int) -> None:
        self.batch_of, self.seed = batch_of, seed

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        return self.batch_of(Chance(self.seed, index))


def in_order(
    batch_of: BatchOf, seed: int, steps: Sequence[int], device: torch.device
) -> DataLoader[tuple[Tensor, ...]]:
    """The batches of these steps; beside a card, workers on all cores but one make them."""
    workers = worker_count() if device.type == "cuda" else 0
    made: Any = Batches(batch_of, seed)
    return DataLoader(
        made,
        batch_size=None,
        sampler=steps,
        num_workers=workers,
        prefetch_factor=AHEAD if workers else None,
        pin_memory=device.type == "cuda",
        worker_init_fn=one_thread,
    )


def worker_count() -> int:
    return max(1, (os.cpu_count() or 2) - 1)


def one_thread(_: int) -> None:
    cv2.setNumThreads(0)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
