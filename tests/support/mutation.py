"""Mutates files: values of JSON at any depth, single bytes, cut ends."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from nodeforge.errors import NodeForgeError

ODD = (
    *("null", "true", "-1", "0", "1e308", "1" + "0" * 30, "5.0", '""', '"\\u0000"', '"../x"'),
    *("[]", "{}", "[[]]", '{"a":{}}', json.dumps("a" * 300), json.dumps("é" * 200), '"\\ud800"'),
)
"""Values in JSON that are seldom the right ones."""

Attempt = Callable[[random.Random], object]


def mutated(raw: Any, chance: random.Random, times: int) -> Any:
    """A copy of JSON values in which some are replaced or renamed, at any depth."""
    made = json.loads(json.dumps(raw))
    for _ in range(times):
        place = made
        while isinstance(place, dict | list) and place:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            key: Any = chance.choice(keys)
            if isinstance(place[key], dict | list) and chance.random() < 0.65:
                place = place[key]
                continue
            if isinstance(place, dict) and chance.random() < 0.2:
                place[chance.choice(["x", f"{key}_", ""])] = place.pop(key)
            else:
                place[key] = json.loads(chance.choice(ODD))
            break
    return made


def damaged(data: bytes, chance: random.Random, times: int, within: int | None = None) -> bytes:
    """`data` with some bytes of its first `within` replaced; now and then cut short."""
    made = bytearray(data)
    for _ in range(times):
        made[chance.randrange(min(len(made), within or len(made)))] = chance.randrange(256)
    return bytes(made[: chance.randrange(len(made))] if chance.random() < 0.1 else made)


def try_many(attempt: Attempt, count: int) -> int:
    """Make `count` attempts, each with its own seed; returns how many were refused.

    Raises:
        AssertionError: one raised something else than an error of ours; it names the seed.
    """
    refused = 0
    for seed in range(count):
        try:
            attempt(random.Random(seed))
        except NodeForgeError:
            refused += 1
        except Exception as error:
            raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}") from error
    return refused
