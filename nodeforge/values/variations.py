"""Variations of noise, as a person writes them."""

from __future__ import annotations

import re

from nodeforge.errors import RequestError

_VARIATION = re.compile(r"(\d{1,20})\s*:\s*(\d*\.?\d+)").fullmatch


def parse_variations(text: str) -> tuple[tuple[int, float], ...]:
    """``12:0.3, 7:0.1`` as seeds and shares.

    Raises:
        RequestError: it says something else.
    """
    found = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        match = _VARIATION(part)
        if match is None or float(match[2]) > 1:
            raise RequestError(
                f"'{part[:40]}' is no seed with a share of 0 to 1.",
                place="port 'variations'",
                way_out="Write it as 12:0.3, several with commas between them.",
            )
        found.append((int(match[1]) % 2**64, float(match[2])))
    return tuple(found)
