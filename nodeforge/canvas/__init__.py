"""The painting document: layers in tiles, painted by edits that can be undone. No Qt, no torch."""

from nodeforge.canvas.brush import LARGEST, Brush, Sample
from nodeforge.canvas.canvas import Canvas, Change, State, What
from nodeforge.canvas.composite import (
    LEVELS,
    CompositeTiles,
    composite,
    composite_tiles,
    pictured,
    visible,
)
from nodeforge.canvas.edit import CanvasEdit
from nodeforge.canvas.errors import (
    LONGEST_SIDE,
    CanvasSizeError,
    LayerClosedError,
    NoSuchLayerError,
    NothingSelectedError,
)
from nodeforge.canvas.ink import Colour, ColourInk, EraserInk, Ink, PictureInk
from nodeforge.canvas.layer import Layer, LayerKind, Origin
from nodeforge.canvas.layers import (
    activate,
    add_layer,
    duplicate_layer,
    flatten,
    merge_down,
    move_layer,
    remove_layers,
    set_layer,
)
from nodeforge.canvas.stroke import Stroke
from nodeforge.canvas.tiles import TILE, Draft, Tiles

__all__ = [
    "LARGEST",
    "LEVELS",
    "LONGEST_SIDE",
    "TILE",
    "Brush",
    "Canvas",
    "CanvasEdit",
    "CanvasSizeError",
    "Change",
    "Colour",
    "ColourInk",
    "CompositeTiles",
    "Draft",
    "EraserInk",
    "Ink",
    "Layer",
    "LayerClosedError",
    "LayerKind",
    "NoSuchLayerError",
    "NothingSelectedError",
    "Origin",
    "PictureInk",
    "Sample",
    "State",
    "Stroke",
    "Tiles",
    "What",
    "activate",
    "add_layer",
    "composite",
    "composite_tiles",
    "duplicate_layer",
    "flatten",
    "merge_down",
    "move_layer",
    "pictured",
    "remove_layers",
    "set_layer",
    "visible",
]
