"""JSON in the texts of pictures."""

from __future__ import annotations

from typing import Any

from nodeforge.errors import RequestError
from nodeforge.formats import json_text


def json_object(text: str) -> dict[str, Any] | None:
    """The JSON object in `text`; None where it is something else, or damaged."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        raw = json_text.parse(text.strip("\0 \r\n\t"), foreign=True)
    except RequestError:
        return None
    return raw if isinstance(raw, dict) else None
