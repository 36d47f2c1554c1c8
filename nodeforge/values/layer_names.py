"""Layers of a denoiser, as a person writes them."""

from __future__ import annotations

import re

from nodeforge.errors import RequestError

_PLACE = re.compile(r"(mid)(\.\d+)?|(down|up)\.\d+(\.\d+)?")


class LayerNameError(RequestError):
    """A place in a network that is none, or that this one does not have."""


def parse_layer_names(text: str) -> tuple[str, ...]:
    """Places from text: ``mid, up.0, down.1.0`` - block, its number, its attention's number.

    Raises:
        LayerNameError: there is none, or a word is no place.
    """
    words = text.replace(",", " ").split()
    if wrong := next((word for word in words if not _PLACE.fullmatch(word)), None):
        raise LayerNameError(f"'{wrong}' is no place in a network.", way_out=_EXAMPLE)
    if not words:
        raise LayerNameError("no place in the network is named.", way_out=_EXAMPLE)
    return tuple(dict.fromkeys(words))


_EXAMPLE = "Write for instance 'mid', or 'mid, up.0, down.1.0'."
