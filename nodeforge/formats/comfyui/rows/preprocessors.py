"""Preprocessors of the pack comfyui_controlnet_aux, of which we have the ones without networks."""

from __future__ import annotations

from typing import Any

from nodeforge.formats.comfyui.row import Row, single_node

_NETWORK = "Found by a network there, by filters here, at the picture's own size"
_FILTER = "Found by other filters here, at the picture's own size"


def _hint(kind: str, name: str, becomes: str, widgets: str, differs: str, **more: Any) -> Row:
    return single_node(
        kind,
        name,
        becomes,
        {"image": "image"},
        "IMAGE:image",
        widgets=f"{widgets} resolution".strip(),
        differs=differs,
        **more,
    )


def _of_255(value: int) -> float:
    return round(min(max(value / 255, 0.0), 1.0), 4)


_SOFT, _LINES, _SCRIBBLE = "image.soft_edges", "image.line_art", "image.scribble"

ROWS = (
    _hint("HEDPreprocessor", "HED Soft-Edge Lines", _SOFT, "safe", _NETWORK),
    _hint("PiDiNetPreprocessor", "PiDiNet Soft-Edge Lines", _SOFT, "safe", _NETWORK),
    _hint("LineArtPreprocessor", "Realistic Lineart", _LINES, "coarse", _NETWORK),
    _hint("AnimeLineArtPreprocessor", "Anime Lineart", _LINES, "", _NETWORK),
    _hint(
        "LineartStandardPreprocessor",
        "Standard Lineart",
        _LINES,
        "guassian_sigma intensity_threshold",
        _FILTER,
    ),
    _hint("ScribblePreprocessor", "Scribble Lines", _SCRIBBLE, "", _FILTER),
    _hint("FakeScribblePreprocessor", "Fake Scribble Lines", _SCRIBBLE, "safe", _NETWORK),
    _hint("Scribble_XDoG_Preprocessor", "Scribble XDoG Lines", _SCRIBBLE, "threshold", _FILTER),
    _hint("ColorPreprocessor", "Color Pallete", "image.colour_cells", "", _FILTER),
    _hint(
        "CannyEdgePreprocessor",
        "Canny Edge",
        "image.edges",
        "low_threshold high_threshold",
        _FILTER,
        values={"low": ("low_threshold", 100), "high": ("high_threshold", 200)},
        changes={"low": _of_255, "high": _of_255},
    ),
)
