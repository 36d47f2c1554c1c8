"""Which sampler walks which schedule, as a table that needs no torch.

It is generated from the code that walks them (`python -m tools.catalogue`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from nodeforge.settings import shipped

Walked = Mapping[str, frozenset[str]]
"""Schedules that a sampler walks: ``plain``, with an ``eta``, with a ``rho``."""


@cache
def sampler_table() -> dict[str, dict[str, dict[str, dict[str, list[str]]]]]:
    """Sampler, convention, ``flow`` or ``other`` models, ``plain``, ``eta`` or ``rho``."""
    return json.loads((shipped("resources") / "samplers.json").read_text("utf-8"))


def walked(sampler: str, flow: bool | None, convention: str) -> Walked:
    """The schedules that a sampler walks.

    Args:
        sampler: One of the table.
        flow: With flow-matching models, or with others; None is with any.
        convention: Whose numbers the loop follows.
    """
    kinds = {True: ["flow"], False: ["other"], None: ["flow", "other"]}[flow]
    found = sampler_table()[sampler][convention]
    return {
        how: frozenset(of for kind in kinds for of in found[kind][how])
        for how in ("plain", "eta", "rho")
    }
