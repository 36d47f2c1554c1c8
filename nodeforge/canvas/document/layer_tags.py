"""``<layer:name>``: how a prompt calls a reference layer."""

from __future__ import annotations

import re
from collections.abc import Mapping

LAYER_TAG = re.compile(r"<layer:([^<>\n]*)>")
"""Its group is the layer's name."""


def layer_tag(name: str) -> str:
    """How a prompt calls the layer `name`."""
    return f"<layer:{name}>"


def renamed_layers(text: str, names: Mapping[str, str]) -> str:
    """`text` with the layers that it calls by other names, old to new."""
    return LAYER_TAG.sub(lambda tag: layer_tag(names.get(tag[1], tag[1])), text)
