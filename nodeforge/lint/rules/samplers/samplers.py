"""The sampler walks its schedule with a model that predicts what this one does."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loop_model import LoopModel
from nodeforge.lint.loops import CUSTOM_SCHEDULE, LOOPS, SAMPLER, SCHEDULE, loops
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.models import SamplingSettings, resolve
from nodeforge.models.sampler_table import Levels, sampler_table, walked
from nodeforge.values.sampling_labels import (
    CONVENTION_LABELS,
    SAMPLER_LABELS,
    SCHEDULE_LABELS,
)
from nodeforge.values.setting_names import AUTO, DIFFUSERS, FLOW

RULE = Rule(
    "NF301",
    Severity.ERROR,
    why=(
        "Each sampler walks some schedules and predictions alone: others end in noise or in an "
        "error of the sampler. A setting that a sampler does not read would be without effect."
    ),
    source="A table made by running every pair.",
    fix=FixGrade.SAFE,
    types=LOOPS,
)


def check(scene: LintContext) -> Iterator[Problem]:
    told: set[tuple[str, str]] = set()
    for loop in loops(scene):
        path = loop.path
        sampler, schedule = scene.feed(path, "sampler"), scene.feed(path, "schedule")
        if sampler is not None and scene.nodes[sampler.node].type != SAMPLER:
            continue
        pair = (sampler and sampler.node, schedule and schedule.node)
        problem = _problem(scene, *pair, loop.model)
        if problem is not None and (problem.node, problem.fact) not in told:
            told.add((problem.node, problem.fact))
            yield problem


def _problem(
    scene: LintContext, sampler: str | None, schedule: str | None, model: LoopModel
) -> Problem | None:
    """What is wrong with a pair of nodes; None stands for the model's usual one."""
    name = AUTO if sampler is None else scene.value(sampler, "name")
    of = AUTO if schedule is None else _schedule_name(scene, schedule)
    if type(name) is not str or name not in (AUTO, *sampler_table()) or of is None:
        return None  # the rule `ranges` names it
    convention = DIFFUSERS if sampler is None else scene.value(sampler, "convention")
    if convention not in CONVENTION_LABELS:
        return None  # the rule `ranges`, too
    if schedule and name == AUTO and of != AUTO and not _walkers(of, model.levels, convention):
        return _no_sampler(scene, schedule, of, convention)
    name, of = _resolved(name, of, convention, model)
    if name == AUTO:
        return None
    found = None
    if sampler is not None:
        found = _at_sampler(scene, sampler, (name, of, convention), model.levels)
    if found is None and schedule is not None and of not in (AUTO, "custom"):
        return _at_schedule(scene, schedule, (name, of, convention), model.levels)
    return found


def _at_sampler(
    scene: LintContext, sampler: str, pair: tuple[str, str, str], levels: Levels | None
) -> Problem | None:
    """What is wrong with the sampler for this model and schedule, and with its eta."""
    name, of, convention = pair
    schedules = walked(name, levels, convention)
    if levels is Levels.SIGMAS and not schedules["plain"]:
        return _not_for_sigmas(scene, sampler, name, convention)
    if not walked(name, None, convention)["plain"]:
        return _in_other_convention(scene, sampler, name, convention)
    if not schedules["plain"]:
        fact, way_out = _wrong_model(name, levels is Levels.FLOW, convention)
        return scene.problem(sampler, fact, way_out, port="name")
    if of == AUTO:
        return None
    if of not in schedules["plain"]:
        fact = f"'{SAMPLER_LABELS[name]}' cannot walk the schedule '{SCHEDULE_LABELS[of]}'."
        way_out = f"Choose another sampler, or one of its schedules: {_listed(schedules['plain'])}."
        return scene.problem(sampler, fact, way_out, port="name")
    if scene.value(sampler, "eta") is None or of in schedules["eta"]:
        return None
    fix = scene.set_value(sampler, "eta", None)
    way_out = "Leave eta empty, or choose another sampler."
    fact = f"'{SAMPLER_LABELS[name]}' has none."
    return scene.problem(sampler, fact, way_out, port="eta", fix=fix)


