"""Draws from a seed that are the same on every machine and with every version of Python."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from itertools import accumulate


class Draws:
    """A stream of draws.

    Python's Mersenne Twister, seeded by the SHA-256 of the seed's digits. Of its methods only
    `random()` is used, whose values Python promises to keep; the rest is computed here.

    Args:
        seed: Any whole number.
    """

    def __init__(self, seed: int) -> None:
        digest = hashlib.sha256(str(seed).encode("ascii")).digest()
        self._random = random.Random(int.from_bytes(digest, "big")).random

    def share(self) -> float:
        """A number from 0 up to, and without, 1."""
        return self._random()

    def below(self, count: int) -> int:
        """A whole number from 0 up to, and without, `count`; each as likely."""
        if count < 2**32:
            return int(self._random() * count)
        bits = 0
        for _ in range(count.bit_length() // 32 + 2):
            bits = bits << 32 | int(self._random() * 2**32)
        return bits % count

    def weighted(self, weights: Sequence[float]) -> int:
        """A place in `weights`, as often as they say; their sum is above 0."""
        ends = list(accumulate(weights))
        place = self._random() * ends[-1]
        return next(index for index, end in enumerate(ends) if place < end)

    def shuffled(self, count: int) -> list[int]:
        """The numbers from 0 to `count` - 1 in another order (Fisher-Yates)."""
        order = list(range(count))
        for last in range(count - 1, 0, -1):
            other = self.below(last + 1)
            order[last], order[other] = order[other], order[last]
        return order
