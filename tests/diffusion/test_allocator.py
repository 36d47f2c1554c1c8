"""Memory that tensors gave back: kept while a denoiser works, then the system's again.

Each is seen in a new process: glibc gives a thread whose allocation failed once, as in the tests
of too large sizes, an arena of its own that never keeps a block of this size.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from nodeforge.diffusion import Residency
from nodeforge.diffusion.memory import allocator
from nodeforge.values import Model

pytestmark = pytest.mark.skipif(
    allocator._glibc() is None, reason="only glibc is told what to keep"
)
BYTES = 100 * allocator.MIB


def pages_taken() -> int:
    """How often the system had to hand a page to this process."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def taken_again() -> int:
    """Pages taken for a tensor of the size of one that has just gone."""
    torch.zeros(BYTES, dtype=torch.uint8)
    before = pages_taken()
    torch.zeros(BYTES, dtype=torch.uint8)
    return pages_taken() - before


def in_a_new_process(function: Callable[..., Any], *arguments: object) -> Any:
    with multiprocessing.get_context("spawn").Pool(1) as new:
        return new.apply(function, arguments)


def taken_while_denoising(model: Model) -> tuple[int, int]:
    plain = taken_again()
    with Residency("cpu").use(model):
        # a small block cut from what was freed leaves it too short for one of the same size
        return plain, min(taken_again() for _ in range(5))


def test_a_denoiser_on_a_processor_takes_what_it_gave_back(sd):
    plain, again = in_a_new_process(taken_while_denoising, sd.model)
    assert again < plain / 10


def given_back_afterwards() -> tuple[int, int]:
    with allocator.memory_kept():
        torch.zeros(BYTES, dtype=torch.uint8)
        held = held_bytes()
    return held - held_bytes(), taken_again()


def test_afterwards_the_system_has_it():
    given_back, taken = in_a_new_process(given_back_afterwards)
    assert given_back > BYTES * 0.9
    assert taken > 10  # a hundred megabytes, even in pages of two


def held_bytes() -> int:
    """Of main memory, by this process."""
    import resource

    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
