"""From an instruction and pictures to what an edit model reads."""

from typing import Annotated

import torch

from nodeforge import diffusion, imaging
from nodeforge.api import (
    Choice,
    Conditioning,
    Image,
    Latent,
    Multiline,
    RunContext,
    TextEncoder,
    Vae,
    node,
)


@node("text.instruct", title="Encode instruction")
def instruct(
    run: RunContext,
    text_encoder: TextEncoder,
    vae: Vae,
    images: list[Image],
    text: Annotated[str, Multiline(names="embedding")] = "",
    size: Annotated[str, Choice("auto", "original")] = "auto",
) -> Conditioning:
    """Encode what should change, with the pictures that an edit model is to see.

    InstructPix2Pix and Flux.1 Kontext take one picture, Flux.2 klein up to four, Flux.2 dev and
    Flux.3 klein up to ten, Qwen-Image Edit up to three, Qwen-Image 2.1 up to ten; of these two the
    negative prompt wants this node, too. Qwen-Image Layered takes one apart: its text says what is
    there. Where noise has no size of its own, the new picture has that of the first one.

    Args:
        text_encoder: The model's own.
        vae: The model's own.
        images: What is to be edited comes first, then what else it should look like.
        text: What should change, such as: make it night.
        size: By itself each picture is scaled to a size that the model was taught with; original
            only crops it to what the model can make.
    """
    family, original = text_encoder.family, size == "original"
    diffusion.check_references(sum(image.batch for image in images), family)
    with run.use(vae) as loaded:
        references: list[Latent] = []
        for image in images:
            seen = _seen(image, family, original)
            references.append(diffusion.encode_reference(loaded, seen, family, run.check))
    knowing = diffusion.with_named(text_encoder, text, run.named)
    with run.use(text_encoder) as encoder:
        said = diffusion.encode_text(encoder, knowing, text, 0, run.check, images)
    return diffusion.with_references(said, references)


@node("text.add_reference", title="Add reference")
def add_reference(conditioning: Conditioning, latent: Latent) -> Conditioning:
    """Let encoded prompts show a picture, too, as workflows of ComfyUI do.

    'Encode instruction' does the same in one node, and for models that read the pictures
    together with the words it is the only one.

    Args:
        conditioning: The prompts.
        latent: An encoded picture, which comes after those that they show already.
    """
    shown = conditioning.prompts[0].references
    seen = diffusion.as_reference(latent, conditioning.family)
    return diffusion.with_references(conditioning, [*shown, seen])


def _seen(image: Image, family: str, original: bool) -> Image:
    """The picture in the size in which the model sees it."""
    size = diffusion.reference_size(image.width, image.height, family, original)
    if (size.width, size.height) == (image.width, image.height):
        return image
    fit = imaging.Fit.STRETCH if size.stretched else imaging.Fit.CROP
    pixels = imaging.each(
        lambda p: imaging.resize_to(p, size.width, size.height, fit), image.pixels.numpy()
    )
    return Image(torch.from_numpy(pixels))
