"""Every rule's examples: the bad one has its problem and no other, the good one has none."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from nodeforge.formats.shipped.rule_examples import FOLDER, rule_example
from nodeforge.graph.document import Document
from nodeforge.lint import FixGrade, Problem, Rule, Severity, all_rules, lint
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue
from tests.lint.example_models import make_models, make_pictures

RULES = {rule.code: rule for rule in all_rules()}
CONSEQUENCES = {"NF107": {"NF102"}}
"""Problems that follow from a rule's: what a switch feeds gets nothing."""


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("examples")
    make_pictures(made / "pictures")
    return made


@pytest.fixture(scope="module")
def found(home) -> Callable[[Document], list[Problem]]:
    models = make_models(home)

    def picture(name: str) -> Path | None:
        file = home / "pictures" / name
        return file if file.is_file() else None

    return lambda document: lint(document, Catalogue.shipped(), models, pictures=picture)


@pytest.fixture(params=RULES)
def rule(request) -> Rule:
    return RULES[request.param]


def test_the_bad_example_has_the_rules_problem_alone(rule, found):
    example = rule_example(rule.code)
    assert example is not None, "resources/lint/CODE/bad.json and good.json"
    problems = found(example[0])
    assert rule.code in {each.code for each in problems}, problems
    serious = {each.code for each in problems if each.severity is not Severity.HINT}
    assert serious <= {rule.code, *CONSEQUENCES.get(rule.code, ())}, problems


def test_the_good_example_has_no_problem(rule, found):
    example = rule_example(rule.code)
    assert example is not None
    problems = found(example[1])
    assert [each for each in problems if each.severity is not Severity.HINT] == []
    assert rule.code not in {each.code for each in problems}


def test_the_fix_of_the_bad_example_mends_it(rule, found):
    example = rule_example(rule.code)
    assert example is not None
    document = example[0]
    mine = [each for each in found(document) if each.code == rule.code]
    for problem in mine:
        if problem.fix is not None:
            assert isinstance(problem.grade, FixGrade)
            document.perform(problem.fix)
    left = [each for each in found(document) if each.code == rule.code]
    assert all(each.fix is None for each in left)


def test_every_rule_says_what_it_is_for():
    for rule in all_rules():
        assert re.fullmatch(r"NF[1-9][0-9]{2}", rule.code)
        for text in (rule.summary, rule.why, rule.source):
            assert text.endswith(".")
    assert len({rule.name for rule in all_rules()}) == len(all_rules())


def test_every_example_is_of_a_rule():
    folders = {path.name for path in (shipped("resources") / FOLDER).iterdir()}
    assert folders == set(RULES)
