"""A model file can be read, is of the kind that its node loads, and of a family we have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nodeforge.errors import RequestError
from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.recipes import model_info, model_ports
from nodeforge.lint.rule import Rule
from nodeforge.spec import ModelFileWidget

RULE = Rule(
    "NF112",
    Severity.ERROR,
    why=(
        "A file's header says what it holds: a LoRA where a checkpoint is loaded, or a family "
        "that this version does not have, would fail after a long read."
    ),
    source="The file's header.",
)

if TYPE_CHECKING:
    from nodeforge.models import ModelInfo

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
            yield scene.problem(path, f"'{name}' {error.fact}", error.way_out, port=port)
            continue
        if info is None:
            continue
        if not info.is_usable:
            fact = f"'{name}' cannot be used: {info.reason or 'its family is not known'}."
            yield scene.problem(path, fact, "Choose another file.", port=port)
        elif kind not in (info.kind, *info.parts) and not _loads_alone(scene, path, port, info):
            fact = f"'{name}' is {_words(info.kind)}, not {_words(kind)}."
            yield scene.problem(path, fact, f"Choose {_words(kind)}.", port=port)


def _loads_alone(scene: LintContext, path: str, port: str, info: ModelInfo) -> bool:
    """Whether the node loads denoisers that come alone here, with what they need beside them."""
    from nodeforge.models import needs_of

    spec = scene.nodes[path].spec
    widgets = [each.widget for each in spec.inputs] if spec else []
    beside = (isinstance(each, ModelFileWidget) and each.goes_with == port for each in widgets)
    return any(beside) and bool(needs_of(info))


def _words(kind: str) -> str:
    """A kind of model with its article."""
    words = _NAMES.get(kind, kind.replace("_", " "))
    return f"{'an' if words.startswith(('a', 'e', 'i', 'I', 'up')) else 'a'} {words}"