def _at_schedule(
    scene: LintContext, schedule: str, pair: tuple[str, str, str], levels: Levels | None
) -> Problem | None:
    """What is wrong with the schedule's rho for this sampler."""
    name, of, convention = pair
    if scene.value(schedule, "rho") is None or of in walked(name, levels, convention)["rho"]:
        return None
    fix = scene.set_value(schedule, "rho", None)
    bent = _bent(levels, convention)
    takes = f"'{SAMPLER_LABELS[name]}' does not take it."
    fact = takes if of in bent else f"'{SCHEDULE_LABELS[of]}' has none."
    way_out = f"Leave rho empty, or choose one of: {_listed(bent)}."
    return scene.problem(schedule, fact, way_out, port="rho", fix=fix)


def _schedule_name(scene: LintContext, path: str) -> str | None:
    kind = scene.nodes[path].type
    if kind == CUSTOM_SCHEDULE:
        return "custom"
    name = scene.value(path, "name") if kind == SCHEDULE else None
    return name if type(name) is str and name in (AUTO, *SCHEDULE_LABELS) else None


def _resolved(name: str, of: str, convention: str, model: LoopModel) -> tuple[str, str]:
    """Sampler and schedule with what is left to the model, where that is known."""
    info = model.info
    if AUTO not in (name, of) or info is None or info.family is None:
        return name, of
    asked = SamplingSettings(name, of, convention=convention)
    predicts = FLOW if model.flow else info.prediction_type or ""
    made = resolve(asked, info.family, model.variant, predicts)
    return made.sampler, made.schedule


def _walkers(schedule: str, levels: Levels | None, convention: str) -> list[str]:
    """The samplers that walk it."""
    return [s for s in sampler_table() if schedule in walked(s, levels, convention)["plain"]]


def _no_sampler(scene: LintContext, schedule: str, of: str, convention: str) -> Problem:
    fact = (
        f"No sampler walks '{SCHEDULE_LABELS[of]}' with this model in "
        f"{CONVENTION_LABELS[convention]}'s convention."
    )
    way_out = "Choose another schedule, or the sampler's other convention."
    return scene.problem(schedule, fact, way_out, port="name")


def _in_other_convention(scene: LintContext, sampler: str, name: str, convention: str) -> Problem:
    """The sampler is in the other convention alone."""
    other = next(each for each in CONVENTION_LABELS if each != convention)
    fix = scene.set_value(sampler, "convention", other)
    fact = f"'{SAMPLER_LABELS[name]}' is not in {CONVENTION_LABELS[convention]}'s convention."
    way_out = f"Set it to {CONVENTION_LABELS[other]}, or choose another sampler."
    return scene.problem(sampler, fact, way_out, port="convention", fix=fix)


def _not_for_sigmas(scene: LintContext, sampler: str, name: str, convention: str) -> Problem:
    """A model of sigmas is walked in diffusers' convention alone, by some samplers."""
    ours, label = CONVENTION_LABELS[DIFFUSERS], SAMPLER_LABELS[name]
    able = [s for s in sampler_table() if walked(s, Levels.SIGMAS, DIFFUSERS)["plain"]]
    if convention != DIFFUSERS and name in able:
        fix = scene.set_value(sampler, "convention", DIFFUSERS)
        fact = f"this model's noise levels are walked in {ours}'s convention alone."
        return scene.problem(sampler, fact, f"Set it to {ours}.", port="convention", fix=fix)
    fact = f"'{label}' cannot walk this model's noise levels."
    way_out = f"Choose one of: {', '.join(SAMPLER_LABELS[each] for each in able)}."
    return scene.problem(sampler, fact, way_out, port="name")


def _wrong_model(name: str, flow: bool, convention: str) -> tuple[str, str]:
    label = SAMPLER_LABELS[name]
    if flow:
        able = ", ".join(
            SAMPLER_LABELS[s]
            for s in sampler_table()
            if walked(s, Levels.FLOW, convention)["plain"]
        )
        return f"'{label}' is not for flow-matching models.", f"Choose one of: {able}."
    return (
        f"'{label}' is for flow-matching models alone, which this one is not.",
        "Choose another sampler; or, if the model does predict flow, say so in 'prediction' "
        "where it is loaded.",
    )


def _bent(levels: Levels | None, convention: str) -> frozenset[str]:
    """The schedules that have a rho."""
    names = sampler_table()
    return frozenset(each for name in names for each in walked(name, levels, convention)["rho"])


def _listed(schedules: frozenset[str]) -> str:
    return ", ".join(label for name, label in SCHEDULE_LABELS.items() if name in schedules)
