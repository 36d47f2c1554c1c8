"""What a model is said to predict is what its file says."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.errors import RequestError
from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.recipes import model_info, model_ports
from nodeforge.lint.rule import Rule
from nodeforge.values.setting_names import AUTO

RULE = Rule(
    "NF319",
    Severity.WARNING,
    why="A model that is read as predicting something else draws noise or grey.",
    source=(
        "The file's header: modelspec.prediction_type, ss_v_parameterization, the key v_pred; "
        "a yaml file beside it."
    ),
    fix=FixGrade.CHOICE,
    types=("models.load", "models.load_denoiser"),
)


def check(scene: LintContext) -> Iterator[Problem]:
    for path, port, kind, name in model_ports(scene):
        spec = scene.nodes[path].spec
        if port != "file" or not spec or "prediction" not in spec.input:
            continue
        try:
            info = model_info(scene, kind, name)
        except RequestError:
            continue  # the rule `model_files`
        said = scene.value(path, "prediction")
        told = info.prediction_type if info else None
        if told and type(said) is str and said not in (AUTO, told):
            yield scene.problem(
                path,
                f"is {_words(said)}; the file says {_words(told)}.",
                "Set it to auto.",
                port="prediction",
                fix=scene.set_value(path, "prediction", AUTO),
            )


def _words(prediction: str) -> str:
    return prediction.replace("_prediction", "").replace("_", " ")
