"""Which tensor of a file feeds which parameter of a network, for the layouts people share.

Names are matched before any tensor is read, by diffusers' own converters run on stand-ins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from diffusers.loaders.single_file_utils import (
    convert_controlnet_checkpoint,
    convert_ldm_clip_checkpoint,
    convert_ldm_unet_checkpoint,
    convert_ldm_vae_checkpoint,
)

_OLD_ATTENTION = {
    ".query.": ".to_q.",
    ".key.": ".to_k.",
    ".value.": ".to_v.",
    ".proj_attn.": ".to_out.0.",
}


class _StandIn:
    """Takes a tensor's place while names are converted; a slice of it is still the tensor."""

    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        self.name = name
        self.shape = shape
        self.ndim = len(shape)

    def __getitem__(self, _: object) -> _StandIn:
        return self


def from_ldm(part: str, shapes: Mapping[str, tuple[int, ...]], config: Any) -> dict[str, str]:
    """Parameter name to file name, for one network of a file in LDM layout.

    Args:
        part: ``unet``, ``vae``, ``controlnet`` or ``text_encoder``.
        shapes: Each tensor's name in the file, and its shape.
        config: The network's diffusers config.
    """
    checkpoint = {name: _StandIn(name, shape) for name, shape in shapes.items()}
    if part == "unet":
        converted = convert_ldm_unet_checkpoint(checkpoint, config)
    elif part == "vae":
        converted = convert_ldm_vae_checkpoint(checkpoint, config)
    elif part == "controlnet":
        converted = convert_controlnet_checkpoint(checkpoint, config)
    else:
        converted = convert_ldm_clip_checkpoint(checkpoint)
    return {name: stand_in.name for name, stand_in in converted.items() if stand_in is not None}


def matched(parameters: Iterable[str], sources: Mapping[str, str]) -> dict[str, str]:
    """Parameter name to file name, allowing for names that older versions wrote.

    Parameters without a tensor are missing from the result.
    """
    found = {}
    by_current_name = {_current(name): source for name, source in sources.items()}
    for parameter in parameters:
        if (source := by_current_name.get(_current(parameter))) is not None:
            found[parameter] = source
    return found


def _current(name: str) -> str:
    """`name` without the wrapper that CLIP had, and with today's names of VAE attention."""
    name = name.removeprefix("text_model.")
    if ".attentions." in name:
        for old, new in _OLD_ATTENTION.items():
            name = name.replace(old, new)
    return name
