"""Asks whether the tensors of a pickle may be read."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from nodeforge.engine.worker_client.pickle_permission import allow_pickle
from nodeforge.errors import NodeForgeError
from nodeforge.settings import Settings
from nodeforge.ui.common.background_task import run_in_background

ALLOW = "Allow this file…"
"""What buttons are called that ask."""
_FACT = (
    "“{name}” is a pickle, a file of Python objects. Whoever opens one in the usual way runs "
    "whatever program its author put in."
)
_MEANING = (
    "NodeForge reads only the numbers in it (tensors), in a process of its own, and runs nothing. "
    "They are copied into a .safetensors file, which is used wherever this file is chosen.\n\n"
    "You allow the file as it is now: after any change you are asked again. Allow it if you trust "
    "where it comes from. Safer still is to get the model as .safetensors."
)


def ask_to_allow(settings: Settings, path: Path, parent: QWidget) -> bool:
    """Ask whether a pickle may be used, and copy its tensors if so; whether it may be used now.

    What keeps it from being read is shown here.
    """
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle("Allow a pickle")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(_FACT.format(name=path.name))
    box.setInformativeText(_MEANING)
    allow = box.addButton("&Allow", QMessageBox.ButtonRole.AcceptRole)
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
    box.exec()
    if box.clickedButton() is not allow:
        return False
    try:
        count = run_in_background(
            parent,
            f"Copying the tensors of {path.name}…",
            lambda report: allow_pickle(settings, path, lambda: report(0.0)),
        )
    except NodeForgeError as error:
        refused = QMessageBox(parent)
        refused.setIcon(QMessageBox.Icon.Critical)
        refused.setWindowTitle("Allow a pickle")
        refused.setTextFormat(Qt.TextFormat.PlainText)
        refused.setText(str(error))
        refused.exec()
        return False
    return count is not None
