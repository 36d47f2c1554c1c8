"""The names of what travels along links, and which may be linked to which."""

from __future__ import annotations

ANY = "any"
INTEGER = "integer"
FLOAT = "float"
TEXT = "text"
BOOLEAN = "boolean"
PATH = "path"

PLAIN = frozenset({INTEGER, FLOAT, TEXT, BOOLEAN, PATH})
"""Types with a widget: a value of theirs may stand in the workflow itself."""

RECIPES_OF_NETWORKS = frozenset(
    {
        *("model", "text_encoder", "vae", "controlnet", "ip_adapter", "image_encoder"),
        "upscale_model",
    }
)
"""A node that takes one of these runs a network: device and precision count in its key."""

TYPES = (
    PLAIN
    | RECIPES_OF_NETWORKS
    | {
        "conditioning",
        "latent",
        "noise",
        "schedule",
        "sampler",
        "guidance",
        "image",
        "mask",
        "region",
        "video",
        "audio",
        ANY,
    }
)

_NAMES = {
    "vae": "VAE",
    "controlnet": "ControlNet",
    "ip_adapter": "IP-Adapter",
    INTEGER: "whole number",
    FLOAT: "number",
    BOOLEAN: "on or off",
    PATH: "file",
    ANY: "anything",
}
_WIDENS = {(INTEGER, FLOAT), (BOOLEAN, INTEGER)}


def type_name(kind: str) -> str:
    """What people call a type: ``text encoder``, ``VAE``, ``whole number``."""
    return _NAMES.get(kind, kind.replace("_", " "))


def fits(source: str, target: str) -> bool:
    """Whether an output of type `source` may be linked to an input of type `target`."""
    return source == target or ANY in (source, target) or (source, target) in _WIDENS
