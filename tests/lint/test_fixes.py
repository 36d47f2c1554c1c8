"""Fixes mend: after all of them nothing is left to fix, and undo brings the workflow back."""

import random

import pytest

from nodeforge.errors import RequestError
from nodeforge.formats.shipped.rule_examples import rule_example
from nodeforge.formats.workflow import load, write
from nodeforge.graph.document import Document
from nodeforge.graph.edits import ABSENT, SetValue, Unlink
from nodeforge.graph.inline import every_node
from nodeforge.lint import Problem, Severity, all_rules, lint
from nodeforge.models import ModelFolders
from nodeforge.settings import Settings, shipped
from nodeforge.spec import Catalogue, ChoiceWidget, NumberWidget
from tests.lint.example_models import make_models

CATALOGUE = Catalogue.shipped()
WORKFLOWS = sorted(shipped("workflows").glob("*.json"))
ODD = (None, -1, 0, 1, 3, 7, 20.0, 0.05, 150, 1001, 1e9, True, "", "karras", "(a:9", [], {"a": 1})


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> ModelFolders:
    return make_models(tmp_path_factory.mktemp("models"))


def mutated(document: Document, draw: random.Random) -> Document:
    """`document` with a few values, links and nodes as they should not be."""
    paths = sorted(every_node(document.graph))
    for _ in range(draw.randint(1, 5)):
        path = draw.choice(paths)
        spec = CATALOGUE.get(document.node(path).type)
        try:
            if draw.random() < 0.2 and "/" not in path:
                ends = [end for end in document.graph.links if end.node == path]
                if ends:
                    document.perform(Unlink(draw.choice(ends)))
            elif spec and spec.inputs:
                port = draw.choice(spec.inputs)
                document.perform(SetValue(path, port.name, _value(port.widget, draw)))
        except RequestError:
            continue
    return document


def _value(widget, draw: random.Random):
    if isinstance(widget, ChoiceWidget) and draw.random() < 0.7:
        return draw.choice(widget.options)
    if isinstance(widget, NumberWidget) and draw.random() < 0.5:
        return draw.choice((widget.minimum, widget.maximum, 2, 12.5))
    return draw.choice((*ODD, ABSENT))


def mend(document: Document, found: list[Problem], models: ModelFolders) -> list[Problem]:
    for _ in range(20):
        fixable = [problem for problem in found if problem.fix]
        if not fixable:
            return found
        for problem in fixable:
            try:
                document.perform(problem.fix)
            except RequestError:
                continue
        found = lint(document, CATALOGUE, models)
    return found


@pytest.mark.parametrize("seed", range(60))
def test_fix_then_lint_leaves_nothing_to_fix(seed, models):
    draw = random.Random(seed)
    document = mutated(load(draw.choice(WORKFLOWS)), draw)
    before = write(document)
    steps = len(document.history)
    left = mend(document, lint(document, CATALOGUE, models), models)
    assert [problem for problem in left if problem.fix] == []
    while len(document.history) > steps:
        document.undo()
    assert write(document) == before


@pytest.mark.parametrize("value", [[], {"a": 1}, [[]], 10**400, float("nan"), True, None, "", "\0"])
def test_no_value_anywhere_is_a_crash(value, models):
    for file in WORKFLOWS:
        document = load(file)
        for path in every_node(document.graph):
            spec = CATALOGUE.get(document.node(path).type)
            for port in spec.inputs if spec else ():
                document.node(path).values[port.name] = value
        lint(document, CATALOGUE, models)


def test_all_examples_can_be_mended_until_nothing_is_left_to_fix(models):
    for rule in all_rules():
        example = rule_example(rule.code)
        assert example is not None
        left = mend(example[0], lint(example[0], CATALOGUE, models), models)
        assert [problem for problem in left if problem.fix] == [], rule.code


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_shipped_workflows_have_no_problem_above_a_hint(file, tmp_path):
    folders = ModelFolders(Settings(home=tmp_path))
    found = lint(load(file), CATALOGUE, folders)
    serious = [each for each in found if each.severity is not Severity.HINT]
    without_model = file.stem in ("edit_with_references", "canvas_layers")  # until one is chosen
    assert {each.rule for each in serious} <= ({"missing_inputs"} if without_model else set())
