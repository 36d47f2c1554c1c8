"""What node types are called in other programs, so that a search by those names finds them.

ComfyUI's names come from the table of the import; those of AUTOMATIC1111's web UI and of
Blender's compositor stand here.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple


class OtherNames(NamedTuple):
    """Names of one node type in other programs.

    Args:
        own: Names of what it is the counterpart of.
        parts: Names of what it is only a part of, as the noise is of a KSampler.
    """

    own: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


_HERE: Mapping[str, str] = {
    "control.apply": "ControlNet",
    "control.apply_ip_adapter": "IPAdapter; Image prompt",
    "control.load": "ControlNet model",
    "graph.reroute": "Reroute; Knot; Dot",
    "graph.switch": "Switch; Any switch",
    "image.adjust": "Brightness/Contrast; Hue/Saturation/Value; Exposure; Gamma; Color balance; "
    "Color correction",
    "image.blend": "Mix; Mix color",
    "image.blur": "Blur; Gaussian blur; Bilateral blur",
    "image.colour_cells": "Pixelate; Posterize",
    "image.composite": "Alpha over; Paste; Mix by mask",
    "image.crop": "Crop",
    "image.enlarge": "Upscale image (using model); Upscaler; Extras; ESRGAN; Super-resolution",
    "image.edges": "Canny; Filter; Sobel; Preprocessor",
    "image.grid": "X/Y/Z plot; Contact sheet; Join images",
    "image.load": "Image; PNG info",
    "image.load_upscaler": "Load upscale model; Upscaler",
    "image.match_colour": "Color transfer; Color match",
    "image.pad": "Outpainting; Poor man's outpainting",
    "image.preview": "Viewer",
    "image.resize": "Scale; Resize; Upscale image",
    "image.save": "File output; Composite; Output",
    "image.scale_by": "Scale; Upscale; Upscaler; Extras",
    "inpaint.crop": "Inpaint area: only masked",
    "inpaint.put_back": "Paste back; Stitch",
    "latent.blend": "Mix; Latent blend; Latent mix",
    "latent.decode": "VAE; Tiled VAE",
    "latent.empty": "Empty latent image; Width and height",
    "latent.encode": "img2img; VAE",
    "latent.upscale": "Hires. fix; Upscale latent",
    "latent.scale_by": "Hires. fix; Upscale latent",
    "mask.combine": "Math; Mix masks",
    "mask.feather": "Mask blur; Blur; Soft inpainting",
    "mask.from_alpha": "Separate alpha; Set alpha",
    "mask.from_colour": "Color key; Chroma key; Keying; Color to mask",
    "mask.grow": "Dilate/Erode; Expand mask; Shrink mask",
    "mask.invert": "Invert; Invert color",
    "mask.load": "Inpaint upload",
    "mask.rectangle": "Box mask",
    "mask.threshold": "Greater than; Color ramp",
    "models.flow_shift": "Shift",
    "models.load": "Checkpoint; Stable Diffusion checkpoint; Model loader",
    "models.load_denoiser": "UNET; Diffusion model",
    "models.load_lora": "LoRA; LyCORIS; Extra networks",
    "models.load_text_encoder": "CLIP",
    "models.load_vae": "SD VAE; VAE",
    "models.step_cache": "First Block Cache; FBCache; TeaCache; EasyCache",
    "models.tile": "Tiled diffusion; MultiDiffusion",
    "sampling.denoise": "txt2img; Generate; Sampling; Sampler",
    "sampling.estimate": "Denoised output; x0 prediction; Early choice",
    "sampling.guidance": "CFG; CFG scale; Distilled CFG scale",
    "sampling.noise": "Seed; Variation seed; Batch size; Batch count; Width; Height",
    "sampling.sampler": "Sampling method",
    "sampling.schedule": "Schedule type; Scheduler; Sampling steps; Denoising strength; Sigmas",
    "text.average": "Mix; Prompt blend",
    "text.change_at_step": "Prompt editing; Prompt scheduling; Prompt travel",
    "text.combine": "AND; Composable diffusion",
    "text.concatenate": "BREAK; Join strings",
    "text.encode": "Prompt; Negative prompt; Clip skip",
    "text.instruct": "Edit by instruction; Kontext; Reference; Instruct Pix2Pix",
    "text.load_embedding": "Textual inversion; Embedding",
    "text.range": "Prompt editing; Prompt scheduling",
    "text.region": "Regional prompter; Latent couple",
    "values.float": "Value; Float; Number",
    "values.integer": "Integer; Int; Whole number",
    "values.seed": "Random value; Seed",
    "values.text": "String; Text; Prompt",
}
"""Names in AUTOMATIC1111's web UI, in Blender and in Nuke by node type."""


@functools.cache
def other_names() -> Mapping[str, OtherNames]:
    """The names in other programs of every node type that has some."""
    from nodeforge.formats.comfyui.table import ROWS  # takes a moment: when first searched

    own: defaultdict[str, list[str]] = defaultdict(list)
    parts: defaultdict[str, list[str]] = defaultdict(list)
    for row in ROWS.values():
        for index, type_id in enumerate(row.becomes):
            (own if index == 0 else parts)[type_id] += [row.class_type, row.name]
    for type_id, names in _HERE.items():
        own[type_id] += names.split("; ")
    types = own.keys() | parts.keys()
    return {
        each: OtherNames(tuple(dict.fromkeys(own[each])), tuple(dict.fromkeys(parts[each])))
        for each in types
    }
