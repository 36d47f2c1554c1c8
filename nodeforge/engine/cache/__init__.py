"""Results by key: in memory, and on disk between processes."""

from nodeforge.engine.cache.codec import Codec
from nodeforge.engine.cache.disk import DiskTier
from nodeforge.engine.cache.memory import MemoryTier
from nodeforge.engine.cache.steps import (
    Steps,
    checkpoint_of,
    pin_last_step,
    steps_kept,
    steps_known,
)
from nodeforge.engine.cache.store import ResultCache

__all__ = [
    "Codec",
    "DiskTier",
    "MemoryTier",
    "ResultCache",
    "Steps",
    "checkpoint_of",
    "pin_last_step",
    "steps_kept",
    "steps_known",
]
