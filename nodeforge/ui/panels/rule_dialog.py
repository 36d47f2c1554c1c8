"""What a rule of the linter is for, as the command line and the page say it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextBlockFormat, QTextCursor
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from nodeforge.formats.shipped.rule_examples import rule_example
from nodeforge.lint import rules_by_key
from nodeforge.lint.explanations import explain

_GAP = 8
"""Pixels below a paragraph."""


class RuleDialog(QDialog):
    """The explanation of a rule.

    Args:
        code: The rule's.
        parent: The panel it is asked from.
    """

    def __init__(self, code: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        rule = rules_by_key()[code]
        self.setWindowTitle(f"{rule.code} {rule.name}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(560, 420)
        self.text = QTextBrowser(openExternalLinks=True)
        self.text.setAccessibleName("Explanation")
        self.text.setMarkdown(explain(rule, rule_example(rule.code), "##"))
        spaced = QTextBlockFormat()
        spaced.setBottomMargin(_GAP)
        whole = QTextCursor(self.text.document())
        whole.select(QTextCursor.SelectionType.Document)
        whole.mergeBlockFormat(spaced)  # Markdown's paragraphs have no room between them
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self.text)
        column.addWidget(buttons)
