"""A model that was trained up to pure noise predicts v or flow."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.values.setting_names import AUTO

RULE = Rule(
    "NF318",
    Severity.ERROR,
    why=(
        "At pure noise nothing can be told from the noise itself, so that no model of epsilon "
        "was trained there: the first step would divide by zero."
    ),
    source="Lin et al. 2023, arXiv:2305.08891, section 3.2.",
    fix=FixGrade.SAFE,
    types=("models.load", "models.load_denoiser"),
)

EPSILON = "epsilon"


def check(scene: LintContext) -> Iterator[Problem]:
    for path, node in scene.nodes.items():
        if not node.spec or "zero_snr" not in node.spec.input:
            continue
        if scene.value(path, "zero_snr") == "yes" and scene.value(path, "prediction") == EPSILON:
            yield scene.problem(
                path,
                "no model that predicts epsilon was trained up to pure noise.",
                "Set 'zero_snr' to auto, or 'prediction' to what the model predicts.",
                port="zero_snr",
                fix=scene.set_value(path, "zero_snr", AUTO),
            )
