"""A denoiser that comes alone has its text encoders and its VAE in the model folders."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.errors import RequestError
from nodeforge.lint.companions import companions
from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF114",
    Severity.ERROR,
    why=(
        "Denoisers of newer families come without text encoders and VAE, which are separate files."
    ),
    source="The family's configuration.",
)


def check(scene: LintContext) -> Iterator[Problem]:
    for path, found in companions(scene):
        if isinstance(found, RequestError):
            port = found.place.removeprefix("port '").removesuffix("'")
            yield scene.problem(path, found.fact, found.way_out, port=port)
