"""Pictures and masks on numpy: float32, 0..1, sRGB, (height, width[, channels])."""

from nodeforge.imaging.arrays import (
    Bytes,
    Pixels,
    alike,
    check_same_size,
    each,
    to_bytes,
    to_float,
    with_alpha,
)
from nodeforge.imaging.blend import BlendMode, blend, composite
from nodeforge.imaging.colour import (
    ColourError,
    adjust,
    edges,
    luminance,
    match_colour,
    parse_colour,
)
from nodeforge.imaging.decode import Decoded, decode
from nodeforge.imaging.encode import PictureFormat, encode
from nodeforge.imaging.errors import PictureError, PictureTooLargeError, SaveError
from nodeforge.imaging.files import output_place, write_new
from nodeforge.imaging.geometry import (
    Edge,
    Fit,
    Method,
    crop,
    grid,
    in_proportion,
    pad,
    resize,
    resize_to,
)
from nodeforge.imaging.masks import (
    Box,
    Combine,
    bounding_box,
    combine,
    feather,
    feather_inside,
    from_alpha,
    from_colour,
    grow,
    invert,
)
from nodeforge.imaging.region import crop_region, cut_out, cut_out_mask, put_back
from nodeforge.imaging.text import read_text

__all__ = [
    "BlendMode",
    "Box",
    "Bytes",
    "ColourError",
    "Combine",
    "Decoded",
    "Edge",
    "Fit",
    "Method",
    "PictureError",
    "PictureFormat",
    "PictureTooLargeError",
    "Pixels",
    "SaveError",
    "adjust",
    "alike",
    "blend",
    "bounding_box",
    "check_same_size",
    "combine",
    "composite",
    "crop",
    "crop_region",
    "cut_out",
    "cut_out_mask",
    "decode",
    "each",
    "edges",
    "encode",
    "feather",
    "feather_inside",
    "from_alpha",
    "from_colour",
    "grid",
    "grow",
    "in_proportion",
    "invert",
    "luminance",
    "match_colour",
    "output_place",
    "pad",
    "parse_colour",
    "put_back",
    "read_text",
    "resize",
    "resize_to",
    "to_bytes",
    "to_float",
    "with_alpha",
    "write_new",
]
