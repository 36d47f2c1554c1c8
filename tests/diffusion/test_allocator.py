"""Memory that tensors gave back: kept while a denoiser works, then the system's again."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from nodeforge.diffusion import Residency
from nodeforge.diffusion.memory import allocator

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


def test_a_denoiser_on_a_processor_takes_what_it_gave_back(sd):
    plain = taken_again()
    with Residency("cpu").use(sd.model):
        # a small block cut from what was freed leaves it too short for one of the same size
        again = min(taken_again() for _ in range(5))
    assert again < plain / 10


def test_afterwards_the_system_has_it():
    with allocator.memory_kept():
        torch.zeros(BYTES, dtype=torch.uint8)
        held = held_bytes()
    assert held - held_bytes() > BYTES * 0.9
    assert taken_again() > 10  # a hundred megabytes, even in pages of two


def held_bytes() -> int:
    """Of main memory, by this process."""
    import resource

    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
