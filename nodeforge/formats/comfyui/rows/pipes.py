"""Pipes and contexts of packs, which carry several links in one: they dissolve into their parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nodeforge.formats.comfyui.link_value import LinkValue
from nodeforge.formats.comfyui.node_conversion import NodeConversion
from nodeforge.formats.comfyui.row import Row

Parts = Mapping[str, str]
"""What a pipe carries: each name, which is an input's of the nodes that fill it, and its type."""

_BASIC: Parts = {
    "model": "MODEL",
    "clip": "CLIP",
    "vae": "VAE",
    "positive": "CONDITIONING",
    "negative": "CONDITIONING",
}
_DETECTORS: Parts = {
    "bbox_detector": "BBOX_DETECTOR",
    "sam_model_opt": "SAM_MODEL",
    "segm_detector_opt": "SEGM_DETECTOR",
    "detailer_hook": "DETAILER_HOOK",
}
_REFINER: Parts = {
    "refiner_model": "MODEL",
    "refiner_clip": "CLIP",
    "refiner_positive": "CONDITIONING",
    "refiner_negative": "CONDITIONING",
}
_DETAILER: Parts = {**_BASIC, **_DETECTORS}
_CONTEXT: Parts = {**_BASIC, "latent": "LATENT", "images": "IMAGE", "seed": "INT"}
_BIG_CONTEXT: Parts = {
    **_CONTEXT,
    "steps": "INT",
    "step_refiner": "INT",
    "cfg": "FLOAT",
    "ckpt_name": "COMBO",
    "sampler": "COMBO",
    "scheduler": "COMBO",
    "clip_width": "INT",
    "clip_height": "INT",
    "text_pos_g": "STRING",
    "text_pos_l": "STRING",
    "text_neg_g": "STRING",
    "text_neg_l": "STRING",
    "mask": "MASK",
    "control_net": "CONTROL_NET",
}
_LORAS = ("wildcard", "Select to add LoRA", "Select to add Wildcard")


def _parts(pipe: LinkValue | None) -> dict[str, LinkValue | None]:
    return dict(pipe.parts) if pipe is not None else {}


def part(node: NodeConversion, pipe: str, name: str) -> LinkValue | None:
    """What the pipe that feeds the input `pipe` carries as `name`."""
    return _parts(node.link_value(pipe)).get(name)


def _pipe(class_type: str, name: str, kind: str, parts: Parts, shown: Parts, base: str) -> Row:
    """A class that fills a pipe, reads one, or both.

    Args:
        kind: The pipe's type.
        parts: What it takes into the pipe, over what the pipe at its input `base` carries.
        shown: What it gives besides the pipe; a class without `kind` gives these alone.
    """

    def make(node: NodeConversion) -> None:
        carried = _parts(node.link_value(base)) | {
            name: given for name in parts if (given := node.link_value(name)) is not None
        }
        _show(node, kind, carried, shown)

    outputs = (*((kind,) if kind else ()), *shown.values())
    widgets = _LORAS if kind == "DETAILER_PIPE" and parts else ()
    return Row(class_type, name, widgets, outputs, (), make, _REMARK, virtual=True)


def _show(
    node: NodeConversion, kind: str, carried: dict[str, LinkValue | None], shown: Parts
) -> None:
    pipe = (LinkValue(kind, parts=carried),) if kind else ()
    node.set_outputs(*pipe, *(carried.get(name) or LinkValue(shown[name]) for name in shown))


def _first_context(shown: Parts, merges: bool) -> Row:
    """A node that passes on the first context that carries something, or merges them all."""
    verb = "Merge" if merges else "Switch"
    big = " Big" if shown is _BIG_CONTEXT else ""
    title = f"Context {verb}{big} (rgthree)"

    def make(node: NodeConversion) -> None:
        contexts = [_carried(node.linked[name]) for name in sorted(node.linked)]
        chosen = contexts if merges else [each for each in contexts if each][:1]
        carried = {name: link for context in chosen for name, link in context.items()}
        _show(node, "RGTHREE_CONTEXT", carried, shown)

    outputs = ("RGTHREE_CONTEXT", *shown.values())
    return Row(title, title, (), outputs, (), make, _REMARK, virtual=True)


def _carried(context: LinkValue) -> dict[str, LinkValue | None]:
    return {name: link for name, link in context.parts.items() if link is not None}


_REMARK = "Goes where its parts are used."


def _rows() -> Iterable[Row]:
    basic, detailer = "BASIC_PIPE", "DETAILER_PIPE"
    yield _pipe("ToBasicPipe", "ToBasicPipe", basic, _BASIC, {}, "")
    yield _pipe("FromBasicPipe", "FromBasicPipe", "", {}, _BASIC, "basic_pipe")
    yield _pipe("FromBasicPipe_v2", "FromBasicPipe_v2", basic, {}, _BASIC, "basic_pipe")
    yield _pipe("EditBasicPipe", "Edit BasicPipe", basic, _BASIC, {}, "basic_pipe")
    yield _pipe("ToDetailerPipe", "ToDetailerPipe", detailer, _DETAILER, {}, "")
    both = {**_DETAILER, **_REFINER}
    yield _pipe("ToDetailerPipeSDXL", "ToDetailerPipeSDXL", detailer, both, {}, "")
    yield _pipe("FromDetailerPipe", "FromDetailerPipe", "", {}, _DETAILER, "detailer_pipe")
    for name, shown in (("FromDetailerPipe_v2", _DETAILER), ("FromDetailerPipe_SDXL", both)):
        yield _pipe(name, name, detailer, {}, shown, "detailer_pipe")
    yield _pipe("EditDetailerPipe", "Edit DetailerPipe", detailer, _DETAILER, {}, "detailer_pipe")
    yield _pipe(
        "BasicPipeToDetailerPipe",
        "BasicPipe -> DetailerPipe",
        detailer,
        _DETECTORS,
        {},
        "basic_pipe",
    )
    context = "RGTHREE_CONTEXT"
    for title, shown in (("Context", _CONTEXT), ("Context Big", _BIG_CONTEXT)):
        yield _pipe(f"{title} (rgthree)", title, context, shown, shown, "base_ctx")
        yield _first_context(shown, merges=False)
        yield _first_context(shown, merges=True)


ROWS = tuple(_rows())
