"""How the weights of a file are stored: plain, with scales beside them, or quantised.

Names of the marks are those of ComfyUI, bitsandbytes, GPTQ, AWQ, quanto and Nunchaku.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from math import prod
from typing import Any, NamedTuple

from nodeforge.models.files.header import Header
from nodeforge.models.files.stored_types import STORED, Entry

SCALE_NAMES = ("weight_scale", "scale_weight")
"""Last word of the name of what a layer's weight is multiplied by."""

DROPPED = ("scale_input", "input_scale", "comfy_quant")
"""Last words of the names of what lies beside a scaled weight and changes no number of it."""

FLOAT8 = ("float8_e4m3fn", "float8_e5m2", "float8")
"""Formats of ComfyUI's that are an 8-bit float times its scale."""

INT8 = "int8_tensorwise"
"""ComfyUI's format that is a whole number of 8 bits times its scale, its inputs rotated or not."""

GGUF_BLOCKS = (
    *("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"),
    *("IQ4_NL", "IQ4_XS"),
)
"""Types of GGUF whose blocks are read."""

_EIGHT_BITS = ("F8_E4M3", "F8_E5M2")
_SCALED = (*_EIGHT_BITS, "I8")
_PLAIN = ("F32", "F16", "BF16", "F64")
_HINTS = (
    *("_scale", "scale_", "scaled", "scales", "quant", "absmax", ".SCB", "weight_format"),
    *("smooth_factor", "proj_down", "qweight", "qzeros", ".g_idx", "weight._"),
)
"""Parts of the names of all marks."""
_FOREIGN: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(mark), label)
    for mark, label in (
        (r"quant_state\.bitsandbytes__(nf4|fp4)\n", "4-bit weights of bitsandbytes"),
        (r"\.weight\.(absmax|quant_map|quant_state\S*)\n", "weights of bitsandbytes"),
        (r"\.(SCB|weight_format)\n", "weights of bitsandbytes"),
        (r"\.(wscales|smooth_factor|proj_down)\n", "4-bit weights of Nunchaku (SVDQuant)"),
        (r"\.(qweight|qzeros|g_idx)\n", "weights of GPTQ or AWQ"),
        (r"\.(weight\._data|weight\._scale|weight_qtype)\n", "weights of quanto"),
        (r"\.weight_scale_inv\n", "scaled 8-bit weights (by blocks)"),
    )
)
_FORMATS = {
    "nvfp4": "4-bit weights (nvfp4)",
    "mxfp8": "scaled 8-bit weights (mxfp8, by blocks)",
}


class Quantisation(NamedTuple):
    """How weights are stored.

    Args:
        label: ``fp8``, ``scaled fp8``, ``int8``, ``GGUF Q4_K``, or what is not read; empty for
            plain weights.
        unread: Why they are not read, as a sentence; empty where they are.
    """

    label: str = ""
    unread: str = ""


def quantisation(header: Header) -> Quantisation:
    """How the weights of a file are stored, by its header."""
    blocks = {dtype: size for dtype, size in header.sizes.items() if dtype not in STORED}
    if blocks:
        return _of_gguf(blocks)
    small = any(header.sizes.get(dtype) for dtype in _EIGHT_BITS)
    plain = Quantisation("fp8" if small else "")
    names = "\n".join((*header.tensors, ""))
    told = "_quantization_metadata" in header.metadata
    if not told and not any(hint in names for hint in _HINTS):
        return plain
    if label := next((label for mark, label in _FOREIGN if mark.search(names)), ""):
        return Quantisation(label, f"{label} are not read")
    if ".weight_scale_2\n" in names:
        label = _FORMATS["nvfp4"] if header.sizes.get("U8") else "scaled 8-bit weights (twice)"
        return Quantisation(label, f"{label} are not read")
    formats = dict(_formats(header))
    for layer, said in formats.items():
        if said not in (*FLOAT8, INT8):
            label = _FORMATS.get(said, f"quantised weights of ComfyUI ({said})")
            return Quantisation(label, f"{label} are not read, as those of '{layer}'")
    return _scaled(header, formats) or plain


def _of_gguf(blocks: Mapping[str, int]) -> Quantisation:
    """By the type of most bytes, and by one that is not read, if any."""
    unread = next((dtype for dtype in blocks if dtype not in GGUF_BLOCKS), "")
    label = f"GGUF {unread or max(blocks, key=lambda dtype: blocks[dtype])}"
    return Quantisation(label, f"{label} is not read" if unread else "")


def told_of_layers(metadata: Mapping[str, str]) -> dict[str, Any]:
    """What ComfyUI's ``_quantization_metadata`` says of each layer; nothing where it is damaged."""
    try:
        told = json.loads(metadata.get("_quantization_metadata", "{}"))
    except (ValueError, RecursionError):
        return {}
    layers = told.get("layers") if isinstance(told, dict) else None
    return layers if isinstance(layers, dict) else {}


def _formats(header: Header) -> Iterator[tuple[str, str]]:
    """What metadata and marks of ComfyUI's say of layers; by the weight's type where only that."""
    layers = told_of_layers(header.metadata)
    for layer, each in layers.items():
        said = each.get("format") if isinstance(each, dict) else None
        yield layer, said if isinstance(said, str) else "unknown"
    for name in header.tensors:
        if name.endswith(".comfy_quant"):
            layer = name.removesuffix(".comfy_quant")
            if layer not in layers:
                yield layer, _by_type(header.tensors, layer)


def _by_type(tensors: Mapping[str, Entry], layer: str) -> str:
    weight, scale = tensors.get(f"{layer}.weight"), tensors.get(f"{layer}.weight_scale")
    if weight is None or weight.dtype in _EIGHT_BITS:
        blocks = scale is not None and scale.dtype not in _PLAIN
        return "mxfp8" if blocks else FLOAT8[0]
    return {"I8": INT8, "U8": "nvfp4"}.get(weight.dtype, weight.dtype.lower())


def _scaled(header: Header, formats: Mapping[str, str]) -> Quantisation | None:
    """Scaled weights, all of whose scales are there and fit; None where nothing marks them."""
    scales: dict[str, str] = {}
    marked = dict.fromkeys(formats)
    whole = False
    for name in header.tensors:
        layer, _, last = name.rpartition(".")
        if last in SCALE_NAMES:
            scales[layer] = name
        elif last in DROPPED:
            marked[layer] = None
        elif last == "scaled_fp8":
            whole = True
    if not (scales or marked or whole):
        return None
    lacking = [layer for layer in marked if layer not in scales]
    if lacking or (whole and not scales):
        what = f"'{lacking[0]}.{SCALE_NAMES[0]}' is missing" if lacking else "none is in the file"
        label = "scaled 8-bit weights"
        return Quantisation(label, f"{label} without their scales are not read: {what}")
    for layer, name in scales.items():
        weight, scale = header.tensors.get(f"{layer}.weight"), header.tensors[name]
        if weight is None or not _fits(weight, scale):
            label = "scaled 8-bit weights"
            return Quantisation(label, f"{label} are not read: '{name}' scales no such weight")
    whole_numbers = any(header.tensors[f"{layer}.weight"].dtype == "I8" for layer in scales)
    return Quantisation("int8" if whole_numbers else "scaled fp8")


def _fits(weight: Entry, scale: Entry) -> bool:
    """Whether it is one number, or one for each row."""
    if weight.dtype not in _SCALED or scale.dtype not in _PLAIN:
        return False
    count = prod(scale.shape)
    return count == 1 or (count == scale.shape[0] == (*weight.shape, 0)[0])
