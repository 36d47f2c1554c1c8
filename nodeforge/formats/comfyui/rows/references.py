"""Several reference pictures at once, for models that edit by them."""

from __future__ import annotations

from dataclasses import replace

from nodeforge.formats.comfyui.link_value import EmptyLatent, InputValue, LinkValue
from nodeforge.formats.comfyui.node_conversion import NoCounterpartError, NodeConversion
from nodeforge.formats.comfyui.row import Row
from nodeforge.graph.model import Output

_MOST = 100
_MEGAPIXELS = 1.0


def _references(node: NodeConversion) -> None:
    """ReferenceMultiLatent: each picture encoded by itself, for both prompts."""
    positive = node.link_value("positive", needed="so there is no prompt")
    assert positive is not None
    negative = node.link_value("negative")
    shown = [seen for number in range(_MOST) if (seen := node.output(f"images.image{number}"))]
    latents = [_encoded(node, picture) for picture in shown]
    shows = [_showing(node, each, latents) for each in (positive, negative) if each is not None]
    node.set_outputs(shows[0], shows[-1], LinkValue("LATENT", empty=_size(node, bool(shown))))


def _encoded(node: NodeConversion, picture: Output) -> Output:
    if (vae := node.output("vae")) is None:
        raise NoCounterpartError("shows pictures without a VAE to encode them with.")
    if _resizes(node):
        pixels = node.input_value("resolution.megapixels", _MEGAPIXELS)
        scaled = node.add("image.scale_to_area", image=picture, megapixels=pixels, multiple=1)
        picture = Output(scaled, "image")
    return Output(node.add("latent.encode", vae=vae, image=picture, crop=True), "latent")


def _resizes(node: NodeConversion) -> bool:
    return node.known_value("resolution", "keep resolution") == "resize"


def _showing(node: NodeConversion, given: LinkValue, latents: list[Output]) -> LinkValue:
    for latent in latents:
        prompt = node.resolve(given)
        name = node.add("text.add_reference", conditioning=prompt, latent=latent)
        given = replace(given, output=Output(name, "conditioning"))
    return given


def _size(node: NodeConversion, shown: bool) -> EmptyLatent:
    """As the first picture; a square without one."""
    if shown:
        return EmptyLatent(InputValue(None), InputValue(None), InputValue(1))
    pixels = node.known_value("resolution.megapixels", _MEGAPIXELS) if _resizes(node) else 1.0
    side = InputValue(round(1024 * pixels**0.5 / 16) * 16)
    return EmptyLatent(side, side, InputValue(1))


ROWS = (
    Row(
        "ReferenceMultiLatent",
        "Set Reference Multi Latent",
        ("resolution", "resolution.megapixels"),
        ("CONDITIONING", "CONDITIONING", "LATENT"),
        ("image.scale_to_area", "latent.encode", "text.add_reference"),
        _references,
        "The new picture has the size of the first one.",
    ),
)
