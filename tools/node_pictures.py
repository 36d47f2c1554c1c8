"""Makes the pictures in the nodes' help: what goes in and what comes out, on the shipped model.

python -m tools.node_pictures [--only TYPE...]

Runs each node in this process, on a processor, with pictures that nano draws; the same weights
make the same files. Nodes without anything to see, and those that read files, have none.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image as Picture
from PIL import ImageDraw

from nodeforge import diffusion, imaging
from nodeforge.api import NodeType
from nodeforge.engine.cache import MemoryTier, ResultCache
from nodeforge.engine.running.context import NodeRun, RunRequest, RunState
from nodeforge.settings import Settings, help_picture, shipped
from nodeforge.spec import NodeSpec, PortSpec, Role
from nodeforge.values import (
    Conditioning,
    Guidance,
    Image,
    Latent,
    Mask,
    Model,
    Noise,
    Region,
    Sampler,
    Schedule,
)
from nodeforge.worker.build import LoadedNetworks
from nodeforge.worker.codec import ValueCodec
from nodeforge.worker.packs import load_packs

NANO = shipped("resources") / "models" / "nano"
SIDE = 128
"""Height of a picture in the help, pixels."""
MOST_BYTES = 40_000
_GAP = 8
_ARROW = 40
_SHOWN_OF_BATCH = 4
_GREY = (128, 128, 128, 255)
_SEEN = ("image", "mask", "latent")
"""What a picture is made of as it is; prompts, models and samplers are drawn with."""
_FOX = "a fox on a blue background"

_DRAWN = frozenset(
    {
        *("text.encode", "text.average", "text.combine", "text.concatenate", "text.region"),
        *("text.change_at_step", "text.zero", "control.apply"),
        *("models.freeu", "models.load_lora", "sampling.sampler", "sampling.schedule"),
        *("sampling.guidance", "sampling.noise"),
    }
)
"""Nodes of which a drawing shows what they do."""
_NO_PICTURE = frozenset(
    {
        *("image.preview", "image.compare", "image.load", "image.load_upscaler", "image.enlarge"),
        *("image.similarity", "image.size", "mask.load", "latent.empty", "mask.scale_to_latent"),
        *("canvas.image", "canvas.mask", "canvas.encode", "latent.encode", "image.undo_shift"),
        *("canvas.layers", "latent.decode", "mask.to_image", "inpaint.align"),
        *("video.to_images", "video.frame", "video.ends", "video.contact_sheet"),
        *("latent.continue_video", "latent.encode_video", "latent.image_to_video"),
        *("latent.encode_audio", "models.step_cache"),
    }
)
"""Nodes that change nothing to be seen, read files, or want another model or a video."""
_VALUES: Mapping[str, Mapping[str, Any]] = {
    "control.apply": {"strength": 1.0},
    "image.adjust": {"saturation": 2.0, "brightness": 0.1, "hue": 40.0},
    "image.blend": {"mode": "screen"},
    "image.colour_cells": {"cells": 12},
    "image.crop": {"left": 64, "top": 48, "width": 128, "height": 128},
    "image.curves": {"points": "0:0, 64:20, 128:128, 192:235, 255:255"},
    "image.edges": {"low": 0.1, "high": 0.3},
    "image.empty": {"colour": "#c05030", "width": 256, "height": 256},
    "image.flatten": {"colour": "#f0c040"},
    "image.layer": {"left": 40, "top": 90, "opacity": 0.9},
    "image.levels": {"black": 40.0, "white": 180.0},
    "image.line_art": {"width": 2.0},
    "image.pad": {"left": 64, "right": 64, "edge": "mirror"},
    "image.repeat": {"times": 3},
    "image.resize": {"width": 384, "height": 192, "fit": "crop"},
    "image.scale_by": {"factor": 0.5},
    "image.scale_to_area": {"megapixels": 0.02},
    "image.scale_to_side": {"length": 144},
    "image.slice": {"start": 1},
    "image.split_tiles": {"size": 144, "overlap": 32},
    "image.join_tiles": {"size": 144, "overlap": 32},
    "image.stitch": {"gap": 16, "colour": "#ffffff"},
    "image.text": {"text": "A fox on a blue background", "size": 40, "top": 8},
    "image.tile": {"factor": 12.0},
    "inpaint.crop": {"size": 256, "context": 0.1},
    "latent.repeat": {"times": 3},
    "mask.difference": {"grow": 2},
    "mask.feather": {"radius": 24},
    "mask.from_colour": {"colour": "#2878d0", "tolerance": 0.3, "distance": "perceptual"},
    "mask.grow": {"pixels": 20},
    "mask.part": {"index": 1},
    "mask.rectangle": {"width": 256, "height": 256, "feather": 16},
    "models.load_lora": {"file": NANO / "lora" / "flat.safetensors"},
    "sampling.denoise": {},
    "sampling.estimate": {"until": 0.3},
    "sampling.guidance": {"scale": 1.0},
    "sampling.noise": {"seed": 4},
    "sampling.sampler": {"name": "euler_a"},
    "sampling.schedule": {"steps": 4},
    "text.change_at_step": {"text": "a cat on a blue background", "step": 8},
    "text.encode": {"text": "a cat on a blue background"},
}
"""Values other than the defaults, so that one sees what a node does."""


@dataclass
class Stage:
    """The shipped model, and values of each type to feed nodes with."""

    folder: Path
    networks: LoadedNetworks = field(
        default_factory=lambda: LoadedNetworks(diffusion.Residency("cpu"))
    )

    def __post_init__(self) -> None:
        self.model, self.text_encoder, self.vae = diffusion.describe(NANO)
        self.types = load_packs(Settings(home=self.folder)).node_types

    @property
    def run(self) -> NodeRun:
        cache = ResultCache(MemoryTier(0), None, ValueCodec())
        request = RunRequest("run", outputs=self.folder)
        return NodeRun("node", "0" * 32, request, RunState(lambda _: None), cache, self.networks)

    def prompt(self, text: str) -> Conditioning:
        with self.networks.use(self.text_encoder, lambda: None) as encoder:
            return diffusion.behaviour(encoder.family).encode(encoder, text)

    def latent(self, seed: int = 1, text: str = _FOX, **given: Any) -> Latent:
        """What nano makes of a prompt, of 256 × 256 pixels; `given` goes before."""
        settings: dict[str, Any] = {
            "model": self.model,
            "positive": self.prompt(text) if "positive" not in given else None,
            "sampler": Sampler("dpmpp_2m"),
            "schedule": Schedule("normal", 12),
            "guidance": Guidance(4.0),
            "noise": Noise(seed, 256, 256),
        }
        return diffusion.denoise(self.run, diffusion.Denoising(**(settings | given)))

    def decoded(self, latent: Latent) -> Image:
        with self.networks.use(self.vae, lambda: None) as loaded:
            return diffusion.decode(loaded, latent)

    @cached_property
    def samples(self) -> dict[str, tuple[Any, ...]]:
        """Values by type: for the first port of it, the second, ..."""
        latents = (self.latent(), self.latent(2, "a cat on a blue background"))
        fox, cat = map(self.decoded, latents)
        blue = imaging.from_colour(
            fox.pixels[0].numpy(),
            imaging.parse_colour("#2878d0"),
            0.3,
            imaging.ColourDistance.PERCEPTUAL,
        )
        subject = Mask(torch.from_numpy(imaging.grow(imaging.invert(blue), 4)[None]))
        half = torch.zeros(1, fox.height, fox.width)
        half[..., fox.width // 2 :] = 1
        controlnet = diffusion.describe_controlnet(NANO / "controlnet")
        return {
            "image": (fox, cat),
            "latent": latents,
            "mask": (subject, Mask(half)),
            "conditioning": (self.prompt(_FOX), self.prompt("a cat on a blue background")),
            "model": (self.model,),
            "text_encoder": (self.text_encoder,),
            "vae": (self.vae,),
            "controlnet": (controlnet,),
            "noise": (Noise(1, 256, 256),),
            "schedule": (Schedule("normal", 12),),
            "sampler": (Sampler("dpmpp_2m"),),
            "guidance": (Guidance(4.0),),
            "region": (Region(0, 0, fox.width, fox.height, fox.width, fox.height),),
        }


def special(stage: Stage) -> Mapping[str, Mapping[str, Any]]:
    """Inputs that nodes want other than the first sample of a type."""
    fox, cat = stage.samples["image"]
    subject, half = stage.samples["mask"]
    clear = Image(torch.cat([fox.pixels, 1 - subject.values[..., None]], dim=-1))
    small = Image(torch.from_numpy(imaging.each(_small, cat.pixels.numpy())))
    tiles = Image(torch.from_numpy(imaging.cut_tiles(fox.pixels[0].numpy(), 144, 32)))
    both = Image(torch.cat([fox.pixels, cat.pixels]))
    blobs = np.zeros((256, 256), np.float32)
    for left, top, side in ((20, 30, 90), (150, 60, 70), (90, 170, 50)):
        blobs[top : top + side, left : left + side] = 1
    several = Mask(torch.from_numpy(blobs[None]))
    grey = Mask(torch.from_numpy(imaging.feather(subject.values[0].numpy(), 40)[None]))
    edges = Image(
        torch.from_numpy(imaging.each(lambda p: imaging.edges(p, 0.1, 0.3), fox.pixels.numpy()))
    )
    edited = Image(
        torch.where(half.values[..., None] * subject.values[..., None] > 0, cat.pixels, fox.pixels)
    )
    return {
        "canvas.result": {"generated": cat, "image": fox},
        "control.apply": {"image": edges},
        "image.flatten": {"image": clear},
        "image.join_tiles": {"tiles": tiles, "image": fox},
        "image.layer": {"over": small, "mask": None},
        "image.match_colour": {"reference": Image(fox.pixels.flip(-1)), "mask": None},
        "image.resize_like": {"like": Image(cat.pixels[:, 64:192])},
        "image.slice": {"image": both},
        "inpaint.put_back": {"generated": cat},
        "mask.bounds": {"mask": several},
        "mask.difference": {"after": edited},
        "mask.from_alpha": {"image": clear},
        "mask.part": {"mask": several},
        "mask.parts": {"mask": several},
        "mask.threshold": {"mask": grey},
        "sampling.denoise": {"latent": None, "mask": None, "masked_image": None, "negative": None},
        "sampling.estimate": {"latent": None, "mask": None, "masked_image": None, "negative": None},
        "sampling.refine_regions": {"positive": stage.samples["conditioning"][1], "negative": None},
        "text.region": {"mask": half},
    }  # fmt: skip


def _small(pixels: imaging.Pixels) -> imaging.Pixels:
    return imaging.resize(pixels, 144, 144)


def has_picture(spec: NodeSpec) -> bool:
    """Whether there is something to see of a node."""
    if spec.role is not Role.COMPUTE or spec.planned or spec.type in _NO_PICTURE:
        return False
    return spec.type in _DRAWN or any(port.type in _SEEN for port in spec.outputs)


def arguments(stage: Stage, made: NodeType, own: Mapping[str, Any]) -> dict[str, Any]:
    """What a node is called with."""
    given: dict[str, Any] = {}
    taken: dict[str, int] = {}
    values = {**_VALUES.get(made.spec.type, {}), **own}
    for port in made.spec.inputs:
        if port.name in values:
            given[port.name] = values[port.name]
        elif port.widget is not None:
            given[port.name] = port.default
        elif port.many:
            given[port.name] = list(stage.samples[port.type][:2])
        else:
            samples, place = stage.samples[port.type], taken.get(port.type, 0)
            given[port.name] = samples[min(place, len(samples) - 1)]
        if not port.widget:
            taken[port.type] = taken.get(port.type, 0) + 1
    for name, enum in made.enums.items():
        given[name] = enum(given[name])
    return {name: value for name, value in given.items() if value is not None}


def frames(stage: Stage, value: Any) -> Iterator[imaging.Pixels]:
    """The pictures of a value; none where there is nothing to see."""
    match value:
        case Image():
            yield from value.pixels.numpy()[:_SHOWN_OF_BATCH]
        case Mask():
            for values in value.values.numpy()[:_SHOWN_OF_BATCH]:
                yield values[..., None].repeat(3, axis=2)
        case Latent():
            yield from stage.decoded(value).pixels.numpy()[:_SHOWN_OF_BATCH]
        case list():
            for each in value:
                yield from frames(stage, each)
        case _:
            return


def drawn(stage: Stage, port: PortSpec, value: Any) -> Iterator[imaging.Pixels]:
    """What nano draws with a prompt, a model or a setting; other values show themselves."""
    given: dict[str, Any] = {"positive": stage.samples["conditioning"][0]}
    match value:
        case Conditioning():
            given["positive"] = value
        case Noise():
            given["noise"] = replace(value, width=256, height=256)
        case Schedule():
            given["schedule"] = replace(value, name="normal")
        case Model() | Sampler() | Guidance():
            given[port.type] = value
        case _:
            yield from frames(stage, value)
            return
    yield from frames(stage, stage.latent(**given))


def picture_of(stage: Stage, made: NodeType, own: Mapping[str, Any]) -> Picture.Image:
    """What goes in, an arrow, what comes out."""
    given = arguments(stage, made, own)
    first = (stage.run,) if made.wants_run else ()
    with torch.no_grad():
        result = made.function(*first, **given)
        results = result if made.many_results else (result,)
        draw = made.spec.type in _DRAWN
        before = [
            frame
            for port in made.spec.inputs
            if port.name in given and (not draw or port.type in (*_SEEN, "conditioning", "model"))
            for frame in (drawn if draw else _plain)(stage, port, given[port.name])
        ]
        after = [
            frame
            for port, value in zip(made.spec.outputs, results, strict=True)
            for frame in (drawn if draw else _plain)(stage, port, value)
        ]
    return row(before, after)


def _plain(stage: Stage, port: PortSpec, value: Any) -> Iterator[imaging.Pixels]:
    del port
    yield from frames(stage, value)


def row(before: list[imaging.Pixels], after: list[imaging.Pixels]) -> Picture.Image:
    """Pictures beside each other, all in one scale, with an arrow where there is a before."""
    tallest = max(pixels.shape[0] for pixels in (*before, *after))
    left, right = ([_framed(p, SIDE / tallest) for p in some] for some in (before, after))
    width = sum(p.width + _GAP for p in (*left, *right)) - _GAP + (_ARROW + _GAP if left else 0)
    out = Picture.new("RGBA", (width, SIDE))
    x = 0
    for picture in left:
        out.paste(picture, (x, (SIDE - picture.height) // 2))
        x += picture.width + _GAP
    if left:
        _draw_arrow(out, x)
        x += _ARROW + _GAP
    for picture in right:
        out.paste(picture, (x, (SIDE - picture.height) // 2))
        x += picture.width + _GAP
    return out


def _framed(pixels: imaging.Pixels, scale: float) -> Picture.Image:
    """`pixels` in the help's size; a checkerboard where they are transparent."""
    height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
    small = imaging.resize(pixels, width, height, imaging.Method.AREA)
    squares = (np.indices((height, width)) // 8).sum(axis=0) % 2
    board = np.where(squares[..., None], np.float32(0.8), np.float32(0.6)).repeat(3, axis=2)
    seen = imaging.blend(board, small, imaging.BlendMode.NORMAL, 1.0)
    return Picture.fromarray(imaging.to_bytes(seen))


def _draw_arrow(out: Picture.Image, x: int) -> None:
    draw, y = ImageDraw.Draw(out), SIDE // 2
    draw.line((x + 4, y, x + _ARROW - 12, y), _GREY, 4)
    draw.polygon([(x + _ARROW - 14, y - 8), (x + _ARROW - 14, y + 8), (x + _ARROW - 2, y)], _GREY)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", metavar="TYPE", help="these node types alone")
    only = parser.parse_args().only
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        owns = special(stage)
        for type_id, made in sorted(stage.types.items()):
            if not has_picture(made.spec) or (only and type_id not in only):
                continue
            file = help_picture(type_id)
            file.parent.mkdir(parents=True, exist_ok=True)
            picture_of(stage, made, owns.get(type_id, {})).save(file, quality=80, method=6)
            size = file.stat().st_size
            print(f"{type_id}: {size:,} bytes", flush=True)
            assert size <= MOST_BYTES, type_id


if __name__ == "__main__":
    main()
