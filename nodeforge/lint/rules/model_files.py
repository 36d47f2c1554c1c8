"""A model file can be read, is of the kind that its node loads, and of a family we have."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.errors import RequestError
from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem
from nodeforge.lint.recipes import model_info, model_ports

RULE = "model_files"
_NAMES = {
    "vae": "VAE",
    "lora": "LoRA",
    "controlnet": "ControlNet",
    "t2i_adapter": "T2I-Adapter",
    "ip_adapter": "IP-Adapter",
}


def check(scene: LintContext) -> Iterator[Problem]:
    for path, port, kind, name in model_ports(scene):
        try:
            info = model_info(scene, kind, name)
        except RequestError as error:
            yield scene.problem(RULE, path, f"'{name}' {error.fact}", error.way_out, port=port)
            continue
        if info is None:
            continue
        if info.family is None and not info.families:
            fact = f"'{name}' cannot be used: {info.reason or 'its family is not known'}."
            yield scene.problem(RULE, path, fact, "Choose another file.", port=port)
        elif kind not in (info.kind, *info.parts):
            fact = f"'{name}' is {_words(info.kind)}, not {_words(kind)}."
            yield scene.problem(RULE, path, fact, f"Choose {_words(kind)}.", port=port)


def _words(kind: str) -> str:
    """A kind of model with its article."""
    words = _NAMES.get(kind, kind.replace("_", " "))
    return f"{'an' if words[0] in 'aeiI' else 'a'} {words}"
