"""Caches of steps: what approximates a picture to save time."""

from __future__ import annotations

from nodeforge.formats.comfyui.node_conversion import NodeConversion
from nodeforge.formats.comfyui.row import Row, passes_on
from nodeforge.formats.comfyui.rows.prompts import RANGE
from nodeforge.graph.model import Output

_MOST = 100
"""Of *Step cache*'s steps in a row, which stands for no bound."""


def _first_block(node: NodeConversion) -> None:
    threshold = node.input_value("residual_diff_threshold", 0.0)
    start, end = node.input_value("start", 0.0), node.input_value("end", 1.0)
    most = node.known_value("max_consecutive_cache_hits", -1)
    name = node.add(
        "models.step_cache",
        model=node.output("model"),
        threshold=threshold,
        most_in_a_row=_MOST if most < 0 else min(most, _MOST),
        start=start,
        end=end,
    )
    if start.value > 0 or end.value < 1:
        node.report_difference(RANGE)
    node.set_outputs(node.updated("MODEL", Output(name, "model"), "model"))


def _left_out(name: str, judges: str) -> str:
    return (
        f"{name} {judges}; *Step cache* goes by the first block, so its threshold would mean "
        "something else. Left out, the picture is the one that it approximates"
    )


def _passes(node: NodeConversion) -> None:
    found = node.link_value("model", needed="so there is no model")
    assert found is not None
    node.set_outputs(found)


def _approximated(kind: str, widgets: tuple[str, ...], judges: str) -> Row:
    """A row of a cache that judges by something else, and is left out."""
    difference = _left_out(kind, judges)
    return Row(kind, kind, widgets, ("MODEL",), (), _passes, difference=difference, virtual=True)


_SHARES = ("start_percent", "end_percent")

ROWS = (
    Row(
        "ApplyFBCacheOnModel",
        "Apply First Block Cache",
        (
            *("object_to_patch", "residual_diff_threshold", "start", "end"),
            "max_consecutive_cache_hits",
        ),
        ("MODEL",),
        ("models.step_cache",),
        _first_block,
        "Of the pack Comfy-WaveSpeed. It also caches UNets, which *Step cache* refuses.",
    ),
    _approximated(
        "EasyCache",
        ("reuse_threshold", *_SHARES, "verbose"),
        "judges by what goes into the whole model and comes out of it",
    ),
    _approximated(
        "LazyCache",
        ("reuse_threshold", *_SHARES, "verbose"),
        "judges by what goes into the whole model and comes out of it",
    ),
    passes_on(
        "FluxKVCache",
        "Flux KV Cache",
        {"model": "MODEL"},
        remark="A Flux.2 klein KV, which its name or its index tells, keeps them by itself; of a "
        "file with another name say so in *variant* of its *Load model*.",
    ),
    _approximated(
        "TeaCache",
        ("model_type", "rel_l1_thresh", *_SHARES, "cache_device"),
        "judges by the first block's input, through a polynomial of each model",
    ),
)
