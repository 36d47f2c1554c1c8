"""The painting document: layers in tiles, painted by edits that can be undone. No Qt, no torch."""

from nodeforge.canvas.document.blending import premultiplied, straight
from nodeforge.canvas.document.canvas import Canvas, Change, ChangeKind, State
from nodeforge.canvas.document.composite import (
    LEVELS,
    CompositeTiles,
    composite,
    composite_tiles,
    pictured,
    visible,
)
from nodeforge.canvas.document.edit import CanvasEdit
from nodeforge.canvas.document.layer import ControlSettings, Layer, LayerKind, Origin
from nodeforge.canvas.document.tiles import TILE, Draft, Tiles
from nodeforge.canvas.edits.brush import LARGEST, Brush, Sample
from nodeforge.canvas.edits.control import PREPROCESSORS, control_from_picture, with_control_found
from nodeforge.canvas.edits.fill import (
    ClonePaint,
    GradientPaint,
    clear_area,
    paint_area,
    similar_area,
)
from nodeforge.canvas.edits.layers import (
    activate,
    add_layer,
    duplicate_layer,
    flatten,
    fold_group,
    group_layers,
    merge_down,
    move_layer,
    remove_layers,
    set_layer,
    ungroup,
)
from nodeforge.canvas.edits.masks import (
    alpha_mask,
    clear_mask,
    feather_mask,
    feathered,
    grow_mask,
    invert_mask,
)
from nodeforge.canvas.edits.paint import Colour, ColourPaint, EraserPaint, Paint, PicturePaint
from nodeforge.canvas.edits.reshape import crop_canvas, flip_canvas, flip_layer, resize_canvas
from nodeforge.canvas.edits.scale import scaled
from nodeforge.canvas.edits.selection import deselect, ellipse, polygon, rectangle, select
from nodeforge.canvas.edits.stroke import Stroke
from nodeforge.canvas.edits.transform import Affine, Transform
from nodeforge.canvas.errors import (
    LONGEST_SIDE,
    CanvasSizeError,
    LayerClosedError,
    NoSuchLayerError,
    NothingSelectedError,
)
from nodeforge.canvas.transfer.clipboard import Clip, copied, cut, paste
from nodeforge.canvas.transfer.pictures import (
    OpenedPicture,
    add_picture,
    add_pictures,
    export_picture,
    open_picture,
    state_of,
)

__all__ = [
    "LARGEST",
    "LEVELS",
    "LONGEST_SIDE",
    "PREPROCESSORS",
    "TILE",
    "Affine",
    "Brush",
    "Canvas",
    "CanvasEdit",
    "CanvasSizeError",
    "Change",
    "ChangeKind",
    "Clip",
    "ClonePaint",
    "Colour",
    "ColourPaint",
    "CompositeTiles",
    "ControlSettings",
    "Draft",
    "EraserPaint",
    "GradientPaint",
    "Layer",
    "LayerClosedError",
    "LayerKind",
    "NoSuchLayerError",
    "NothingSelectedError",
    "OpenedPicture",
    "Origin",
    "Paint",
    "PicturePaint",
    "Sample",
    "State",
    "Stroke",
    "Tiles",
    "Transform",
    "activate",
    "add_layer",
    "add_picture",
    "add_pictures",
    "alpha_mask",
    "clear_area",
    "clear_mask",
    "composite",
    "composite_tiles",
    "control_from_picture",
    "copied",
    "crop_canvas",
    "cut",
    "deselect",
    "duplicate_layer",
    "ellipse",
    "export_picture",
    "feather_mask",
    "feathered",
    "flatten",
    "flip_canvas",
    "flip_layer",
    "fold_group",
    "group_layers",
    "grow_mask",
    "invert_mask",
    "merge_down",
    "move_layer",
    "open_picture",
    "paint_area",
    "paste",
    "pictured",
    "polygon",
    "premultiplied",
    "rectangle",
    "remove_layers",
    "resize_canvas",
    "scaled",
    "select",
    "set_layer",
    "similar_area",
    "state_of",
    "straight",
    "ungroup",
    "visible",
    "with_control_found",
]
