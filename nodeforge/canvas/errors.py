"""Errors of the canvas."""

from __future__ import annotations

from nodeforge.errors import RequestError

LONGEST_SIDE = 8192
"""Pixels that a canvas may be wide or high."""


class CanvasSizeError(RequestError):
    """A canvas of a size that is not possible."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__(
            f"a canvas of {width} × {height} pixels is not possible; each side may be 1 to "
            f"{LONGEST_SIDE}.",
            way_out="Make the picture smaller first.",
        )
        self.width = width
        self.height = height


class NoSuchLayerError(RequestError):
    """There is no layer of an id."""

    def __init__(self, layer: str) -> None:
        super().__init__(f"there is no layer '{layer}'.")
        self.layer = layer


class LayerClosedError(RequestError):
    """A layer that is locked or hidden is not painted on."""


class NothingSelectedError(RequestError):
    """There is nothing to copy, cut or move."""
