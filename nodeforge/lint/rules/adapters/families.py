"""Networks, latents and conditioning that meet in a node are of one family."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.recipes import Origin, alike, families, label
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF701",
    Severity.ERROR,
    why=(
        "A LoRA, VAE, ControlNet or prompt of another family has other shapes or another "
        "meaning: the run fails, or draws noise."
    ),
    source="The files' headers.",
)

_BY_LATENTS = {"latent", "vae"}


def check(scene: LintContext) -> Iterator[Problem]:
    known = families(scene)
    for path in scene.order:
        met = known.met.get(path, {})
        if len({origin.family for origin in met.values()}) < 2:
            continue
        first, reference = next(iter(met.items()))
        types = _types(scene, path)
        for port, origin in met.items():
            if not alike(
                origin, reference, bool(_BY_LATENTS & {types.get(port), types.get(first)})
            ):
                yield scene.problem(
                    path,
                    _fact(origin, first, reference),
                    _way_out(scene, origin, reference),
                    port=port,
                )


def _types(scene: LintContext, path: str) -> dict[str, str]:
    spec = scene.nodes[path].spec
    return {port.name: port.type for port in spec.inputs} if spec else {}


def _fact(origin: Origin, first: str, reference: Origin) -> str:
    other = first.replace("_", " ")
    return f"made for {label(origin.family)}, '{other}' is for {label(reference.family)}."


def _way_out(scene: LintContext, origin: Origin, reference: Origin) -> str:
    names = dict.fromkeys(f"'{scene.title(o.node)}'" for o in (origin, reference))
    return f"Choose another file in {' or '.join(names)}."
