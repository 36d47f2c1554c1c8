"""`nodeforge lint`: problems found without running."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import click

from nodeforge import models
from nodeforge.cli.overrides import Overrides
from nodeforge.cli.user_settings import user_settings
from nodeforge.cli.workflow import options
from nodeforge.cli.workflow.piped import whole_file
from nodeforge.engine.content.files import Files
from nodeforge.errors import RequestError
from nodeforge.formats.node_lines import node_lines
from nodeforge.formats.pictures import read_any
from nodeforge.formats.shipped.rule_examples import rule_example
from nodeforge.formats.workflow import save
from nodeforge.graph.document import Document
from nodeforge.lint import FixGrade, Problem, Rule, Severity, all_rules, lint
from nodeforge.lint.explanations import explain, listed
from nodeforge.lint.reports import REPORTS, as_text
from nodeforge.spec import Catalogue

WARNED, REFUSED = 1, 2
_ALL = "all"
_MOST_ROUNDS = 20
"""Of mending: a fix may bring up what could not be seen before it."""


@click.command("lint")
@click.argument("workflow", type=click.Path(path_type=Path), required=False)
@options.ASSIGNMENTS
@click.option("--format", "style", type=click.Choice(list(REPORTS)), default="text")
@click.option("--select", multiple=True, metavar="RULES", help="Only these: NF203,NF3,steps.")
@click.option("--ignore", multiple=True, metavar="RULES", help="Without these.")
@click.option("--fix", is_flag=True, help="Mend what is safe to mend, and save the workflow.")
@click.option("--fix-all", is_flag=True, help="The same, also where it changes the picture.")
@click.option("--explain", metavar="RULE", help="Tell what a rule is for; 'all' lists them.")
@click.pass_context
def command(
    ctx: click.Context,
    workflow: Path | None,
    assignments: tuple[str, ...],
    style: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    fix: bool,
    fix_all: bool,
    explain: str | None,
) -> None:
    """Name what is wrong with WORKFLOW. Exit 2 where it cannot run, 1 where it has warnings."""
    if explain is not None:
        _explain(explain)
        return
    if workflow is None:
        raise click.UsageError("Missing argument 'WORKFLOW'.")
    if (fix or fix_all) and assignments:
        raise click.UsageError("--fix would save what --set sets: choose one of them.")
    chosen = _chosen(select, ignore)
    given, workflow = workflow, whole_file(ctx, workflow)
    document = read_any(workflow)
    show_upgrades(document)
    settings = user_settings()
    catalogue, folders = Catalogue.shipped(), models.ModelFolders(settings)
    overrides = Overrides(document, catalogue, settings)
    for assignment in assignments:
        overrides.set(assignment)
    granted = overrides.granted

    def found() -> list[Problem]:
        files = Files(settings, document.assets, granted)
        problems = lint(
            document,
            catalogue,
            folders,
            granted=frozenset(granted),
            pictures=files.picture,
            resolve=files.resolve,
        )
        return [problem for problem in problems if problem.code in chosen]

    problems = found()
    if fix or fix_all:
        problems = _mended(document, found, given, workflow, also_choices=fix_all)
    lines = node_lines(_text(workflow)) if style != "text" else {}
    if problems or style in ("json", "sarif"):
        click.echo(REPORTS[style](problems, given.as_posix(), lines))
    if code := _exit_code(problems):
        ctx.exit(code)


def _explain(key: str) -> None:
    if key == _ALL:
        click.echo(listed())
        return
    for rule in _rules([key]):
        click.echo(explain(rule, rule_example(rule.code)))


def _chosen(select: Sequence[str], ignore: Sequence[str]) -> set[str]:
    """The codes of the rules to ask."""
    wanted = _rules(select) if select else all_rules()
    left_out = {rule.code for rule in _rules(ignore)}
    return {rule.code for rule in wanted} - left_out


def _rules(keys: Sequence[str]) -> list[Rule]:
    """The rules that are meant by codes, beginnings of codes and names, in order of their codes."""
    asked = [key.strip() for each in keys for key in each.split(",") if key.strip()]
    found: dict[str, Rule] = {}
    for key in asked:
        named = [r for r in all_rules() if r.name == key or r.code.startswith(key.upper())]
        if not named or len(key) < len("NF"):
            raise RequestError(
                f"'{key}' is no rule.", way_out="'nodeforge lint --explain all' lists them."
            )
        found |= {rule.code: rule for rule in named}
    return [found[code] for code in sorted(found)]


def _mended(
    document: Document,
    found: Callable[[], list[Problem]],
    given: Path,
    workflow: Path,
    *,
    also_choices: bool,
) -> list[Problem]:
    """Mend the document as far as fixes go, save it, and return what is left."""
    problems = found()
    grades = set(FixGrade) if also_choices else {FixGrade.SAFE}
    changed = False
    for _ in range(_MOST_ROUNDS):
        fixable = [problem for problem in problems if problem.fix and problem.grade in grades]
        if not fixable:
            break
        if not changed and workflow != given:
            raise RequestError("is a pipe, so it cannot be mended in place.", place=str(given))
        _refuse_other_files(workflow)
        changed = True
        for problem in fixable:
            _perform(document, problem)
        problems = found()
    if changed:
        save(document, workflow)
    return problems


def _perform(document: Document, problem: Problem) -> None:
    if problem.fix:
        with suppress(RequestError):  # another fix was there before it; the next round looks again
            document.perform(problem.fix)


def _exit_code(problems: Sequence[Problem]) -> int:
    worst = {problem.severity for problem in problems}
    if Severity.ERROR in worst:
        return REFUSED
    return WARNED if Severity.WARNING in worst else 0


def _text(workflow: Path) -> str:
    """The file's text, where it is a workflow; empty for pictures and projects."""
    content = workflow.read_bytes()
    return content.decode("utf-8", "replace") if _begins_as_json(content[:64]) else ""


def _begins_as_json(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def _refuse_other_files(path: Path) -> None:
    """Raise unless the file is a workflow: a picture or a project would be overwritten by one."""
    with path.open("rb") as file:
        head = file.read(64)
    if not _begins_as_json(head):
        raise RequestError(
            "is no workflow file, so it cannot be mended in place.",
            place=path.name,
            way_out="Open it in the window and save it as a workflow, then mend that.",
        )


def show_upgrades(document: Document) -> None:
    """Say which nodes were saved with older versions of their types, and have changed."""
    for path, node_type, before, after in document.upgraded:
        click.echo(
            f"{path}: upgraded from version {before} of {node_type} to version {after}.", err=True
        )


def show(problems: list[Problem], *, err: bool = False) -> None:
    """Print `problems`, one after another, as a person reads them."""
    if problems:
        click.echo(as_text(problems, "", {}), err=err)
