"""Results by key: in memory, and on disk between processes."""

from nodeforge.engine.cache.codec import Codec
from nodeforge.engine.cache.disk import DiskTier, pin_file, unpin_file
from nodeforge.engine.cache.key_claims import KeyClaims
from nodeforge.engine.cache.memory import MemoryTier
from nodeforge.engine.cache.shared import SharedTier, shared_problem
from nodeforge.engine.cache.steps import (
    StepDigests,
    Steps,
    checkpoint_of,
    last_step,
    pin_last_step,
    step_digests,
    steps_kept,
    steps_known,
)
from nodeforge.engine.cache.store import ResultCache

__all__ = [
    "Codec",
    "DiskTier",
    "KeyClaims",
    "MemoryTier",
    "ResultCache",
    "SharedTier",
    "StepDigests",
    "Steps",
    "checkpoint_of",
    "last_step",
    "pin_file",
    "pin_last_step",
    "shared_problem",
    "step_digests",
    "steps_kept",
    "steps_known",
    "unpin_file",
]
