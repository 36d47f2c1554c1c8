"""Shows what ssh asks in a dialog: `SSH_ASKPASS` of the window, a process of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication, QInputDialog, QLineEdit, QMessageBox

PROGRAM = "nodeforge-askpass"
_KIND = "SSH_ASKPASS_PROMPT"
_YES_OR_NO = "(yes/no"
_TITLE = "NodeForge: connection by ssh"


def use_for_ssh() -> None:
    """Have ssh ask by this program, where the person has chosen no other."""
    program = Path(sys.executable).with_name(PROGRAM)
    if program.exists():
        os.environ.setdefault("SSH_ASKPASS", str(program))


def answer(question: str, kind: str) -> str | None:
    """Ask the person, and wait for the answer.

    Args:
        question: As ssh words it.
        kind: ``confirm`` for a question of yes or no, ``none`` for what is only shown; empty for
            one that is answered by a text.

    Returns:
        What ssh is to read; None where the person has refused.
    """
    if kind == "none":
        QMessageBox.information(None, _TITLE, question)
        return ""
    if kind == "confirm" or _YES_OR_NO in question:
        asked = question.partition(_YES_OR_NO)[0].rstrip(" ?") + "?"
        chosen = QMessageBox.question(None, _TITLE, asked)
        return "yes" if chosen is QMessageBox.StandardButton.Yes else None
    text, given = QInputDialog.getText(None, _TITLE, question, QLineEdit.EchoMode.Password)
    return text if given else None


def main() -> None:
    application = QApplication(sys.argv[:1])
    said = answer(" ".join(sys.argv[1:]), os.environ.get(_KIND, ""))
    application.quit()
    if said is None:
        sys.exit(1)
    print(said)
