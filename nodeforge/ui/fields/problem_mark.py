"""Marks a field with what the linter says of it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel

from nodeforge.lint import Problem, Severity
from nodeforge.ui.common.formatting import tooltip_html
from nodeforge.ui.common.icons import icon
from nodeforge.ui.common.theme import Theme
from nodeforge.ui.fields.field import Field
from nodeforge.ui.fields.text_field import TextField

PAUSE = 300
"""Milliseconds after an edit until the linter is asked."""
_SIDE = 14


class ProblemMark(QLabel):
    """A sign beside a field's name, with the problems as its tooltip; hidden without any."""

    def __init__(self) -> None:
        super().__init__()
        self.hide()

    def show_problems(self, problems: Sequence[Problem], field: Field | None, theme: Theme) -> None:
        """Show the worst one's sign, and underline the words that problems are about.

        Args:
            problems: Those of the field, the worst first.
            field: The field beside it, if there is one.
        """
        self.setVisible(bool(problems))
        if problems:
            text = "\n".join(f"{each.fact} {each.way_out}".strip() for each in problems)
            text = text[:1].upper() + text[1:]
            severity = problems[0].severity
            sign = "lightbulb" if severity is Severity.HINT else "warning"
            self.setPixmap(icon(sign, _colour(severity, theme).name()).pixmap(_SIDE))
            self.setToolTip(tooltip_html(text))
            self.setAccessibleName(text)
        if isinstance(field, TextField):
            field.underline([(p.words, _colour(p.severity, theme)) for p in problems if p.words])


def _colour(severity: Severity, theme: Theme) -> QColor:
    return {Severity.ERROR: theme.error, Severity.WARNING: theme.warn}.get(severity, theme.dim)
