"""Adapters: pictures that a model follows in form (T2I) or in what they show (IP)."""

from pathlib import Path
from typing import Annotated

from nodeforge import diffusion
from nodeforge.api import (
    Conditioning,
    ControlNet,
    Image,
    ImageEncoder,
    IpAdapter,
    ModelFile,
    Range,
    RunContext,
    node,
)


@node("control.load_t2i_adapter", title="Load T2I-Adapter")
def load_t2i_adapter(file: Annotated[Path, ModelFile("t2i_adapter")]) -> ControlNet:
    """Load a T2I-Adapter, which is applied like a ControlNet, and is faster.

    Args:
        file: The adapter: a diffusers folder, or a single file.
    """
    return diffusion.describe_t2i_adapter(file)


@node("control.load_ip_adapter", title="Load IP-Adapter")
def load_ip_adapter(file: Annotated[Path, ModelFile("ip_adapter")]) -> IpAdapter:
    """Load an IP-Adapter, which reads pictures as prompts.

    Args:
        file: The adapter: plain, plus, or full face.
    """
    return diffusion.describe_ip_adapter(file)


@node("control.load_image_encoder", title="Load image encoder")
def load_image_encoder(file: Annotated[Path, ModelFile("image_encoder")]) -> ImageEncoder:
    """Load the CLIP image encoder that an IP-Adapter was trained with.

    Args:
        file: ViT-H for most adapters, ViT-bigG for some of SDXL's: a folder or a single file.
    """
    return diffusion.describe_image_encoder(file)


@node("control.apply_ip_adapter", title="Apply IP-Adapter")
def apply_ip_adapter(
    run: RunContext,
    conditioning: Conditioning,
    ip_adapter: IpAdapter,
    image_encoder: ImageEncoder,
    image: Image,
    strength: Annotated[float, Range(0.0, 4.0, step=0.05)] = 0.7,
    start: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.0,
    end: Annotated[float, Range(0.0, 1.0, step=0.05)] = 1.0,
) -> Conditioning:
    """Add image prompts to a prompt (IP-Adapter); several adapters add up.

    Args:
        conditioning: The prompt; the negative prompt needs none.
        ip_adapter: The IP-Adapter.
        image_encoder: The CLIP image encoder; it reads the centre square of each picture.
        image: The image prompts, used together.
        strength: Weight of the image prompt; 0 turns it off.
        start: Share of the steps after which they begin to count.
        end: Share of the steps after which they end.
    """
    with run.use(ip_adapter) as adapter, run.use(image_encoder) as encoder:
        return diffusion.add_image_prompt(
            conditioning, ip_adapter, adapter, encoder, image, strength, start, end
        )
